"""Workbooks of the tests, written part by part, so that any part can be wrong."""

import io
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

HEADER = ("姓名", "角色", "管辖", "登录名", "成员编号")
SHEET = "xl/worksheets/sheet1.xml"


def rows_xml(rows: Sequence[Sequence[object]], *, first: int = 1) -> str:
    """Return rows as Excel writes them: numbers as numbers, text inline, nothing for None."""
    return "".join(
        f'<row r="{number}">'
        + "".join(_cell(f"{_LETTERS[at]}{number}", value) for at, value in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, start=first)
    )


def _cell(reference: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return f'<c r="{reference}"><v>{value}</v></c>'
    return f'<c r="{reference}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def sheet_xml(rows: str) -> str:
    return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def parts(rows: str) -> dict[str, str]:
    """Return the parts of a workbook with one sheet."""
    return {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship'
        f' Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="名单" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/theme/theme1.xml": f'{_HEAD}<a:fillToRect l="50000" r="99999999"/>',
        SHEET: sheet_xml(rows),
    }


def packed(members: Mapping[str, str | bytes]) -> bytes:
    """Return the archive of some parts."""
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return content.getvalue()


def workbook(*rows: Sequence[object]) -> bytes:
    """Return an .xlsx of one sheet."""
    return packed(parts(rows_xml(rows)))
