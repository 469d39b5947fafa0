"""Which column of a file is which of our fields: guessed by name, shown, corrected, saved.

The synonyms are in columns.yaml beside this module. A guess that could go two ways is an error
that names both: a person decides, and saves the decision as a mapping.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import yaml
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from geodata.errors import (
    AbsentColumnError,
    AmbiguousColumnsError,
    InvalidParameterError,
    MappingError,
    UnmatchedFieldError,
    UnreadableFileError,
)
from geodata.reasons import reason
from geodata.yaml_text import load_yaml

NEEDED: Mapping[str, tuple[str, ...]] = {
    "compounds": ("name",),
    "buildings": ("name",),
    "stairwells": ("name",),
    "households": ("address", "building", "code"),
    "members": ("name",),
}
"""Of each layer the fields of which a file must have one."""

WHOLE_NUMBERS = ("built_year", "levels", "stairwell_count", "household_count")
YES_OR_NO = ("is_demonstration",)

_YES = frozenset({"是", "有", "√", "✓", "yes", "y", "true", "t", "1", "示范"})
_NO = frozenset({"否", "无", "×", "no", "n", "false", "f", "0", "非示范", "不是"})
_LARGEST = 1_000_000

Frame = TypeVar("Frame", DataFrame, GeoDataFrame)


@dataclass(frozen=True)
class ColumnMapping:
    """What the columns of one kind of file mean.

    Attributes
    ----------
    layer
        compounds, buildings, stairwells, households or members.
    columns
        Our field to the file's column, in the order of our fields.
    """

    layer: str
    columns: Mapping[str, str]


@cache
def fields_of(layer: str) -> tuple[str, ...]:
    """Return the names of a layer's fields.

    Raises
    ------
    InvalidParameterError
        There is no such layer.

    Examples
    --------
    >>> fields_of("stairwells")
    ('code', 'building_code', 'name', 'household_count')
    """
    layers = _synonyms()
    if layer not in layers:
        raise InvalidParameterError("layer", layer, f"one of {', '.join(layers)}")
    return tuple(layers[layer])


def guess_columns(names: Sequence[str], *, layer: str) -> ColumnMapping:
    """Find our fields among the columns of a file.

    Parameters
    ----------
    names
        The file's columns, in its order. Width (full, half), case, spaces, underscores, hyphens
        and what stands in brackets make no difference. A column that is named exactly as our
        field is that field, whatever its synonyms name.
    layer
        compounds, buildings, stairwells, households or members.

    Returns
    -------
    ColumnMapping
        Columns that are no field of ours are left out.

    Raises
    ------
    AmbiguousColumnsError
        Two columns could be one field: it names them, and has in ``certain`` what is not in doubt.
    UnmatchedFieldError
        No column is the name (of a household: the address, the building or the code).
    InvalidParameterError
        There is no such layer.

    Examples
    --------
    >>> guess_columns(["网格编号", "小区名称", "备注"], layer="compounds").columns
    {'code': '网格编号', 'name': '小区名称'}
    """
    fields = fields_of(layer)
    field_of = {
        normalised_name(synonym): field
        for field in fields
        for synonym in (*_synonyms()[layer][field], field)
    }
    candidates: dict[str, list[str]] = {field: [] for field in fields}
    for name in names:
        if (field := field_of.get(normalised_name(name))) is not None:
            candidates[field].append(name)
    for field, found in candidates.items():
        if found.count(field) == 1:
            candidates[field] = [field]
    certain = ColumnMapping(
        layer, {field: found[0] for field, found in candidates.items() if len(found) == 1}
    )
    doubts = {field: tuple(found) for field, found in candidates.items() if len(found) > 1}
    if doubts:
        raise AmbiguousColumnsError(layer, doubts, certain.columns)
    _require_a_name(certain, names)
    return certain


def apply_columns(frame: Frame, mapping: ColumnMapping) -> Frame:
    """Give the columns of a file our names.

    Parameters
    ----------
    frame
        As :func:`geodata.files.read_layer` or a register reader gives it, in any CRS.
    mapping
        Which column is which field.

    Returns
    -------
    Frame
        ``row`` if the frame has it, every field of the layer as text without spaces round it
        (None where the file has no such column, or nothing in it), and the geometry, if any, in
        the CRS of ``frame``. Same rows, same index. Values are not judged:
        see :func:`typed_values`.

    Raises
    ------
    AbsentColumnError
        The frame lacks a column that the mapping names.
    UnmatchedFieldError
        The mapping names no column for the name.
    """
    _require_a_name(mapping, list(map(str, frame.columns)))
    missing = tuple(name for name in mapping.columns.values() if name not in frame.columns)
    if missing:
        raise AbsentColumnError(missing, tuple(map(str, frame.columns)))
    named: dict[str, Series] = {"row": frame["row"]} if "row" in frame.columns else {}
    for field in fields_of(mapping.layer):
        column = mapping.columns.get(field)
        named[field] = (
            Series(None, index=frame.index, dtype="str")
            if column is None
            else _trimmed(frame[column])
        )
    if isinstance(frame, GeoDataFrame):
        return GeoDataFrame(named, geometry=frame.geometry, index=frame.index)
    return DataFrame(named, index=frame.index)


def typed_values(frame: Frame) -> tuple[Frame, DataFrame]:
    """Turn the texts of fields that are numbers or yes-or-no into such values.

    Parameters
    ----------
    frame
        As :func:`apply_columns` gives it, with ``row``; any CRS, which stays.

    Returns
    -------
    tuple
        A copy with ``built_year``, ``levels``, ``stairwell_count`` and ``household_count`` as
        Int64 and ``is_demonstration`` as boolean, where it has those, and a frame of what cannot
        be read as that: ``row``, ``field``, ``value``, ``reason``, ``reason_zh``; such values are
        missing in the first. Of a date, ``built_year`` takes the year.
    """
    typed = frame.copy()
    faults = []
    for field in (*WHOLE_NUMBERS, *YES_OR_NO):
        if field not in frame.columns:
            continue
        texts = frame[field]
        if field in WHOLE_NUMBERS:
            numbers = {text: _number(text, field) for text in texts.unique()}
            typed[field] = pd.array([numbers.get(text) for text in texts], dtype="Int64")
            key = "no-whole-number"
        else:
            typed[field] = pd.array([_yes_or_no(text) for text in texts], dtype="boolean")
            key = "neither-yes-nor-no"
        wrong = texts.notna() & typed[field].isna()
        faults += [
            {
                "row": row,
                "field": field,
                "value": text,
                **vars(reason(key, field=field, text=text, most=_LARGEST - 1)),
            }
            for row, text in zip(frame.loc[wrong, "row"], texts[wrong], strict=True)
        ]
    told = DataFrame(faults, columns=["row", "field", "value", "en", "zh"])
    return typed, told.rename(columns={"en": "reason", "zh": "reason_zh"})


def load_columns(path: Path) -> ColumnMapping:
    """Read a mapping that :func:`save_columns` wrote, or a person.

    Raises
    ------
    UnreadableFileError
        There is no such file, or it is not UTF-8.
    MappingError
        It is not YAML, or names a layer or a field that there is not; the sentence says which.
    """
    try:
        rules = load_yaml(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(path, f"the mapping cannot be read ({error}).") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MappingError(path, f"is not YAML ({' '.join(str(error).split())}).") from error
    if not isinstance(rules, dict) or set(rules) != {"layer", "columns"}:
        raise MappingError(path, "needs the keys 'layer' and 'columns', and no others.")
    layer, columns = rules["layer"], rules["columns"]
    if not isinstance(layer, str) or layer not in _synonyms():
        raise MappingError(path, f"layer is {layer!r}, but must be one of {', '.join(NEEDED)}.")
    if not isinstance(columns, dict):
        raise MappingError(path, "columns must be a list of 'field: column'.")
    for field, column in columns.items():
        if field not in fields_of(layer):
            known = ", ".join(fields_of(layer))
            raise MappingError(path, f"{field!r} is no field of {layer}; there are {known}.")
        if not isinstance(column, str):
            raise MappingError(path, f"the column of {field} must be text: put quotes round it.")
    ordered = {field: columns[field] for field in fields_of(layer) if field in columns}
    return ColumnMapping(layer, ordered)


def save_columns(mapping: ColumnMapping, path: Path) -> None:
    """Write a mapping as YAML, UTF-8, for :func:`load_columns`."""
    rules = {"layer": mapping.layer, "columns": dict(mapping.columns)}
    text = yaml.safe_dump(rules, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")


def normalised_name(name: str) -> str:
    """Return what two spellings of one column name have in common.

    Examples
    --------
    >>> normalised_name(" Ｂｕｉｌｔ_Year（年）")
    'builtyear'
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    bare = re.sub(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】", "", text)
    return re.sub(r"[\s_\-.:;,*#、\u200b\ufeff]+", "", bare or text)


@cache
def _synonyms() -> dict[str, dict[str, list[str]]]:
    """Return the synonyms of each field of each layer."""
    text = files("geodata").joinpath("columns.yaml").read_text(encoding="utf-8")
    synonyms: dict[str, dict[str, list[str]]] = load_yaml(text)
    return synonyms


def _require_a_name(mapping: ColumnMapping, present: Sequence[str]) -> None:
    """Refuse a mapping without any of the fields by which people know the thing."""
    needed = NEEDED[mapping.layer]
    if not any(field in mapping.columns for field in needed):
        raise UnmatchedFieldError(mapping.layer, needed, tuple(present))


def _trimmed(column: Series) -> Series:
    """Return a column as text without spaces round it; nothing where nothing is left."""
    texts = column.astype("str").where(column.notna()).str.strip()
    trimmed: Series = texts.where(texts.notna() & (texts != ""), None).astype("str")
    return trimmed


def _number(text: Any, field: str) -> int | None:
    """Return the whole number that a text is, or None."""
    if not isinstance(text, str):
        return None
    plain = unicodedata.normalize("NFKC", text).strip()
    pattern = r"(\d{4})(?:年.*|[-/.]\d.*|\.0*)?" if field == "built_year" else r"(\d+)(?:\.0*)?"
    found = re.fullmatch(pattern + "[年层户个梯]?", plain, flags=re.ASCII)
    return int(found[1]) if found and len(found[1]) < len(str(_LARGEST)) else None


def _yes_or_no(text: Any) -> bool | None:
    """Return what a text says, or None."""
    if not isinstance(text, str):
        return None
    plain = unicodedata.normalize("NFKC", text).strip().casefold().removesuffix(".0")
    return True if plain in _YES else False if plain in _NO else None
