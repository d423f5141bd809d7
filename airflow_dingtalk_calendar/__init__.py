"""Apache Airflow provider for the DingTalk calendar."""

__version__ = "0.1.0"
