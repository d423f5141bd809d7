"""The page for people."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import (
    CHEN,
    HOLIDAY,
    LIN,
    ONE_TO_ONE,
    ORCHID_ROOM,
    PLANNING,
    REVIEW,
    SAMPLE,
    STAND_UP,
    STAND_UP_MOVED,
)

EVIL = "<script>alert('&\"')</script>"


class Reader(HTMLParser):
    """Collects what a browser would show, the elements, and whether they are closed in order."""

    def __init__(self):
        super().__init__()
        self.text, self.tags, self.attributes, self.open = "", set(), [], []

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Check that it closes the innermost open one."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Note text."""
        self.text += data + " "


@pytest.fixture
def read_page(http, dingtalk):
    """Return a function that reads the page as it is now."""

    def page():
        answer = http.get(dingtalk.url + "/")
        assert answer.headers["content-type"].startswith("text/html")
        reader = Reader()
        reader.feed(answer.text)
        assert reader.open == []
        return reader

    return page


def test_the_calendar_is_shown_by_day(read_page):
    """Each event has its day, local time and zone, place, people and recurrence in words."""
    text = read_page().text
    for expected in (
        "Monday, 4 January 2038",
        "09:30 – 09:45",  # noqa: RUF001
        "Europe/London",
        "every week on Monday until 29 March 2038",
        "every 3 months on the third Wednesday (4 times)",
        "4F, room Plum, screen on the left",
        "✓ 林悦",
        "? Ada Okafor (optional)",
        "one of the series “Team stand-up 站会”",
        "all day, to 11 Feb",
        "Nothing has been changed yet.",
    ):
        assert expected in text


def test_the_history_is_shown(read_page, client):
    """Each change has its members before and after, its client token shortened, and who was notified."""
    client.patch(REVIEW, client_token="0123456789abcdef", summary="Renamed", attendees=[{"id": LIN}])
    client.patch(
        ONE_TO_ONE,
        client_token="short",
        summary="Quiet",
        extra={"noPushNotification": "true", "noChatNotification": "true"},
    )
    client.patch(ONE_TO_ONE)
    text = read_page().text
    for expected in (
        "Renamed changed",
        "3 updates",
        "0 other changes",
        "01234567…",
        "short",
        "nobody notified",
        "No visible change",
        "metered calls: PatchEvent 3",
    ):
        assert expected in text
    client.patch(
        STAND_UP,
        summary="Loud",
        reminders=[],
        start={"dateTime": "2038-01-04T09:00:00+08:00", "timeZone": "Asia/Tokyo"},
    )
    client.patch(STAND_UP, reminders=[])
    client.patch(HOLIDAY, start={"date": "2038-02-04"}, end={"date": "2038-02-05"})
    client.patch(PLANNING, summary="Not mine")
    text = read_page().text
    for expected in ("notified: 3 by push, 3 by chat", "5 min before", "Thu 4 Feb 2038", "nothing"):
        assert expected in text


def test_every_kind_of_change_is_shown(read_page, client):
    """Creation, deletion, answers, attendees and rooms have a row each, with what they changed."""
    quiet = {"noPushNotification": "true", "noChatNotification": "true"}
    moments = {
        name: {"dateTime": f"2038-03-01T{hour}:00:00+08:00", "timeZone": "Asia/Shanghai"}
        for name, hour in (("start", "09"), ("end", "10"))
    }
    new = client.send("POST", body={"summary": "Brand new", **moments, "extra": quiet}).json()["id"]
    client.send("POST", new, "/attendees", body={"attendeesToAdd": [{"id": CHEN}]})
    client.send("POST", new, "/respond", user=CHEN, body={"responseStatus": "declined"})
    client.send("POST", new, "/attendees/batchRemove", body={"attendeesToRemove": [{"id": CHEN}]})
    client.send("POST", new, "/meetingRooms", body={"meetingRoomsToAdd": [{"roomId": ORCHID_ROOM}]})
    client.send("POST", new, "/meetingRooms/batchRemove", body={"meetingRoomsToRemove": [{"roomId": ORCHID_ROOM}]})
    client.send("DELETE", new)
    client.patch(REVIEW, summary="x")
    page = read_page()
    for expected in (
        "created",
        "attendees added",
        "· 陈博",
        "answered",
        "✗ 陈博",
        "attendees removed",
        "rooms booked",
        "3F Orchid 兰",
        "rooms given back",
        "deleted",
        "updated",
        "1 update ",
        "7 other changes",
    ):
        assert expected in page.text
    assert ("class", "event cancelled") in page.attributes
    assert "createTime" not in page.text


