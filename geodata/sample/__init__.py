"""The sample sub-district: an invented town with real names, the same for the same seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from geopandas import GeoDataFrame
from pandas import DataFrame

from geodata.errors import SampleScaleError
from geodata.progress import Progress, silent
from geodata.sample.details import make_details
from geodata.sample.incidents import make_incidents
from geodata.sample.organisations import make_organisations
from geodata.sample.people import make_people
from geodata.sample.settlement import settle
from geodata.sample.teams import make_teams
from geodata.sample.town import load_town
from geodata.territory import Territory

__all__ = ["LEAST_SCALE", "Sample", "make_sample"]

LEAST_SCALE = 0.1


@dataclass(frozen=True)
class Sample:
    """A sub-district with people and incidents; every geometry is EPSG:4326, lon-lat.

    Nobody in it is real: names are drawn from lists, and phones are 154000 with a serial number;
    154 is, to our knowledge, given to no operator.

    Attributes
    ----------
    territory
        Its polygons and ways.
    members
        ``id``, ``community_code``, ``name``, ``phone``, ``affiliation`` (party_member,
        league_member, masses), ``reported_in_on`` (date or None), ``capacity_households``,
        ``capacity_stairwells`` (2 to 5 for those who reported in, 1 or 2 for others),
        ``available``, ``home_stairwell_code`` (None for who lives outside), ``branch_id`` (or
        None), ``skills``, ``dialects`` (lists of codes of `geodata.vocabularies`), ``geometry``
        (point).
    details
        What lies beside members: ``consents``, ``absences``, ``hours`` and ``exclusions``, see
        `geodata.sample.details`.
    posts
        ``id``, ``community_code``, ``kind`` (building_chief), ``member_id``, ``compound_code``,
        ``building_code``.
    organisations
        ``id``, ``community_code``, ``compound_code`` (nullable), ``kind`` (party_branch,
        mutual_aid_association, self_governance_group, chief_team, society), ``name``, ``people``.
    incidents
        ``id``, ``community_code`` (the sub-district's outside every community),
        ``category_code`` (a sub-category), ``status``, ``reported_at``, ``closed_at`` (UTC),
        ``summary``, ``geometry`` (point).
    teams
        ``id``, ``community_code``, ``name``, ``starts``, ``ends`` (local time), ``geometry``
        (point: the start post).
    """

    territory: Territory
    members: GeoDataFrame
    posts: DataFrame
    organisations: DataFrame
    incidents: GeoDataFrame
    teams: GeoDataFrame
    details: Mapping[str, DataFrame]


def make_sample(*, seed: int = 1, scale: float = 1.0, progress: Progress | None = None) -> Sample:
    """Make the sample sub-district.

    Parameters
    ----------
    seed
        Same seed, same sample, to the last byte.
    scale
        1 is Guicheng with its published counts, exactly; others scale compounds, stairwells,
        people and incidents, but not the 23 communities. At least 0.1.
    progress
        Hears of each stage.

    Returns
    -------
    Sample
        Buildings lie inside their compounds, those inside their communities and off the streets;
        stairwells partition their building. Coordinates have 7 decimals, so all of this holds to
        two centimetres.

    Raises
    ------
    SampleScaleError
        ``scale`` is less than 0.1 or not a number.
    SampleSeedError
        No town of this seed has room for everything.
    """
    if not (isfinite(scale) and scale >= LEAST_SCALE):
        raise SampleScaleError(scale, LEAST_SCALE)
    report = progress or silent
    settlement = settle(load_town(), seed=seed, scale=scale, report=report)
    report("people", 0, 2)
    members, posts = make_people(settlement, seed=seed, scale=scale)
    report("people", 1, 2)
    organisations = make_organisations(settlement, seed=seed, scale=scale)
    codes = settlement.territory.stairwells["code"]
    members, details = make_details(members, organisations, codes, seed=seed)
    teams = make_teams(settlement, seed=seed, scale=scale)
    report("people", 2, 2)
    report("incidents", 0, 1)
    incidents = make_incidents(settlement, seed=seed, scale=scale)
    report("incidents", 1, 1)
    return Sample(settlement.territory, members, posts, organisations, incidents, teams, details)
