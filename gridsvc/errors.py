"""What can go wrong in the service: one base class, one class a fault. It knows no HTTP."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path


class GridsvcError(Exception):
    """Base of every error that ``gridsvc`` raises on purpose."""

    code = "gridsvc"


class DatabaseDownError(GridsvcError):
    """The database does not answer."""

    code = "database-down"

    def __init__(self) -> None:
        super().__init__("The database does not answer: try again in a moment.")


class TooManyIntervalsError(GridsvcError):
    """A scope has more territories than the policies have slots."""

    code = "too-many-intervals"

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"A scope of {count} territories: at most {limit} are possible.")
        self.count = count
        self.limit = limit


class UnsafeRoleError(GridsvcError):
    """The service was given a role that row-level security does not bind."""

    code = "unsafe-role"

    def __init__(self, role: str) -> None:
        super().__init__(
            f"Role {role} is a superuser or passes by row-level security: "
            "connect as gridsvc_api in DATABASE_URL, and give the superuser in GRID_ADMIN_URL."
        )
        self.role = role


class DatabaseNotReadyError(GridsvcError):
    """The database lacks something that set-up makes."""

    code = "database-not-ready"

    def __init__(self, what: str) -> None:
        super().__init__(f"The database is not set up ({what}): run ./grid db setup.")
        self.what = what


class EmbeddedPostgresError(GridsvcError):
    """The private PostgreSQL cluster cannot be made, started or stopped."""

    code = "embedded-postgres"


class PostgresMissingError(EmbeddedPostgresError):
    """No PostgreSQL server that is new enough is installed."""

    code = "postgres-missing"

    def __init__(self, oldest_major: int, found_major: int | None = None) -> None:
        found = "found none" if found_major is None else f"found only {found_major}"
        super().__init__(
            f"The embedded database needs a PostgreSQL server of version {oldest_major} or newer; "
            f"{found}. Debian, Ubuntu: apt-get install postgresql postgresql-postgis; "
            "macOS: brew install postgis; or set DATABASE_URL to any PostGIS."
        )
        self.oldest_major = oldest_major
        self.found_major = found_major


class PostgisMissingError(EmbeddedPostgresError):
    """A PostgreSQL server is installed, but not the extensions this project needs."""

    code = "postgis-missing"

    def __init__(self, folder: Path, major: int, missing: tuple[str, ...]) -> None:
        super().__init__(
            f"PostgreSQL {major} in {folder} lacks {', '.join(missing)}. "
            f"Debian, Ubuntu: apt-get install postgresql postgresql-postgis "
            f"(for this server alone: postgresql-{major}-postgis-3); "
            "macOS: brew install postgis; or set DATABASE_URL to any PostGIS."
        )
        self.folder = folder
        self.major = major
        self.missing = missing


class DatabaseVersionError(EmbeddedPostgresError):
    """The data folder was made by another major version than the server that is installed."""

    code = "database-version"

    def __init__(self, data: Path, made_by: int, installed: int) -> None:
        super().__init__(
            f"{data} was made by PostgreSQL {made_by}, but the server installed is {installed}: "
            f"install PostgreSQL {made_by} beside it "
            f"(Debian, Ubuntu: postgresql-{made_by}-postgis-3), or move the folder away "
            "and start again with an empty database."
        )
        self.data = data
        self.made_by = made_by
        self.installed = installed


class DatabaseUserError(EmbeddedPostgresError):
    """There is no operating-system user to run the server as."""

    code = "database-user"

    def __init__(self, user: str, reason: str) -> None:
        super().__init__(
            f"The embedded database cannot run as operating-system user {user}: {reason}."
        )
        self.user = user
        self.reason = reason


class DatabaseFolderError(EmbeddedPostgresError):
    """The folder of the cluster cannot be used."""

    code = "database-folder"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"{folder} {reason}: choose another folder with GRID_HOME.")
        self.folder = folder
        self.reason = reason


SURELY_ENOUGH_MB = 100  # for whatever the server writes at its start


class DiskFullError(EmbeddedPostgresError):
    """The disk that holds the cluster has no room left."""

    code = "disk-full"

    def __init__(self, folder: Path, free_mb: int) -> None:
        left = f"{free_mb} MB free"
        if free_mb > SURELY_ENOUGH_MB:
            left += ", but a quota or the number of files is used up"
        super().__init__(
            f"The disk of {folder} is full ({left}): make room, "
            "or choose a folder on another disk with GRID_HOME."
        )
        self.folder = folder
        self.free_mb = free_mb


class PostgresCommandError(EmbeddedPostgresError):
    """A program of PostgreSQL ended with an error, or not in time."""

    code = "postgres-command"

    def __init__(self, program: str, output: str) -> None:
        super().__init__(f"{program} failed: {output.strip()[-2000:]}")
        self.program = program
        self.output = output


class PostgresStartError(EmbeddedPostgresError):
    """The server takes no connections in time."""

    code = "postgres-start"

    def __init__(self, log: Path, wait_s: float, output: str) -> None:
        super().__init__(
            f"The embedded database took no connection within {wait_s:.0f} s; "
            f"its log is {log}: {output.strip()[-2000:]}"
        )
        self.log = log
        self.wait_s = wait_s
        self.output = output


class NotSignedInError(GridsvcError):
    """The request carries no valid sign-in."""

    code = "not-signed-in"

    def __init__(self) -> None:
        super().__init__("Sign in first: the login code or session is missing, wrong or expired.")


class RoleNotAllowedError(GridsvcError):
    """The caller's role may not do this."""

    code = "role-not-allowed"

    def __init__(self, role: str) -> None:
        super().__init__(f"The role {role} may not do this.")
        self.role = role


