"""Incident files: real ones whole, and small ones with one fault each."""

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shapely
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.errors import GeodataError, MappingError, MissingColumnError, UnreadableFileError
from geodata.incidents import (
    IncidentMapping,
    IncidentTable,
    load_mapping,
    read_incidents,
    write_rejects,
)
from geodata.offsets import gcj02_from_wgs84

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
REAL = ROOT.parent / "shared" / "data" / "incidents"

needs_real_files = pytest.mark.skipif(
    not REAL.is_dir(), reason="the incident files of ../shared/data/incidents are absent"
)

HEADER = "number,lon,lat,when,done,kind,address"


def mapping(**changes: Any) -> IncidentMapping:
    """Return a mapping of the small files; a change replaces a whole key."""
    rules: dict[str, Any] = {
        "source": "test",
        "columns": {
            "id": "number",
            "lon": "lon",
            "lat": "lat",
            "reported_at": "when",
            "closed_at": "done",
            "category": "kind",
        },
        "time": {"format": "%Y-%m-%d %H:%M", "timezone": "Asia/Shanghai"},
        "crs": "EPSG:4326",
        "placeholders": [[113, 23]],
        "bounds": [113.0, 22.9, 113.3, 23.2],
        "categories": {"exact": {"rubbish": "sanitation"}, "prefix": {"car": "parking"}},
    }
    return IncidentMapping.model_validate({**rules, **changes})


def read(folder: Path, *rows: str, header: str = HEADER, **changes: Any) -> IncidentTable:
    path = folder / "incidents.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return read_incidents(path, mapping(**changes))


@needs_real_files
def test_baltimore_is_read_whole_and_every_row_is_accounted_for() -> None:
    table = read_incidents(REAL / "baltimore_311.csv", load_mapping(FIXTURES / "baltimore.yaml"))
    assert table.row_count == 10_000
    assert table.reject_counts() == {"placeholder": 885, "no-coordinates": 590}
    assert len(table.incidents) == 10_000 - 885 - 590
    raw = pd.read_csv(REAL / "baltimore_311.csv", dtype="str", keep_default_na=False)
    rejected = raw.iloc[table.rejects["row"] - 1]
    assert rejected["SRRecordID"].tolist() == table.rejects["source_id"].tolist()
    assert set(rejected["Latitude"]) == {"", "39"}
    assert set(table.incidents["summary"]) <= set(raw["SRType"])
    closed = raw.set_index("SRRecordID").loc[table.incidents["source_id"], "CloseDate"] != ""
    assert (closed.to_numpy() == table.incidents["closed_at"].notna()).all()


@needs_real_files
def test_a_second_reading_changes_nothing() -> None:
    rules = load_mapping(FIXTURES / "montgomery.yaml")
    first = read_incidents(REAL / "montgomery_pa_911.csv", rules)
    second = read_incidents(REAL / "montgomery_pa_911.csv", rules)
    assert len(first.incidents) == 3051
    assert first.incidents["id"].is_unique
    pd.testing.assert_frame_equal(first.incidents, second.incidents)


@needs_real_files
def test_a_quarter_of_a_million_rows_are_read() -> None:
    rules = load_mapping(FIXTURES / "toronto.yaml")
    stages: list[str] = []
    table = read_incidents(
        REAL / "toronto_mci.csv.gz",
        rules,
        progress=lambda stage, _done, _total: stages.append(stage),
    )
    assert len(table.incidents) == 240_992
    assert table.incidents["id"].is_unique
    assert table.incidents["reported_at"].notna().all()
    assert list(dict.fromkeys(stages)) == ["read", "places", "categories", "times", "identities"]


def test_a_row_becomes_an_incident(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "7,113.15,23.03,2026-11-22 20:00,2026-11-23 08:30,rubbish,翠颐 12栋",
        "8,113.16,23.04,2026-11-22 20:00,,car on the lawn,",
    )
    first, second = table.incidents.to_dict("records")
    assert first["category_code"] == "sanitation"
    assert first["status"] == "closed"
    assert first["reported_at"] == pd.Timestamp("2026-11-22 12:00", tz="UTC")
    assert first["closed_at"] == pd.Timestamp("2026-11-23 00:30", tz="UTC")
    assert first["geometry"].equals(shapely.Point(113.15, 23.03))
    assert first["id"] == "27ad311d-0456-55f7-9ceb-ffa158c85ac0"
    assert second["category_code"] == "parking"
    assert second["status"] == "reported"
    assert second["closed_at"] is pd.NaT
    assert table.rejects.empty


