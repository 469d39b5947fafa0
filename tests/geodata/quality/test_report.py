"""What a report answers: whether it blocks, its table, its GeoJSON, its repairs, its words."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from geodata.errors import InvalidParameterError, UndeclaredCRSError
from geodata.geojson import geojson_text
from geodata.quality import apply_repairs, inspect, load_kinds, place_in_parents
from geodata.quality.rules import RULES
from tests.geodata.quality.planted import BUILDINGS, COMPOUNDS, ROW, bow_tie
from tests.geodata.quality.squares import counts, layer

EMPTY = BUILDINGS.features.iloc[:0]


def test_a_clean_layer_does_not_block() -> None:
    assert not BUILDINGS.inspect().blocks()
    assert not BUILDINGS.inspect().blocks(["gap"])


def test_a_warning_blocks_until_its_kind_is_accepted() -> None:
    report = BUILDINGS.inspect(BUILDINGS.with_value(ROW, "code", "440605011001001099"))
    assert report.warnings == {"code-order": 1}
    assert report.blocks()
    assert report.blocks(["gap"])
    assert not report.blocks(["gap", "code-order"])
    assert not report.blocks(["all"])


def test_an_error_blocks_whatever_is_accepted() -> None:
    report = BUILDINGS.inspect(BUILDINGS.with_shape(ROW, None))
    assert report.blocks(["missing-geometry", "all"])


def test_no_features_give_an_empty_report_of_the_same_columns() -> None:
    empty, full = BUILDINGS.inspect(EMPTY), BUILDINGS.inspect(BUILDINGS.with_shape(ROW, None))
    assert (len(empty.faults), len(empty.repairs)) == (0, 0)
    assert empty.faults.dtypes.equals(full.faults.dtypes)
    assert not empty.blocks()
    assert geojson_text(empty.faults).startswith(b'{"type":"FeatureCollection"')


def test_the_table_has_a_row_a_fault_with_its_place_and_no_geometry() -> None:
    features = BUILDINGS.with_shape(ROW, bow_tie(BUILDINGS, ROW))
    features.loc[features["row"] == 7, "geometry"] = None
    table = BUILDINGS.inspect(features).as_table()
    assert table["fault"].tolist() == ["invalid-geometry", "missing-geometry"]
    assert table["row"].tolist() == [ROW, 7]
    centre = BUILDINGS.shape(ROW).centroid
    assert (table["lon"][0], table["lat"][0]) == pytest.approx((centre.x, centre.y), abs=1e-7)
    assert table[["lon", "lat"]].iloc[1].isna().all()
    assert "geometry" not in table.columns


def test_faults_are_written_as_geojson_with_null_for_what_is_missing() -> None:
    features = BUILDINGS.with_shape(ROW, None)
    written = json.loads(geojson_text(BUILDINGS.inspect(features).faults))
    (feature,) = written["features"]
    assert feature["geometry"] is None
    assert feature["properties"]["row"] == ROW
    assert feature["properties"]["measure"] is None
    assert feature["properties"]["other_row"] is None


def test_repairs_are_applied_to_the_rows_asked_for_and_to_no_other() -> None:
    features = BUILDINGS.with_shape(ROW, bow_tie(BUILDINGS, ROW))
    features = replace(BUILDINGS, features=features).with_shape(9, bow_tie(BUILDINGS, 9))
    report = BUILDINGS.inspect(features)
    assert report.repairs["row"].tolist() == [ROW, 9]
    repaired = apply_repairs(features, report, rows=[9])
    assert repaired.geometry.is_valid.tolist() == [row != ROW for row in features["row"]]
    assert features.geometry.is_valid.sum() == len(features) - 2
    assert apply_repairs(features, report).geometry.is_valid.all()
    assert repaired.drop(columns="geometry").equals(features.drop(columns="geometry"))


def test_the_change_of_area_by_a_repair_is_measured_on_the_ground() -> None:
    report = BUILDINGS.inspect(BUILDINGS.with_shape(ROW, bow_tie(BUILDINGS, ROW)))
    (repair,) = report.repairs.to_dict("records")
    # Drawn, the two halves of a bow-tie cancel out; repaired, they are half of the 400 m².
    assert repair["area_change_m2"] == pytest.approx(200, rel=0.01)
    assert repair["area_change_share"] == pytest.approx(1)
    assert "makes 2 parts of it; a building has one part." in report.faults["reason"].iloc[0]


def test_an_invalid_geometry_without_area_has_no_repair() -> None:
    west, south, east, north = BUILDINGS.shape(ROW).bounds
    spike = shapely.Polygon([(west, south), (east, north), (west, south)])
    report = BUILDINGS.inspect(BUILDINGS.with_shape(ROW, spike))
    assert report.errors == {"invalid-geometry": 1}
    assert len(report.repairs) == 0
    assert report.faults["reason"].iloc[0].endswith("No area is left of it: draw it again.")


def test_stored_siblings_count_unless_the_file_replaces_them() -> None:
    stored = BUILDINGS.features.iloc[:3][["code", "geometry"]]
    moved = affinity.translate(BUILDINGS.shape(1), BUILDINGS.side_lon / 2)
    new = BUILDINGS.features.iloc[:1].assign(code=None).set_geometry([moved], crs=4326)
    report = BUILDINGS.inspect(new, siblings=stored)
    assert report.errors == {"overlap": 1}
    fault = report.faults.iloc[0]
    assert (fault["row"], fault["other_code"]) == (1, "440605011001001001")
    assert pd.isna(fault["other_row"])
    assert "the stored building 440605011001001001" in fault["reason"]
    same = BUILDINGS.inspect(BUILDINGS.features, siblings=stored)
    assert counts(same) == {}
    copy = BUILDINGS.features.iloc[:1].assign(code=None)
    assert BUILDINGS.inspect(copy, siblings=stored).errors == {"duplicate": 1}


def test_stored_siblings_fill_gaps() -> None:
    stairs = layer("stairwells", side_m=10)
    stored = stairs.features.iloc[:4][["code", "geometry"]]
    rest = stairs.features.iloc[4:]
    assert stairs.inspect(rest).warnings == {"gap": 1}
    assert counts(stairs.inspect(rest, siblings=stored)) == {}


def test_compounds_may_leave_gaps() -> None:
    some = COMPOUNDS.features.iloc[::2]
    assert counts(COMPOUNDS.inspect(some)) == {}


def test_without_parents_nothing_is_said_of_them_and_with_no_parent_stored_everything_is() -> None:
    assert counts(BUILDINGS.inspect(parents=None)) == {}
    features = BUILDINGS.features.drop(columns="parent_code")
    report = BUILDINGS.inspect(features, parents=BUILDINGS.parents.iloc[:0])
    assert report.errors == {"no-parent": 18}
    assert report.faults["reason"].iloc[0] == "There is no compound to put it in."


def test_far_from_the_rest_is_far_even_without_parents() -> None:
    features = BUILDINGS.with_shape(ROW, shapely.box(2.3, 48.8, 2.3001, 48.8001))
    report = BUILDINGS.inspect(features, parents=None)
    assert report.errors == {"far-away": 1}
    assert report.faults["reason"].iloc[0].endswith("km from the middle of the layer.")


def test_latitudes_beyond_the_pole_are_swapped_axes_even_without_parents() -> None:
    shapes = shapely.transform(BUILDINGS.features.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    report = BUILDINGS.inspect(BUILDINGS.features.set_geometry(shapes, crs=4326), parents=None)
    assert report.errors == {"swapped-axes": 18}


def test_a_feature_lies_in_the_parent_that_holds_most_of_it() -> None:
    border = BUILDINGS.parents.geometry.iloc[0].bounds[2]
    west, south, _, north = BUILDINGS.shape(ROW).bounds
    shapes: list[BaseGeometry | None] = [
        BUILDINGS.shape(ROW),
        shapely.box(border - 0.4e-4, south, border + 0.6e-4, north),
        shapely.box(border - 0.5e-4, south, border + 0.5e-4, north),
        affinity.translate(BUILDINGS.shape(1), -1),
        None,
        shapely.Point(west, south),
        bow_tie(BUILDINGS, ROW),
    ]
    features = GeoDataFrame(
        geometry=np.array(shapes, dtype=object), index=list("abcdefg"), crs=4326
    )
    placed = place_in_parents(features, BUILDINGS.parents)
    first, second = BUILDINGS.parents["code"]
    assert placed.index.tolist() == list("abcdefg")
    assert placed.isna().tolist() == [False, False, False, True, True, True, False]
    assert placed.dropna().tolist()[:2] == [first, second]
    assert placed["g"] == first


def test_parents_with_whole_numbers_as_codes_are_understood() -> None:
    parents = COMPOUNDS.parents.assign(code=COMPOUNDS.parents["code"].astype("int64"))
    features = COMPOUNDS.features.assign(
        parent_code=COMPOUNDS.features["parent_code"].astype("float64")
    )
    assert counts(COMPOUNDS.inspect(features, parents=parents)) == {}
    placed = place_in_parents(COMPOUNDS.features, parents)
    assert placed.tolist() == COMPOUNDS.features["parent_code"].tolist()


def test_a_parent_that_is_invalid_counts_as_its_repair() -> None:
    west, south, east, north = BUILDINGS.parents.geometry.iloc[0].bounds
    corners = [(west, south), (east, south), (east, north), (west, north)]
    spike = [(west, south), (west - 0.001, south - 0.001)]
    broken = shapely.Polygon([*corners, *spike])
    assert not broken.is_valid
    parents = BUILDINGS.parents.set_geometry([broken, BUILDINGS.parents.geometry[1]], crs=4326)
    assert counts(BUILDINGS.inspect(parents=parents)) == {}


def test_an_unknown_layer_and_a_frame_without_crs_are_refused() -> None:
    with pytest.raises(InvalidParameterError):
        inspect("households", BUILDINGS.features, parents=None, siblings=None)
    nameless = GeoDataFrame({"row": [1]}, geometry=[shapely.box(0, 0, 1, 1)])
    with pytest.raises(UndeclaredCRSError):
        inspect("buildings", nameless, parents=None, siblings=None)
    with pytest.raises(UndeclaredCRSError):
        place_in_parents(nameless, BUILDINGS.parents)


def test_every_kind_has_a_name_and_advice_in_both_languages() -> None:
    kinds = load_kinds()
    for kind in kinds.values():
        for text in (kind.name_zh, kind.name_en, kind.advice_zh, kind.advice_en):
            assert text.strip() == text != ""
        assert any("\u4e00" <= letter <= "\u9fff" for letter in kind.name_zh + kind.advice_zh)
        assert kind.name("zh") == kind.name_zh
        assert kind.advice("en") == kind.advice_en
    assert len({kind.name_zh for kind in kinds.values()}) == len(kinds)
    assert len({kind.name_en for kind in kinds.values()}) == len(kinds)


def test_each_layer_has_rules_that_make_sense_together() -> None:
    for rule in RULES.values():
        assert 0 < rule.sequence_digits < rule.code_digits
        assert rule.least_width_m**2 <= rule.least_area_m2


def test_measures_are_numbers_even_where_there_is_none() -> None:
    report = BUILDINGS.inspect(BUILDINGS.with_shape(ROW, None))
    assert report.faults["measure"].dtype == np.float64
    assert np.isnan(report.faults["measure"].iloc[0])
