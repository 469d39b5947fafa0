"""Same seed, same sample, to the last byte; another seed, another one."""

from dataclasses import fields

import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas.testing import assert_frame_equal

from geodata.progress import Progress
from geodata.sample import Sample, make_sample


def frames_of(sample: Sample) -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = {}
    for holder in (sample, sample.territory):
        for field in fields(holder):
            value = getattr(holder, field.name)
            if isinstance(value, pd.DataFrame):
                found[field.name] = value
    return found


def test_the_same_seed_gives_the_same_frames(small: Sample) -> None:
    again = frames_of(make_sample(seed=1, scale=0.1))
    assert len(again) == 10
    for name, frame in frames_of(small).items():
        if isinstance(frame, GeoDataFrame):
            one, other = (shapely.to_wkb(f.geometry.to_numpy()) for f in (frame, again[name]))
            assert (one == other).all(), name
            assert frame.crs == "EPSG:4326", name
            frame = pd.DataFrame(frame.drop(columns="geometry"))
            again[name] = pd.DataFrame(again[name].drop(columns="geometry"))
        assert_frame_equal(frame, again[name], check_exact=True)


def test_another_seed_gives_other_people_and_places(small: Sample) -> None:
    other = make_sample(seed=2, scale=0.1)
    assert set(small.members["id"]).isdisjoint(other.members["id"])
    assert set(small.incidents["geometry"]).isdisjoint(other.incidents["geometry"])


def test_coordinates_have_seven_decimals(small: Sample) -> None:
    for name, frame in frames_of(small).items():
        if isinstance(frame, GeoDataFrame):
            xy = shapely.get_coordinates(frame.geometry.to_numpy())
            assert (xy == xy.round(7)).all(), name


def test_progress_is_told_of_every_stage() -> None:
    heard: dict[str, list[tuple[int, int]]] = {}

    def listen(stage: str, done: int, total: int) -> None:
        heard.setdefault(stage, []).append((done, total))

    listener: Progress = listen
    make_sample(seed=1, scale=0.1, progress=listener)
    assert list(heard) == ["territory", "people", "incidents"]
    for steps in heard.values():
        assert steps[0][0] == 0
        assert steps[-1][0] == steps[-1][1]
        assert steps == sorted(steps)
