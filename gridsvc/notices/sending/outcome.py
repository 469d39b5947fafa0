"""How a try to deliver ended."""

from dataclasses import dataclass

OUTCOMES = (
    *("timeout", "status", "connection", "certificate", "private-address", "not-encrypted"),
    *("unknown-host", "no-name-in-time", "refused", "too-often", "garbage", "redirect"),
    *("answer-too-large", "channel-gone", "no-mail-server", "recipient", "mail-login"),
    *("mail-refused", "fault"),
)
"""Why something did not arrive; each has words on the pages."""


class RefusedError(Exception):
    """What was sent did not arrive.

    Attributes
    ----------
    outcome
        A word for why; it is shown to administrators.
    status
        That of the answer, or the code of the refusal in it.
    is_final
        Whether trying again cannot help: the address or the secret is wrong.
    after_s
        How long the receiver wants to be left alone.
    """

    def __init__(
        self,
        outcome: str,
        status: int | None = None,
        *,
        is_final: bool = False,
        after_s: float = 0.0,
    ) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.status = status
        self.is_final = is_final
        self.after_s = after_s


@dataclass(frozen=True)
class Answer:
    """What came back, at most so much of it as is read."""

    status: int
    body: bytes
    after_s: float
