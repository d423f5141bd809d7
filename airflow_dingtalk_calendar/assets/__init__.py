"""Calendars as Airflow assets."""
