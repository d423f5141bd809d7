"""Run each DAG of a folder with what is installed, and print how each ended (a script of ``project/test_package.py``).

Usage: ``python -I tests/installed.py FOLDER EMULATOR``; ``-I`` keeps the checkout out of the import path.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import httpx
from airflow.configuration import conf
from airflow.utils.db import initdb

import airflow_dingtalk_calendar

examples, emulator = sys.argv[1:]
folder = Path(conf.get("core", "dags_folder"))
shutil.copytree(examples, folder)
initdb()

from airflow.dag_processing.dagbag import DagBag  # noqa: E402  # needs the database

ended = {"package": str(airflow_dingtalk_calendar.__file__)}
bag = DagBag(str(folder))
for file, problem in bag.import_errors.items():
    ended[file] = problem
for dag in bag.dags.values():
    httpx.post(f"{emulator}/_emulator/reset").raise_for_status()
    for task in dag.tasks:
        task.retries = 0  # a failure shows at once
    # What a person is asked for is taken for granted, as if the answer had been yes.
    ended[dag.dag_id] = str(dag.test(mark_success_pattern="^approve$").state)
sys.stdout.write(f"\n{json.dumps(ended)}\n")
