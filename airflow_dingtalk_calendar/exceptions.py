"""Everything that this package raises.

::

    DingTalkError
    ├── InvalidInputError (ValueError)      wrong before anything was sent
    │   ├── InvalidPatchError               a patch: every problem at once, by field path
    │   └── InvalidConnectionError          the Airflow connection: likewise
    ├── PlanIncompleteError                 some rows of a plan are not done yet
    ├── BusyError                           somebody is busy, or not known to be free (if_busy="fail")
    ├── SecondMeetingError                  sending a change again would make a second video meeting
    └── RequestError                        a request that did not bring the wanted answer
        ├── TransportError                  no complete answer came
        ├── UnexpectedAnswerError           an answer that no DingTalk API gives
        ├── TokenRejectedError              access token refused, also after a refresh
        ├── CredentialsError                app key, app secret, corp id or ticket refused
        ├── PermissionDeniedError           scope, IP list, or authorised range
        ├── ThrottledError                  too many calls just now
        ├── QuotaExceededError              too many calls this month (or creates today)
        ├── CallLimitError                  more calls than max_calls; not sent
        ├── InProgressError                 the same request is still being worked on
        ├── InvalidRequestError             refused as wrong
        ├── NotFoundError                   no such event
        └── ServiceError                    DingTalk failed

None of them is an ``AirflowException``: the operators translate non-retryable errors into
``AirflowFailException``, and a plain ``@task`` may catch whichever it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Literal, NamedTuple, Self

Outcome = Literal["rejected", "unknown"]

# Seconds that a task waits before it tries a call again; longer waits are left to Airflow's retries.
MAX_WAIT_IN_TASK = 10.0


class Interrupted(Exception):  # noqa: N818  # not an error: somebody wants the work to end
    """The caller has stopped waiting for a turn; nothing was sent. It does not leave this package."""


class DingTalkError(Exception):
    """Base of all errors of this package.

    :ivar message: what the service, or the check that failed, said.
    :ivar hint: what a person can do about it.
    :ivar retryable: whether the same may succeed later without anybody's doing.
    :ivar retry_after: seconds to wait before the next try, where known; a plan's error has it from its rows' errors.
    """

    retryable: bool = False
    retry_after: float | None = None

    def __init__(self, message: str = "", *, hint: str = "", retryable: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retryable = type(self).retryable if retryable is None else retryable

    def __str__(self) -> str:
        return f"{end_sentence(self.message)} {self.hint}".strip() if self.hint else self.message

    def with_details(self, **known: Any) -> Self:
        """Return a copy of the error that knows more, to be raised in its place where it is caught.

        It has the traceback below the function that caught this one: ``raise error.with_details(…) from
        error.__cause__`` shows each function once.

        :param known: members of the error.
        """
        if unknown := [name for name in known if not hasattr(self, name)]:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}")
        made = copy(self)
        vars(made).update(known)
        return made.with_traceback(self.__traceback__ and self.__traceback__.tb_next)


def end_sentence(text: str) -> str:
    """End a text so that another sentence can follow."""
    return text if not text or text[-1] in ".!?。" else f"{text}."


class Problem(NamedTuple):
    """One thing that is wrong with an input: where, and what to do; never the value itself."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class InvalidInputError(DingTalkError, ValueError):
    """An argument is wrong; nothing was sent.

    :param problems: all problems, each a pair of field path and text.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        self.problems = tuple(Problem(*problem) for problem in problems)
        super().__init__("; ".join(map(str, self.problems)))
        self.args = problems  # so that pickling calls this constructor with what it takes


def read_all(*readers: Callable[[], Any]) -> list[Any]:
    """Read several inputs, so that one error names what is wrong with any of them.

    :raises InvalidInputError: of their own kind, if they are all of one.
    """
    found: list[Any] = []
    errors: list[InvalidInputError] = []
    for read in readers:
        try:
            found.append(read())
        except InvalidInputError as error:
            errors.append(error)
    if errors:
        kinds = {type(error) for error in errors}
        kind = kinds.pop() if len(kinds) == 1 else InvalidInputError
        raise kind(*dict.fromkeys(problem for error in errors for problem in error.problems))
    return found


class InvalidPatchError(InvalidInputError):
    """A patch is wrong; nothing was sent. Shows field paths, never event content."""


class InvalidConnectionError(InvalidInputError):
    """The Airflow connection is wrong; nothing was sent."""


class PlanIncompleteError(DingTalkError):
    """Some rows of a plan failed with transient errors, or were not tried: a retry of the task continues with them.

    :ivar counts: how many rows there are, and how many by status.
    """

    retryable = True

    def __init__(
        self, message: str = "", *, counts: Mapping[str, int] | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.counts = dict(counts or {})


class SecondMeetingError(DingTalkError):
    """An event has a video meeting that an earlier try may have made; sending the change again would make another.

    :cvar code: by which a plan's results name it.
    """

    code = "hasMeeting"

    def __init__(
        self,
        message: str = "patch.onlineMeetingInfo: the event has a video meeting, possibly created by an earlier try of "
        "this task, and sending this again would create another: check the event, then clear the task, or set "
        "repeat_meeting",
    ) -> None:
        super().__init__(message)


class BusyError(DingTalkError):
    """Somebody, or a room, is busy at the time that an event is to move to, or not known to be free; nothing was sent.

    :ivar code: by which a plan's results name it: ``busy`` or ``busyUnknown``.
    """

    def __init__(self, message: str, code: str = "busy") -> None:
        super().__init__(message)
        self.code = code


class RequestError(DingTalkError):
    """A request did not bring the wanted answer.

    :ivar action: DingTalk's name of what was asked for (``PatchEvent``).
    :ivar status_code: HTTP status of the answer, or None when there was none.
    :ivar code: DingTalk's error code (``itemNotFound``), or the kind of failure when there was no answer.
    :ivar request_id: DingTalk's id of the request; its developer console explains it for 7 days.
    :ivar required_scopes: permissions that the app lacks.
    :ivar write_outcome: what such an error means for a write that was sent once.
    :ivar outcome: of a write with all its attempts: ``rejected`` (did not take effect) or ``unknown``; None for a read.
    """

    write_outcome: Outcome = "rejected"

    def __init__(
        self,
        message: str = "",
        *,
        action: str = "",
        status_code: int | None = None,
        code: str = "",
        request_id: str = "",
        required_scopes: tuple[str, ...] = (),
        retryable: bool | None = None,
        retry_after: float | None = None,
        write_outcome: Outcome | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint, retryable=retryable)
        self.action = action
        self.status_code = status_code
        self.code = code
        self.request_id = request_id
        self.required_scopes = required_scopes
        self.retry_after = retry_after
        self.write_outcome = write_outcome or type(self).write_outcome
        self.outcome: Outcome | None = None

    def __str__(self) -> str:
        subject = " ".join(filter(None, (self.action, str(self.status_code or ""), self.code)))
        unknown = "It is unknown whether this took effect." if self.outcome == "unknown" else ""
        trail = f"(request id {self.request_id})" if self.request_id else ""
        notes = " ".join(filter(None, (self.hint, unknown, trail)))
        said = f"{end_sentence(self.message)} {notes}".strip() if notes else self.message
        return f"{subject}: {said}" if subject else said


class TransportError(RequestError):
    """No complete answer came: refused, reset, timed out, or cut short."""

    retryable = True
    write_outcome: Outcome = "unknown"


class UnexpectedAnswerError(RequestError):
    """An answer that no DingTalk API gives: not JSON, of another shape, or about another event."""

    write_outcome: Outcome = "unknown"


class TokenRejectedError(RequestError):
    """The access token was refused. Inside a call it is renewed up to three times; raised, it was refused again."""


class CredentialsError(RequestError):
    """App key, app secret, corp id or ticket were refused."""


class PermissionDeniedError(RequestError):
    """The app lacks a permission, its address is not on the IP list, or a user is outside its range."""


class ThrottledError(RequestError):
    """Too many calls just now. The gateway refused before the calendar saw the request."""

    retryable = True


class QuotaExceededError(RequestError):
    """The quota of the organisation (month) or of a user (day) is used up."""


class CallLimitError(RequestError):
    """A task would make more metered calls than its ``max_calls``; the request was not sent."""

    def __init__(
        self,
        message: str = "max_calls: this try has made as many metered calls as it may: raise it, or ask for less",
        *,
        code: str = "maxCalls",
        **details: Any,
    ) -> None:
        super().__init__(message, code=code, **details)


class InProgressError(RequestError):
    """A request with the same client token is still being worked on."""

    retryable = True
    write_outcome: Outcome = "unknown"


class InvalidRequestError(RequestError):
    """The service refused the request as wrong."""


class NotFoundError(RequestError):
    """There is no such event, calendar or user."""


class ServiceError(RequestError):
    """DingTalk failed. Whether a write took effect is unknown."""

    retryable = True
    write_outcome: Outcome = "unknown"
