"""The notices of many compounds as one ZIP: a PDF each, as they are carried to the doors."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import BinaryIO

from api.printing.document import Paper
from api.printing.model import Notice
from api.printing.notices import render_notices
from api.printing.words import printable
from geodata.codes import COMPOUND_DIGITS
from gridsvc.errors import NothingToPrintError
from maps.words import Language

PAGES_A_FILE = 100
"""Pages of one PDF: setting them takes about 1.4 MB each, and a printer's tray holds no more."""

_NAME_LENGTH = 40


def zip_notices(
    compounds: Iterable[Sequence[Notice]],
    file: BinaryIO,
    *,
    paper: Paper,
    language: Language,
    issued_on: date,
) -> int:
    """Write a ZIP of PDFs named by compound code and name; a long one comes in numbered parts.

    Memory is that of one PDF, whatever the number of compounds, where ``compounds`` makes them
    one by one. The same notices give the same bytes.

    Parameters
    ----------
    compounds
        The notices of each compound, in the order in which they are to be printed; those without
        any are passed over.
    file
        Where to write; it need not be able to go back.

    Returns
    -------
    int
        Number of notices written.

    Raises
    ------
    NothingToPrintError
        No compound has a notice; the file then holds an empty ZIP.
    """
    count = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for notices in compounds:
            for name, part in _parts(notices):
                made = render_notices(part, paper=paper, language=language, issued_on=issued_on)
                day = (issued_on.year, issued_on.month, issued_on.day, 0, 0, 0)
                archive.writestr(zipfile.ZipInfo(name, day), made)
                count += len(part)
    if count == 0:
        raise NothingToPrintError
    return count


def _parts(notices: Sequence[Notice]) -> Iterator[tuple[str, Sequence[Notice]]]:
    """Yield the files of a compound: name and notices."""
    for start in range(0, len(notices), PAGES_A_FILE):
        number = f"-{start // PAGES_A_FILE + 1}" if len(notices) > PAGES_A_FILE else ""
        yield f"{_file_name(notices[0])}{number}.pdf", notices[start : start + PAGES_A_FILE]


def _file_name(notice: Notice) -> str:
    """Return code and name of a compound, without what file systems refuse."""
    name = re.sub(r'[\\/:*?"<>|.]+', " ", printable(notice.compound, at_most=_NAME_LENGTH))
    return f"{notice.grid_code[:COMPOUND_DIGITS]} {' '.join(name.split())}".rstrip()