class IdempotencyMismatchError(GridsvcError):
    """An idempotency key came back with another request."""

    code = "idempotency-mismatch"

    def __init__(self, key: str) -> None:
        super().__init__(f"The Idempotency-Key {key} was used for another request: take a new one.")
        self.key = key


class NotFoundError(GridsvcError):
    """Nothing in the caller's territory has this code; "absent" and "not yours" are alike."""

    code = "not-found"

    def __init__(self, kind: str, code: object) -> None:
        super().__init__(f"No {kind} {code}.")
        self.kind = kind


class DuplicateCodeError(GridsvcError):
    """Grids to be loaded have codes that exist already."""

    code = "duplicate-code"

    def __init__(self, kind: str, codes: list[str]) -> None:
        shown = ", ".join(codes[:3]) + (" …" if len(codes) > 3 else "")
        super().__init__(
            f"{len(codes)} {kind} codes exist already or come twice ({shown}): "
            "codes are never reused; load into an empty community."
        )
        self.kind = kind
        self.codes = codes


class OutsideTerritoryError(GridsvcError):
    """The place lies in a community that is not the caller's."""

    code = "outside-territory"

    def __init__(self, community: str) -> None:
        super().__init__(f"This place belongs to {community}, which is not in your territory.")
        self.community = community


class UnknownCategoryError(GridsvcError):
    """An incident's category is not in the catalogue."""

    code = "unknown-category"

    def __init__(self, category: str) -> None:
        super().__init__(f"No category {category!r}: see /api/v1/categories.")
        self.category = category


class ConflictError(GridsvcError):
    """The change does not fit the present state."""

    code = "conflict"


class UnsoundProblemError(GridsvcError):
    """An array given to a solver contradicts its neighbours, or has a value out of range."""

    code = "unsound-problem"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}.")
        self.field = field
        self.reason = reason


class IdTakenError(ConflictError):
    """A client-made id belongs to another record already."""

    code = "id-taken"

    def __init__(self, taken_id: object) -> None:
        super().__init__(f"The id {taken_id} belongs to another record: make a new one.")
        self.taken_id = taken_id


class PlanAppliedError(ConflictError):
    """A contact plan was applied or superseded before."""

    code = "plan-applied"

    def __init__(self, plan_id: object, status: str) -> None:
        super().__init__(f"Plan {plan_id} is {status}: propose a new one.")
        self.plan_id = plan_id
        self.status = status


class AddressInUseError(GridsvcError):
    """Another program listens where the service should."""

    code = "address-in-use"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"{host}:{port} is taken by another program: stop it, or set GRID_PORT to a free port."
        )
        self.host = host
        self.port = port


class QueryTooSlowError(GridsvcError):
    """A statement ran longer than a request may take."""

    code = "query-too-slow"

    def __init__(self) -> None:
        super().__init__("The database took too long: ask for a smaller part, or try again.")


