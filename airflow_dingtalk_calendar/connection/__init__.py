"""The Airflow connection: its settings, its form, and the hosts that secrets may go to."""
