"""``python -m airflow_dingtalk_calendar.authorize``: let a person authorize the app of a connection.

For connections of ``auth_type`` ``user``. It prints the address of DingTalk's login page, takes the code that the
page sends back, and stores the grant in the Airflow Variable that the connection names. It needs Airflow's database,
like ``airflow variables set``.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from urllib.parse import parse_qsl, urlencode, urlsplit

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.auth import UserGrant
from airflow_dingtalk_calendar.connection import hosts
from airflow_dingtalk_calendar.connection.secret import Secret, hide_frames, hide_strings
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import (
    CredentialsError,
    DingTalkError,
    InvalidConnectionError,
    InvalidInputError,
    UnexpectedAnswerError,
)
from airflow_dingtalk_calendar.hooks import airflow_compat
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook


def main(arguments: list[str] | None = None) -> int:
    """Authorize from the command line; 1 when it did not work."""
    arguments = hide_strings(sys.argv[1:] if arguments is None else arguments)
    with hide_frames():  # argparse's, which take the arguments apart
        options = _argument_parser().parse_args(arguments)
    with DingTalkCalendarHook(options.conn_id) as hook:
        try:
            _authorize_app(hook, options.redirect_uri, options.code)
        except DingTalkError as error:
            return _print_failure(str(error))
        except Exception as error:  # Airflow's own: no such connection, no database
            return _print_failure(f"{type(error).__name__}: {error}")
    return 0


def login_url(conn: ConnectionSettings, redirect_uri: str, state: str) -> str:
    """Return the address at which a person lets the app act for them."""
    query = {
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "client_id": conn.app_key,
        "scope": "openid",
        "state": state,
        "prompt": "consent",
    }
    host = conn.base_url if hosts.is_local_url(conn.base_url) else conn.base_url.replace("://api.", "://login.")
    return f"{host}/oauth2/auth?{urlencode(query)}"


def extract_code(answer: str, state: str) -> Secret:
    """Find the code in what was pasted: the code itself, or the whole address that the login page led to.

    :param state: what the address has to bring back; another one is of another authorization, maybe a stranger's.
    """
    answer = Secret(answer).strip()
    if "://" not in answer:
        return _check_code("code", answer)
    with hide_frames():
        query = hide_strings(dict(parse_qsl(urlsplit(answer).query)))
    if not secrets.compare_digest(query.get("state", "").encode(errors="replace"), state.encode()):
        raise InvalidInputError(("state", "is not the one of this authorization: start over, and use the new address"))
    if "error" in query:
        raise InvalidInputError(("code", "is not there: the authorization was declined"))
    return _check_code("authCode", query.get("authCode"))


def _check_code(name: str, code: str | None) -> Secret:
    with hide_frames():
        return Secret(api.check_id(name, code))


def _authorize_app(hook: DingTalkCalendarHook, redirect_uri: str, code: str | None) -> None:
    conn = hook.get_conn()
    if conn.auth_type != "user":
        raise InvalidConnectionError(("connection.extra.auth_type", "must be user for a person to authorize the app"))
    code = _check_code("code", code) if code is not None else _ask_for_code(conn, redirect_uri)
    token = hook.run(api.get_user_token(conn.app_key, conn.app_secret, code=code))
    if not token.refresh_token:
        raise UnexpectedAnswerError("answered without a usable refresh token.")
    _store_grant(conn.user_grant_variable, UserGrant.from_token(token, hook.clock.time()))


def _ask_for_code(conn: ConnectionSettings, redirect_uri: str) -> Secret:
    state = secrets.token_urlsafe(16)
    _print_line(f"Open this address, and agree:\n\n  {login_url(conn, redirect_uri, state)}\n")
    _print_line("Then paste the address that you were led to, or the authCode in it:")
    return extract_code(Secret(sys.stdin.readline()), state)


def _store_grant(name: str, grant: UserGrant) -> None:
    """Write the grant, and see whether tasks will read it."""
    if failure := _write_grant(name, grant):
        problem = f"The Variable {name} could not be written ({failure}), and the code is used up"
        raise CredentialsError(f"{problem}: see that Airflow's database can be written, and start over")
    if not _holds_grant(name, grant):
        problem = "still holds something else: an environment variable or a secrets backend shadows it; remove that"
        raise InvalidInputError((f"the Variable {name}", problem))
    _print_line(f"Authorized. The grant is in the Variable {name}, where tasks find it and renew it.")


def _write_grant(name: str, grant: UserGrant) -> str:
    """Write the grant; return the kind of failure, whose own text may repeat the grant, or nothing."""
    try:
        with hide_frames():
            airflow_compat.write_variable(name, grant.dump())
    except Exception as error:
        return type(error).__name__
    return ""


def _holds_grant(name: str, grant: UserGrant) -> bool:
    with hide_frames():
        found = UserGrant.parse(airflow_compat.read_variable(name))
    return found is not None and found.refresh_token == grant.refresh_token


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_dingtalk_calendar.authorize",
        description="Let a person authorize the app of a DingTalk connection whose auth_type is user.",
    )
    parser.add_argument("--conn-id", default=DingTalkCalendarHook.default_conn_name, help="the Airflow connection")
    address = "one of the redirect addresses in the app's security settings"
    parser.add_argument("--redirect-uri", required=True, metavar="URL", help=address)
    parser.add_argument(
        "--code", type=Secret, help="the authCode, if you have it already; otherwise you are asked for it"
    )
    return parser


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _print_failure(text: str) -> int:
    sys.stderr.write(f"Not authorized: {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
