"""A small calendar to start with: five people, one app, three rooms, and the ordinary events of a few weeks.

Everything in it is made up. Dates are fixed, so that what a demo prints stays the same, and far ahead, so that they are
not past: plans leave out what is. Its year has the weekdays of 2027. Event ids have DingTalk's
shape: base64 of the base64 of 16 bytes.
"""

from __future__ import annotations

from typing import Any

LIN = "iiPLinYue8mQzX0vTdRk4YwgiEiE"
CHEN = "iiPChenBo3vWbK9sLxUe7NfgiEiE"
WANG = "iiPWangMin5tHqM2yCzPa8GgiEiE"
MORGAN = "iiPMorganLee6rJnV1uBkXogiEiE"
OKAFOR = "iiPAdaOkafor7pDsL3wEyTigiEiE"

CORP = "ding-example-corp-id"
OTHER_CORP = "ding-other-example-corp-id"
BAMBOO_ROOM = "room-4f-bamboo"
ORCHID_ROOM = "room-3f-orchid"
PLUM_ROOM = "room-4f-plum"

STAND_UP = "eXBUS0VrcEpFRHQ5bENNdFJveExDQT09"
STAND_UP_MOVED = "Vm5iTkV3eEh3dExxbHNkajhTeFZDdz09"
ONE_TO_ONE = "Q291QktEeHFrbFpuVDZNYlJRSTNPZz09"
REVIEW = "SEdkbVVvWDdhbjEyRkJUaEpYamxkQT09"
DEMO = "bmZGRzc2SUxtV1NENUQyTmV0MWsvQT09"
PLANNING = "bU43Um1MbzZDakRuekdUa3Bxay9SUT09"
HOLIDAY = "ZWRqalFJRXZuYkM3K2xDTDZ6R2Q2Zz09"
SPRINT_REVIEW = "NUs4c0RqdzJRbWFYcFR5M1ZlTGcxZz09"
SPRINT_RETRO = "OUZoM1VyNnlCY05tSjRvWnhTazJ0dz09"

_CREATED_AT = "2026-06-18T17:05:00+08:00"
_PLUM_ROOM = {"roomId": PLUM_ROOM, "displayName": "4F Plum 梅"}
_BOOKED_PLUM_ROOM = {**_PLUM_ROOM, "responseStatus": "accepted"}


def _sample_times(start: str, end: str, zone: str = "Asia/Shanghai") -> dict[str, Any]:
    return {name: {"dateTime": time, "timeZone": zone} for name, time in (("start", start), ("end", end))}


