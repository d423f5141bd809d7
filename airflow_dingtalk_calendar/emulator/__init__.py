"""A stateful DingTalk calendar on loopback, for demos, DAG tests and this package's own tests.

It listens on a real socket, checks requests as DingTalk's documentation says the service does, answers with the
documented codes, keeps account of every effect a request had, and can be made to fail in most ways a network service
fails::

    with Emulator() as dingtalk:
        dingtalk.fault(action="PatchEvent", kind="apply_then_reset")
        ...
        assert len(dingtalk.effects["updates"]) == 1

The packages, from the bottom up, with ``errors`` and ``settings`` below them all: ``schema`` (what a request may look
like, and what an answer does), ``stream`` (Stream mode: what is pushed to whom, without sockets), ``state`` (the data
it starts with, and what has happened, without HTTP), ``gateway`` (tokens, permissions, rates, repeated requests),
``endpoints`` (the calendar's calls; they keep no state), ``accounts`` (tokens, people), ``page`` (what people see),
``web`` (HTTP and WebSockets), and ``server`` on top. It is a second, independent reading
of DingTalk's contract, so it imports nothing from the rest of the distribution: a wire name misspelt in shared code
would be wrong on both sides, and therefore green.
"""

from .server import Emulator

__all__ = ["Emulator"]
