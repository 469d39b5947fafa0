"""Signing in, what is signed in, and API keys over the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.schemas.territory import CommunityCode
from gridsvc.access.keys.model import LONGEST_DAYS

# PostgreSQL has no place for a NUL in text.
Login = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Password = Annotated[str, Field(min_length=1, max_length=200)]
OneTimeCode = Annotated[str, Field(pattern="^[0-9]{6}$")]
Label = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]


class _SecretIn(BaseModel):
    """A body that may hold a secret: it is not repeated in the words of an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class DeviceIn(_SecretIn):
    """A phone that is to stay signed in."""

    name: Label = Field(description="To know it by in the list of sign-ins.", examples=["巡查一队"])


class SignInIn(_SecretIn):
    """Login and password, with the authenticator's code where one is set; or a demo's code."""

    login: Login | None = None
    password: Password | None = None
    one_time_code: OneTimeCode | None = None
    code: Annotated[str | None, Field(min_length=8, max_length=100)] = None
    device: DeviceIn | None = Field(
        default=None, description="Asks for a refresh token beside the token."
    )

    @model_validator(mode="after")
    def _is_one_way(self) -> "SignInIn":
        if (self.code is None) == (self.login is None or self.password is None):
            raise ValueError("send either login and password, or code")
        return self


class SignInOut(BaseModel):
    """The token to send as ``Authorization: Bearer``; a device gets one to renew it with."""

    token: str
    expires_at: datetime
    refresh_token: str | None = Field(default=None, description="Good once, for sixty days.")
    device_id: UUID | None = None


class RefreshIn(_SecretIn):
    """The refresh token of the last answer."""

    refresh_token: Annotated[str, Field(min_length=20, max_length=100)]


class DeviceOut(BaseModel):
    """The next pair of tokens of a device."""

    token: str
    expires_at: datetime = Field(description="Of the token.")
    refresh_token: str
    device_id: UUID


class IntervalOut(BaseModel):
    """A range of administrative codes, both ends included."""

    lo: int
    hi: int


class PrincipalOut(BaseModel):
    """Who is signed in, and for which territory."""

    name: str
    role: str
    territories: list[IntervalOut]


class SignInItemOut(BaseModel):
    """A browser, program or phone that is signed in; last use to ten minutes."""

    id: UUID
    kind: Literal["browser", "device"]
    name: str
    created_at: datetime
    used_at: datetime
    is_current: bool


class KeyIn(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Label = Field(description="What it is for.", examples=["QGIS"])
    territory: CommunityCode | None = Field(
        default=None, description="12 digits, inside your own; default: all that is yours."
    )
    days: int = Field(ge=1, le=LONGEST_DAYS, description="How long it lasts.")


class KeyOut(BaseModel):
    """A key: it reads what a planner may, inside these codes as far as they are yours."""

    id: str
    name: str
    lo: int
    hi: int
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(description="Last use, to ten minutes.")


class NewKeyOut(KeyOut):
    """A key with its secret, which is shown this once."""

    secret: str = Field(description="Send as Bearer, or as the password of Basic.")