class DatabaseFullError(GridsvcError):
    """The database's disk is full."""

    code = "database-full"

    def __init__(self) -> None:
        super().__init__("The database's disk is full: make room there, then try again.")


class WrongDataKeyError(GridsvcError):
    """The key of the settings is none, or does not fit what is stored."""

    code = "wrong-data-key"

    def __init__(self) -> None:
        super().__init__(
            "The data key does not fit what is stored: GRID_DATA_KEY must hold the key it was "
            "encrypted with (several, newest first, are parted by commas)."
        )


class TooManyTriesError(GridsvcError):
    """Somebody tries too often."""

    code = "too-many-tries"

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = max(1, math.ceil(wait_s))
        super().__init__(f"Too many tries: wait {self.retry_after_s} s, then try again.")


class BusyError(GridsvcError):
    """So many people are signing in that one more would have to wait too long."""

    code = "busy"
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("Many people are signing in right now: try again in a moment.")


class WrongCredentialsError(GridsvcError):
    """Login, password or code is wrong; which of them, nobody is told."""

    code = "wrong-credentials"

    def __init__(self) -> None:
        super().__init__("The login, password or code is wrong, used up or expired.")


class SecondFactorRequiredError(GridsvcError):
    """The password was right; the code of the authenticator is missing."""

    code = "second-factor-required"

    def __init__(self) -> None:
        super().__init__("Send the six digits of your authenticator as one_time_code too.")


class SecondFactorNotSetError(GridsvcError):
    """The account needs an authenticator before it can sign in from a program."""

    code = "second-factor-not-set"

    def __init__(self) -> None:
        super().__init__("This account needs an authenticator: sign in once in a browser first.")


class WeakPasswordError(GridsvcError):
    """A new password is too easy to guess."""

    code = "weak-password"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Choose another password: {reason}.")
        self.reason = reason


class CsrfError(GridsvcError):
    """A change from a browser lacks the token of its page."""

    code = "csrf"

    def __init__(self) -> None:
        super().__init__("This change did not come from one of our pages: load it again.")


class ReadOnlyKeyError(GridsvcError):
    """An API key was used for a change."""

    code = "read-only-key"

    def __init__(self) -> None:
        super().__init__("An API key only reads: sign in to make changes.")


class LoginTakenError(ConflictError):
    """Another account has this login."""

    code = "login-taken"

    def __init__(self, login: str) -> None:
        super().__init__(f"The login {login} is taken: choose another one.")
        self.login = login


class BeyondOwnTerritoryError(GridsvcError):
    """An administrator gives somebody more than they have themselves."""

    code = "beyond-own-territory"

    def __init__(self) -> None:
        super().__init__("You can give only territories that are yours, four at most.")


class SsoRefusedError(WrongCredentialsError):
    """A sign-in by the provider of single sign-on opens no account; why, nobody is told.

    Attributes
    ----------
    reason
        A code for the security log, such as ``nonce`` or ``unlinked``.
    """

    code = "sso-refused"

    def __init__(self, reason: str) -> None:
        words = "Single sign-on opened no account here: try again, or sign in by password."
        GridsvcError.__init__(self, words)
        self.reason = reason


class SsoUnavailableError(GridsvcError):
    """The provider of single sign-on does not answer, or not as it should.

    Attributes
    ----------
    reason
        A code for the security log, such as ``timeout`` or ``garbage``.
    """

    code = "sso-unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__("Single sign-on does not answer right now: sign in by password.")
        self.reason = reason


class RecentSignInRequiredError(NotSignedInError):
    """The change needs a sign-in of the last minutes, so that a browser left open is not enough."""

    code = "recent-sign-in-required"

    def __init__(self) -> None:
        words = "Sign in again first: this change needs a sign-in of the last 15 minutes."
        GridsvcError.__init__(self, words)


class InvalidAccountError(GridsvcError):
    """Something about an account to be made or changed cannot be."""

    code = "invalid-account"

    def __init__(self, column: str, fault: str, reason: str) -> None:
        super().__init__(f"The account's {column}: {reason}.")
        self.column = column
        self.fault = fault
        self.reason = reason


class OwnAccountError(ConflictError):
    """An administrator would change the account they are signed in with."""

    code = "own-account"

    def __init__(self) -> None:
        super().__init__("This is your own account: another administrator must change it.")


