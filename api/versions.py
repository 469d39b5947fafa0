"""Versions of things as entity tags: `"v3"`, told in ``ETag``, demanded in ``If-Match``."""

import re
from typing import Annotated

from fastapi import Header

from gridsvc.errors import VersionRequiredError

IfMatch = Annotated[
    str | None, Header(description="The ETag of the version that was seen; required.")
]
IfNoneMatch = Annotated[str | None, Header()]
_ETAG = re.compile(r'"v([1-9][0-9]{0,8})"')


def etag_of(version: int) -> str:
    """Return the entity tag of a version.

    Examples
    --------
    >>> etag_of(3)
    '"v3"'
    """
    return f'"v{version}"'


def seen_version(if_match: str | None) -> int:
    """Return the version that the client saw, by the header it sent.

    Raises
    ------
    VersionRequiredError
        There is none: no header, a tag that is not ours, or ``*``, which names no version.

    Examples
    --------
    >>> seen_version('"v3"')
    3
    """
    found = _ETAG.fullmatch(if_match or "")
    if found is None:
        raise VersionRequiredError
    return int(found[1])
