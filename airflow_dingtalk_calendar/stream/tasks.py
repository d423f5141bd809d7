"""Ending the tasks of Stream mode."""

from __future__ import annotations

import asyncio
from typing import Any

CANCEL_AGAIN = 5.0  # seconds; longer than closing a connection takes


async def end_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and wait until they have ended, however they do.

    A cancellation can get lost in what a task waits for: asgiref's ``sync_to_async``, with which Airflow reads
    connections, returns its result instead. So it is repeated.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)  # their errors are nobody's
