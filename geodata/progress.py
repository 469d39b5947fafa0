"""How a long pure function says how far it is, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """A listener: called with the stage's name and how much of it is done."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Note that ``done`` of ``total`` steps of ``stage`` are finished."""


def silent(stage: str, done: int, total: int) -> None:
    """Ignore progress."""
