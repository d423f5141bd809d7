"""One call sent and answered: authentication, token cache, rate limit, retries, HTTP. No Airflow in it."""
