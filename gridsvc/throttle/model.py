"""What may be tried how often, in plain Python."""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network


@dataclass(frozen=True)
class Key:
    """What is counted: a kind of try by or against somebody.

    Examples
    --------
    >>> Key("login", "203.0.113.0/24").hashed.hex()[:8]
    '2d36287a'
    """

    kind: str
    whose: str

    @property
    def hashed(self) -> bytes:
        """What is stored: neither a login nor an address can be read from the table."""
        return hashlib.sha256(f"{self.kind} {self.whose}".encode()).digest()


@dataclass(frozen=True)
class Backoff:
    """So many tries are free; each one after that doubles the wait before the next.

    Attributes
    ----------
    free
        Tries without any wait.
    longest_wait_s
        The wait doubles from one second up to this.
    forget_after_s
        Without a try for so long, counting starts anew.
    """

    free: int
    longest_wait_s: float = 25.0
    forget_after_s: float = 12 * 3600


@dataclass(frozen=True)
class Rate:
    """So many in so many seconds, all at once if need be.

    References
    ----------
    .. [1] ITU-T I.371 (2004), annex A: the generic cell rate algorithm, in its virtual
       scheduling form.
    """

    count: int
    per_s: float


def subnet_of(address: str | None, *, ipv6_bits: int = 64) -> str:
    """Return the network that counts as one visitor: /24 of IPv4, by default /64 of IPv6.

    Examples
    --------
    >>> subnet_of("203.0.113.77"), subnet_of("2001:db8:1:2:3::4"), subnet_of("::ffff:203.0.113.9")
    ('203.0.113.0/24', '2001:db8:1:2::/64', '203.0.113.0/24')
    >>> subnet_of("2001:db8:1:2::9", ipv6_bits=48)
    '2001:db8:1::/48'
    >>> subnet_of("testclient"), subnet_of(None)
    ('unknown', 'unknown')
    """
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    length = 24 if isinstance(parsed, IPv4Address) else ipv6_bits
    return str(ip_network(f"{parsed}/{length}", strict=False))
