"""What a watcher of the calendar has reported, as Airflow's database has it: the events of its assets."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from tests.system.dags import ASSETS, PROBE
from tests.system.postgres import Postgres

REPORTS = """
select a.name, c ->> 'event_id', count(distinct c ->> 'change_id'), count(*)
from asset_event e join asset a on a.id = e.asset_id, json_array_elements(e.extra::json #> '{payload,changes}') c
group by 1, 2
"""
UNCONSUMED = """
select c ->> 'event_id' from asset_event e, json_array_elements(e.extra::json #> '{payload,changes}') c
where not exists (select 1 from dagrun_asset_event r where r.event_id = e.id)
"""
STARTED = "select count(*) from dag_run where dag_id = 'on_change'"


@dataclass
class Reports:
    """The reports of changes so far, by asset.

    :ivar changes: how many changes of each event.
    :ivar total: how many reports there were; a change that was reported again counts again.
    """

    changes: dict[str, Counter[str]]
    total: Counter[str]

    def cover(self, changes: Counter[str]) -> bool:
        """Whether both assets have all of these changes."""
        return all(self.changes[name] >= changes for name in ASSETS)

    def match(self, changes: Counter[str]) -> bool:
        """Whether both assets have these changes, and no others."""
        return all(self.changes[name] == changes for name in ASSETS)

    @property
    def repeated(self) -> int:
        """How many reports were of a change that was reported before."""
        return self.total.total() - sum(changes.total() for changes in self.changes.values())


def read_reports(database: Postgres) -> Reports:
    """Ask the database, for all events but the one that is the probe."""
    changes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    for asset, event_id, different, reports in database.query(REPORTS):
        if event_id != PROBE:
            changes[asset][event_id] = different
            total[asset] += reports
    return Reports(changes, total)


def is_watching(database: Postgres) -> bool:
    """Whether both assets have a report of the probe."""
    return {asset for asset, event_id, *_ in database.query(REPORTS) if event_id == PROBE} == set(ASSETS)


def count_unconsumed(database: Postgres) -> int:
    """Count the reports that no DAG run has been given."""
    return sum(event_id != PROBE for (event_id,) in database.query(UNCONSUMED))


def count_started(database: Postgres) -> int:
    """Count the DAG runs that reports have started."""
    return int(database.query(STARTED)[0][0])
