"""People: their calendars, themselves, and their ids on the older host."""

from __future__ import annotations

import json

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import CHEN, LIN, SAMPLE
from tests.emulator.answers import error_of


def test_calendars_are_wrapped(client):
    """The list is in a response in the answer, and has the primary calendar."""
    answer = client.about("GET", "calendars", user=CHEN)
    assert answer.json().keys() == {"response"}
    (calendar,) = answer.json()["response"]["calendars"]
    assert (calendar["id"], calendar["type"], calendar["privilege"]) == ("primary", "primary", "owner")
    assert calendar.keys() == {"id", "summary", "description", "timeZone", "eTag", "type", "privilege"}


@pytest.mark.parametrize("user", ["nobody", " "])
def test_calendars_of_nobody_are_illegal(client, user):
    """The error is a paramIllegal."""
    assert error_of(client.about("GET", "calendars", user=user)) == (400, "paramIllegal")


def get_user(client, name):
    """Ask who somebody is."""
    return client.http.get(f"{client.emulator.url}/v1.0/contact/users/{name}", headers=client.headers)


def test_a_user_is_shown_to_users(stranger, dingtalk):
    """With a user's token somebody can be found, and me is the token's user; neither is metered."""
    stranger.log_in_as(LIN)
    assert get_user(stranger, CHEN).json()["nick"] == "陈博"
    me = get_user(stranger, "me").json()
    assert (me["unionId"], me["email"]) == (LIN, "lin.yue@example.com")
    assert "userid" not in me
    assert dingtalk.effects["calls"] == {}


def test_an_unknown_user_is_not_found(stranger):
    """The code is the user's own."""
    assert error_of(get_user(stranger.log_in_as(LIN), "nobody")) == (404, "invalidParameter.user.notFound")


def test_users_are_not_for_apps(client):
    """An app's token is not enough."""
    for name in ("me", CHEN):
        answer = get_user(client, name)
        assert error_of(answer) == (403, "Forbidden.AccessDenied.AccessTokenPermissionDenied")
        assert answer.json()["accessdenieddetail"] == {"requiredScopes": ["Contact.User.Read"]}


def get_staff(client, place="form", **body):
    """Ask the older host about a member of staff; the token goes into the form, or into the query, or nowhere."""
    token = {"access_token": client.headers.get("x-acs-dingtalk-access-token", "")}
    url = f"{client.emulator.url}/topapi/v2/user/get"
    if place == "form":
        return client.http.post(url, data={**token, **body})
    return client.http.post(url, params=token if place == "query" else {}, json=body, headers=client.headers)


@pytest.mark.parametrize("place", ["form", "query"])
def test_a_staff_id_leads_to_a_union_id(client, dingtalk, place):
    """The answer is wrapped, spells unionid in one lower-case word, and is not metered."""
    answer = get_staff(client, place, userid="chen-bo", language="zh_CN")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["errcode"], body["errmsg"], body["request_id"]) == (0, "ok", answer.headers["x-acs-request-id"])
    assert (body["result"]["userid"], body["result"]["unionid"]) == ("chen-bo", CHEN)
    assert dingtalk.effects["calls"] == {}


def test_the_log_says_whether_a_token_was_in_the_url(client, dingtalk):
    """It says so, and never has the token."""
    get_staff(client, "form", userid="chen-bo")
    get_staff(client, "query", userid="chen-bo")
    in_form, in_query = dingtalk.requests[-2:]
    assert (in_form["token_in_url"], in_query["token_in_url"]) == (False, True)
    assert in_form["body"] == {"access_token": "***", "userid": "chen-bo"}
    assert in_query["query"] == "access_token=***"
    assert in_form["authorized"] is in_query["authorized"] is True
    assert client.headers["x-acs-dingtalk-access-token"] not in json.dumps(dingtalk.requests)


@pytest.mark.parametrize("name", ["access_token", "access%5Ftoken", "a=1&access_token"])
def test_a_token_in_any_url_is_noticed(client, dingtalk, name):
    """However it is written, and wherever it is of no use."""
    token = client.headers["x-acs-dingtalk-access-token"]
    client.http.get(f"{dingtalk.url}/v1.0/anything?{name}={token}")
    assert dingtalk.requests[-1]["token_in_url"] is True
    assert token not in json.dumps(dingtalk.requests)


@pytest.mark.parametrize(
    ("place", "body", "errcode"),
    [
        ("form", {"userid": "nobody"}, 60121),
        ("form", {}, 400002),
        ("query", {"userid": ""}, 400002),
        ("query", {"userid": 5}, 400002),
    ],
)
def test_an_error_is_a_200_with_an_errcode(client, dingtalk, place, body, errcode):
    """Whatever happens, HTTP says that all is well."""
    answer = get_staff(client, place, **body)
    assert (answer.status_code, answer.json()["errcode"]) == (200, errcode)
    assert answer.json()["errmsg"]
    assert dingtalk.requests[-1]["code"] == str(errcode)


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff"])
def test_anything_but_an_object_is_a_wrong_parameter(client, dingtalk, content):
    """The older host does not know the other one's Missingbody."""
    token = {"access_token": client.headers["x-acs-dingtalk-access-token"]}
    answer = client.http.post(dingtalk.url + "/topapi/v2/user/get", params=token, content=content)
    assert (answer.status_code, answer.json()["errcode"]) == (200, 400002)


def test_the_error_for_an_unknown_user_is_a_switch(client, dingtalk):
    """Both are documented."""
    dingtalk.configure(unknown_staff="33012")
    assert get_staff(client, userid="nobody").json()["errcode"] == 33012


def test_a_bad_token_is_wrapped(stranger, dingtalk):
    """No token, an unknown one, and one in the header have errcode 88, and 40014 as text inside."""
    assert get_staff(stranger, userid="chen-bo").json()["errcode"] == 88
    stranger.headers["x-acs-dingtalk-access-token"] = "made-up"
    answer = get_staff(stranger, userid="chen-bo")
    assert answer.status_code == 200
    assert answer.json() == {
        "errcode": 88,
        "sub_code": "40014",
        "sub_msg": "不合法的access_token",
        "errmsg": "ding talk error[subcode=40014,submsg=不合法的access_token]",
        "request_id": answer.headers["x-acs-request-id"],
    }
    assert dingtalk.requests[-1]["code"] == "40014"
    assert get_staff(stranger.log_in(), "header", userid="chen-bo").json()["sub_code"] == "40014"


def test_what_the_gateway_refuses_has_older_numbers(stranger, dingtalk):
    """Permission, rate and range have theirs."""
    app = {"appKey": "k", "appSecret": "s"}
    dingtalk.reset({**SAMPLE, "apps": [{**app, "scopes": ["Calendar.Event.Read"]}]})
    assert get_staff(stranger.log_in(), userid="chen-bo").json()["errcode"] == 60011
    dingtalk.reset({**SAMPLE, "apps": [{**app, "range": [LIN]}]}, qps_limit=2)
    dingtalk.store.clock = lambda: 1_800_000_000.0
    stranger.log_in()
    errcodes = [get_staff(stranger, userid=userid).json()["errcode"] for userid in ("chen-bo", "lin-yue", "lin-yue")]
    assert errcodes == [50002, 0, 90018]


def test_the_older_host_is_not_for_users(stranger):
    """A user's token has no permission there."""
    assert get_staff(stranger.log_in_as(LIN), userid="chen-bo").json()["errcode"] == 60011
