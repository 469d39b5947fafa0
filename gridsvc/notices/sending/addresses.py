"""Where notices may go: no address on a private network, however it is written.

A name is resolved once, every address it has is looked at, and the connection is made to the very
address that was: a name that changes in between (DNS rebinding) changes nothing.

References
----------
.. [1] RFC 6890 (special-purpose addresses), RFC 6052 (IPv4 within IPv6), RFC 3056 (6to4).
"""

import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

from gridsvc.notices.sending.outcome import RefusedError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MAX_URL_LETTERS = 1_000
_DEFAULT_PORTS = {"https": 443, "http": 80}
_NAT64 = ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
# The system's resolver knows no deadline: who waits for it is given up, not the one who asked.
_RESOLVERS = ThreadPoolExecutor(8, "resolve")


@dataclass(frozen=True)
class Place:
    """A URL taken apart.

    Attributes
    ----------
    target
        Path and query, as they stand in a request.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def header(self) -> str:
        """The host as a ``Host`` header names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def place_of(url: str) -> Place:
    """Take a URL apart.

    Raises
    ------
    ValueError
        It is no plain ``http`` or ``https`` URL of a host: a name and password in it, a fragment,
        blanks, letters beyond ASCII. The sentence says which.
    """
    if len(url) > MAX_URL_LETTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("it has blanks, letters beyond ASCII, or is too long")
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("it does not begin with https://")
    if not parts.hostname or "@" in parts.netloc or "\\" in url:
        raise ValueError("it names no host, or a user")
    if parts.fragment:
        raise ValueError("it has a fragment")
    port = parts.port or _DEFAULT_PORTS[parts.scheme]  # itself a ValueError beyond 65535
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, parts.hostname, port, target)


def is_public(address: Address) -> bool:
    """Tell whether an address is one that anybody can reach, and itself no way to another one.

    Examples
    --------
    >>> [is_public(ip_address(text)) for text in ("8.8.8.8", "10.0.0.1", "::ffff:127.0.0.1")]
    [True, False, False]
    """
    inner = _within(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address) and (address.is_site_local or address in _LOCAL_NAT64):
        return False
    return address.is_global and not address.is_multicast


def _within(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or int(address) >> 32 == 0:  # translated, or "compatible" and obsolete
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def is_allowed(address: Address, networks: Iterable[Network]) -> bool:
    """Tell whether an address is public, or in one of the networks that the settings allow."""
    meant = (address, _within(address))
    return is_public(address) or any(
        one in network for network in networks for one in meant if one is not None
    )


def literal(host: str) -> Address | None:
    """Return the address that a host is spelled as, also as one number or in octal; names: none.

    Examples
    --------
    >>> literal("2130706433"), literal("0177.1"), literal("example.org")
    (IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'), None)
    """
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ip_address(socket.inet_aton(host))
    except OSError:
        return None


def resolve(place: Place, networks: Sequence[Network], *, wait_s: float) -> str:
    """Return the one address to connect to.

    Raises
    ------
    RefusedError
        The host has no address, or one that notices must not go to, or would be asked in clear
        text somewhere else than in an allowed network.
    """
    asked = _RESOLVERS.submit(socket.getaddrinfo, place.host, place.port, type=socket.SOCK_STREAM)
    try:
        found = asked.result(wait_s)
    except LateError as error:
        raise RefusedError("no-name-in-time") from error
    except socket.gaierror as error:
        raise RefusedError("unknown-host", is_final=error.errno == socket.EAI_NONAME) from error
    except UnicodeError as error:  # a label that is too long
        raise RefusedError("unknown-host", is_final=True) from error
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses or not all(is_allowed(address, networks) for address in addresses):
        raise RefusedError("private-address", is_final=True)
    if place.scheme == "http" and any(map(is_public, addresses)):
        raise RefusedError("not-encrypted", is_final=True)
    return str(addresses[0])
