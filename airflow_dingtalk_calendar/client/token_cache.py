"""Access tokens: how long one is good, and who fetches it for whom.

Nothing here does I/O. A token is fetched at the first need, kept until shortly before it expires, and shared by
all hooks of a process that use the same app. While one caller fetches it all others wait for that same fetch, threads
and event loops alike. That cannot end in a deadlock: a fetch runs in a thread and needs no event loop to go on, and a
caller that blocks an event loop does not wait.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock

from airflow_dingtalk_calendar.client.fork_safety import clear_after_fork

# DingTalk renews a token that is asked for early and advises to ask some minutes before its end
# (page server-api-calling-guide: 10 minutes of 120). Short-lived ones are kept for nine tenths of their life.
EXPIRY_MARGIN = 300.0
Identity = tuple[str, ...]  # of the app and its secret: see ConnectionSettings


@dataclass(frozen=True, slots=True)
class CachedToken:
    """An access token, the (monotonic) time until which it is used, and when it was fetched."""

    value: str = field(repr=False)
    good_until: float
    fetched: float


@dataclass(frozen=True, slots=True)
class RefusedToken:
    """An access token that the service refused before its end, and how many seconds it had been used."""

    value: str = field(repr=False)
    age: float


@dataclass(frozen=True, slots=True)
class FetchClaim:
    """A caller's part in a fetch: the one that leads does it, the others wait for ``done``."""

    identity: Identity
    done: Future[None]
    leads: bool


class TokenCache:
    """The tokens of a process, by the identity of the app and its secret."""

    def __init__(self) -> None:
        self.clear()
        clear_after_fork(self)

    def clear(self) -> None:
        """Forget everything; a forked child must not wait for a fetch of its parent."""
        self._lock = Lock()
        self._tokens: dict[Identity, CachedToken] = {}
        self._refused: dict[Identity, RefusedToken] = {}
        self._fetches: dict[Identity, Future[None]] = {}

    def get(self, identity: Identity, now: float) -> CachedToken | None:
        """Return the token if it is still good."""
        # Without the lock: each call asks here, and reading a dict is atomic.
        token = self._tokens.get(identity)
        return token if token and now < token.good_until else None

    def claim_fetch(self, identity: Identity, may_wait: bool = True) -> FetchClaim:
        """Lead a fetch, or join the one under way; who may not wait leads one of its own."""
        with self._lock:
            done = self._fetches.get(identity)
            if done and may_wait:
                return FetchClaim(identity, done, leads=False)
            claim = FetchClaim(identity, Future(), leads=True)
            self._fetches.setdefault(identity, claim.done)
            return claim

    def store(self, identity: Identity, value: str, lifetime: float, now: float) -> CachedToken:
        """Keep a token that was fetched just now."""
        token = CachedToken(value, now + lifetime - min(EXPIRY_MARGIN, lifetime / 10), now)
        with self._lock:
            self._tokens[identity] = token
            self._refused.pop(identity, None)
        return token

    def discard(self, identity: Identity, value: str, now: float) -> None:
        """Forget a token that the service refused, unless somebody has renewed it already."""
        with self._lock:
            token = self._tokens.get(identity)
            if token and token.value == value:
                del self._tokens[identity]
                self._refused[identity] = RefusedToken(value, now - token.fetched)

    def refused(self, identity: Identity) -> RefusedToken | None:
        """Return the token that the service refused, as long as there is no other one."""
        return self._refused.get(identity)

    def finish_fetch(self, claim: FetchClaim, error: BaseException | None = None) -> None:
        """End a fetch; those who wait for it share its failure instead of each waiting again."""
        with self._lock:
            if self._fetches.get(claim.identity) is claim.done:
                del self._fetches[claim.identity]
        if error is None:
            claim.done.set_result(None)
        else:
            claim.done.set_exception(error)


TOKEN_CACHE = TokenCache()
