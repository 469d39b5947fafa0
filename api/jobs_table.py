"""All that a worker of ours knows: kinds of long work, and errands; handed to it at its start."""

from gridsvc.contacts.plans import jobs as contact_plans
from gridsvc.incidents.moving import jobs as moving
from gridsvc.jobs.errands import Errands
from gridsvc.jobs.kinds import Kinds, Round
from gridsvc.notices.delivering import Office, errands_of
from gridsvc.notices.sending.mail import MailServer
from gridsvc.overview import rounds
from gridsvc.settings import Settings
from gridsvc.vault import Vault

PROPOSE_CONTACTS = contact_plans.PROPOSE

KINDS: Kinds = {**contact_plans.KINDS, **moving.KINDS}

ROUNDS = (Round("incidents", "*/5 * * * *", rounds.sweep_incidents),)
"""What a worker does again and again."""


def errands(settings: Settings, vault: Vault) -> Errands:
    """Return the errands of every feature, as the settings want them run."""
    return errands_of(
        Office(
            vault,
            networks=settings.notice_networks or (),
            wait_s=settings.notice_wait_s,
            mail=_mail_server(settings),
        )
    )


def _mail_server(settings: Settings) -> MailServer | None:
    if settings.smtp_host is None or settings.smtp_from is None:
        return None
    password = settings.smtp_password
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_from,
        settings.smtp_user,
        password.get_secret_value() if password else None,
    )
