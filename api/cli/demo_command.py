"""From an empty machine to a living map: the sample sub-district, assigned, placed and planned."""

import time
from typing import Annotated
from uuid import UUID, uuid5

import typer

from api.cli.console import print_table, progress_bars, words
from api.cli.runtime import Runtime, open_runtime
from api.cli.serve_command import refuse_taken_port, run
from geodata.progress import Progress
from geodata.sample import make_sample
from gridsvc import settings as settings_module
from gridsvc.access import service as access
from gridsvc.access.model import DevelopmentAccount
from gridsvc.access.tokens import new_token
from gridsvc.contacts import service as contacts
from gridsvc.db import ScopedSession, refresh_statistics
from gridsvc.incidents import service as incidents
from gridsvc.local_time import local_today
from gridsvc.overview import service as overview
from gridsvc.patrols import service as patrols
from gridsvc.people import service as people
from gridsvc.territory import service as territory

STREET = 440605011000
COMMUNITY = 440605011016
_NAMESPACE = UUID("7c0a3c9e-6b52-4c5e-9d0f-3a4ad2a5b1c0")


app = typer.Typer()


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Do all of it, then exit.")] = False,
    scale: Annotated[
        float, typer.Option(min=0.1, max=10, help="Size of the sample sub-district.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Another town for another number.")] = 1,
    contact_seconds: Annotated[
        float, typer.Option(min=1, help="Time for the contact solver.")
    ] = 15.0,
) -> None:
    """Make the sample sub-district, do the day's work on it, and serve it."""
    began = time.monotonic()
    settings = settings_module.load().model_copy(update={"development_login": True})
    if not once:
        refuse_taken_port(settings)
    with open_runtime(settings) as runtime:
        with progress_bars() as progress:
            _load(runtime, seed=seed, scale=scale, progress=progress)
            _assign(runtime, time_limit_s=contact_seconds, seed=seed, progress=progress)
            _release_heat(runtime)
            _plan_patrols(runtime, seed=seed, progress=progress)
        accounts = _make_accounts(runtime)
        _report(runtime, seconds=time.monotonic() - began)
        _print_pages(runtime, accounts)
        if not once:
            run(runtime)


def _load(runtime: Runtime, *, seed: int, scale: float, progress: Progress) -> None:
    """Load the sample, all or nothing, unless a sub-district is there."""
    with runtime.job_session(STREET) as session:
        if territory.list_communities(session):
            words.print("Reusing the sub-district that is there.")
            return
        sample = make_sample(seed=seed, scale=scale, progress=progress)
        incidents.apply_catalogue(session)
        progress("load", 0, 4)
        # The map is as old as the first incident on it.
        first_day = sample.incidents["reported_at"].min().date()
        territory.load(session, sample.territory, valid_from=first_day)
        progress("load", 1, 4)
        people.load(
            session,
            members=sample.members,
            posts=sample.posts,
            organisations=sample.organisations,
            details=sample.details,
            vault=runtime.vault,
        )
        progress("load", 2, 4)
        patrols.add_teams(session, sample.teams)
        progress("load", 3, 4)
        incidents.add_many(session, sample.incidents, progress=progress)
        refresh_statistics(session)
        progress("load", 4, 4)


def _assign(runtime: Runtime, *, time_limit_s: float, seed: int, progress: Progress) -> None:
    """Propose a lead contact for every stairwell and apply the proposal, unless one is in force."""
    with runtime.job_session(STREET) as session:
        if any(plan.status == "applied" for plan in contacts.list_plans(session, limit=1000)):
            return
        proposed = contacts.propose(
            session, time_limit_s=time_limit_s, seed=seed, progress=progress
        )
        for done, plan in enumerate(proposed.plans, start=1):
            contacts.adopt(session, plan.id)
            progress("apply contacts", done, len(proposed.plans))
        refresh_statistics(session)


def _release_heat(runtime: Runtime) -> None:
    with runtime.job_session(STREET) as session:
        incidents.release_heat(session)


def _plan_patrols(runtime: Runtime, *, seed: int, progress: Progress) -> None:
    """Plan tonight, unless it is planned."""
    tonight = local_today()
    with runtime.job_session(STREET) as session:
        if not patrols.has_routes(session, tonight):
            patrols.plan_evening(session, day=tonight, seed=seed, progress=progress)


def _make_accounts(runtime: Runtime) -> list[DevelopmentAccount]:
    """Make the three development accounts, with fresh codes at each start."""
    wanted = (
        ("翠颐社区网格管理员", "coordinator", COMMUNITY),
        ("桂城街道网格管理员", "coordinator", STREET),
        ("规划员", "planner", STREET),
    )
    accounts = [
        DevelopmentAccount(
            id=uuid5(_NAMESPACE, f"{role}-{code}"),
            name=name,
            role=role,
            territory_codes=(code,),
            code=new_token(),
        )
        for name, role, code in wanted
    ]
    with runtime.job_session(STREET) as session:
        access.make_development_accounts(session, accounts)
    return accounts


