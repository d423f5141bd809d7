"""Importing this gives the process, and those that it starts, an Airflow of their own. It must come before Airflow."""

import atexit
import os
import shutil
import tempfile

if "BENCH_HOME" not in os.environ:  # in the process that was started first
    for name in list(os.environ):
        # A developer's own Airflow and proxies stay out of it; without its bytecode, Python compiles at every start.
        if name.startswith("AIRFLOW") or name.lower().endswith("_proxy") or name == "PYTHONDONTWRITEBYTECODE":
            del os.environ[name]
    home = os.environ["BENCH_HOME"] = os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-bench-")
    os.environ |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__DAGS_FOLDER": f"{home}/dags"}
    os.environ |= {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR", "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False"}
    atexit.register(shutil.rmtree, home, ignore_errors=True)
