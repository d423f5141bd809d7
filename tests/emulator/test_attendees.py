"""AddAttendee, RemoveAttendee and ListAttendees."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import CHEN, LIN, MORGAN, OKAFOR, ONE_TO_ONE, REVIEW, WANG
from tests.emulator.answers import error_of


def invite_people(client, event_id, *people, user=LIN, **more):
    """Invite people."""
    return client.send("POST", event_id, "/attendees", user=user, body={"attendeesToAdd": [*people], **more})


def remove_people(client, event_id, *union_ids, user=LIN):
    """Take people off the list."""
    body = {"attendeesToRemove": [{"id": union_id} for union_id in union_ids]}
    return client.send("POST", event_id, "/attendees/batchRemove", user=user, body=body)


def attendees_of(dingtalk, event_id):
    """Return the answers of an event's attendees."""
    return {person["id"]: person["responseStatus"] for person in dingtalk.event(event_id)["attendees"]}


def test_attendees_are_added(client, dingtalk):
    """Those invited before stay as they are, and asking again adds nobody twice."""
    answer = invite_people(client, ONE_TO_ONE, {"id": WANG, "isOptional": True}, {"id": CHEN}, {"id": WANG})
    assert (answer.status_code, answer.content) == (200, b"")
    assert attendees_of(dingtalk, ONE_TO_ONE) == {LIN: "accepted", CHEN: "accepted", WANG: "needsAction"}
    assert client.get(ONE_TO_ONE, user=WANG).status_code == 200
    (row,) = dingtalk.effects["writes"]
    assert (row["action"], row["changed"].keys()) == ("AddAttendee", {"attendees"})


def test_attendees_are_removed(client, dingtalk):
    """Who is not on the list is ignored, and the organizer stays."""
    answer = remove_people(client, REVIEW, WANG, LIN, "nobody")
    assert (answer.status_code, answer.content) == (200, b"")
    assert attendees_of(dingtalk, REVIEW).keys() == {LIN, CHEN, MORGAN, OKAFOR}
    assert error_of(client.get(REVIEW, user=WANG)) == (404, "itemNotFound")
    assert dingtalk.effects["writes"][0]["action"] == "RemoveAttendee"


@pytest.mark.parametrize(
    ("more", "switch", "kinds"),
    [
        ({}, "sent", ["push", "chat"]),
        ({}, "held_back", []),
        ({"pushNotification": True}, "held_back", ["push"]),
        ({"pushNotification": False}, "sent", ["chat"]),
        ({"chatNotification": False, "pushNotification": False}, "sent", []),
    ],
)
def test_new_attendees_are_notified_unless_held_back(client, dingtalk, more, switch, kinds):
    """Only those who are new are notified; what happens to notifications nobody mentioned is a switch."""
    dingtalk.configure(unasked_notifications=switch)
    invite_people(client, ONE_TO_ONE, {"id": WANG}, {"id": CHEN}, **more)
    assert [(row["kind"], row["recipients"]) for row in dingtalk.effects["notifications"]] == [
        (kind, 1) for kind in kinds
    ]


def test_removed_attendees_are_notified(client, dingtalk):
    """Those who were on the list are notified."""
    remove_people(client, REVIEW, WANG, "nobody")
    assert [row["recipients"] for row in dingtalk.effects["notifications"]] == [1, 1]


def test_a_sync_has_added_and_removed_attendees(client):
    """A sync brings the event to those who came, and to those who went as a cancelled one."""
    tokens = {user: client.list(user=user).json()["syncToken"] for user in (WANG, CHEN)}
    invite_people(client, ONE_TO_ONE, {"id": WANG})
    remove_people(client, ONE_TO_ONE, CHEN)
    seen = {user: client.list(user=user, syncToken=token).json()["events"] for user, token in tokens.items()}
    assert {user: [event["status"] for event in events] for user, events in seen.items()} == {
        WANG: ["confirmed"],
        CHEN: ["cancelled"],
    }


