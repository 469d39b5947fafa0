"""E-mail by the operator's own mail server."""

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from gridsvc.notices.model import Letter
from gridsvc.notices.sending.outcome import RefusedError

# What the common servers take, and nothing that a header or a shell could read otherwise.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]"
)
MAX_ADDRESS_LETTERS = 254
_TEMPORARY, _PERMANENT = 400, 500


@dataclass(frozen=True)
class MailServer:
    """How to reach the mail server, and who writes."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def is_address(text: str) -> bool:
    r"""Tell whether a text is an address to write to.

    Examples
    --------
    >>> is_address("a.b@example.org"), is_address("a@b"), is_address("a@example.org\nBcc: c@d.org")
    (True, False, False)
    """
    return len(text) <= MAX_ADDRESS_LETTERS and _ADDRESS.fullmatch(text) is not None


def message_of(letter: Letter, sender: str, recipient: str) -> EmailMessage:
    """Return an e-mail, the same each time it is sent: servers know it by its id."""
    message = EmailMessage()
    message["Subject"] = letter.rendered.title
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=recipient)
    message["Date"] = format_datetime(letter.delivery.created_at)
    message["Message-ID"] = f"<{letter.delivery.id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence is answered to us
    message["Content-Language"] = letter.delivery.language
    message.set_content(letter.rendered.text + "\n", charset="utf-8", cte="base64")
    return message


def send(message: EmailMessage, server: MailServer, *, wait_s: float) -> None:
    """Hand an e-mail to the server.

    Parameters
    ----------
    wait_s
        For each answer of the server.

    Raises
    ------
    RefusedError
        It did not take it.
    """
    with _clear_errors(), _connected(server, wait_s) as session:
        if server.user is not None:
            session.login(server.user, server.password or "")
        session.send_message(message)


@contextmanager
def _connected(server: MailServer, wait_s: float) -> Iterator[smtplib.SMTP]:
    if server.security == "tls":
        tls = ssl.create_default_context()
        made: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=wait_s, context=tls)
    else:
        made = smtplib.SMTP(server.host, server.port, timeout=wait_s)
    with made as session:
        if server.security == "starttls":
            session.starttls(context=ssl.create_default_context())
        yield session


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        raise RefusedError("recipient", code, is_final=code >= _PERMANENT) from error
    except smtplib.SMTPAuthenticationError as error:
        # The operator mends it, and then the letters should still be there.
        raise RefusedError("mail-login", error.smtp_code) from error
    except smtplib.SMTPResponseException as error:
        is_final = error.smtp_code >= _PERMANENT
        raise RefusedError("mail-refused", error.smtp_code, is_final=is_final) from error
    except smtplib.SMTPServerDisconnected as error:
        is_late = isinstance(error.__context__, TimeoutError)
        raise RefusedError("timeout" if is_late else "connection") from error
    except smtplib.SMTPException as error:
        raise RefusedError("mail-refused") from error
    except TimeoutError as error:
        raise RefusedError("timeout") from error
    except ssl.SSLCertVerificationError as error:
        raise RefusedError("certificate") from error
    except (OSError, socket.gaierror) as error:
        raise RefusedError("connection") from error
