"""Who may make which step: pure."""

from dataclasses import dataclass
from uuid import UUID

from gridsvc.errors import StepNotAllowedError
from gridsvc.incidents.model import Incident

_OF_HANDLER = frozenset({"start", "answer", "resolve", "hang", "resume", "hand_back"})
_OF_FIELD = frozenset({"note", "verify", "refuse"})
_OF_PARTY = frozenset({"start", "answer", "resolve", "hang", "hand_back", "note"})
_OF_REPORTER = frozenset({"note", "verify", "refuse", "reopen"})
_OF_RULE = frozenset({"escalate", "close", "note"})
_BY_ITSELF = frozenset({"report", "follow"})
_STAFF = ("coordinator", "administrator")


@dataclass(frozen=True)
class Actor:
    """Who makes a step.

    Attributes
    ----------
    kind
        account, party, reporter or rule.
    role, account
        Of an account.
    party
        Which party, by its link.
    """

    kind: str
    role: str = ""
    account: UUID | None = None
    party: UUID | None = None


def require(actor: Actor, incident: Incident, step: str) -> None:
    """Refuse a step that is not the actor's to make.

    Raises
    ------
    StepNotAllowedError
        It is for others: another role, the handler, or somebody who did not solve it.
    """
    if step in _BY_ITSELF:
        raise StepNotAllowedError(f"The step {step} comes about by itself.")
    if step not in _steps_of(actor, incident):
        raise StepNotAllowedError(f"The step {step} is not yours to make on this incident.")
    if step == "verify" and _is_solver(actor, incident):
        raise StepNotAllowedError(
            "Whoever solves an incident does not verify it: ask somebody else to look."
        )


def may(actor: Actor, incident: Incident, step: str) -> bool:
    """Tell whether a step is the actor's to make, were it to follow."""
    try:
        require(actor, incident, step)
    except StepNotAllowedError:
        return False
    return True


def _steps_of(actor: Actor, incident: Incident) -> frozenset[str]:
    if actor.kind == "rule":
        return _OF_RULE
    if actor.kind == "reporter":
        return _OF_REPORTER
    if actor.kind == "party":
        is_own = actor.party is not None and actor.party == incident.handler_party
        return _OF_PARTY if is_own else frozenset()
    if actor.role in _STAFF:
        return frozenset(_ALL)
    is_handler = actor.account is not None and actor.account == incident.handler_account
    return _OF_FIELD | _OF_HANDLER if is_handler else _OF_FIELD


_ALL = (
    *("triage", "assign", "start", "answer", "resolve", "verify", "refuse", "close", "reopen"),
    *("mark_duplicate", "not_ours", "move", "hang", "resume", "hand_back", "escalate", "note"),
)


def _is_solver(actor: Actor, incident: Incident) -> bool:
    """Tell whether somebody had a hand in the solution, by its record or by being its handler."""
    return actor.kind == "account" and (
        actor.account is None or actor.account in (incident.resolved_by, incident.handler_account)
    )
