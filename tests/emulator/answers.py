"""What tests of several endpoints check in an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of an answer."""
    return answer.status_code, answer.json()["code"]


def assert_patch_refused(
    client: Any, answer: httpx.Response, status: int = 400, code: str = "invalidParameter", message: str | None = None
) -> None:
    """Check the error, and that nothing has changed."""
    assert error_of(answer) == (status, code), answer.text
    if message is not None:
        assert message in answer.json()["message"]
    assert client.emulator.effects["updates"] == []
    assert client.emulator.store.changes == []
