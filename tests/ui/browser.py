"""Chromium, which reaches this machine only, and the pictures of what it shows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

IMAGES = Path(__file__).parent.parent.parent / "docs" / "img"
LARGEST_IMAGE = 120_000  # bytes
LIMIT = 60_000  # milliseconds until something has to be there, on a machine with much else to do
MISSING = "Chromium is not installed. On Debian and Ubuntu: apt-get install chromium fonts-noto-cjk"
# No name but this machine's has an address, whatever the browser itself would like to ask.
OPTIONS = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-proxy-server",
    "--font-render-hinting=none",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a window; it ends with the block, and nothing of it is kept."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.exit(MISSING, returncode=1)
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS, env=environment)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Browser) -> Iterator[Page]:
    """Open a page whose requests to other machines are blocked, and fail in the end if there were any."""
    strange: list[str] = []

    def sort(route: Route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            strange.append(route.request.url)
            route.abort()

    context = browser.new_context(
        viewport={"width": 1200, "height": 800},
        locale="en-GB",
        timezone_id="Asia/Shanghai",
        color_scheme="light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(LIMIT)
    context.route("**/*", sort)
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not strange, f"asked other machines: {strange}"


def picture(page: Page, name: str, height: int = 800) -> None:
    """Take a picture for the documentation, so many pixels high."""
    page.set_viewport_size({"width": 1200, "height": height})
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(500)  # milliseconds; what moves has come to rest then
    IMAGES.mkdir(parents=True, exist_ok=True)
    image = page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")
    assert len(image) < LARGEST_IMAGE
