"""What went wrong, in the words of a page: one sentence beside the field."""

from collections.abc import Mapping

from fastapi.responses import HTMLResponse

from api.deps import Language
from api.pages.text import Words, words_of
from gridsvc.errors import (
    BeyondOwnTerritoryError,
    BusyError,
    FaultyListError,
    GridsvcError,
    InvalidAccountError,
    ListFault,
    LoginTakenError,
    TooManyKeysError,
    TooManyTriesError,
    UnreadableListError,
    WeakPasswordError,
    WrongCredentialsError,
)

REFUSALS = (WrongCredentialsError, TooManyTriesError, BusyError)
"""What a form to sign in answers itself."""

# By the beginning of the reason that `gridsvc.access.passwords` gives.
_WEAKNESSES: Mapping[str, str] = {
    "it must have": "weak_short",
    "it may have": "weak_long",
    "it repeats": "weak_repeats",
    "it is a run": "weak_run",
    "it is one of": "weak_common",
    "it holds your": "weak_own",
    "it is the present": "weak_same",
    "it was typed": "weak_differs",
}


def fault_of(error: GridsvcError, language: Language, *, wrong: str = "login_wrong") -> str:
    """Return the sentence for an error.

    Parameters
    ----------
    wrong
        Key of the phrase for wrong credentials: what was typed depends on the form.
    """
    say = words_of(language)
    if isinstance(error, TooManyTriesError):
        return say("fault_too_many_tries", n=error.retry_after_s)
    if isinstance(error, WeakPasswordError):
        return say(weakness_of(error))
    if isinstance(error, InvalidAccountError):
        return cell_fault(error, say)
    if isinstance(error, UnreadableListError):
        return say(f"list_fault_{error.fault}".replace("-", "_"))
    if isinstance(error, FaultyListError):
        return say("fault_faulty_list", n=len(error.list_faults))
    kinds: tuple[tuple[type[GridsvcError], str], ...] = (
        (WrongCredentialsError, wrong),
        (BusyError, "fault_busy"),
        (LoginTakenError, "fault_login_taken"),
        (BeyondOwnTerritoryError, "fault_beyond_territory"),
        (TooManyKeysError, "fault_too_many_keys"),
    )
    for kind, key in kinds:
        if isinstance(error, kind):
            return say(key)
    return str(error)


def cell_fault(fault: ListFault | InvalidAccountError, say: Words) -> str:
    """Return the sentence for what is wrong with a name, role, territory or login."""
    return say(f"list_fault_{fault.fault}".replace("-", "_"))


def require_same(password: str, again: str) -> None:
    """Refuse a new password that was mistyped the first or the second time.

    Raises
    ------
    WeakPasswordError
        The two differ.
    """
    if password != again:
        raise WeakPasswordError("it was typed differently the second time")


def weakness_of(error: WeakPasswordError) -> str:
    """Return the key of the phrase that says why a password is refused."""
    for beginning, key in _WEAKNESSES.items():
        if error.reason.startswith(beginning):
            return key
    return "weak_other"


def with_wait(answer: HTMLResponse, error: GridsvcError) -> HTMLResponse:
    """Tell programs too when to try again."""
    if (wait_s := getattr(error, "retry_after_s", None)) is not None:
        answer.headers["Retry-After"] = str(wait_s)
    return answer
