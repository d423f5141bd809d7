"""Arguments that a template may have rendered: booleans, integers, lengths of time, lists.

Operators read them when a task runs. What reads them is imported on use, because operators import this module when a
DAG file is parsed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError


def flag_arguments(**values: Any) -> Mapping[str, bool]:
    """Read booleans that templates may have rendered: ``"False"`` is not true.

    :raises InvalidInputError: naming the ones that are no booleans.
    """
    from airflow_dingtalk_calendar.models.types import parse_flag  # brings pydantic along

    read: dict[str, bool] = {}
    problems: list[tuple[str, str]] = []
    for name, value in values.items():
        try:
            read[name] = parse_flag(value)
        except ValueError as error:
            problems.append((name, str(error)))
    if problems:
        raise InvalidInputError(*problems)
    return read


def given_flag_arguments(**values: Any) -> dict[str, Any]:
    """Read booleans like :func:`flag_arguments`, without those that are None."""
    return dict(flag_arguments(**{name: value for name, value in values.items() if value is not None}))


def integer_argument(name: str, value: Any) -> int:
    """Read a whole number that a template may have rendered.

    :raises InvalidInputError: when it is none.
    """
    from airflow_dingtalk_calendar.models.types import parse_integer, read_argument

    return read_argument(name, parse_integer, value)


def positive_argument(name: str, value: Any) -> int:
    """Read a whole number that is 1 or more.

    :raises InvalidInputError: when it is none.
    """
    number = integer_argument(name, value)
    if number < 1:
        raise InvalidInputError((name, "must be 1 or more"))
    return number


def choice_argument(name: str, value: Any, choices: Sequence[str]) -> str:
    """Read one of several words.

    :raises InvalidInputError: naming them.
    """
    if value in choices:
        return str(value)
    *first, last = choices
    raise InvalidInputError((name, f"must be {', '.join(first)} or {last}"))


def seconds_argument(name: str, value: Any) -> float:
    """Read a length of time that a template may have rendered.

    :raises InvalidInputError: when it is none.
    """
    from airflow_dingtalk_calendar.models.types import parse_seconds, read_argument

    return read_argument(name, parse_seconds, value)


def list_argument(name: str, value: Any) -> list[Any]:
    """Read a list, of whatever an upstream task returned or of the JSON text that a template rendered.

    :raises InvalidInputError: when it is none.
    """
    from airflow_dingtalk_calendar.models.blanks import explain_refusal, is_blank
    from airflow_dingtalk_calendar.models.normalize import parse_json

    if isinstance(value, str):
        try:
            value = parse_json(value, name)
        except InvalidInputError:
            if is_blank(value):
                raise
            value = None
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        problem = "must be a list or the JSON text of one; a list rendered by a template needs | tojson"
        raise InvalidInputError((name, explain_refusal(problem, value)))
    return list(value)
