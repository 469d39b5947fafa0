"""Counters of tries (a reference table; nobody's name is in it)."""

from datetime import datetime

from sqlalchemy import LargeBinary, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base


class ThrottleRow(Base):
    """How often something was tried under a key, and when it may be tried again.

    Unlogged: after a crash of the server everybody starts anew.
    """

    __tablename__ = "throttle"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012  (SQLAlchemy's form)

    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    tries: Mapped[int]
    free_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    tried_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )
