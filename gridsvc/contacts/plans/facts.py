"""What a plan is made from: stairwells, members, leads, exclusions and pins, as frames and arrays.

A plan keeps no copy of people's homes. It keeps a fingerprint of what it was made from, and reads
it anew when a line is to be explained.
"""

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from uuid import UUID

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame
from pyproj import CRS
from sqlalchemy.orm import Session

from geodata.codes import COMPOUND_DIGITS
from geodata.crs import local_metric_crs
from gridsvc.contacts import store as contacts
from gridsvc.contacts.model import TIERS, Plan
from gridsvc.contacts.plans import store
from gridsvc.contacts.problem import NEAR_M, NOBODY, ContactProblem, ContactSolution, Ints, Policy
from gridsvc.people import service as people
from gridsvc.territory import service as territory

NO_EXCLUSIONS = DataFrame({"member_id": [], "stairwell_code": []}, dtype=object)


@dataclass(frozen=True)
class Facts:
    """One community on one day.

    Attributes
    ----------
    stairwells, members
        As `gridsvc.territory.service.read_stairwells` and `gridsvc.people.service.read_members`
        return them.
    leads
        The lead of each stairwell that has one.
    exclusions
        ``member_id``, ``stairwell_code``.
    pins
        Member who must lead a stairwell; those who cannot are in ``unkept_pins``.
    is_pinning_absent
        Whether a pin holds for somebody who is away, too.
    """

    community_code: int
    day: date
    stairwells: GeoDataFrame
    members: GeoDataFrame
    leads: Mapping[str, UUID]
    exclusions: DataFrame
    pins: Mapping[str, UUID]
    is_pinning_absent: bool = False

    @cached_property
    def codes(self) -> list[str]:
        """Codes of the stairwells, by row."""
        return [str(code) for code in self.stairwells["code"]]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each stairwell."""
        return {code: row for row, code in enumerate(self.codes)}

    @cached_property
    def member_ids(self) -> list[UUID]:
        """Ids of the members, by row."""
        return list(self.members["id"])

    @cached_property
    def member_row(self) -> dict[UUID, int]:
        """Row of each member."""
        return {member_id: row for row, member_id in enumerate(self.member_ids)}

    @cached_property
    def excluded(self) -> set[tuple[str, UUID]]:
        """Pairs of stairwell and member that must not be."""
        pairs = zip(self.exclusions["stairwell_code"], self.exclusions["member_id"], strict=True)
        return {(str(code), member_id) for code, member_id in pairs}

    def is_free(self, member_id: UUID | None) -> bool:
        """Tell whether a member is there and can be asked on the day."""
        row = self.member_row.get(member_id) if member_id else None
        return row is not None and bool(self.members["is_available"].iloc[row])

    def can_lead(self, code: str, member_id: UUID | None) -> bool:
        """Tell whether a member may lead a stairwell at all."""
        return self.is_free(member_id) and (code, member_id) not in self.excluded

    @cached_property
    def unkept_pins(self) -> list[str]:
        """Stairwells whose pinned member is gone, away or excluded, sorted."""
        return sorted(
            code
            for code, member_id in self.pins.items()
            if code in self.row_of and not self._is_pinned(code, member_id)
        )

    def _is_pinned(self, code: str, member_id: UUID) -> bool:
        if self.is_pinning_absent and self.leads.get(code) == member_id:
            return member_id in self.member_row
        return self.can_lead(code, member_id)

    @cached_property
    def problem(self) -> ContactProblem:
        """The arrays of the solver."""
        pins = {
            code: member_id
            for code, member_id in self.pins.items()
            if self._is_pinned(code, member_id)
        }
        return problem_of(
            self.stairwells, self.members, self.leads, exclusions=self.exclusions, pins=pins
        )

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same codes, ids and arrays."""
        told = hashlib.sha256("\n".join([*self.codes, *map(str, self.member_ids)]).encode())
        for field in fields(ContactProblem):
            value = np.asarray(getattr(self.problem, field.name))
            told.update(
                np.round(value, 3).tobytes() if value.dtype.kind == "f" else value.tobytes()
            )
        return told.hexdigest()

    def place_of(self, code: str, member_id: UUID) -> tuple[str, int]:
        """Return the tier and the metres between a stairwell and a member."""
        tier, distance_m = places(
            self.problem,
            np.array([self.row_of[code]], dtype=np.int64),
            np.array([self.member_row[member_id]], dtype=np.int64),
        )
        return TIERS[int(tier[0])], round(float(distance_m[0]))


def read(
    session: Session,
    community_code: int,
    *,
    day: date,
    but_of: UUID | None = None,
    not_excluded: Set[tuple[str, UUID]] = frozenset(),
    leads: Mapping[str, UUID | None] | None = None,
) -> Facts:
    """Read a community as it is on a day.

    Parameters
    ----------
    but_of
        A plan whose pins do not count.
    not_excluded
        Pairs of stairwell and member whose exclusion does not count.
    leads
        Who led some of the stairwells then, in the place of who does now.
    """
    pins = store.read_pins(session, community_code=community_code, but_of=but_of)
    # Who stands in for a lead who returns goes on until then.
    covered = store.read_covered(session, community_code=community_code, on=day)
    exclusions = people.read_exclusions(session, community_code=community_code, on=day)
    if not_excluded:
        pairs = zip(exclusions["stairwell_code"], exclusions["member_id"], strict=True)
        exclusions = exclusions[[pair not in not_excluded for pair in pairs]]
    now = contacts.read_leads(session, community_code=community_code, on=day)
    then: dict[str, UUID | None] = {**now, **(leads or {})}
    return Facts(
        community_code=community_code,
        day=day,
        stairwells=territory.read_stairwells(session, community_code=community_code),
        members=people.read_members(session, community_code=community_code, on=day),
        leads={code: member_id for code, member_id in then.items() if member_id is not None},
        exclusions=exclusions,
        pins=pins | covered,
    )


def problem_of(
    stairwells: GeoDataFrame,
    members: GeoDataFrame,
    leads: Mapping[str, UUID],
    *,
    exclusions: DataFrame = NO_EXCLUSIONS,
    pins: Mapping[str, UUID] | None = None,
) -> ContactProblem:
    """Turn frames into the arrays of the solver.

    Parameters
    ----------
    stairwells
        ``code``, ``building_code``, ``compound_code``, ``household_count``, ``geometry`` (point,
        EPSG:4326).
    members
        As `gridsvc.people.service.read_members` returns them.
    leads, pins
        Today's lead of each stairwell that has one, and who must be.
    exclusions
        ``member_id``, ``stairwell_code``: pairs that must not be; others than these are left out.
    """
    codes, ids = pd.Index(stairwells["code"]), pd.Index(members["id"], dtype=object)
    buildings = pd.Index(stairwells["building_code"].unique())
    compounds = pd.Index(stairwells["compound_code"].unique())
    metric = _metric_crs(stairwells)
    home_building = list(members["home_building_code"])
    home_compound = [code and str(code)[:COMPOUND_DIGITS] for code in home_building]
    pairs = np.column_stack(
        [
            codes.get_indexer(pd.Index(exclusions["stairwell_code"])),
            ids.get_indexer(pd.Index(exclusions["member_id"], dtype=object)),
        ]
    ).astype(np.int64)
    return ContactProblem(
        grid_xy_m=_xy_m(stairwells, metric),
        grid_households=stairwells["household_count"].to_numpy(np.int64),
        grid_building=buildings.get_indexer(pd.Index(stairwells["building_code"])),
        grid_compound=compounds.get_indexer(pd.Index(stairwells["compound_code"])),
        member_xy_m=_xy_m(members, metric),
        member_capacity_households=members["capacity_households"].to_numpy(np.int64),
        member_capacity_stairwells=members["capacity_stairwells"].to_numpy(np.int64),
        member_is_party=members["is_party_member"].to_numpy(np.bool_),
        member_available=members["is_available"].to_numpy(np.bool_),
        member_home_grid=codes.get_indexer(pd.Index(members["home_stairwell_code"])),
        member_home_building=buildings.get_indexer(pd.Index(home_building, dtype=object)),
        member_home_compound=compounds.get_indexer(pd.Index(home_compound, dtype=object)),
        incumbent=_rows(codes, ids, leads),
        excluded=pairs[(pairs >= 0).all(axis=1)],
        pinned=_rows(codes, ids, pins or {}),
    )


