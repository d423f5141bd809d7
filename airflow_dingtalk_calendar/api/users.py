"""Who somebody is: the unionId behind a staff id, and the person whose authorization is used.

Pages ``query-user-details`` (legacy host) and ``dingtalk-retrieve-user-information``; SDK ``contact_1_0``.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from typing import Any

from airflow_dingtalk_calendar.api.answers import parse_object
from airflow_dingtalk_calendar.api.call import Call, check_id
from airflow_dingtalk_calendar.exceptions import InvalidInputError, NotFoundError, UnexpectedAnswerError
from airflow_dingtalk_calendar.models.counts import counted
from airflow_dingtalk_calendar.models.json_values import Json

log = logging.getLogger(__name__)


def get_user_by_staff_id(user_id: str) -> Call[Json]:
    """``topapi/v2/user/get``: a person by staff id, with ``unionid``. Not metered; ``qyapi_get_member``.

    A legacy API: at another host, with the token in the form, and with errors in a 200.

    :param user_id: the id that DingTalk's admin console shows (userId, staffId).
    :return: the person, as the service sent it, with ``unionid``.
    """
    form = {"userid": check_id("user_id", user_id)}
    return Call(
        "topapi/v2/user/get", "POST", "/topapi/v2/user/get", _parse_user, form=form, credential="form", host="legacy"
    )


def resolve_staff_ids(user_ids: Iterable[str]) -> Generator[Call[Json], Json, dict[str, str]]:
    """``topapi/v2/user/get``, once for each person: the unionIds of staff ids. Not metered; ``qyapi_get_member``.

    The log says how many calls it took. DingTalk documents no way from an email address to a person.

    :param user_ids: the ids that DingTalk's admin console shows (userId, staffId); one given twice is asked for once.
    :return: unionId by staff id, without the ids that DingTalk does not know.
    """
    if isinstance(user_ids, (str, bytes)):
        raise InvalidInputError(("user_ids", "must be a list of staff ids"))
    asked = list(dict.fromkeys(check_id("user_ids", one) for one in user_ids))
    found: dict[str, str] = {}
    for user_id in asked:
        try:
            found[user_id] = (yield get_user_by_staff_id(user_id))["unionid"]
        except NotFoundError:
            continue
    people, calls = counted(len(asked), "person", "people"), counted(len(asked), "call")
    log.info("%d of %s found by staff id with %s, not metered.", len(found), people, calls)
    return found


def get_me() -> Call[Json]:
    """``contact/users/me``: the person whose authorization is used. Not metered; ``Contact.User.Read``.

    Only for a connection of ``auth_type`` ``user``.

    :return: the person, with ``unionId`` and ``nick``.
    """
    return Call("GetUser", "GET", "/v1.0/contact/users/me", parse_object)


def _parse_user(payload: Any) -> Json:
    person = parse_object(payload).get("result")
    if not isinstance(person, dict) or not isinstance(person.get("unionid"), str):
        raise UnexpectedAnswerError("answered without a unionid.")
    return person
