"""Events on their way through this process: each is handed on once, and acknowledged once everybody is done with it.

DingTalk pushes an event again that is not acknowledged in time, and sometimes one that is. So the ids of those under
way and of the last that were acknowledged are remembered; the memory that this takes is bounded.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

from airflow_dingtalk_calendar.stream.frames import AckStatus
from airflow_dingtalk_calendar.stream.pushes import CalendarPush

log = logging.getLogger(__name__)

# Airflow fails a watcher whose changes are not stored after 300 s, or that has 1,024 pushes waiting. It stored 10 to 50
# asset events a second (measured, SQLite on two busy cores), so that 64 pushes take 25 watchers 160 s at most.
MAX_PENDING = 64
MAX_ACKNOWLEDGED = 10_000  # ids of 32 characters: about 1 MB
MAX_ANSWERS = 16  # pushes of one event that are answered when it is done with

Answer = Callable[[AckStatus], None]


class PushListener(Protocol):
    """A receiver of pushes, which settles each delivery once."""

    def receive_push(self, delivery: PushDelivery) -> None:
        """Take a push."""

    def note_connected(self) -> None:
        """Note that a connection was opened: what happened before may never be pushed."""


class PushDelivery:
    """An event under way.

    :param listeners: those who have to settle it.
    """

    def __init__(
        self, push: CalendarPush, listeners: Iterable[PushListener], finish: Callable[[AckStatus], None]
    ) -> None:
        self.push = push
        self._pending = set(map(id, listeners))
        self._finish = finish
        self._clean = True

    def settle(self, listener: PushListener, *, clean: bool) -> None:
        """Say that a listener is done with it.

        :param clean: whether nothing was lost; else DingTalk is asked to push the event again.
        """
        if id(listener) not in self._pending:
            return
        self._pending.discard(id(listener))
        self._clean = self._clean and clean
        if not self._pending:
            self._finish("SUCCESS" if self._clean else "LATER")


class PushDeliveries:
    """All events under way of one app."""

    def __init__(self, max_pending: int = MAX_PENDING, max_acknowledged: int = MAX_ACKNOWLEDGED) -> None:
        self._max_pending, self._max_acknowledged = max_pending, max_acknowledged
        self._pending: dict[str, tuple[PushDelivery, list[Answer]]] = {}
        self._acknowledged: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pending)

    def receive(self, push: CalendarPush, answer: Answer, listeners: Iterable[PushListener]) -> None:
        """Hand a push on, unless it is known; with too many under way, ask for it later.

        :param answer: acknowledges this push of it.
        """
        known = self._pending.get(push.change_id)
        if push.change_id in self._acknowledged:
            answer("SUCCESS")
        elif known is not None:
            known[1].append(answer)
            del known[1][:-MAX_ANSWERS]
        elif len(self._pending) >= self._max_pending:
            answer("LATER")
        else:
            self._hand_on(push, answer, list(listeners))

    def release(self, listener: PushListener) -> None:
        """Settle everything that a listener has left undone, so that it is pushed again."""
        for delivery, _ in list(self._pending.values()):
            delivery.settle(listener, clean=False)

    def _hand_on(self, push: CalendarPush, answer: Answer, listeners: list[PushListener]) -> None:
        if not listeners:
            # Between the end of one watcher and the start of the next nobody listens: DingTalk keeps the event until
            # then.
            answer("LATER")
            return
        delivery = PushDelivery(push, listeners, lambda status: self._finish(push.change_id, status))
        self._pending[push.change_id] = (delivery, [answer])
        for listener in listeners:
            listener.receive_push(delivery)

    def _finish(self, change_id: str, status: AckStatus) -> None:
        _, answers = self._pending.pop(change_id)
        # After LATER, DingTalk pushes it again, and then it must not be taken for one that is known.
        if status == "SUCCESS":
            self._acknowledged[change_id] = None
            while len(self._acknowledged) > self._max_acknowledged:
                self._acknowledged.popitem(last=False)
        for answer in answers:
            answer(status)
