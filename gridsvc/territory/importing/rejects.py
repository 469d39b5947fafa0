"""The rows that did not go in, with the reason: a table that a person can mend in Excel."""

import io

import pandas as pd
from pandas import DataFrame, Series

from gridsvc.territory.importing.source import fields_of_rows

_FORMULA = r"^(?=[=+\-@\t\r])"


def rejects_table(rejected: DataFrame, staged: DataFrame) -> DataFrame:
    """Return the rejected rows with what the file says in them, by row.

    Parameters
    ----------
    rejected
        ``row``, ``code``, ``reason``.
    staged
        ``row``, ``fields`` (mapping, or JSON text).

    Returns
    -------
    DataFrame
        ``row``, ``code``, ``reason``, and the fields.
    """
    own = staged[staged["row"].isin(rejected["row"])]
    fields = fields_of_rows(own).set_axis(own["row"].astype("int64"))
    joined = rejected.merge(fields, left_on="row", right_index=True, how="left")
    return joined.sort_values("row", kind="stable", ignore_index=True)


def rejects_csv(table: DataFrame) -> bytes:
    """Return the table as CSV: UTF-8 with a byte order mark, so that spreadsheets show Chinese.

    A text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    safe = table.apply(_without_formulas)
    written = io.StringIO()
    safe.to_csv(written, index=False, lineterminator="\r\n")
    return written.getvalue().encode("utf-8-sig")


def _without_formulas(column: Series) -> Series:
    if pd.api.types.is_numeric_dtype(column):
        return column
    texts = column.astype(object).where(column.notna(), None)
    is_text = texts.map(lambda value: isinstance(value, str))
    safe = texts.copy()
    safe[is_text] = texts[is_text].astype("str").str.replace(_FORMULA, "'", regex=True)
    return safe
