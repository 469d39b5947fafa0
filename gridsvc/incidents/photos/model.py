"""Photos in plain Python."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

AT_MOST = 5
"""Photos of one report."""

Size = Literal["full", "thumb"]


@dataclass(frozen=True)
class Picture:
    """A photo ready to be kept: JPEG, upright, without metadata, and small; and its thumbnail."""

    image: bytes = field(repr=False)
    thumbnail: bytes = field(repr=False)
    width_px: int
    height_px: int
    source_hash: bytes = field(repr=False)


@dataclass(frozen=True)
class Rectangle:
    """A part of a picture, in shares of its width and height from the upper left corner.

    Attributes
    ----------
    left, top, width, height
        0 to 1.
    """

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Photo:
    """What is known of a photo, without its bytes."""

    community_code: int
    id: UUID
    incident_id: UUID
    position: int
    width_px: int
    height_px: int
    created_at: datetime
    is_published: bool


@dataclass(frozen=True)
class WaitingPhoto:
    """A photo that nobody has published, of an incident that is for everybody."""

    photo: Photo
    category_code: str
    reported_at: datetime
