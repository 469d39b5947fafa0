"""Who of a list is in the register already: by phone within the community, else name and home."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from gridsvc.people import phones
from gridsvc.people.importing.model import KnownMember
from gridsvc.people.register.model import Home
from gridsvc.vault import Vault


class Known:
    """The members of a territory, found by who they are.

    Parameters
    ----------
    members
        All there are.
    vault
        Tells phones of one mask apart; only those are decrypted.
    """

    def __init__(self, members: Sequence[KnownMember], vault: Vault) -> None:
        self._vault = vault
        self._by_mask: dict[tuple[int, str], list[KnownMember]] = defaultdict(list)
        self._by_name: dict[tuple[int, str], list[KnownMember]] = defaultdict(list)
        for member in members:
            if member.phone_masked:
                self._by_mask[member.community_code, member.phone_masked].append(member)
            self._by_name[member.community_code, member.name].append(member)

    def find(self, code: int, name: str, phone: str | None, home: Home) -> list[KnownMember]:
        """Return the members that a row may be: none, the one, or several to be merged first."""
        if phone is not None:
            alike = self._by_mask.get((code, phones.mask(phone)), [])
            same = [one for one in alike if self._phone_of(one) == phone]
            if same:
                return [one for one in same if one.name == name] or same
        named = self._by_name.get((code, name), [])
        return [
            one
            for one in named
            if one.fields["home"] == home and (phone is None or one.phone_masked is None)
        ]

    def _phone_of(self, member: KnownMember) -> str | None:
        return self._vault.decrypt(member.phone_cipher) if member.phone_cipher else None


def differences(known: KnownMember, fields: dict[str, Any], *, phone: str | None) -> dict[str, Any]:
    """Return what of a row's fields is different from what is known; blanks change nothing."""
    found = {
        name: value
        for name, value in fields.items()
        if name in known.fields and value not in (None, [], ()) and known.fields[name] != value
    }
    if fields["name"] != known.name:
        found["name"] = fields["name"]
    if fields.get("hours") and fields["hours"] != known.hours:
        found["hours"] = fields["hours"]
    if phone is not None and known.phone_masked != phones.mask(phone):
        found["phone"] = phone
    return found
