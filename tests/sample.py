"""A tenth of the sample sub-district in a database, made by the functions of ``./grid demo``."""

from pathlib import Path

from api.cli import demo_command as demo
from api.cli.runtime import Runtime
from geodata.progress import silent
from gridsvc.local_time import local_today
from gridsvc.patrols import service as patrols
from gridsvc.settings import Settings
from tests.databases import Clone
from tests.town import VAULT

SCALE = 0.1
SEED = 1
PATROLLED = (440605011016, 440605011050)
"""Communities with routes tonight; all 23 would take ten seconds of the processor."""


def live(clone: Clone) -> None:
    """Load the sample, assign contacts, release heat and plan tonight's patrols."""
    settings = Settings(development_login=True, _env_file=None)
    runtime = Runtime(settings, Path("/nonexistent"), served=clone.api, job=clone.job, vault=VAULT)
    demo._load(runtime, seed=SEED, scale=SCALE, progress=silent)
    demo._assign(runtime, time_limit_s=2, seed=SEED, progress=silent)
    demo._release_heat(runtime)
    tonight = local_today()
    for code in PATROLLED:
        with runtime.job_session(code) as session:
            patrols.plan_evening(session, day=tonight, seed=SEED)
