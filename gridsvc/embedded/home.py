"""The folder where a checkout keeps its database."""

import hashlib
import os
from pathlib import Path

from gridsvc.embedded.server_user import ROOT_UID, ServerUser, find_server_user
from gridsvc.errors import DatabaseUserError

SYSTEM_STATE = Path("/var/lib")


def choose_home(
    checkout: Path,
    preferred: Path | None,
    *,
    os_user: str = "postgres",
    state_home: Path | None = None,
) -> tuple[Path, str | None]:
    """Choose the data folder of a checkout.

    Parameters
    ----------
    checkout
        Folder of the project.
    preferred
        The folder that was asked for (``GRID_HOME``); taken as it is.
    os_user
        The operating-system user that runs the database where we are root.
    state_home
        An ordinary user's state folder (``XDG_STATE_HOME``); default ``~/.local/state``.

    Returns
    -------
    tuple
        The folder, not yet made, and a sentence to print where it is not ``.grid`` in the
        checkout although nothing else was asked for.
    """
    if preferred is not None:
        return preferred.absolute(), None
    checkout = checkout.resolve()
    usual = checkout / ".grid"
    try:
        user = find_server_user(os_user)
    except DatabaseUserError:
        return usual, None  # Cluster says what to do, if a cluster is wanted at all
    obstacle = _obstacle(usual, user)
    if obstacle is None:
        return usual, None
    digest = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:8]
    folder = _state_folder(user, state_home) / "gridsvc" / f"{checkout.name}-{digest}"
    return folder, f"{obstacle}: data is kept in {folder} (GRID_HOME chooses another folder)."


def _obstacle(usual: Path, user: ServerUser) -> str | None:
    """Say why the database cannot live in the usual folder; None where it can."""
    if user.is_stand_in:
        deepest = usual if usual.exists() else usual.parent
        is_foreign = usual.exists() and usual.stat().st_uid not in {ROOT_UID, user.uid}
        if is_foreign or not user.can_reach(deepest):
            return f"User {user.name}, who runs the database, cannot use {usual}"
        return None
    can_use = user.can_write(usual) if usual.exists() else user.can_write(usual.parent)
    return None if can_use else f"User {user.name} cannot write to {usual}"


def _state_folder(user: ServerUser, state_home: Path | None) -> Path:
    """Return the folder where this system keeps what programs of this user remember."""
    if user.is_stand_in:
        return SYSTEM_STATE
    return state_home or Path.home() / ".local" / "state"
