"""Every text of the package that is made of words: what it says in errors, logs and forms, wherever it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.frozen.names import PACKAGE
from tests.frozen.provider import ROOT


def collect() -> list[str]:
    """Return the texts in alphabetical order; a value that is put into one shows as ``{}``."""
    files = [path for path in (ROOT / PACKAGE).rglob("*.py") if "emulator" not in path.parts]
    return sorted({text for path in files for text in _texts(ast.parse(path.read_text(encoding="utf-8")))})


def _texts(node: ast.AST) -> Iterator[str]:
    """Return the texts in a piece of code, without docstrings."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.JoinedStr):
        yield from _if_words(
            "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        )
        inner = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    else:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _if_words(node.value)
        inner = list(ast.iter_child_nodes(node))
    for child in inner:
        yield from _texts(child)


def _if_words(text: str) -> Iterator[str]:
    if re.search(r"[A-Za-z]{2,}\S* \S*[A-Za-z]{2,}", text):
        yield text
