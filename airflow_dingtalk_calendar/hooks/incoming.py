"""The body of an answer as it comes in, within bounds of size and time.

It is decompressed here, because the HTTP library inflates each piece whole before anybody can count: measured, 1,827
bytes that were compressed twice grew to 2 GB.
"""

from __future__ import annotations

import time
import zlib

from airflow_dingtalk_calendar.exceptions import TransportError, UnexpectedAnswerError

# Bytes, after decompression. A page of 100 events with 500 attendees each is about 7 MB; JSON made to be a nuisance
# (lists of lists of nothing) takes some 30 times its length in memory.
MAX_BODY_BYTES = 16 * 1024 * 1024
ACCEPTED_ENCODINGS = "gzip"  # what the transport asks for
GZIP_WBITS = 16 + zlib.MAX_WBITS  # zlib's way to say gzip


class BoundedBody:
    """The body of one answer.

    :param encoding: the answer's ``Content-Encoding``.
    :param timeout: seconds that the whole body may take.
    :raises UnexpectedAnswerError: for an encoding that was not asked for.
    """

    def __init__(self, encoding: str, timeout: float) -> None:
        self._chunks: list[bytes] = []
        self._room = MAX_BODY_BYTES
        self._deadline = time.monotonic() + timeout
        self._inflater = _make_decompressor(encoding.strip().lower())
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        """Take the next piece, as it came over the wire.

        :raises UnexpectedAnswerError: when the body gets too long.
        :raises TransportError: when it takes too long, or its compression is broken.
        """
        self._begun = self._begun or bool(chunk)
        plain = self._decompress(chunk)
        self._chunks.append(plain)
        self._room -= len(plain)
        if self._room < 0:
            raise UnexpectedAnswerError(f"answered with more than {MAX_BODY_BYTES} bytes.")
        if time.monotonic() > self._deadline:
            raise TransportError("got an answer that came too slowly.", code="ReadTimeout")

    def read_all(self) -> bytes:
        """Return the body.

        :raises TransportError: when it is compressed and its end is missing.
        """
        if self._inflater and self._begun and not self._inflater.eof:
            raise _broken_compression()
        return b"".join(self._chunks)

    def _decompress(self, chunk: bytes) -> bytes:
        if self._inflater is None:
            return chunk
        if self._inflater.eof:  # what follows the end is nobody's
            return b""
        try:
            return self._inflater.decompress(chunk, self._room + 1)  # one too many tells that there is more
        except zlib.error:
            raise _broken_compression() from None


def _make_decompressor(encoding: str) -> zlib._Decompress | None:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip"):
        return zlib.decompressobj(GZIP_WBITS)
    raise UnexpectedAnswerError("answered in an encoding that was not asked for.")


def _broken_compression() -> TransportError:
    return TransportError("got an answer whose compression is broken.", code="DecodingError")