class UnreadableListError(GridsvcError):
    """A file is no list of accounts that can be read."""

    code = "unreadable-list"

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(f"The list cannot be read: {reason}.")
        self.fault = fault
        self.reason = reason


@dataclass(frozen=True)
class ListFault:
    """What is wrong in one cell of a list; what stands there is not repeated.

    Attributes
    ----------
    row
        As the spreadsheet numbers it, from 1.
    fault
        Stable name of the kind of fault.
    """

    row: int
    column: str
    fault: str
    reason: str


class FaultyListError(GridsvcError):
    """Rows of a list of accounts cannot be accepted; so none is."""

    code = "faulty-list"

    def __init__(self, list_faults: Sequence[ListFault]) -> None:
        first = list_faults[0]
        super().__init__(
            f"Faults in the list: {len(list_faults)}, so nobody is invited. "
            f"The first is in row {first.row}, {first.column}: {first.reason}."
        )
        self.list_faults = tuple(list_faults)

    @property
    def faults(self) -> list[dict[str, object]]:
        """The faults as a problem document lists them."""
        return [
            {"where": [f"row {one.row}", one.column], "what": one.reason, "fault": one.fault}
            for one in self.list_faults
        ]


class RotationRunningError(ConflictError):
    """Another command is rotating the key of the same data folder."""

    code = "rotation-running"

    def __init__(self) -> None:
        super().__init__("Another command is rotating this key: wait until it has ended.")


class OneDataKeyError(ConflictError):
    """The settings hold one key, so there is none to rotate to."""

    code = "one-data-key"

    def __init__(self) -> None:
        super().__init__(
            "GRID_DATA_KEY holds one key: make another one (./grid person new-key), put it in "
            "front of the old one, parted by a comma, restart the service, then rotate again."
        )


class TooManyKeysError(ConflictError):
    """An account has as many API keys as it may have."""

    code = "too-many-keys"

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} keys already: revoke those that nobody uses.")
        self.most = most


class RotationUnfinishedError(ConflictError):
    """While all was encrypted with the new key, something went on using the old one."""

    code = "rotation-unfinished"

    def __init__(self) -> None:
        super().__init__(
            "Something still encrypts with the old key: restart the service with the new key in "
            "front, then rotate again. Nothing is lost, the old key is still needed."
        )


class NoTerritoryError(GridsvcError):
    """Somebody whose territory was taken away wants to change something."""

    code = "no-territory"

    def __init__(self) -> None:
        super().__init__("No territory is yours any more: ask your administrator.")


class GridEndedError(ConflictError):
    """A grid that has ended cannot be changed."""

    code = "grid-ended"

    def __init__(self, grid_code: str, on: date) -> None:
        super().__init__(f"Grid {grid_code} ended on {on}: what became of it is in its history.")
        self.grid_code = grid_code
        self.on = on


class StaleVersionError(GridsvcError):
    """Somebody else has changed what the caller wants to change."""

    code = "stale-version"

    def __init__(
        self,
        grid_code: str,
        version: int,
        *,
        yours: dict[str, object] | None,
        current: dict[str, object],
    ) -> None:
        super().__init__(
            f"Grid {grid_code} is no longer as you saw it in version {version}: "
            "look at both versions, and decide anew."
        )
        self.grid_code = grid_code
        self.version = version
        self.yours = yours
        self.current = current

    @property
    def faults(self) -> list[dict[str, object]]:
        """Both versions, as a problem document lists them."""
        return [
            {"where": ["If-Match"], "what": "The version that you saw.", "grid": self.yours},
            {"where": ["current"], "what": "The version in force.", "grid": self.current},
        ]


class VersionRequiredError(GridsvcError):
    """A change does not say which version it is of."""

    code = "version-required"

    def __init__(self) -> None:
        super().__init__(
            "Send the ETag of the version that you saw in If-Match, so that nobody's change is "
            "overwritten."
        )


class InvalidEditError(GridsvcError):
    """A change of territory that makes no sense."""

    code = "invalid-edit"


class ShapeRefusedError(GridsvcError):
    """A shape that was drawn has faults."""

    code = "shape-refused"

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        shown = " ".join(reason for _, reason in faults[:3])
        super().__init__(f"The shape cannot be taken: {shown}")
        self.faults = [
            {"where": ["geometry"], "what": reason, "fault": fault} for fault, reason in faults
        ]


