"""``python -m airflow_dingtalk_calendar.emulator``: run it until interrupted."""

from __future__ import annotations

import argparse
import gc
import json
import shlex
import signal
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from .server import AUTH_TYPES, Emulator

_STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def main(arguments: list[str] | None = None) -> int:
    """Run the emulator from the command line."""
    parser = _build_option_parser()
    options = parser.parse_args(arguments)
    if not (options.allow_remote or _is_loopback(options.host)):
        parser.error(f"{options.host} can be reached from elsewhere; say --allow-remote if that is meant")
    try:
        emulator = Emulator(_read_data_file(options.data), options.port, host=options.host, **dict(options.set))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return _serve_until_signal(emulator, options.auth_type if options.print_connection else None)


def _serve_until_signal(emulator: Emulator, printed: str | None) -> int:
    # Blocked before the server's thread starts, so that it is this thread that gets the signal.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        with emulator:
            gc.freeze()  # what is loaded by now is no garbage; looking through it again and again would delay answers
            _write_output_line(emulator.url)
            if printed:
                _print_connection(emulator, printed)
            signal.sigwait(_STOP_SIGNALS)
    except OSError as error:  # the port is taken, or the address not ours
        sys.stderr.write(f"cannot listen: {error}\n")
        return 1
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def _print_connection(emulator: Emulator, auth_type: str) -> None:
    connection = emulator.connection(auth_type)
    text = json.dumps(connection, ensure_ascii=False)
    _write_output_line(f"export AIRFLOW_CONN_DINGTALK_DEFAULT={shlex.quote(text)}")
    if ticket := connection["extra"].get("suite_ticket_variable"):
        _write_output_line(f"export AIRFLOW_VAR_{ticket.upper()}={shlex.quote(emulator.suite_ticket)}")


def _build_option_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_dingtalk_calendar.emulator",
        description="A DingTalk calendar on this machine, for demos and tests. Its URL opens in a browser, too.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--data", metavar="FILE", help="JSON with apps, users, rooms and events, instead of the sample")
    parser.add_argument(
        "--set", metavar="NAME=VALUE", type=_split_setting_option, action="append", default=[], help="set a switch"
    )
    parser.add_argument("--print-connection", action="store_true", help="print the Airflow connection to paste")
    parser.add_argument("--auth-type", choices=AUTH_TYPES, default="app", help="kind of app in it (default: app)")
    parser.add_argument("--allow-remote", action="store_true", help="allow a host that is not loopback")
    return parser


def _split_setting_option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _read_data_file(path: str | None) -> Any:
    if path is None:
        return None
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _write_output_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
