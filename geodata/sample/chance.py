"""Chance that repeats: one stream of random numbers a topic, seeded UUIDs."""

import zlib

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def stream(seed: int, topic: str) -> Generator:
    """Return the random numbers of one topic, so that topics do not disturb each other."""
    return np.random.default_rng([seed, zlib.crc32(topic.encode())])


def uuid7_texts(moments_ms: ArrayLike, *, random: Generator) -> list[str]:
    """Return UUIDs of version 7 for moments, with random bits from a seed.

    Parameters
    ----------
    moments_ms
        Shape (n,), milliseconds since 1970-01-01 UTC.
    random
        Source of the 74 random bits.

    Returns
    -------
    list of str
        In the order of ``moments_ms``.

    References
    ----------
    RFC 9562, section 5.7. https://doi.org/10.17487/RFC9562
    """
    moments = np.asarray(moments_ms, dtype=np.uint64)
    high = random.integers(0, 1 << 12, len(moments), dtype=np.uint64)
    low = random.integers(0, 1 << 62, len(moments), dtype=np.uint64)
    left = (moments << np.uint64(16)) | np.uint64(0x7000) | high
    right = np.uint64(1 << 63) | low
    digits = [f"{a:016x}{b:016x}" for a, b in zip(left.tolist(), right.tolist(), strict=True)]
    return [f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}" for d in digits]