@pytest.mark.parametrize(
    ("under", "body"),
    [
        ("/attendees", {"attendeesToAdd": []}),
        ("/attendees", {}),
        ("/attendees", None),
        ("/attendees", []),
        ("/attendees", {"attendeesToAdd": [{"isOptional": True}]}),
        ("/attendees", {"attendeesToAdd": [{"id": "x"}], "pushNotification": "true"}),
        ("/attendees", {"attendeesToAdd": [{"id": str(n)} for n in range(501)]}),
        ("/attendees/batchRemove", {"attendeesToRemove": []}),
        ("/attendees/batchRemove", {"attendeesToRemove": [{"id": ""}]}),
        ("/attendees/batchRemove", {"attendeesToRemove": [{"id": str(n)} for n in range(501)]}),
    ],
)
def test_wrong_lists_are_refused(client, dingtalk, under, body):
    """At least one and at most 500 people, each with an id."""
    assert error_of(client.send("POST", REVIEW, under, body=body)) == (400, "invalidParameter")
    assert dingtalk.effects["writes"] == []


def test_an_event_has_at_most_5000(client, dingtalk):
    """The limit of an event holds over several calls."""
    crowd = [{"id": f"u{n}"} for n in range(5000)]
    dingtalk.store.put_events([{**dingtalk.event(ONE_TO_ONE), "attendees": crowd}])
    answer = invite_people(client, ONE_TO_ONE, {"id": "one more"})
    assert error_of(answer) == (400, "invalidParameter")
    assert "5000" in answer.json()["message"]
    assert invite_people(client, ONE_TO_ONE, {"id": "u1"}).status_code == 200


@pytest.mark.parametrize(
    "call", [lambda client, *at, **who: invite_people(client, *at, {"id": "x"}, **who), remove_people]
)
def test_only_the_organizer_changes_who_is_invited(client, dingtalk, call):
    """Others get the error the switch says; an unknown event is not found."""
    people_given = () if call is not remove_people else ("x",)
    assert error_of(call(client, REVIEW, *people_given, user=CHEN)) == (400, "invalidParameter")
    dingtalk.configure(not_organizer="forbidden")
    assert error_of(call(client, REVIEW, *people_given, user=CHEN)) == (403, "permissionDeny")
    assert error_of(call(client, "nothing", *people_given)) == (404, "itemNotFound")


def list_people(client, event_id=REVIEW, user=LIN, calendar="primary", **params):
    """List attendees."""
    return client.send("GET", event_id, "/attendees", user=user, calendar=calendar, params=params)


def test_attendees_are_listed_in_pages(client):
    """Pages cover everybody once; the last one has no nextToken, and a change between two pages does not matter."""
    first = list_people(client, maxResults=3).json()
    remove_people(client, REVIEW, WANG)
    second = list_people(client, maxResults=3, nextToken=first["nextToken"]).json()
    assert second.keys() == {"attendees"}
    everybody = first["attendees"] + second["attendees"]
    assert [person["id"] for person in everybody] == [LIN, WANG, MORGAN, CHEN, OKAFOR]
    assert everybody[0] == {
        "id": LIN,
        "displayName": "林悦",
        "responseStatus": "accepted",
        "self": True,
        "isOptional": False,
    }


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"calendar": "work"}, "invalidParameter.event.calendarId"),
        ({"calendar": " "}, "invalidParameter.event.calendarId"),
        ({"event_id": "nothing"}, "invalidParameter.event.eventId"),
        ({"event_id": ONE_TO_ONE, "user": MORGAN}, "invalidParameter.subscribed.invalid"),
        ({"maxResults": 501}, "invalidParameter.maxResults"),
        ({"maxResults": "x"}, "invalidParameter.maxResults"),
        ({"nextToken": "made-up"}, "invalidParameter"),
    ],
)
def test_a_list_of_attendees_has_errors_of_its_own(client, given, code):
    """Each wrong parameter has its code."""
    assert error_of(list_people(client, **given)) == (400, code)


def test_a_page_token_is_good_for_its_event_only(client):
    """The nextToken of one event's attendees is not another's, nor another call's."""
    token = list_people(client, maxResults=1).json()["nextToken"]
    assert error_of(list_people(client, ONE_TO_ONE, nextToken=token)) == (400, "invalidParameter")
    assert error_of(list_people(client, user=CHEN, nextToken=token)) == (400, "invalidParameter")
    assert client.list(nextToken=token).status_code == 400
