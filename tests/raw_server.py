"""A server that answers with whatever bytes a test likes, for what no HTTP server would send."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def raw_server(answer: Iterable[bytes]) -> Iterator[str]:
    """Serve the same answer to each request, piece by piece, for as long as the block lasts; yields the address."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, answer, over), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listener: socket.socket, answer: Iterable[bytes], over: threading.Event) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with suppress(OSError), client:
                client.recv(65536)
                for piece in answer:
                    if over.is_set():
                        break
                    client.sendall(piece)


class Drip:
    """The same pieces, each after a moment; the last one again and again, without end."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        while True:
            threading.Event().wait(0.02)
            yield self._pieces[-1]