class UnfitQueryError(GridsvcError):
    """A filter that the columns of a layer do not fit."""

    code = "invalid-filter"

    def __init__(self) -> None:
        super().__init__(
            "The filter does not fit the layer: compare each column with values of its own type, "
            "and geometries with valid ones."
        )


class CrowdedError(GridsvcError):
    """So many map clients read at once that one more would have to wait too long."""

    code = "crowded"
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("Many map clients are reading right now: try again in a moment.")


class UnfitFilterError(GridsvcError):
    """A layer does not have what an export is to be filtered by."""

    code = "unfit-filter"

    def __init__(self, layer: str, filters: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(
            f"The layer {layer} takes no {' and no '.join(filters)}, only "
            f"{', '.join(known) or 'no filter'}."
        )
        self.layer = layer
        self.filters = tuple(filters)


class InvalidPeriodError(GridsvcError):
    """A period ends before it begins."""

    code = "invalid-period"

    def __init__(self, first_day: date, last_day: date) -> None:
        super().__init__(f"A period from {first_day} to {last_day} ends before it begins.")
        self.first_day = first_day
        self.last_day = last_day


class ImportNeedsStreetError(GridsvcError):
    """Territory is brought in for a whole sub-district, and the caller has none, or several."""

    code = "import-needs-street"

    def __init__(self, street_code: int | None) -> None:
        wanted = "say which one" if street_code is None else f"{street_code} is not one of yours"
        super().__init__(
            f"Territory is imported by administrators of a whole sub-district: {wanted}."
        )
        self.street_code = street_code


class ImportStateError(ConflictError):
    """An import is not at the stage that is asked for."""

    code = "import-state"

    def __init__(self, import_id: object, status: str) -> None:
        super().__init__(f"Import {import_id} is {status}.")
        self.import_id = import_id
        self.status = status


class ImportBlockedError(GridsvcError):
    """Faults of a file keep it out, and so nothing was written.

    Attributes
    ----------
    errors, warnings
        How many there are of each kind that keeps it out.
    findings
        The report, as the import's service makes it.
    """

    code = "import-blocked"

    def __init__(
        self, errors: Mapping[str, int], warnings: Mapping[str, int], findings: object
    ) -> None:
        told = [f"{count} × {kind}" for kind, count in {**errors, **warnings}.items()]
        advice = "correct the file" if errors else "accept these kinds of warnings, or correct them"
        super().__init__(f"Nothing was written ({', '.join(told)}): {advice}.")
        self.errors = dict(errors)
        self.warnings = dict(warnings)
        self.findings = findings

    @property
    def faults(self) -> list[dict[str, object]]:
        """The kinds, as a problem document lists them."""
        return [
            {"where": [kind], "what": f"{count} of them.", "severity": severity}
            for severity, kinds in (("error", self.errors), ("warning", self.warnings))
            for kind, count in kinds.items()
        ]


class TerritoryChangedError(ConflictError):
    """Somebody loaded territory while an import was applied."""

    code = "territory-changed"

    def __init__(self) -> None:
        super().__init__("The territory has changed meanwhile, and nothing was written: try again.")


class InvalidMemberError(GridsvcError):
    """A field of a member does not hold what it may."""

    code = "invalid-member"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}.")
        self.field = field
        self.reason = reason

    @property
    def faults(self) -> list[dict[str, object]]:
        """The field, as a problem document lists it."""
        return [{"where": [self.field], "what": f"{self.reason}."}]


class JobOverError(ConflictError):
    """A job cannot be stopped, because it has ended."""

    code = "job-over"

    def __init__(self, job_id: object, status: str) -> None:
        super().__init__(f"Job {job_id} is {status} already.")
        self.job_id = job_id
        self.status = status


class JobCrashedError(GridsvcError):
    """A job was begun as often as it may be, and each time its worker went away."""

    code = "job-crashed"

    def __init__(self, attempts: int) -> None:
        super().__init__(f"The job was begun {attempts} times and did not come to an end.")
        self.attempts = attempts


class UnknownJobKindError(GridsvcError):
    """A worker does not know what to do for a job: it is older or newer than the service."""

    code = "unknown-job-kind"

    def __init__(self, kind: str) -> None:
        super().__init__(f"This worker has no kind of job {kind!r}: run it in the same version.")
        self.kind = kind


