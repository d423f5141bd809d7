"""An old version of the package, and Airflow upgraded from it to the checkout."""
