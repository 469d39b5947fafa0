"""The whole matrix, and the town furnished so that each of its lines has something to show."""

from tests.api.matrix import World
from tests.api.matrix_changes import CHANGES
from tests.api.matrix_imports import IMPORT_READS, add_waiting
from tests.api.matrix_jobs import JOB_READS
from tests.api.matrix_members import MEMBER_READS, add_twins
from tests.api.matrix_notices import NOTICE_CHANGES, NOTICE_READS, add_notices
from tests.api.matrix_ogc import OGC
from tests.api.matrix_open311 import OPEN311
from tests.api.matrix_promises import Promise
from tests.api.matrix_reads import READS
from tests.api.matrix_reports import REPORT_CHANGES, REPORT_READS, add_photos

MATRIX: tuple[tuple[str, Promise], ...] = (
    *READS,
    *MEMBER_READS,
    *IMPORT_READS,
    *JOB_READS,
    *NOTICE_READS,
    *REPORT_READS,
    *OGC,
    *CHANGES,
    *NOTICE_CHANGES,
    *REPORT_CHANGES,
    *OPEN311,
)


def furnish(world: World) -> None:
    """Add what the town itself does not hold."""
    add_waiting(world)
    add_twins(world)
    add_photos(world)
    add_notices(world)