def _sample_attendees(
    *accepted: str, waiting: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    return [
        *({"id": union_id, "responseStatus": "accepted"} for union_id in accepted),
        *({"id": union_id, "responseStatus": "needsAction"} for union_id in waiting),
        *({"id": union_id, "responseStatus": "tentative", "isOptional": True} for union_id in optional),
    ]


def _sample_reminder(minutes: int) -> list[dict[str, Any]]:
    return [{"method": "dingtalk", "minutes": minutes}]


SAMPLE: dict[str, Any] = {
    # The second one exists, and has not authorized the app.
    "corps": [CORP, OTHER_CORP],
    "suiteTicket": "not-a-real-ticket",
    "apps": [{"appKey": "ding-example-app-key", "appSecret": "not-a-real-secret"}],
    "users": [
        {"unionId": LIN, "name": "林悦", "email": "lin.yue@example.com", "userId": "lin-yue"},
        {"unionId": CHEN, "name": "陈博", "email": "chen.bo@example.com", "userId": "chen-bo"},
        {"unionId": WANG, "name": "王敏", "email": "wang.min@example.com", "userId": "wang-min"},
        {"unionId": MORGAN, "name": "Morgan Lee", "email": "morgan.lee@example.com", "userId": "morgan-lee"},
        {"unionId": OKAFOR, "name": "Ada Okafor", "email": "ada.okafor@example.com", "userId": "ada-okafor"},
    ],
    "rooms": [
        _PLUM_ROOM,
        {"roomId": BAMBOO_ROOM, "displayName": "4F Bamboo 竹"},
        {"roomId": ORCHID_ROOM, "displayName": "3F Orchid 兰"},
    ],
    "events": [
        {
            "id": STAND_UP,
            "summary": "Team stand-up 站会",
            "description": "Yesterday, today, what is in the way.",
            **_sample_times("2038-01-04T09:30:00+08:00", "2038-01-04T09:45:00+08:00"),
            "recurrence": {
                "pattern": {"type": "weekly", "daysOfWeek": "monday", "interval": 1, "firstDayOfWeek": "monday"},
                "range": {"type": "endDate", "endDate": "2038-03-29T23:59:59+08:00"},
            },
            "organizer": {"id": LIN},
            "attendees": _sample_attendees(LIN, CHEN, WANG, waiting=(OKAFOR,)),
            "location": {"displayName": "3F open space"},
            "reminders": _sample_reminder(5),
            "createTime": _CREATED_AT,
        },
        {
            "id": ONE_TO_ONE,
            "summary": "Lin / Chen one-to-one",
            **_sample_times("2038-01-05T14:00:00+08:00", "2038-01-05T14:30:00+08:00"),
            "organizer": {"id": LIN},
            "attendees": _sample_attendees(LIN, CHEN),
            "reminders": _sample_reminder(15),
            "createTime": _CREATED_AT,
        },
        {
            # One Monday of the series, half an hour later than the rest.
            "id": STAND_UP_MOVED,
            "seriesMasterId": STAND_UP,
            "originStart": {"dateTime": "2038-01-11T01:30:00Z"},
            "summary": "Team stand-up 站会",
            **_sample_times("2038-01-11T10:00:00+08:00", "2038-01-11T10:15:00+08:00"),
            "organizer": {"id": LIN},
            "attendees": _sample_attendees(LIN, CHEN, WANG, waiting=(OKAFOR,)),
            "location": {"displayName": "3F open space"},
            "reminders": _sample_reminder(5),
            "createTime": _CREATED_AT,
        },
        {
            "id": REVIEW,
            "summary": "Design review: booking flow 设计评审",
            "description": "Please read the draft before you come.",
            "richTextDescription": {"text": "<p>Please read the <b>draft</b> before you come.</p>"},
            **_sample_times("2038-01-14T15:00:00+08:00", "2038-01-14T16:30:00+08:00"),
            "organizer": {"id": LIN},
            "attendees": _sample_attendees(LIN, WANG, MORGAN, waiting=(CHEN,), optional=(OKAFOR,)),
            "location": {"displayName": "4F, room Plum, screen on the left"},
            "meetingRooms": [_BOOKED_PLUM_ROOM],
            "reminders": [*_sample_reminder(15), *_sample_reminder(60)],
            "uiConfigs": [{"uiName": "comment", "uiStatus": "disable"}],
            "createTime": _CREATED_AT,
        },
        {
            "id": DEMO,
            "summary": "Supplier demo",
            **_sample_times("2038-01-15T10:00:00+08:00", "2038-01-15T11:00:00+08:00"),
            "organizer": {"id": WANG},
            "attendees": _sample_attendees(WANG, waiting=(LIN,)),
            "meetingRooms": [_BOOKED_PLUM_ROOM],
            "reminders": _sample_reminder(15),
            "createTime": _CREATED_AT,
        },
        {
            "id": PLANNING,
            "summary": "Quarterly planning Q2",
            "description": "Goals, people, dates.",
            **_sample_times("2038-01-20T09:00:00+00:00", "2038-01-20T11:00:00+00:00", "Europe/London"),
            "recurrence": {
                "pattern": {"type": "relativeMonthly", "index": "third", "daysOfWeek": "wednesday", "interval": 3},
                "range": {"type": "numbered", "numberOfOccurrences": 4},
            },
            "organizer": {"id": MORGAN},
            "attendees": _sample_attendees(MORGAN, LIN, OKAFOR, waiting=(WANG,)),
            "onlineMeetingInfo": {
                "type": "dingtalk",
                "conferenceId": "6a1f0c52d3b84e7f9a20c4d85b13e6f7",
                "url": "dingtalk://dingtalkclient/page/videoConfFromCalendar?confId=6a1f0c52d3b84e7f9a20c4d85b13e6f7",
            },
            "reminders": _sample_reminder(15),
            "createTime": _CREATED_AT,
        },
        {
            # Seven days off; the end date is the first day back.
            "id": HOLIDAY,
            "summary": "春节 Spring Festival, office closed",
            "isAllDay": True,
            "start": {"date": "2038-02-05"},
            "end": {"date": "2038-02-12"},
            "organizer": {"id": LIN},
            "attendees": _sample_attendees(LIN, CHEN, WANG),
            "reminders": _sample_reminder(900),
            "createTime": _CREATED_AT,
        },
        *(
            {
                "id": event_id,
                "summary": f"Sprint 41 {part}",
                **_sample_times(f"2038-02-26T{start}:00+08:00", f"2038-02-26T{end}:00+08:00"),
                "organizer": {"id": WANG},
                "attendees": _sample_attendees(WANG, CHEN, waiting=(MORGAN,)),
                "reminders": _sample_reminder(15),
                "createTime": _CREATED_AT,
            }
            for event_id, part, start, end in (
                (SPRINT_REVIEW, "review", "14:00", "15:00"),
                (SPRINT_RETRO, "retro", "15:00", "16:00"),
            )
        ),
    ],
}