def _rows(codes: pd.Index, ids: pd.Index, by_code: Mapping[str, UUID]) -> Ints:
    wanted = pd.Index([by_code.get(code) for code in codes], dtype=object)
    rows: Ints = ids.get_indexer(wanted).astype(np.int64)
    return rows


def _metric_crs(stairwells: GeoDataFrame) -> CRS:
    xmin, ymin, xmax, ymax = stairwells.total_bounds
    return local_metric_crs(lon=(xmin + xmax) / 2, lat=(ymin + ymax) / 2)


def _xy_m(points: GeoDataFrame, metric: CRS) -> NDArray[np.float64]:
    projected = points.geometry.to_crs(metric)
    return np.column_stack([projected.x, projected.y])


def places(problem: ContactProblem, grid: Ints, member: Ints) -> tuple[Ints, NDArray[np.float64]]:
    """Return tier and metres of pairs of stairwell and member; shape (k,) each."""
    apart = problem.grid_xy_m[grid] - problem.member_xy_m[member]
    distance_m = np.hypot(apart[:, 0], apart[:, 1])
    building = problem.member_home_building[member]
    compound = problem.member_home_compound[member]
    conditions = [
        problem.member_home_grid[member] == grid,
        (building >= 0) & (building == problem.grid_building[grid]),
        (compound >= 0) & (compound == problem.grid_compound[grid]),
        distance_m <= NEAR_M,
    ]
    return np.select(conditions, [0, 1, 2, 3], default=4).astype(np.int64), distance_m


def policy_of(plan: Plan) -> Policy:
    """Return the weights that a plan was made with."""
    weights = dict(plan.weights)
    return Policy(**(weights | {"tiers": tuple(weights["tiers"])}))


def solution_of(problem: ContactProblem, member: Ints, plan: Plan) -> ContactSolution:
    """Return the leads of a stored plan as an answer of the solver.

    Parameters
    ----------
    member
        Shape (n,), row of each stairwell's lead; -1 for nobody.
    """
    covered = np.flatnonzero(member >= 0)
    tier = np.full(len(member), -1, dtype=np.int64)
    distance_m = np.full(len(member), np.nan)
    tier[covered], distance_m[covered] = places(problem, covered, member[covered])
    size = problem.member_count
    households = np.bincount(
        member[covered], weights=problem.grid_households[covered], minlength=size
    ).astype(np.int64)
    stairwells = np.bincount(member[covered], minlength=size).astype(np.int64)
    had_one = problem.incumbent >= 0
    changed = had_one & (member != problem.incumbent)
    stays = had_one & problem.member_available[problem.incumbent]
    return ContactSolution(
        member=member,
        tier=tier,
        distance_m=distance_m,
        uncovered_reason=np.where(member >= 0, "", "full"),
        load_households=households,
        load_stairwells=stairwells,
        overload_households=np.maximum(households - problem.member_capacity_households, 0),
        overload_stairwells=np.maximum(stairwells - problem.member_capacity_stairwells, 0),
        objective=plan.objective,
        bound=int(plan.bound),
        gap=plan.gap,
        policy=policy_of(plan),
        counts={
            "covered": len(covered),
            "uncovered": len(member) - len(covered),
            "changed": int(changed.sum()),
            "replaced": int((changed & stays).sum()),
        },
        stages_s={},
        rounds={},
    )


def rows_of(facts: Facts, by_code: Mapping[str, UUID | None]) -> Ints:
    """Return the row of the member given for each stairwell; -1 for nobody, or who is gone."""
    return np.array(
        [
            NOBODY if (found := by_code.get(code)) is None else facts.member_row.get(found, NOBODY)
            for code in facts.codes
        ],
        dtype=np.int64,
    )