def test_no_address_and_no_other_column_gets_in(tmp_path: Path) -> None:
    table = read(tmp_path, "7,113.15,23.03,2026-11-22 20:00,,rubbish,翠颐 12栋 张三 13812345678")
    assert "138" not in table.incidents.drop(columns="id").to_csv()


@pytest.mark.parametrize(
    ("row", "reason", "word"),
    [
        (",113.15,23.03,2026-11-22 20:00,,rubbish,", "no-id", "empty"),
        ("7,,23.03,2026-11-22 20:00,,rubbish,", "no-coordinates", "no position"),
        ("7,NULL,n/a,2026-11-22 20:00,,rubbish,", "no-coordinates", "no position"),
        ("7,113°15,23.03,2026-11-22 20:00,,rubbish,", "unparsable-coordinate", "113°15"),
        ("7,inf,23.03,2026-11-22 20:00,,rubbish,", "unparsable-coordinate", "inf"),
        ("7,113,23,2026-11-22 20:00,,rubbish,", "placeholder", "113, 23"),
        ("7,0,0.0,2026-11-22 20:00,,rubbish,", "placeholder", "unknown"),
        ("7,23.03,113.15,2026-11-22 20:00,,rubbish,", "swapped-axes", "exchanged"),
        ("7,113.15,230.3,2026-11-22 20:00,,rubbish,", "out-of-range", "Earth"),
        ("7,114.15,23.03,2026-11-22 20:00,,rubbish,", "outside-bounds", "114.15"),
        ("7,113.15,23.03,2026-11-22 20:00,,ghosts,", "unknown-category", "ghosts"),
        ("7,113.15,23.03,22.11.2026,,rubbish,", "unparsable-date", "22.11.2026"),
        ("7,113.15,23.03,,,rubbish,", "unparsable-date", "''"),
        ("7,113.15,23.03,2026-11-22 20:00,soon,rubbish,", "unparsable-date", "soon"),
        (
            "7,113.15,23.03,2026-11-22 20:00,2026-11-21 20:00,rubbish,",
            "closed-before-reported",
            "before",
        ),
    ],
)
def test_a_fault_is_named_and_the_next_row_is_read(
    tmp_path: Path, row: str, reason: str, word: str
) -> None:
    table = read(tmp_path, row, "9,113.15,23.03,2026-11-22 20:00,,rubbish,")
    assert table.incidents["source_id"].tolist() == ["9"]
    (reject,) = table.rejects.to_dict("records")
    assert (reject["row"], reject["reason"]) == (1, reason)
    assert word in reject["sentence"]


def test_the_first_good_row_of_an_id_is_kept(tmp_path: Path) -> None:
    good = "113.15,23.03,2026-11-22 20:00,,rubbish,"
    table = read(tmp_path, "7,,,2026-11-22 20:00,,rubbish,", f"7,{good}", f"7,{good}", f"8,{good}")
    assert table.incidents["source_id"].tolist() == ["7", "8"]
    assert table.rejects["reason"].tolist() == ["no-coordinates", "duplicate-id"]
    assert table.rejects["row"].tolist() == [1, 3]


def test_rows_without_ids_that_are_the_same_stay_apart(tmp_path: Path) -> None:
    columns = {"lon": "lon", "lat": "lat", "reported_at": "when", "category": "kind"}
    row = "7,113.15,23.03,2026-11-22 20:00,,rubbish,"
    once = read(tmp_path, row, columns=columns)
    twice = read(tmp_path, row, row, columns=columns)
    assert twice.incidents["id"].is_unique
    assert twice.incidents["id"].iloc[0] == once.incidents["id"].iloc[0]


def test_the_longest_prefix_decides_and_the_default_takes_the_rest() -> None:
    rules = mapping(
        categories={
            "exact": {"car": "lift"},
            "prefix": {"ca": "safety", "car ": "parking"},
            "default": "sanitation",
        }
    ).categories
    assert [rules.code_of(text) for text in ("car", "car x", "cat", "dog")] == [
        "lift",
        "parking",
        "safety",
        "sanitation",
    ]


