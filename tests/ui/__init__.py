"""What people do in a browser: Airflow's own pages, and the emulator's (make ui-test)."""
