"""TLS is verified, and only a certificate that the connection names as trusted will do otherwise."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_dingtalk_calendar.exceptions import RequestError, TransportError
from tests.conftest import EVENT, ORGANIZER

NOT_JSON = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(pem))
    return file


@pytest.fixture
def https(certificate: Path) -> Iterator[str]:
    """An HTTPS server on loopback that answers anything with two letters; yields its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(NOT_JSON)
            while secure.recv(65536):  # closing with something unread would reset the connection
                pass


def test_an_untrusted_certificate_is_refused(run: Callable[..., Any], connect: Callable[..., None], https: str) -> None:
    """A certificate that nobody vouches for fails for good, before anything is sent, and says what to do."""
    connect(host=https)
    with pytest.raises(TransportError, match=r"certificate.*extra\.verify") as caught:
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"})
    assert (caught.value.retryable, caught.value.outcome) == (False, "rejected")


@pytest.mark.parametrize("trusted", [True, False], ids=["its own CA file", "verification off"])
def test_a_trusted_certificate_is_accepted(
    run: Callable[..., Any], connect: Callable[..., None], https: str, certificate: Path, trusted: bool
) -> None:
    """With the CA file, or verification off on purpose, the server is reached (and answers nonsense)."""
    connect({"verify": str(certificate) if trusted else False, "max_attempts": 1}, host=https)
    with pytest.raises(RequestError, match="not JSON"):
        run("get_event", ORGANIZER, EVENT)