def test_declared_gcj02_is_moved_and_projected_metres_are_transformed(tmp_path: Path) -> None:
    lon, lat = gcj02_from_wgs84(lon=113.15, lat=23.03)
    row = f"7,{float(lon[0])},{float(lat[0])},2026-11-22 20:00,,rubbish,"
    shifted = read(tmp_path, row, crs="gcj02")
    assert shifted.incidents.geometry.iloc[0].distance(shapely.Point(113.15, 23.03)) < 1e-8
    metres = read(
        tmp_path, "7,412895.3,2547906.1,2026-11-22 20:00,,rubbish,", crs="EPSG:4547"
    ).incidents.to_crs(4547)
    assert metres.geometry.iloc[0].distance(shapely.Point(412895.3, 2547906.1)) < 1e-3


def test_clock_changes_and_offsets_are_understood(tmp_path: Path) -> None:
    spring = read(
        tmp_path,
        "7,113.15,23.03,2018-03-11 02:30,,rubbish,",
        "8,113.15,23.03,2018-11-04 01:30,,rubbish,",
        time={"format": "%Y-%m-%d %H:%M", "timezone": "America/New_York"},
    )
    assert [str(time) for time in spring.incidents["reported_at"]] == [
        "2018-03-11 07:00:00+00:00",
        "2018-11-04 06:30:00+00:00",
    ]
    offsets = read(
        tmp_path,
        "7,113.15,23.03,2018-03-11T02:30:00+08:00,,rubbish,",
        "8,113.15,23.03,2018-03-11T02:30:00Z,,rubbish,",
        "9,113.15,23.03,2018-03-11T02:30:00,,rubbish,",
        time={"format": "ISO8601", "timezone": "offset"},
    )
    assert offsets.incidents["reported_at"].dt.hour.tolist() == [18, 2]
    assert offsets.rejects["reason"].tolist() == ["unparsable-date"]


