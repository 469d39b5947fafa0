"""What can go wrong in the service: one base class, one class a fault. It knows no HTTP."""

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
