"""HTTP to the provider, with a bound to the size and the time of every answer."""

import time
from collections.abc import Iterator

from httpx2 import BaseTransport, RemoteProtocolError, Request, Response, SyncByteStream, Timeout

WAIT_S = 5.0
MAX_ANSWER_BYTES = 256_000


class BoundedTransport(BaseTransport):
    """Refuses answers that are late, large, packed or elsewhere; each is a `TransportError`.

    Parameters
    ----------
    inner
        What speaks HTTP; closed with this one.
    """

    def __init__(self, inner: BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: Request) -> Response:
        """Send a request; the answer's body has to be there `WAIT_S` after the request began."""
        deadline_s = time.monotonic() + WAIT_S
        request.extensions = {**request.extensions, "timeout": Timeout(WAIT_S).as_dict()}
        # Packed, a small answer could be a large one.
        request.headers["Accept-Encoding"] = "identity"
        answer = self._inner.handle_request(request)
        is_packed = answer.headers.get("Content-Encoding", "identity") != "identity"
        if is_packed or answer.is_redirect:
            answer.close()
            raise RemoteProtocolError("The provider's answer is packed, or elsewhere.")
        assert isinstance(answer.stream, SyncByteStream)  # noqa: S101  (of a synchronous client)
        return Response(
            answer.status_code,
            headers=answer.headers,
            stream=_BoundedStream(answer.stream, deadline_s),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _BoundedStream(SyncByteStream):
    """A body that ends in an error where it grows too large or takes too long."""

    def __init__(self, inner: SyncByteStream, deadline_s: float) -> None:
        self._inner = inner
        self._deadline_s = deadline_s

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for part in self._inner:
            received += len(part)
            if received > MAX_ANSWER_BYTES:
                raise RemoteProtocolError("The provider's answer is too large.")
            if time.monotonic() > self._deadline_s:
                raise RemoteProtocolError("The provider's answer takes too long.")
            yield part

    def close(self) -> None:
        self._inner.close()
