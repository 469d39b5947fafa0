"""What stands on a stairwell notice."""

import re
from dataclasses import dataclass
from typing import Literal

from geodata.codes import STAIRWELL_DIGITS

Post = Literal["lead", "supporting", "building_chief"]


@dataclass(frozen=True)
class NoticeContact:
    """A person on a notice.

    Attributes
    ----------
    phone
        As it may hang in public: masked, or whole where the person agreed; None to leave it out.
    is_party_member
        Whether a badge says so; only for those who agreed.
    """

    name: str
    phone: str | None = None
    post: Post = "supporting"
    is_party_member: bool = False


@dataclass(frozen=True)
class Notice:
    """The notice of one stairwell.

    Attributes
    ----------
    street, community, compound, building, stairwell
        Place words, from the sub-district down: 桂城街道, 翠颐社区, 南海颐景园, 12栋, 2单元.
    contacts
        Those of one post in the order in which they are to be asked. Without a lead the notice
        says that one is to be named.
    report_url
        Page that the QR code opens.
    office_phone
        Public number of the community, None where it has none.

    Raises
    ------
    ValueError
        The grid code is not one of a stairwell.
    """

    grid_code: str
    street: str
    community: str
    compound: str
    building: str
    stairwell: str
    contacts: tuple[NoticeContact, ...]
    report_url: str
    office_phone: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[0-9]{{{STAIRWELL_DIGITS}}}", self.grid_code):
            raise ValueError(f"{self.grid_code!r} is not the code of a stairwell.")
