"""A call as the gateway gets it, and the endpoint it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

from ..errors import ApiError, HttpResponse, legacy_error_response
from ..schema.validators import FieldPlace
from ..state.data_file import RegisteredApp
from ..state.store import EmulatorStore

_TOKEN_HEADER = "x-acs-dingtalk-access-token"  # noqa: S105 - a header's name


@dataclass(frozen=True)
class Endpoint:
    """A method and path, and what answers it.

    :param action: the name of the operation in the SDK.
    :param handle: returns the body of a 200 answer or another HttpResponse, or raises an ApiError.
    :param scope: the permission needed; empty where no access token is.
    :param idempotent: whether ``x-client-token`` means something to it.
    :param caller: whose token it takes: an app's, a user's, or any.
    :param metered: whether it counts against the monthly quota.
    :param legacy: whether it is one of the older host, with its own ways to carry a token and to report an error.
    """

    action: str
    method: str
    path: str
    handle: Callable[[EmulatorStore, EndpointCall], Any]
    scope: str = ""
    idempotent: bool = False
    caller: Literal["any", "app", "user"] = "any"
    metered: bool = True
    legacy: bool = False

    def match_request(self, method: str, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the path parameters if a request is for this endpoint."""
        parts = self.path.split("/")
        if method != self.method or len(parts) != len(segments):
            return None
        pairs = list(zip(parts, segments, strict=True))
        fits = all(part == segment or part.startswith("{") for part, segment in pairs)
        return {part[1:-1]: segment for part, segment in pairs if part.startswith("{")} if fits else None

    def error_response(self, error: ApiError, request_id: str) -> HttpResponse:
        """Return the answer to a call refused."""
        return legacy_error_response(error, request_id) if self.legacy else error.as_response(request_id)


@dataclass
class EndpointCall:
    """One request to a known endpoint, decoded but not yet checked.

    :param params: path parameters by name, percent-decoded.
    :param body_place: collects the members of the body that mean nothing to the service.
    :param app: whose token it carries, once the gateway has let it in.
    :param user: the unionId of the user the token acts for; empty for an app's own.
    """

    endpoint: Endpoint
    params: dict[str, str]
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    body_place: FieldPlace = field(default_factory=FieldPlace)
    app: RegisteredApp | None = None
    user: str = ""

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; of repeated ones the last."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """Members of a body that is a form."""
        is_form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)) if is_form else {}

    @property
    def access_token(self) -> str | None:
        """The access token; a legacy call has it in its form or query, any other in its header, and nowhere else."""
        if self.endpoint.legacy:
            return self.query.get("access_token") or self.form.get("access_token")
        return self.headers.get(_TOKEN_HEADER)

    @property
    def client_token(self) -> str | None:
        """The idempotency key, if any."""
        return self.headers.get("x-client-token") or None
