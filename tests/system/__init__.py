"""``make system-test``: a distributed Airflow of our own, what befalls it, and what DingTalk has of it in the end."""