def test_status_words_decide_where_there_are_any(tmp_path: Path) -> None:
    columns = mapping().columns.model_dump() | {"status": "address"}
    table = read(
        tmp_path,
        "7,113.15,23.03,2026-11-22 20:00,2026-11-23 08:30,rubbish,done",
        "8,113.15,23.03,2026-11-22 20:00,2026-11-23 08:30,rubbish,open",
        columns=columns,
        closed_statuses=["done"],
    )
    assert table.incidents["status"].tolist() == ["closed", "reported"]
    assert table.incidents["closed_at"].notna().tolist() == [True, False]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_are_declared(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "file.csv"
    text = "编号,lon,lat,when,kind\n甲,113.15,23.03,2026-11-22 20:00,垃圾\n"
    path.write_bytes(text.encode(encoding))
    columns = {"id": "编号", "lon": "lon", "lat": "lat", "reported_at": "when", "category": "kind"}
    rules = mapping(
        columns=columns, categories={"exact": {"垃圾": "sanitation"}}, encoding=encoding
    )
    assert read_incidents(path, rules).incidents["source_id"].tolist() == ["甲"]


def test_geojson_points_are_positions_and_other_shapes_are_none(tmp_path: Path) -> None:
    path = tmp_path / "file.geojson"
    path.write_text(
        """{"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [113.15, 23.03]},
         "properties": {"number": 7, "when": "2026/11/22 20:00", "kind": "rubbish"}},
        {"type": "Feature", "geometry": null,
         "properties": {"number": null, "when": "2026/11/22 20:00", "kind": "rubbish"}},
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
         "properties": {"number": 9, "when": "2026/11/22 20:00", "kind": "rubbish"}}]}""",
        encoding="utf-8",
    )
    rules = mapping(
        format="geojson",
        columns={"id": "number", "reported_at": "when", "category": "kind"},
        time={"format": "%Y/%m/%d %H:%M", "timezone": "Asia/Shanghai"},
    )
    table = read_incidents(path, rules)
    assert table.incidents["source_id"].tolist() == ["7"]
    assert table.rejects["reason"].tolist() == ["no-id", "no-coordinates"]
    with pytest.raises(MissingColumnError, match="'when', 'kind'"):
        read_incidents(path, rules.model_copy(update={"columns": mapping().columns}))


XLSX = b"PK\x03\x04\x14\x00\x06\x00"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (HEADER.encode(), "no rows"),
        (HEADER.encode() + b"\n", "no rows"),
        (XLSX, "Excel"),
        (b"\x7fELF\x00\x00\x00", "not text"),
        ((HEADER + "\n7,1,2,3,4,垃圾,6\n").encode("gb18030"), "gb18030"),
        ((HEADER + "\n7,1,2,3,4,5,6\n7,1,2,3,4,5,6,7,8\n").encode(), "line 3 has 9 fields"),
        ((HEADER + "\n7,1,2,3,4,5,6,extra\n").encode(), "CSV"),
        (gzip.compress(HEADER.encode() * 90, mtime=0)[:40], "gzip"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_refused(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=sentence) as caught:
        read_incidents(path, mapping())
    assert str(caught.value).startswith("file.csv: ")


@pytest.mark.parametrize("content", [b"", b"{", b"a,b\n1,2\n", b'{"type": "FeatureCollection"}'])
def test_what_is_no_geojson_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.geojson"
    path.write_bytes(content)
    with pytest.raises(GeodataError, match=r"file\.geojson"):
        read_incidents(path, mapping(format="geojson"))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no such file"):
        read_incidents(tmp_path / "absent.csv", mapping())


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(
        MissingColumnError, match="no column 'kind'; it has 'number', 'lon'"
    ) as caught:
        read(tmp_path, "7,1,2,3,4", header="number,lon,lat,when,done")
    assert caught.value.missing == ("kind",)


def test_rejects_are_written_for_a_spreadsheet(tmp_path: Path) -> None:
    table = read(tmp_path, "=1+1,,,2026-11-22 20:00,,rubbish,", "乙,1,2,3,4,5,6")
    path = tmp_path / "rejects.csv"
    write_rejects(table.rejects, path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    back = pd.read_csv(path, dtype="str")
    assert back["source_id"].tolist() == ["'=1+1", "乙"]
    assert back["row"].tolist() == ["1", "2"]
    assert list(tmp_path.glob("*.part")) == []


values = st.sampled_from(["", "113.1", "23.1", "0", "x", "1e9"])
kinds = st.sampled_from(["rubbish", "car", "", "ghosts"])
times = st.sampled_from(["2026-11-22 20:00", "2026-11-23 20:00", "", "x"])
lines = st.tuples(st.sampled_from("123456789"), values, values, times, times, kinds)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(lines, min_size=1, max_size=20))
def test_every_row_is_an_incident_or_a_reject(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    table = read(tmp_path, *(",".join((*row, "")) for row in rows))
    assert len(table.incidents) + len(table.rejects) == table.row_count == len(rows)
    assert table.incidents["source_id"].is_unique
    assert table.incidents.notna().drop(columns="closed_at").all(axis=None)
    assert table.rejects.notna().all(axis=None)


def test_the_documented_example_is_a_mapping() -> None:
    example = load_mapping(ROOT / "docs" / "mappings" / "example.yaml")
    assert example.crs == "gcj02"
    assert example.columns.reported_at == ("受理日期", "受理时间")
    assert example.categories.code_of("邻里纠纷-噪音扰民") == "neighbour_dispute.noise"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"crs": "EPSG:99999"}, "crs"),
        ({"crs": None}, "crs"),
        ({"colour": "red"}, "colour"),
        ({"encoding": "morse"}, "morse"),
        ({"bounds": [2, 1, 1, 2]}, "bounds"),
        ({"time": {"format": "%Y", "timezone": "Mars/Olympus"}}, "Mars/Olympus"),
        ({"time": {"format": "%Y", "timezone": "offset"}}, "%z"),
        ({"categories": {"default": "ghosts"}}, "ghosts"),
        ({"columns": {"reported_at": "a", "category": "b", "summary": "c"}}, "free text"),
        ({"columns": {"reported_at": "a", "category": "b"}}, "lon"),
    ],
)
def test_a_mapping_that_breaks_a_rule_says_which(
    tmp_path: Path, change: dict[str, Any], word: str
) -> None:
    rules = yaml.safe_load((FIXTURES / "montgomery.yaml").read_text(encoding="utf-8")) | change
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")
    with pytest.raises(MappingError, match=word) as caught:
        load_mapping(path)
    assert str(caught.value).startswith("mapping.yaml: ")


@pytest.mark.parametrize("text", ["", "just words", "a: [", "- 1"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError, match=r"mapping\.yaml"):
        load_mapping(path)


def test_an_absent_mapping_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"absent\.yaml"):
        load_mapping(tmp_path / "absent.yaml")