def _report(runtime: Runtime, *, seconds: float) -> None:
    with runtime.job_session(STREET) as session:
        print_table("桂城街道样例 · Sample sub-district", _territory_rows(session))
        print_table("户联系人 · Household contacts", _contact_rows(session))
        print_table("事项 · Incidents", _incident_rows(session))
        print_table("巡查 · Patrols tonight", _patrol_rows(session))
    words.print(f"Ready after {seconds:.1f} s.")


def _territory_rows(session: ScopedSession) -> list[tuple[str, str]]:
    results = overview.read_results(session)
    organisations = results.organisations
    return [
        ("社区 communities", f"{results.communities:,}"),
        ("小区 compounds", f"{results.compounds:,}"),
        ("善治示范点 demonstration compounds", f"{results.demonstration_compounds:,}"),
        ("楼栋 buildings", f"{results.buildings:,}"),
        ("楼道 stairwells", f"{results.stairwells:,}"),
        ("户 households", f"{results.households:,}"),
        ("楼长 building chiefs", f"{results.building_chiefs:,}"),
        ("  其中党员 of them Party members", f"{results.party_building_chiefs:,}"),
        ("报到党员 Party members reported in", f"{results.party_members_reported_in:,}"),
        ("党支部 Party branches", f"{organisations.get('party_branch', 0):,}"),
        ("互助会 associations", f"{organisations.get('mutual_aid_association', 0):,}"),
        ("自治小组 self-governance groups", f"{organisations.get('self_governance_group', 0):,}"),
        ("楼长队 chief teams", f"{organisations.get('chief_team', 0):,}"),
        ("社团 societies", f"{organisations.get('society', 0):,}"),
        ("参与人数 people in them", f"{results.people_in_organisations:,}"),
    ]


def _contact_rows(session: ScopedSession) -> list[tuple[str, str]]:
    states = contacts.count_states(session)
    total = sum(states.values())
    covered = total - states["uncovered"]
    plans = [plan for plan in contacts.list_plans(session, limit=1000) if plan.status == "applied"]
    objective = sum(plan.objective for plan in plans)
    gap = (objective - sum(plan.bound for plan in plans)) / objective if objective else 0.0
    overload = sum(plan.overload_households for plan in plans)
    nearest = sum(plan.nearest_overload_households for plan in plans)
    rows = [
        ("有联系人的楼道 stairwells with a lead", f"{covered:,} ({covered / max(total, 1):.1%})"),
        ("  超负荷 overloaded", f"{states['overloaded']:,}"),
        ("无联系人 without", f"{states['uncovered']:,}"),
        ("超负荷户数 overload, households", f"{overload:,}"),
        ("  就近分配时 if each got the nearest", f"{nearest:,}"),
        ("已证明差距 proven gap", f"{gap:.2%}"),
    ]
    for run_id in {plan.run_id for plan in plans}:
        for code, reason in contacts.list_uncovered(session, run_id):
            rows.append((f"  {code}", reason))
    return rows


def _incident_rows(session: ScopedSession) -> list[tuple[str, str]]:
    names = {
        category.code: f"{category.name_zh} {category.name_en}"
        for category in incidents.list_categories(session)
    }
    by_class = incidents.count_by_class(session)
    places = incidents.count_by_place(session)
    return [
        *((names[code], f"{count:,}") for code, count in by_class.items()),
        ("合计 all", f"{sum(by_class.values()):,}"),
        ("楼道内 in a stairwell", f"{places.get('stairwell', 0):,}"),
        ("小区内 in a compound only", f"{places.get('compound', 0):,}"),
        ("社区内 in a community only", f"{places.get('community', 0):,}"),
        ("社区外 outside (flagged)", f"{places.get('outside', 0):,}"),
    ]


def _patrol_rows(session: ScopedSession) -> list[tuple[str, str]]:
    tonight = patrols.list_day(session, local_today())
    return [
        ("路线 routes", f"{len(tonight):,}"),
        ("点位 stops", f"{sum(route.stop_count for route in tonight):,}"),
        ("步行 walking", f"{sum(route.distance_m for route in tonight) / 1000:,.1f} km"),
        (
            "沿路网 along streets",
            f"{sum(route.network == 'streets' for route in tonight):,}",
        ),
    ]


def _print_pages(runtime: Runtime, accounts: list[DevelopmentAccount]) -> None:
    settings = runtime.settings
    address = f"http://{settings.host}:{settings.port}"
    # The code stands behind #, which browsers do not send: it reaches no log.
    rows = [(account.name, f"{address}/login#{account.code}") for account in accounts]
    print_table("登录 · Sign in (development only)", rows)
    pages = (
        ("地图 map", "/map"),
        ("热力 heat", "/map?view=heat"),
        ("巡查 patrols", "/map?view=routes"),
        ("成效 results", "/results"),
        ("API", "/api/v1/openapi.json"),
    )
    print_table("页面 · Pages", [(name, f"{address}{path}") for name, path in pages])
