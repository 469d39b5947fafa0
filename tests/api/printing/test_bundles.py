"""The notices of many compounds: a ZIP of PDFs, in steady memory."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO, RawIOBase
from pathlib import Path

import pytest
from pypdf import PdfReader

from api.printing import bundles
from api.printing.bundles import zip_notices
from api.printing.model import Notice, NoticeContact
from api.printing.notices import render_notices
from gridsvc.errors import NothingToPrintError
from tests.api.printing.reading import ISSUED_ON, LEAD, notice


def compound(number: int, count: int, name: str = "试验花园") -> list[Notice]:
    return [
        notice(grid_code=f"440605011016{number:03d}{building:03d}01", compound=name)
        for building in range(1, count + 1)
    ]


def zipped(*compounds: list[Notice]) -> zipfile.ZipFile:
    file = BytesIO()
    zip_notices(compounds, file, paper="A4", language="zh", issued_on=ISSUED_ON)
    return zipfile.ZipFile(file)


def test_each_compound_is_a_file_named_by_code_and_name() -> None:
    archive = zipped(compound(1, 2), compound(2, 1, 'a/b\\c:"d"…\u202e.pdf'), [])
    assert archive.namelist() == [
        "440605011016001 试验花园.pdf",
        "440605011016002 a b c d … pdf.pdf",
    ]
    assert archive.testzip() is None
    pages = [len(PdfReader(BytesIO(archive.read(name))).pages) for name in archive.namelist()]
    assert pages == [2, 1]


def test_a_compound_of_many_stairwells_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "PAGES_A_FILE", 2)
    archive = zipped(compound(1, 5), compound(2, 2))
    assert [len(PdfReader(BytesIO(archive.read(name))).pages) for name in archive.namelist()] == [
        *(2, 2, 1),
        2,
    ]
    assert archive.namelist()[:3] == [f"440605011016001 试验花园-{part}.pdf" for part in (1, 2, 3)]
    last = PdfReader(BytesIO(archive.read(archive.namelist()[2]))).pages[0].extract_text()
    assert "440605 011 016 001 005 01" in last


def test_the_same_notices_give_the_same_zip() -> None:
    files = [BytesIO(), BytesIO()]
    counts = [
        zip_notices([compound(1, 2)], file, paper="A5", language="en", issued_on=ISSUED_ON)
        for file in files
    ]
    assert counts == [2, 2]
    assert files[0].getvalue() == files[1].getvalue()


def test_it_is_written_while_it_is_made_to_a_file_that_only_goes_forward() -> None:
    class Line(RawIOBase):
        def __init__(self) -> None:
            self.sent = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, part: bytes) -> int:  # type: ignore[override]
            self.sent += part
            return len(part)

    line = Line()
    sent_before: list[int] = []

    def one_by_one() -> Iterator[list[Notice]]:
        for number in (1, 2, 3):
            sent_before.append(len(line.sent))
            yield compound(number, 1)

    zip_notices(one_by_one(), line, paper="A4", language="zh", issued_on=ISSUED_ON)  # type: ignore[arg-type]
    assert 0 == sent_before[0] < sent_before[1] < sent_before[2]
    assert len(zipfile.ZipFile(BytesIO(line.sent)).namelist()) == 3


def test_compounds_without_notices_are_an_error() -> None:
    with pytest.raises(NothingToPrintError):
        zipped([], [])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_what_was_set_is_not_remembered() -> None:
    def resident_kb() -> int:
        found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
        assert found
        return int(found[1])

    def print_twenty(start: int) -> None:
        asked = [
            notice(number, contacts=(LEAD, NoticeContact(f"样本{start}{number}")))
            for number in range(20)
        ]
        render_notices(asked, paper="A4", language="zh", issued_on=ISSUED_ON)

    print_twenty(0)
    print_twenty(1)
    before = resident_kb()
    for start in range(2, 6):
        print_twenty(start)
    # 80 pages of 1.4 MB would be more than a hundred.
    assert resident_kb() - before < 40_000