class JobFailedError(GridsvcError):
    """A job ended by a fault of ours; the log has its kind and place."""

    code = "job-failed"

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side; it has been logged.")


class NothingToPrintError(GridsvcError):
    """No page to print: what was asked for has no stairwells."""

    code = "nothing-to-print"

    def __init__(self) -> None:
        super().__init__("There is no stairwell to print a notice for: choose one that exists.")


class PlanNotReviewedError(ConflictError):
    """A contact plan is to be applied that nobody has reviewed."""

    code = "plan-not-reviewed"

    def __init__(self, plan_id: object, to_decide: int) -> None:
        super().__init__(
            f"Plan {plan_id} has not been reviewed: decide on its lines ({to_decide} change "
            "something and are open), then say that the review is done."
        )
        self.plan_id = plan_id
        self.to_decide = to_decide


class StalePlanError(GridsvcError):
    """Somebody else has decided on a contact plan since the caller saw it."""

    code = "stale-plan"

    def __init__(self, plan_id: object, version: int, current: int) -> None:
        super().__init__(
            f"Plan {plan_id} is no longer as you saw it in version {version}, but in version "
            f"{current}: look again, and decide anew."
        )
        self.plan_id = plan_id
        self.version = version
        self.current = current


class PlanOutdatedError(ConflictError):
    """Territory or people have changed since the lines of a contact plan were accepted.

    Attributes
    ----------
    changes
        Stairwell and what has changed: ``ended``, ``redrawn``, ``households``, ``contact``; and
        of its member ``left``, ``unavailable``, ``moved`` or ``excluded``, with the member's id.
    """

    code = "plan-outdated"

    def __init__(self, plan_id: object, changes: Sequence[tuple[str, str, object]]) -> None:
        told = ", ".join(f"{code} {what}" for code, what, _ in changes[:5])
        more = f" and {len(changes) - 5} more" if len(changes) > 5 else ""
        super().__init__(
            f"Plan {plan_id} no longer fits, and nothing was written ({told}{more}): decide on "
            "these lines again, or propose a new plan."
        )
        self.plan_id = plan_id
        self.changes = tuple(changes)

    @property
    def faults(self) -> list[dict[str, object]]:
        """What has changed, as a problem document lists it."""
        return [
            {"where": [code], "what": what, **({"member": str(member)} if member else {})}
            for code, what, member in self.changes
        ]


class InvalidChoiceError(GridsvcError):
    """A decision on a contact plan that makes no sense."""

    code = "invalid-choice"


class ConsentStateError(ConflictError):
    """A member agreed already, or does not agree."""

    code = "consent-state"

    def __init__(self, member_id: object, *, is_given: bool) -> None:
        now = "agrees already" if is_given else "does not agree, so there is nothing to withdraw"
        super().__init__(f"Member {member_id} {now}.")
        self.member_id = member_id


class MergeRefusedError(ConflictError):
    """Two members cannot be made one."""

    code = "merge-refused"


class StaleMemberError(GridsvcError):
    """Somebody else has changed a member whom the caller wants to change."""

    code = "stale-member"

    def __init__(self, member_id: object, yours: int, current: int) -> None:
        super().__init__(
            f"Member {member_id} is no longer as you saw them in version {yours}, but in version "
            f"{current}: read them again, and decide anew."
        )
        self.yours = yours
        self.current = current


class ListRefusedError(GridsvcError):
    """A list that somebody sent cannot be read; its reader's own sentence says why."""

    code = "list-refused"


class RetiredCategoryError(UnknownCategoryError):
    """A report's category was in the catalogue once, and is no longer in use."""

    code = "retired-category"

    def __init__(self, category: str, parent: str | None) -> None:
        super().__init__(category)
        instead = f"take {parent}, or one of its others" if parent else "take another one"
        self.args = (f"The category {category} is no longer in use: {instead}.",)
        self.parent = parent


class UnknownPlaceError(GridsvcError):
    """A report is of a place that is in no community, or by a code that no grid in use has."""

    code = "unknown-place"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} Choose a point in a community, a compound, or a stairwell.")


class PhotoRefusedError(GridsvcError):
    """What was sent as a photo cannot be kept as one.

    Attributes
    ----------
    fault
        Why, as a stable word: empty, not-an-image, heic, too-large, too-many-pixels or broken.
    """

    code = "photo-refused"

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(f"This is no photo that can be kept: {reason}.")
        self.fault = fault


