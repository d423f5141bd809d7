"""``/_emulator/...``: the emulator driven from another process."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import ONE_TO_ONE, REVIEW, SAMPLE

SMALL = {
    "apps": [{"appKey": "k", "appSecret": "s"}],
    "users": [{"unionId": "u", "name": "U"}],
    "events": [
        {
            "id": "only",
            "summary": "Only one",
            "start": {"date": "2038-05-01"},
            "end": {"date": "2038-05-02"},
            "organizer": {"id": "u"},
        }
    ],
}


def test_reset_starts_over(client, dingtalk):
    """After a reset nothing has happened: no change, no effect, no fault, no token, and time is what it was."""
    client.patch(REVIEW, summary="x")
    client.control("POST", "clock", json={"advance": 1000})
    client.control("PATCH", "settings", json={"replay": "again"})
    dingtalk.fault(kind="reset", times=None)
    assert client.control("POST", "reset").json()["events"] == len(SAMPLE["events"])
    assert dingtalk.event(REVIEW)["summary"] != "x"
    assert dingtalk.effects["updates"] == dingtalk.requests == []
    assert dingtalk.store.clock_offset == 0
    assert dingtalk.store.settings.replay == "stored"
    assert client.get(REVIEW).json()["code"] == "InvalidAuthentication"


def test_reset_takes_data_and_settings(client, dingtalk):
    """Another calendar and other switches hold until the next reset."""
    answer = client.control("POST", "reset", json={"data": SMALL, "settings": {"qps_limit": 3}})
    assert (answer.json()["events"], answer.json()["settings"]["qps_limit"]) == (1, 3)
    assert dingtalk.app_key == "k"
    assert client.log_in().get("only", user="u").json()["organizer"]["displayName"] == "U"
    client.control("POST", "reset")
    assert len(client.control("GET", "events").json()) == len(SAMPLE["events"])


def test_events_can_be_added_and_replaced(client, dingtalk):
    """What GET shows can be posted back, alone or in a list."""
    shown = client.control("GET", "events").json()
    changed = {**next(event for event in shown if event["id"] == REVIEW), "summary": "posted"}
    assert client.control("POST", "events", json=changed).status_code == 200
    assert client.get(REVIEW).json()["summary"] == "posted"
    assert client.control("POST", "events", json=SMALL["events"]).json()[-1]["id"] == "only"
    assert client.control("POST", "events", json=shown).json()[:-1] == shown


def test_effects_and_requests_can_be_read(client, dingtalk):
    """They are what the emulator returns in its own process."""
    client.patch(REVIEW, summary="x")
    assert client.control("GET", "effects").json() == dingtalk.effects
    assert client.control("GET", "requests").json() == dingtalk.requests
    assert len(dingtalk.requests) == 2


def test_faults_can_be_set_listed_and_cleared(client):
    """One rule or a list; the listing has what is left; DELETE removes all."""
    client.control("POST", "faults", json={"kind": "error", "action": "GetEvent"})
    rules = client.control(
        "POST", "faults", json=[{"kind": "reset", "times": None}, {"kind": "close", "skip": 2}]
    ).json()
    assert [rule["kind"] for rule in rules] == ["error", "reset", "close"]
    assert client.get(REVIEW).status_code == 500
    assert client.control("GET", "faults").json()[0]["times"] == 0
    assert client.control("DELETE", "faults").json() == []
    assert client.get(REVIEW).status_code == 200


def test_one_wrong_rule_keeps_the_others_out(client):
    """A list of rules is taken as a whole or not at all."""
    rules = [{"kind": "error"}, {"kind": "nonsense"}]
    assert client.control("POST", "faults", json=rules).status_code == 400
    assert client.control("GET", "faults").json() == []


def test_settings_can_be_read_and_changed(client):
    """PATCH changes what it names and answers with all of them."""
    before = client.control("GET", "settings").json()
    after = client.control("PATCH", "settings", json={"empty_text": "refused"}).json()
    assert after == {**before, "empty_text": "refused"}
    assert client.patch(ONE_TO_ONE, summary="").status_code == 400


def test_time_can_be_advanced(client):
    """An hour on the clock is an hour for tokens."""
    client.control("POST", "clock", json={"advance": 7201})
    assert client.get(REVIEW).json()["code"] == "InvalidAuthentication"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "reset", "[]", "must be an object"),
        ("POST", "reset", '{"dat": {}}', "unknown member 'dat'"),
        ("POST", "reset", '{"data": {}}', "apps: is required"),
        ("POST", "reset", '{"data": 5}', "must be an object"),
        ("POST", "reset", '{"settings": {"replays": "x"}}', "did you mean 'replay'"),
        ("POST", "reset", '{"settings": {"data": 1, "self": 2}}', "unknown setting"),
        ("POST", "reset", '{"settings": 5}', "settings must be an object"),
        ("POST", "events", '{"id": "x"}', "events[0].summary: is required"),
        ("POST", "events", "5", "events[0]: must be an object"),
        ("POST", "faults", '[{"kind": "x"}]', "unknown kind of fault"),
        ("POST", "faults", "[5]", "a rule must be an object"),
        ("PATCH", "settings", '{"replay": "never"}', "replay is one of stored, again"),
        ("PATCH", "settings", '{"replay": ["stored"]}', "replay is one of stored, again"),
        ("PATCH", "settings", '{"qps_limit": 1.5}', "qps_limit is a number"),
        ("PATCH", "settings", '{"qps_limit": true}', "qps_limit is a number"),
        ("PATCH", "settings", '{"service_time": -1}', "service_time is a number"),
        ("PATCH", "settings", '{"self": 1}', "unknown setting"),
        ("PATCH", "settings", "not json", "not JSON"),
        ("PATCH", "settings", "[" * 100_000, "not JSON"),
        ("POST", "clock", '{"advance": "1h"}', "advance is a number"),
        ("POST", "clock", '{"advance": -5}', "advance is a number"),
        ("PATCH", "sign_in", '{"suite_ticket": null}', "suite_ticket is a string"),
        ("PATCH", "sign_in", '{"signed_in": 5}', "signed_in a string or null"),
        ("PATCH", "sign_in", '{"ticket": "x"}', "unknown member 'ticket'"),
    ],
)
def test_wrong_input_is_refused_with_the_reason(client, method, path, body, message):
    """Bad input gets a 400 that says what is wrong, and changes nothing."""
    before = client.control("GET", "settings").json(), client.control("GET", "events").json()
    answer = client.control(method, path, content=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert (client.control("GET", "settings").json(), client.control("GET", "events").json()) == before


def test_own_routes_are_not_logged(client, dingtalk, http):
    """Reading the emulator's state leaves no trace in the request log."""
    count = len(dingtalk.requests)
    http.get(dingtalk.url + "/")
    client.control("GET", "requests")
    assert client.control("GET", "nothing").status_code == 404
    assert len(dingtalk.requests) == count