def test_rooms_are_shown_with_their_bookings(read_page, client, dingtalk):
    """Each room has what takes place in it; without rooms there is nothing to show."""
    text = read_page().text
    assert "Thu 14 Jan 2038 15:00 Asia/Shanghai: Design review" in text
    assert "4F Bamboo 竹 free" in text
    dingtalk.reset({"apps": SAMPLE["apps"]})
    assert "Rooms" not in read_page().text


@pytest.mark.parametrize(
    "body",
    [
        {"summary": EVIL},
        {"description": EVIL},
        {"location": {"displayName": EVIL}},
        {"richTextDescription": {"text": EVIL}},
        {"attendees": [{"id": EVIL}]},
        {"uiConfigs": [{"uiName": EVIL, "uiStatus": "hide"}]},
        {"categories": [{"categoryId": EVIL}]},
    ],
)
def test_everything_is_escaped(read_page, client, body):
    """Whatever comes from requests is shown as text and never becomes markup."""
    client.patch(REVIEW, client_token="<b>", **body)
    page = read_page()
    assert "alert" in page.text
    assert not page.tags & {"script", "b "}


def test_nothing_is_loaded_from_elsewhere(read_page):
    """No address in the page leads elsewhere."""
    page = read_page()
    assert not page.tags & {"script", "img", "iframe"}
    assert [value for name, value in page.attributes if name in ("src", "href")] == ["data:,", "#history"]
    assert ("id", "history") in page.attributes


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"pattern": {"type": "daily"}}, "every day"),
        ({"pattern": {"type": "daily", "interval": 3}}, "every 3 days"),
        ({"pattern": {"type": "weekly", "daysOfWeek": "monday,friday"}}, "every week on Monday and Friday"),
        ({"pattern": {"type": "absoluteMonthly", "dayOfMonth": 15}}, "every month on day 15"),
        ({"pattern": {"type": "relativeMonthly", "index": "last", "daysOfWeek": "sunday"}}, "on the last Sunday"),
        ({"pattern": {"type": "absoluteYearly"}}, "every year"),
        ({"pattern": {"interval": 2}}, "incomplete rule"),
        ({"range": {"type": "noEnd"}}, "incomplete rule"),
    ],
)
def test_recurrence_in_words(read_page, client, rule, words):
    """Each kind of rule can be read_page, and one that lacks its type is shown as it is."""
    assert client.patch(ONE_TO_ONE, recurrence=rule).status_code == 200
    assert words in read_page().text


def test_odd_events_can_be_shown(read_page, client, dingtalk):
    """Cancelled events, empty titles, crowds, nights and an empty calendar have a place, too."""
    dingtalk.store.put_events([{**dingtalk.event(STAND_UP_MOVED), "status": "cancelled"}])
    client.patch(ONE_TO_ONE, summary="", end={"dateTime": "2038-01-06T01:00:00+08:00", "timeZone": "Asia/Shanghai"})
    client.patch(REVIEW, attendees=[{"id": f"u{number}"} for number in range(100)])
    client.patch(HOLIDAY, start={"date": "2038-02-05"}, end={"date": "2038-02-06"}, reminders=[{"method": "dingtalk"}])
    text = read_page().text
    for expected in ("cancelled", "(no title)", "14:00 – 6 Jan 01:00", "and 71 more", "and 95 more", "all day"):  # noqa: RUF001
        assert expected in text
    dingtalk.store.events.clear()
    assert "There are no events." in read_page().text