class PhotosBusyError(BusyError):
    """So many photos are being read that one more would have to wait too long."""

    code = "photos-busy"

    def __init__(self) -> None:
        GridsvcError.__init__(self, "Many photos come in right now: try again in a moment.")


class TooManyPhotosError(ConflictError):
    """A report has as many photos as it may."""

    code = "too-many-photos"

    def __init__(self, at_most: int) -> None:
        super().__init__(f"A report has {at_most} photos at most: delete one first.")
        self.at_most = at_most


class NotPublicError(ConflictError):
    """A photo of what is not for everybody cannot be published."""

    code = "not-public"

    def __init__(self) -> None:
        super().__init__("This kind of incident is not shown to everybody, nor are its photos.")


class ReplyRefusedError(ConflictError):
    """What a reporter wants to do does not fit where the incident stands."""

    code = "reply-refused"

    def __init__(self, kind: str, status: str) -> None:
        super().__init__(f"An incident that is {status} cannot get a {kind} now.")
        self.kind = kind
        self.status = status


class InvalidNoticeError(GridsvcError):
    """A notice does not fit its template; the caller is our own code."""

    code = "invalid-notice"

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"Notice {template}: {reason}.")
        self.template = template


class InvalidChannelError(GridsvcError):
    """A channel cannot be as it was asked for; ``fault`` says why in a word."""

    code = "invalid-channel"

    def __init__(self, fault: str, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault


class DeliveryStateError(ConflictError):
    """A delivery is not in the state that the change needs."""

    code = "delivery-state"

    def __init__(self, delivery_id: object, status: str) -> None:
        super().__init__(f"Delivery {delivery_id} is {status}.")
        self.status = status


class LiveCrowdedError(GridsvcError):
    """As many pages listen for live updates as this process serves."""

    code = "live-crowded"

    def __init__(self, at_most: int) -> None:
        super().__init__(f"{at_most} pages listen already; ask again later.")
        self.at_most = at_most


class InvalidStepError(ConflictError):
    """A step does not follow from where an incident stands."""

    code = "invalid-step"

    def __init__(self, status: str, step: str) -> None:
        hint = "reopen it first" if status in ("closed", "duplicate", "not_ours") else "look again"
        super().__init__(f"The incident is {status}, so {step} is not possible: {hint}.")
        self.status = status
        self.step = step


class StaleIncidentError(GridsvcError):
    """Somebody else has changed an incident since the caller saw it."""

    code = "stale-incident"

    def __init__(self, incident_id: object, version: int, current: int, status: str) -> None:
        super().__init__(
            f"Incident {incident_id} is no longer as you saw it in version {version}: it is "
            f"{status}, in version {current}. Look again, and decide anew."
        )
        self.version = version
        self.current = current
        self.status = status


class StepNotAllowedError(GridsvcError):
    """A step that whoever asks may not make."""

    code = "step-not-allowed"


class InvalidStepDetailError(GridsvcError):
    """A step lacks something, or names what makes no sense with it."""

    code = "invalid-step-detail"


class InvalidTextError(GridsvcError):
    """Words that are too long, or hold characters that no text has."""

    code = "invalid-text"

    def __init__(self, what: str, rule: str) -> None:
        super().__init__(f"{what}: {rule}.")
        self.what = what


class InvalidPartyError(GridsvcError):
    """A party that cannot be kept as it was given."""

    code = "invalid-party"


class InvalidLinkError(GridsvcError):
    """A signed link that is not ours, has run out, or was taken back."""

    code = "invalid-link"

    def __init__(self) -> None:
        super().__init__(
            "This link is not valid, or no longer: ask whoever sent it to you for a new one."
        )


class UnfitServiceRequestError(GridsvcError):
    """What a program of Open311 sent or asks for cannot be understood or taken."""

    code = "unfit-service-request"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.sentences = tuple(faults)

    @property
    def faults(self) -> list[dict[str, object]]:
        """Each fault, as a problem document lists it."""
        return [{"where": [], "what": sentence} for sentence in self.sentences]


class ApiKeyRefusedError(GridsvcError):
    """A report came without an API key, or with one that is unknown, expired or revoked."""

    code = "api-key-refused"

    def __init__(self) -> None:
        super().__init__("Missing or invalid api_key: the report was not taken.")
