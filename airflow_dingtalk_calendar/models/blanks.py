"""What a template leaves where a variable had no value, and how a message says so.

Without native rendering that is a text: blank, or the word ``None`` or ``null``. With it, it may be Jinja's
stand-in for a variable that does not exist.
"""

from __future__ import annotations

from typing import Any

UNDEFINED_TEXT = "is not defined: the template names a variable that does not exist"
_TYPE_NAMES = {
    "NoneType": "None",
    "bool": "a boolean",
    "str": "text",
    "bytes": "bytes",
    "int": "a number",
    "float": "a number",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
}


BLANK_TEXTS = ("", "None", "null")


def is_blank(value: Any) -> bool:
    """Return whether a text has no value in it."""
    return isinstance(value, str) and value.strip() in BLANK_TEXTS


def is_undefined(value: Any) -> bool:
    """Return whether native rendering found no such variable; such an object must not even be compared."""
    # By name, so that models import no Jinja.
    return any(kind.__name__ == "Undefined" and kind.__module__ == "jinja2.runtime" for kind in type(value).__mro__)


def describe_blank(value: Any) -> str:
    """Say of a value for which :func:`is_blank` holds, or of None, what it is."""
    if value is None:
        return "is None"
    return "is the word null" if value.strip() == "null" else "is blank, or the word None"


def describe_type(value: Any) -> str:
    """Name the type of a value as people do."""
    name = type(value).__name__
    return _TYPE_NAMES.get(name, f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}")


def explain_refusal(problem: str, value: Any) -> str:
    """Say what is wrong with a value: this problem, unless it is that its variable does not exist."""
    return UNDEFINED_TEXT if is_undefined(value) else problem
