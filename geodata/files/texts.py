"""Values of columns as text, exactly as they stand in the file, or an error."""

import codecs
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas import Series

from geodata.errors import (
    FileEncodingError,
    FileLimitError,
    InvalidParameterError,
    LostDigitsError,
    UnreadableFileError,
)
from geodata.files.limits import FileLimits

# The whole numbers from which a float holds only every other one: 2 to the bits of its mantissa.
_EXACT_BELOW = {16: 2**11, 32: 2**24, 64: 2**53}
# More digits than this no code has: a huge number is a placeholder, or a measure.
_LONGEST_CODE = 1e21
_INT64 = np.iinfo(np.int64)


def text_column(
    values: pa.Array, *, name: str, first_row: int, path: Path, limits: FileLimits
) -> list[str | None]:
    """Return the values of a column of any type as text.

    Parameters
    ----------
    values
        Shape (n,). Whole numbers have no point in their text, instants are ISO 8601, lists JSON.
    name, first_row, path
        For the sentences of errors.
    limits
        How long a value may be.

    Returns
    -------
    list
        Length n; None where there is no value.

    Raises
    ------
    LostDigitsError
        A whole number is too large for its type to be exact.
    FileLimitError
        A value is too long.
    FileEncodingError
        A text is not UTF-8.
    """
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if pa.types.is_floating(values.type):
        texts = _float_texts(values, name, first_row, path)
    elif pa.types.is_integer(values.type):
        texts = _integer_texts(values, name, first_row, path)
    elif _is_text(values.type):
        _check_lengths(values, name, first_row, path, limits)
        texts = _strings(values, name, first_row, path)
    else:
        texts = [_plain(value) for value in values.to_pylist()]
    longest = max((len(text) for text in texts if text is not None), default=0)
    if longest > limits.text_characters:
        row = first_row + next(
            place for place, text in enumerate(texts) if text is not None and len(text) == longest
        )
        raise _too_long(path, row, name, limits)
    return texts


def text_series(texts: Sequence[str | None]) -> Series:
    """Return texts as a column; None stays missing."""
    return Series(texts, dtype="str")


def unique_names(names: Iterable[str], *, notes: list[str]) -> list[str]:
    """Return column names of which none stands twice, nor is called as a column of ours.

    A name that stands before gets a number in brackets, which a guess of columns does not see: so
    it finds both, and says so.
    """
    taken: set[str] = set()
    unique = []
    for place, name in enumerate(names, start=1):
        plain = name.strip() or f"column {place}"
        new, number = plain, 2
        while new in taken or new in ("row", "geometry"):
            new, number = f"{plain} ({number})", number + 1
        if new != plain:
            notes.append(f"The column {plain!r} is called {new!r} here: the name was taken.")
        taken.add(new)
        unique.append(new)
    return unique


def known_encoding(encoding: str) -> str:
    """Return Python's name of an encoding that a person or a .cpg file named.

    Raises
    ------
    InvalidParameterError
        There is no such encoding of text.

    Examples
    --------
    >>> known_encoding("CP936"), known_encoding("65001"), known_encoding("UTF-8")
    ('gbk', 'utf-8', 'utf-8')
    """
    plain = encoding.strip().casefold()
    pages = {"65001": "utf-8", "936": "gbk", "54936": "gb18030", "oem 936": "gbk"}
    digits = plain.removeprefix("ansi").strip(" _-")
    try:
        found = codecs.lookup(pages.get(plain) or pages.get(digits) or plain)
        "桂".encode(found.name, errors="replace").decode(found.name)
    except (LookupError, ValueError, TypeError) as error:
        rule = "an encoding of text, such as UTF-8, GB18030 or GBK"
        raise InvalidParameterError("encoding", encoding, rule) from error
    return found.name


def refuse_encoding(path: Path, encoding: str | None, reason: str) -> None:
    """Refuse a declared encoding where the format has its own.

    Raises
    ------
    InvalidParameterError
        There is no such encoding.
    FileEncodingError
        It is not UTF-8.
    """
    if encoding is not None and known_encoding(encoding) not in ("utf-8", "utf-8-sig"):
        raise FileEncodingError(path, f"{encoding} was declared, but {reason}.")


