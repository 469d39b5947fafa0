"""Who is asking: plain Python."""

from dataclasses import dataclass
from uuid import UUID

from gridsvc.db import Scope


@dataclass(frozen=True)
class Principal:
    """A signed-in account: what it is called and what it may see."""

    account_id: UUID
    name: str
    scope: Scope

    @property
    def role(self) -> str:
        """The role that the account acts in."""
        return self.scope.role


@dataclass(frozen=True)
class DevelopmentAccount:
    """An account as ``./grid demo`` makes it, with the code that signs it in."""

    id: UUID
    name: str
    role: str
    territory_codes: tuple[int, ...]
    code: str
