"""XLSX for people: codes as text, days as days, a point of each row, no geometry."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from geodata.errors import TooManyRowsError, UnwritableFileError
from geodata.writers.layers import CHINA_TIME, Batches, Kind, Layer, layer_name, shapes_of
from geodata.writers.target import TargetCRS

MAX_ROWS = 1_048_575
"""Rows of a sheet of Excel, less the header."""

_WIDTHS: dict[Kind, int] = {
    "area_code": 15,
    "code": 23,
    "text": 18,
    "integer": 12,
    "flag": 10,
    "date": 12,
    "instant": 18,
}
_FORMATS: dict[Kind, str] = {"date": "yyyy-mm-dd", "instant": "yyyy-mm-dd hh:mm:ss"}
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_workbook(path: Path, layer: Layer, batches: Batches, *, target: TargetCRS) -> None:
    """Write an XLSX of two sheets: the rows under a frozen header, and notes.

    Parameters
    ----------
    batches
        Rows of ``layer.schema``; geometry in EPSG:4326. The last two columns are a point inside
        it as ``target`` says: ``lon``, ``lat``, or such as ``x_epsg4547``, ``lon_gcj02``.

    Raises
    ------
    TooManyRowsError
        A sheet has no room for them.
    """
    with _opened(path) as workbook:
        sheet = workbook.add_worksheet(layer_name(layer, target)[:31])
        formats = {kind: workbook.add_format({"num_format": as_}) for kind, as_ in _FORMATS.items()}
        bold = workbook.add_format({"bold": True})
        names = [*(field.name for field in layer.fields), *_axes(target)]
        sheet.freeze_panes(1, 0)
        for column, field in enumerate(layer.fields):
            sheet.set_column(column, column, _WIDTHS[field.kind])
        sheet.set_column(len(layer.fields), len(names) - 1, 14)
        sheet.write_row(0, 0, names, bold)
        number = 0
        for batch in batches:
            for record in _records(layer, batch, target):
                number += 1
                if number > MAX_ROWS:
                    raise TooManyRowsError("XLSX", MAX_ROWS)
                _write_row(sheet, number, layer, record, formats)
        _write_notes(workbook.add_worksheet("说明 notes"), target)


@contextmanager
def _opened(path: Path) -> Iterator[xlsxwriter.Workbook]:
    """Give a workbook whose rows wait beside it; after an error it is left unfinished."""
    workbook = xlsxwriter.Workbook(path, _OPTIONS | {"tmpdir": str(path.parent)})
    try:
        yield workbook
        workbook.close()
    except (XlsxWriterException, OSError) as error:
        raise UnwritableFileError(path, str(error)) from error
    finally:
        workbook.fileclosed = True  # else it warns that it was not closed
        for sheet in workbook.worksheets():
            sheet.row_data_fh.close()


def _axes(target: TargetCRS) -> tuple[str, str]:
    if target.is_stored:
        return "lon", "lat"
    first, second = ("lon", "lat") if target.is_angular else ("x", "y")
    return f"{first}_{target.word}", f"{second}_{target.word}"


def _records(layer: Layer, batch: pa.RecordBatch, target: TargetCRS) -> Iterator[tuple[Any, ...]]:
    """Yield the values of each row, then its point."""
    points = target.apply(shapely.point_on_surface(shapes_of(batch)))
    columns = [batch.column(field.name).to_pylist() for field in layer.fields]
    x = shapely.get_x(points).round(target.decimals).tolist()
    y = shapely.get_y(points).round(target.decimals).tolist()
    yield from zip(*columns, x, y, strict=True)


def _write_row(
    sheet: Worksheet,
    number: int,
    layer: Layer,
    record: tuple[Any, ...],
    formats: dict[Kind, Format],
) -> None:
    for column, (field, value) in enumerate(zip(layer.fields, record[:-2], strict=True)):
        if value is None:
            continue
        if field.kind in formats:
            sheet.write_datetime(number, column, _local(value, field.kind), formats[field.kind])
        else:
            _WRITE[field.kind](sheet, number, column, value)
    for column, value in enumerate(record[-2:], start=len(layer.fields)):
        sheet.write_number(number, column, value)


def _local(value: Any, kind: Kind) -> Any:
    return value.astimezone(CHINA_TIME).replace(tzinfo=None) if kind == "instant" else value


def _text(sheet: Worksheet, row: int, column: int, value: object) -> None:
    sheet.write_string(row, column, str(value))


_WRITE: dict[Kind, Callable[[Worksheet, int, int, Any], Any]] = {
    "area_code": _text,
    "code": _text,
    "text": _text,
    "integer": Worksheet.write_number,
    "flag": Worksheet.write_boolean,
}


def _write_notes(sheet: Worksheet, target: TargetCRS) -> None:
    sheet.set_column(0, 0, 110)
    notes = (
        target.note,
        "末两列为要素内一点的坐标。 The last two columns are a point inside each row's outline.",
        "编码为文本；时间为北京时间。 Codes are text; times are those of China (UTC+8).",
        "空白的户数因过小而不公布。 An empty count is withheld: too small, or it would tell one.",
    )
    for row, note in enumerate(notes):
        sheet.write_string(row, 0, note)
