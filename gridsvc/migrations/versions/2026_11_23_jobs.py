"""Long work: a fact for what people see of it, and the queue of the library beside it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gridsvc.jobs import queue_schema

revision = "jobs"
down_revision = "members"
branch_labels = None
depends_on = None

TERRITORY = " OR ".join(
    f"community_code BETWEEN nullif(current_setting('app.lo{slot}', true), '')::bigint"
    f" AND nullif(current_setting('app.hi{slot}', true), '')::bigint"
    for slot in (1, 2, 3, 4)
)
ROLE = "current_setting('app.role', true)"
PERSON = "nullif(current_setting('app.person', true), '')::uuid"
STAFF = f"{ROLE} IN ('coordinator', 'administrator')"
READERS = f"CASE WHEN {STAFF} THEN true ELSE person_id = {PERSON} END"
# A job runs as whoever asked for it: nobody asks in another's name, nor in that of the job role.
SELF = f"role = {ROLE} AND role <> 'job' AND person_id IS NOT DISTINCT FROM {PERSON}"
CHANGES = "status, stage, done, total, result, error_code, is_cancelling, finished_at"


def upgrade() -> None:
    """Make the queue, and the fact that says what became of each job."""
    queue_schema.create(op.get_bind())
    _grant_queue()
    op.create_table(
        "job",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        *(_text("status", "queued"), _text("stage", "")),
        *(_count("done"), _count("total")),
        sa.Column("arguments", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("is_cancelling", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        _count("attempt"),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
        ),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("job_status_check"),
        ),
        sa.CheckConstraint(
            "done >= 0 AND total >= 0 AND attempt >= 0", name=op.f("job_count_check")
        ),
        sa.CheckConstraint(
            "(status IN ('queued', 'running')) = (finished_at IS NULL)",
            name=op.f("job_finished_check"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name="job_pkey"),
        schema="gridsvc",
    )
    op.create_index(
        "job_newest_idx", "job", ["community_code", "created_at", "id"], schema="gridsvc"
    )
    op.create_index("job_id_idx", "job", ["id"], schema="gridsvc")
    _close_job()


def _text(name: str, default: str) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=False, server_default=sa.text(f"'{default}'"))


def _count(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0"))


def _grant_queue() -> None:
    """Let requests add to the queue and see nothing of it; the worker, as the job, does the rest."""
    op.execute("GRANT ALL ON ALL TABLES IN SCHEMA procrastinate TO gridsvc_job")
    op.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA procrastinate TO gridsvc_job")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA procrastinate TO gridsvc_backup")
    op.execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA procrastinate TO gridsvc_backup")
    op.execute(
        "GRANT INSERT (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at),"
        " SELECT (id) ON procrastinate.procrastinate_jobs TO gridsvc_api"
    )
    op.execute("GRANT INSERT ON procrastinate.procrastinate_events TO gridsvc_api")
    for table in ("jobs", "events"):
        op.execute(
            f"GRANT USAGE ON SEQUENCE procrastinate.procrastinate_{table}_id_seq TO gridsvc_api"
        )


def _close_job() -> None:
    op.execute("ALTER TABLE gridsvc.job ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE gridsvc.job FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY territory ON gridsvc.job USING ({TERRITORY}) WITH CHECK ({TERRITORY})"
    )
    op.execute(f"CREATE POLICY role ON gridsvc.job AS RESTRICTIVE USING ({READERS})")
    op.execute(
        f"CREATE POLICY role_insert ON gridsvc.job AS RESTRICTIVE FOR INSERT WITH CHECK ({SELF})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({CHANGES}) ON gridsvc.job TO gridsvc_api")
    op.execute("GRANT ALL ON gridsvc.job TO gridsvc_job")
    op.execute("GRANT SELECT ON gridsvc.job TO gridsvc_backup")


def downgrade() -> None:
    """Forget every job, and the queue."""
    op.drop_table("job", schema="gridsvc")
    queue_schema.drop(op.get_bind())
