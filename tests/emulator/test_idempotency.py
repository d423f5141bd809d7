"""``x-client-token``: one intent, one effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from airflow_dingtalk_calendar.emulator.state.sample import ONE_TO_ONE, REVIEW, SAMPLE

MEETING = {"onlineMeetingInfo": {"type": "dingtalk"}}


def test_a_repeated_token_gets_the_first_answer(client, dingtalk):
    """By default a finished request is not executed again; both answers are the same, the second with its own id."""
    first, second = (client.patch(REVIEW, client_token="t", **MEETING) for _ in range(2))
    assert first.content == second.content
    assert first.headers["x-acs-request-id"] != second.headers["x-acs-request-id"]
    assert len(dingtalk.effects["meetings"]) == 1
    assert dingtalk.effects["calls"]["PatchEvent"] == 2


def test_a_repeated_token_is_executed_again(client, dingtalk):
    """With the switch at again every request has its effect."""
    dingtalk.configure(replay="again")
    for _ in range(2):
        assert client.patch(REVIEW, client_token="t", **MEETING).status_code == 200
    assert len(dingtalk.effects["meetings"]) == 2


def test_without_a_token_every_request_counts(client, dingtalk):
    """No token, no memory."""
    for _ in range(2):
        client.patch(REVIEW, **MEETING)
    assert len(dingtalk.effects["meetings"]) == 2


def test_a_token_names_the_request_whatever_its_body(client, dingtalk):
    """The same token with another body is still the same request."""
    client.patch(REVIEW, client_token="t", summary="one")
    assert client.patch(REVIEW, client_token="t", summary="two").json()["summary"] == "one"
    assert client.patch(REVIEW, client_token="u", summary="two").json()["summary"] == "two"


def test_a_token_is_forgotten_after_a_day(client, dingtalk):
    """After its lifetime a token is new again."""
    client.patch(REVIEW, client_token="t", summary="one")
    dingtalk.store.advance_clock(86400)
    assert client.log_in().patch(REVIEW, client_token="t", summary="two").json()["summary"] == "two"


def test_the_memory_of_tokens_is_a_switch(client, dingtalk):
    """client_token_lifetime decides how long a token is remembered."""
    dingtalk.configure(client_token_lifetime=5)
    client.patch(REVIEW, client_token="t", summary="one")
    dingtalk.store.advance_clock(5)
    assert client.patch(REVIEW, client_token="t", summary="two").json()["summary"] == "two"


def test_a_refused_request_leaves_its_token_free(client):
    """After a 4xx the same token can be used for the corrected request."""
    assert client.patch(REVIEW, client_token="t", summary=5).status_code == 400
    assert client.patch(REVIEW, client_token="t", summary="fine").json()["summary"] == "fine"


def test_two_at_once_are_not_executed_twice(client, dingtalk):
    """While the first request is running, others with its token are answered so; afterwards they get its answer."""
    dingtalk.configure(service_time=0.15)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: client.patch(REVIEW, client_token="t", **MEETING), range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]
    assert {answer.json().get("code") for answer in answers} == {None, "idempotencyProcessing"}
    assert client.patch(REVIEW, client_token="t", **MEETING).status_code == 200
    assert len(dingtalk.effects["meetings"]) == 1


def test_two_at_once_are_answered_even_when_replays_execute(client, dingtalk):
    """The rule for running requests holds for a replayed one as well."""
    dingtalk.configure(replay="again")
    client.patch(REVIEW, client_token="t", **MEETING)
    dingtalk.configure(service_time=0.15)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.patch(REVIEW, client_token="t", **MEETING), range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 400]


def test_tokens_belong_to_an_app(stranger, dingtalk):
    """Another app's token of the same value is another request."""
    dingtalk.reset({**SAMPLE, "apps": [{"appKey": "a", "appSecret": "s"}, {"appKey": "b", "appSecret": "s"}]})
    for app in "ab":
        stranger.headers["x-acs-dingtalk-access-token"] = stranger.token(appKey=app).json()["accessToken"]
        assert stranger.patch(REVIEW, client_token="t", summary=app).json()["summary"] == app


def test_reading_takes_no_token(client):
    """x-client-token means nothing to GetEvent."""
    client.headers["x-client-token"] = "t"
    assert client.get(REVIEW).json()["id"] == REVIEW
    assert client.get(ONE_TO_ONE).json()["id"] == ONE_TO_ONE
