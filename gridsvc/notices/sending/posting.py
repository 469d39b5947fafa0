"""One POST to one resolved address: no redirect, and a bound to the time and size of the answer."""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Timer

from gridsvc.notices.sending.addresses import Network, Place, resolve
from gridsvc.notices.sending.outcome import Answer, RefusedError

MAX_ANSWER_BYTES = 64_000
_LONGEST_PAUSE_S = 3600.0


class _ToAddress(HTTPConnection):
    """A connection to an address that was looked at, under the name that it was looked up by."""

    def __init__(self, place: Place, address: str, wait_s: float) -> None:
        super().__init__(place.host, place.port, timeout=wait_s)
        self._place = place
        self._address = address

    def connect(self) -> None:
        made = socket.create_connection((self._address, self._place.port), self.timeout)
        if self._place.scheme == "https":
            made = _tls().wrap_socket(made, server_hostname=self._place.host)
        self.sock = made


@cache
def _tls() -> ssl.SSLContext:
    # Loading the certificates of authorities takes longer than all the rest.
    return ssl.create_default_context()


def post(
    place: Place,
    body: bytes,
    headers: Mapping[str, str],
    *,
    networks: Sequence[Network],
    wait_s: float,
) -> Answer:
    """Send a body, and return the answer, whatever its status is.

    Parameters
    ----------
    networks
        Private ones that may be reached all the same.
    wait_s
        For the name, and again for all the rest.

    Raises
    ------
    RefusedError
        There was no answer, or not in time, or a larger one than is read.
    """
    address = resolve(place, networks, wait_s=wait_s)
    connection = _ToAddress(place, address, wait_s)
    with _clear_errors(), _deadline(connection, wait_s):
        connection.request(
            "POST",
            place.target,
            body,
            {
                "Host": place.header,
                "User-Agent": "gridsvc",
                "Accept-Encoding": "identity",  # packed, a small answer could be a large one
                "Connection": "close",
                **headers,
            },
        )
        answer = connection.getresponse()
        content = answer.read(MAX_ANSWER_BYTES + 1)
        if len(content) > MAX_ANSWER_BYTES:
            raise RefusedError("answer-too-large", answer.status)
        return Answer(answer.status, content, _pause_s(answer))


def _pause_s(answer: HTTPResponse) -> float:
    """Return how long the receiver wants to be left alone; a date is not worth reading."""
    told = answer.getheader("Retry-After", "")
    return min(float(told), _LONGEST_PAUSE_S) if told.isascii() and told.isdigit() else 0.0


@contextmanager
def _deadline(connection: HTTPConnection, wait_s: float) -> Iterator[None]:
    """Cut a connection in time: a timeout counts from the last byte, and they may drip."""
    is_late = False

    def cut() -> None:
        nonlocal is_late
        is_late = True
        if isinstance(connection.sock, socket.socket):
            with suppress(OSError):
                # Below TLS, whose own farewell would wait for theirs.
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    timer = Timer(wait_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException, RefusedError) as error:
        if is_late:
            raise RefusedError("timeout") from error
        raise
    finally:
        timer.cancel()
        connection.close()
    if is_late:  # what was read is less than what was sent
        raise RefusedError("timeout")


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise RefusedError("timeout") from error
    except ssl.SSLCertVerificationError as error:
        raise RefusedError("certificate") from error
    except (OSError, HTTPException) as error:
        raise RefusedError("connection") from error
