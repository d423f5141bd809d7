"""Import a company's calendar file into a DingTalk calendar, again and again without making an event twice.

What: each Monday at 06:30, the events of an iCalendar file (.ics) that are new are created, those that the file has
changed are patched in just that, and everything else stays as it is; a run that finds nothing new makes no call. Events
that have left the file stay, too. What DingTalk cannot express is named in the log of ``plan``, with the reason.

Why: holidays, shifts and trade fairs come as files, and copying them by hand every year goes wrong.

Before you run it: the extra ``ics``, a connection ``dingtalk_default`` of type DingTalk whose app has the permission
``Calendar.Event.Write``, your own unionId below, and the file's place in the params: a path that all workers see, or a
URL of Airflow's object storage. Which event has become which is kept in the asset's state store (Airflow 3.3 and
later), or in the Variable that the params name. A user may create 100 events a day; a larger file takes several runs.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pendulum
from airflow import __version__
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, AirflowSkipException, Asset, Param, task

from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

log = logging.getLogger(__name__)

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the person in whose calendar they are to be
ZONE = "Asia/Shanghai"  # of times that the file gives without a zone
IMPORTED = Asset("dingtalk_imported_holidays")  # only its state is used, which came with Airflow 3.3
STATE = [IMPORTED] if tuple(map(int, __version__.split(".")[:2])) >= (3, 3) else []
PARTS = "0123456789abcdef"  # a value of the state store has at most 64 KB
PARAMS = {
    "file": Param("calendars/holidays.ics", type="string", minLength=1, title="Calendar file"),
    "variable": Param(
        "", type="string", title="Variable", description="Where to keep what is imported, instead of the state store."
    ),
}


def load_known(context) -> dict:
    """Return the events that earlier runs have imported, by UID."""
    name, store = context["params"]["variable"], context.get("asset_state_store")
    if name:
        return context["var"]["json"].get(name, {})
    if store is None:
        raise AirflowFailException(
            "Without a memory every run would create all events again: name a Variable in the param variable, or run "
            "this on Airflow 3.3 or later, whose state store keeps them."
        )
    return {uid: one for part in PARTS for uid, one in (store[IMPORTED].get(f"known/{part}") or {}).items()}


def save_known(context, known: dict) -> None:
    """Keep them for the next run."""
    if name := context["params"]["variable"]:
        from airflow.providers.common.compat.sdk import Variable

        Variable.set(name, known, serialize_json=True)
        return
    parts = {part: {} for part in PARTS}
    for uid, one in known.items():
        parts[hashlib.sha256(uid.encode()).hexdigest()[0]][uid] = one
    for part, events in parts.items():
        context["asset_state_store"][IMPORTED].set(f"known/{part}", events)


with DAG(
    "dingtalk_import_holidays",
    schedule="30 6 * * 1",
    start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
    catchup=False,
    max_active_runs=1,  # two at once would both find an event new
    params=PARAMS,
    default_args={"retries": 3, "retry_delay": 120, **RETRY_POLICY},
    tags=["dingtalk", "example"],
):

    @task(inlets=STATE, multiple_outputs=True)
    def plan(**context):
        """Compare the file with what is imported."""
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        from airflow_dingtalk_calendar.plans import rows_from_ics

        known = load_known(context)
        file = context["params"]["file"]
        place = file if "://" in file else str(Path(__file__).parent / file)  # beside this DAG, or an absolute path
        found = rows_from_ics(ObjectStoragePath(place).read_bytes(), timezone=ZONE, known=known)
        for one in found.left_out:
            log.warning("Event %d of the file, UID %s, is left out: %s", one["number"], one["uid"], one["reason"])
        if not found.rows:
            raise AirflowSkipException("The file has nothing new.")
        return {"rows": found.rows, "entries": found.entries}

    planned = plan()
    apply = DingTalkCalendarApplyPlanOperator(task_id="apply", plan=planned["rows"], union_id=ORGANIZER)

    @task(inlets=STATE, trigger_rule="none_skipped")
    def remember(entries, results, **context):
        """Keep which event has become which, also when some have failed; then the run fails, too."""
        from airflow_dingtalk_calendar.plans import update_known

        save_known(context, update_known(load_known(context), entries, results))
        failed = [row for row in results if row["status"] not in ("applied", "unchanged")]
        if failed:
            lines = [f"{entries[row['index']]['uid']}: {row['status']} {row['code']}" for row in failed]
            raise AirflowFailException("; ".join(lines))

    apply >> remember(planned["entries"], apply.output["results"])
