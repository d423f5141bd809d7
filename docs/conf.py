"""How ``make docs`` builds the documentation. Nothing is fetched from the network."""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from pydantic import BaseModel

# The reference is read from the real classes, which import Airflow; it must not touch the home of an Airflow in use.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-docs-")

sys.path.insert(0, str(Path(__file__).parent))

import shapes

from airflow_dingtalk_calendar import __version__
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

project = "airflow-dingtalk-calendar"
copyright = "the airflow-dingtalk-calendar authors; Apache-2.0"  # noqa: A001  # Sphinx calls it so
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
nitpicky = True
# What is not ours has no address here: looking it up would need the network. Of ours, plain names of types (Json,
# Context) stand in signatures, and are explained in the text.
nitpick_ignore_regex = [
    ("py:class", r"airflow_dingtalk_calendar\.hooks\.(base|event_calls|methods)\..*"),
    ("py:.*", r"(?!airflow_dingtalk_calendar\.).*"),
    (
        "py:.*",
        r"airflow_dingtalk_calendar\.(api|client|connection|models\.(types|datetimes|event|json_values)|watch)(\..*)?",
    ),
]

myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 90

html_theme = "furo"
html_title = f"airflow-dingtalk-calendar {release}"
html_static_path = ["_static"]
html_css_files = ["ours.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#6cb6ff", "color-brand-content": "#6cb6ff"},
}


def is_shown(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the asynchronous counterparts, which the page mentions once for all methods."""
    counterpart = (
        what == "class" and inspect.iscoroutinefunction(obj) and hasattr(DingTalkCalendarHook, name.removeprefix("a"))
    )
    return True if counterpart else None


def without_noise(app: Any, what: str, name: str, obj: Any, options: Any, signature: str, returned: str) -> Any:
    """Leave out what Python shows and nobody reads: fields of models, Airflow's arguments, variables of generics."""
    constructor_module = getattr(getattr(obj, "__init__", None), "__module__", "")
    if is_model(obj) or constructor_module.startswith("airflow."):
        return ("", None)
    return (signature, None) if returned and returned.endswith(".T") else None


def with_members(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """List the members of each model."""
    if is_model(obj):
        lines += ["", *shapes.members(obj), ""]


def is_model(obj: Any) -> bool:
    """Return whether this is one of our models."""
    return isinstance(obj, type) and issubclass(obj, BaseModel)


def setup(app: Any) -> None:
    """Register the functions above with Sphinx."""
    app.connect("autodoc-skip-member", is_shown)
    app.connect("autodoc-process-signature", without_noise)
    app.connect("autodoc-process-docstring", with_members)