def read_utf8(path: Path, *, what: str) -> bytes:
    """Return the bytes of a file whose format demands UTF-8.

    Raises
    ------
    FileEncodingError
        It is in another encoding.
    """
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        raise FileEncodingError(path, f"is no text in UTF-8, but {what} is: save it as UTF-8.")
    try:
        codecs.utf_8_decode(content, "strict", True)
    except UnicodeDecodeError as error:
        raise FileEncodingError(
            path, f"is not in UTF-8, but {what} is ({error.reason}): save it as UTF-8."
        ) from error
    return content


def lost_utf8(path: Path, error: Exception) -> FileEncodingError:
    """Return the error of a text inside a binary file that is not UTF-8."""
    return FileEncodingError(path, f"holds text that is not UTF-8 ({error}): write it again.")


def _is_text(kind: pa.DataType) -> bool:
    """Say whether values are text, plain or by a dictionary."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _check_lengths(
    values: pa.Array, name: str, first_row: int, path: Path, limits: FileLimits
) -> None:
    """Refuse texts that are too long before they are copied; a character has up to four bytes."""
    dictionary = values.dictionary if isinstance(values, pa.DictionaryArray) else values
    longest = pc.max(pc.binary_length(dictionary)).as_py() or 0
    if longest > 4 * limits.text_characters:
        place = 0
        if dictionary is values:
            place = pc.index(pc.binary_length(values), longest).as_py()
        raise _too_long(path, first_row + place, name, limits)


def _strings(values: pa.Array, name: str, first_row: int, path: Path) -> list[str | None]:
    try:
        texts: list[str | None] = values.to_pylist()
    except UnicodeDecodeError as error:
        last_row = first_row + len(values) - 1
        raise FileEncodingError(
            path,
            f"the column {name!r} holds text that is not UTF-8 (rows {first_row} to {last_row}).",
        ) from error
    return texts


def _float_texts(values: pa.Array, name: str, first_row: int, path: Path) -> list[str | None]:
    limit = _EXACT_BELOW[values.type.bit_width]
    texts: list[str | None] = []
    for row, number in enumerate(values.to_pylist(), start=first_row):
        if number is None or np.isnan(number):
            texts.append(None)
        elif not np.isfinite(number) or not number.is_integer() or abs(number) >= _LONGEST_CODE:
            texts.append(repr(number))
        elif abs(number) >= limit:
            raise LostDigitsError(path, row, name, number)
        else:
            texts.append(str(int(number)))
    return texts


def _integer_texts(values: pa.Array, name: str, first_row: int, path: Path) -> list[str | None]:
    numbers = values.to_pylist()
    # GDAL puts the largest number that it has in the place of larger ones.
    for row, number in enumerate(numbers, start=first_row):
        if number in (_INT64.min, _INT64.max):
            raise LostDigitsError(path, row, name, float(number))
    return [None if number is None else str(number) for number in numbers]


def _plain(value: Any) -> str | None:
    """Return a value of a type that is rare in such files."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _too_long(path: Path, row: int, name: str, limits: FileLimits) -> FileLimitError:
    return FileLimitError(
        path,
        f"row {row} has a text of more than {limits.text_characters:,} characters in {name!r}",
    )


def first_line(error: BaseException) -> str:
    """Return what a library says, in one line, without the folders of this machine."""
    text = " ".join(str(error).split()) or type(error).__name__
    words = [word if "/" not in word.strip("'\"") else Path(word).name for word in text.split(" ")]
    return " ".join(words)[:300].rstrip(". ")


def unreadable(path: Path, format_name: str, error: Exception) -> UnreadableFileError:
    """Return the error of a file that its reader gave up."""
    return UnreadableFileError(
        path, f"is not {format_name} that can be read ({first_line(error)})."
    )
