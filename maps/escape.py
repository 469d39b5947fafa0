"""How text of users gets into a page: as JSON in a script, or as text in HTML, never as markup.

branca renders an element's text twice, the second time as a Jinja template of its own, so a
compound named ``{{7*7}}`` would be computed on the server. Both functions therefore also break
up Jinja's opening marks.
"""

import html
import json
import re

# In JSON a structural brace is never followed by one of these: only text is touched.
_JINJA_OPENING = re.compile(r"\{(?=[{%#])")

_SCRIPT_ESCAPES = str.maketrans(
    {
        "<": "\\u003c",
        ">": "\\u003e",
        "&": "\\u0026",
        "'": "\\u0027",
    }
)


def script_json(value: object) -> str:
    r"""Write a value as JSON that is safe inside a script of a page that branca renders.

    Parameters
    ----------
    value
        What ``json`` can write; NaN and infinity cannot.

    Returns
    -------
    str
        ASCII, one line; reads back as the same value.

    Raises
    ------
    ValueError
        A number is NaN or infinite.

    Examples
    --------
    >>> print(script_json({"name": "</script>{{7*7}}"}))
    {"name":"\u003c/script\u003e\u007b{7*7}}"}
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return _JINJA_OPENING.sub(r"\\u007b", text.translate(_SCRIPT_ESCAPES))


def html_text(text: str) -> str:
    """Write a text as HTML that shows exactly that text.

    Examples
    --------
    >>> html_text("<b>{{7*7}}")
    '&lt;b&gt;&#123;&#123;7*7}}'
    """
    return html.escape(text).replace("{", "&#123;")
