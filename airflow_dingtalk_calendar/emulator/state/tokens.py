"""Tokens in circulation: access tokens of apps and users, and what a user's are got with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

_REFRESH_TOKEN_LIFETIME = 30 * 86400.0  # "valid for 30 days"


@dataclass(frozen=True)
class IssuedToken:
    """An access token and until when it is good.

    :param kind: whose it is: an ``app``'s, for itself or for an organisation (``unified``, ``corp``), or a ``user``'s.
    :param owner: corpId or unionId.
    """

    value: str
    app_key: str
    expires: float
    kind: str = "app"
    owner: str = ""


@dataclass(frozen=True)
class IssuedGrant:
    """A user's consent to an app, for an authorization code or a refresh token."""

    app_key: str
    union_id: str
    expires: float = math.inf


class TokenStore:
    """All access tokens and grants in circulation.

    :param now: seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.access: dict[str, IssuedToken] = {}
        self._grants: dict[str, IssuedGrant] = {}

    def renew_token(self, app_key: str, lifetime: float, kind: str = "app", owner: str = "") -> IssuedToken:
        """Return the valid token there is, good for the full time again, or a new one."""
        valid = next(
            (token.value for token in self._tokens_of(app_key, kind, owner) if token.expires > self._now()), None
        )
        return self.issue_token(app_key, lifetime, kind, owner, valid)

    def issue_token(
        self, app_key: str, lifetime: float, kind: str, owner: str, value: str | None = None
    ) -> IssuedToken:
        """Return a new token."""
        token = IssuedToken(value or uuid4().hex, app_key, self._now() + lifetime, kind, owner)
        self.access[token.value] = token
        return token

    def revoke_tokens(self, app_key: str, kind: str, owner: str) -> None:
        """Make the tokens issued for an owner invalid."""
        for token in self._tokens_of(app_key, kind, owner):
            del self.access[token.value]

    def find_valid(self, value: str) -> IssuedToken | None:
        """Return a token if it is valid."""
        token = self.access.get(value)
        return token if token and token.expires > self._now() else None

    def issue_code(self, app_key: str, union_id: str) -> str:
        """Return an authorization code; how soon it expires is not documented, so here it does not."""
        return self._store_grant(IssuedGrant(app_key, union_id))

    def issue_refresh_token(self, app_key: str, union_id: str) -> str:
        """Return a refresh token."""
        return self._store_grant(IssuedGrant(app_key, union_id, self._now() + _REFRESH_TOKEN_LIFETIME))

    def redeem_grant(self, value: str, app_key: str, refresh: bool, keep: bool) -> IssuedGrant | None:
        """Take a code or a refresh token, which works once unless it is kept."""
        grant = self._grants.get(value)
        # Refresh tokens expire and codes do not, here, so that is what distinguishes them.
        if grant is None or grant.app_key != app_key or math.isfinite(grant.expires) != refresh:
            return None
        if not keep:
            del self._grants[value]
        return grant if grant.expires > self._now() else None

    def _store_grant(self, grant: IssuedGrant) -> str:
        value = uuid4().hex
        self._grants[value] = grant
        return value

    def _tokens_of(self, app_key: str, kind: str, owner: str) -> list[IssuedToken]:
        owned_by = (app_key, kind, owner)
        return [token for token in self.access.values() if (token.app_key, token.kind, token.owner) == owned_by]
