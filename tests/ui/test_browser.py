"""The browser that the other tests here use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ui.browser import tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.ui


def test_a_page_that_asks_another_machine_is_noticed(browser: Browser) -> None:
    """A request to anywhere but this machine is not sent, and fails the test that caused it."""
    with pytest.raises(AssertionError, match=r"other machines.*logo"), tab(browser) as page:
        page.set_content('<img src="http://dingtalk.example/logo.png">')
