"""Access tokens: how long one is good, and who fetches it for whom.

Nothing here does I/O. A token is fetched at the first need, kept until shortly before it expires, and shared by
all hooks of a process that use the same app. While one caller fetches it the others wait for that same fetch:
threads for a thread's, coroutines for one of their own event loop (a thread that waited for a coroutine of its
own loop would wait for ever).
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock

# DingTalk renews a token that is asked for early and advises to ask some minutes before its end
# (page server-api-calling-guide: 10 minutes of 120). Short-lived ones are kept for nine tenths of their life.
EXPIRY_MARGIN = 300.0


@dataclass(frozen=True, slots=True)
class CachedToken:
    """An access token and the (monotonic) time until which it is used."""

    value: str = field(repr=False)
    good_until: float


@dataclass(frozen=True, slots=True)
class FetchClaim:
    """A caller's part in a fetch: the one that leads does it, the others wait for ``done``."""

    key: tuple[str, Hashable]
    done: Future[None]
    leads: bool


class TokenCache:
    """The tokens of a process, by the identity of the app and its secret."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything; a forked child must not wait for a fetch of its parent."""
        self._lock = Lock()
        self._tokens: dict[str, CachedToken] = {}
        self._fetches: dict[tuple[str, Hashable], Future[None]] = {}

    def get(self, identity: str, now: float) -> CachedToken | None:
        """Return the token if it is still good."""
        token = self._tokens.get(identity)
        return token if token and now < token.good_until else None

    def claim_fetch(self, identity: str, lane: Hashable) -> FetchClaim:
        """Lead a fetch, or join the one under way in this lane (an event loop, or None for threads)."""
        key = (identity, lane)
        with self._lock:
            done = self._fetches.get(key)
            if done:
                return FetchClaim(key, done, leads=False)
            self._fetches[key] = Future()
            return FetchClaim(key, self._fetches[key], leads=True)

    def store(self, identity: str, value: str, lifetime: float, now: float) -> CachedToken:
        """Keep a token that was fetched just now."""
        token = CachedToken(value, now + lifetime - min(EXPIRY_MARGIN, lifetime / 10))
        self._tokens[identity] = token
        return token

    def discard(self, identity: str, value: str) -> None:
        """Forget a token that the service refused, unless somebody has renewed it already."""
        with self._lock:
            token = self._tokens.get(identity)
            if token and token.value == value:
                del self._tokens[identity]

    def finish_fetch(self, claim: FetchClaim, error: BaseException | None = None) -> None:
        """End a fetch; those who wait for it share its failure instead of each waiting anew."""
        with self._lock:
            self._fetches.pop(claim.key, None)
        if error is None:
            claim.done.set_result(None)
        else:
            claim.done.set_exception(error)


TOKEN_CACHE = TokenCache()
os.register_at_fork(after_in_child=TOKEN_CACHE.clear)
