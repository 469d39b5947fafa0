"""Every kind of long work that a worker of ours knows: the one table, handed to it at its start."""

from gridsvc.contacts.plans import jobs as contact_plans
from gridsvc.jobs.kinds import Kinds

PROPOSE_CONTACTS = contact_plans.PROPOSE

KINDS: Kinds = {**contact_plans.KINDS}
