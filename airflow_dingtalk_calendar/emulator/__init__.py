"""A stateful DingTalk calendar on loopback, for demos, DAG tests and this package's own tests.

It listens on a real socket, checks requests as DingTalk's documentation says the service does, answers with the
documented codes, keeps account of every effect a request had, and can be told to fail in most ways a network service
fails::

    with Emulator() as dingtalk:
        dingtalk.fault(action="PatchEvent", kind="apply_then_reset")
        ...
        assert len(dingtalk.effects["updates"]) == 1

The modules, from the bottom up: ``errors``, ``shapes``, ``params``, ``checks``, ``bodies`` (what a request may look
like), ``sample``, ``loading`` (the data it starts with), ``settings``, ``ledger``, ``failures``, ``faults``,
``tokens``, ``store`` (state, without HTTP), ``views``, ``recurring``, ``instances``, ``patching``, ``listing``,
``paging`` (what the calendar does), ``gateway``, ``access``, ``writing`` (what calls have in common), ``events``,
``attendees``, ``rooms``, ``expanding``, ``schedules``, ``directory``, ``legacy``, ``signing_in``, ``endpoints``
(handlers, without state), ``app``, ``control``, ``page``, ``server`` (HTTP). It is a second, independent reading of
DingTalk's contract, so it imports nothing from the rest of the distribution: a wire name misspelt in shared code
would be wrong on both sides, and therefore green.
"""

from .server import Emulator

__all__ = ["Emulator"]
