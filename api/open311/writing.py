"""One document, two forms: XML as the specification draws it, JSON by its Spark convention.

A list is an element round elements in XML, and a bare array in JSON, also for one.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from xml.etree import ElementTree

import orjson
from fastapi.responses import Response

Form = Literal["xml", "json"]

# What each element round others holds.
_PARTS = {
    "services": "service",
    "service_requests": "request",
    "attributes": "attribute",
    "values": "value",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "notes": "note",
}
# XML 1.0 holds no control character but these three, no half of a pair, and two that are none.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MEDIA_TYPES: Mapping[Form, str] = {
    "xml": "text/xml; charset=utf-8",
    "json": "application/json; charset=utf-8",
}


def answer(
    form: Form, root: str, document: Any, *, status: int = 200, headers: Any = None
) -> Response:
    """Return a document as an answer.

    Parameters
    ----------
    root
        Name of the outermost element, which JSON does not have.
    document
        Mappings, sequences, texts, numbers, truths; None is an empty text.
    """
    content = xml_of(root, document) if form == "xml" else orjson.dumps(_filled(document))
    return Response(content, status, headers, media_type=MEDIA_TYPES[form])


def xml_of(root: str, document: Any) -> bytes:
    """Return a document as XML in UTF-8, without what XML cannot hold.

    Examples
    --------
    >>> print(xml_of("errors", [{"code": 404, "description": "<b>"}]).decode())
    <?xml version="1.0" encoding="utf-8"?>
    <errors><error><code>404</code><description>&lt;b&gt;</description></error></errors>
    """
    element = ElementTree.Element(root)
    _fill(element, document)
    body = ElementTree.tostring(element, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}'.encode()


def _fill(element: ElementTree.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _fill(ElementTree.SubElement(element, name), inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            _fill(ElementTree.SubElement(element, _PARTS[element.tag]), inner)
    else:
        element.text = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else _NO_XML.sub("", str(value))


def _filled(value: Any) -> Any:
    """Return a document whose absent texts are empty: strict clients take no null for one."""
    if isinstance(value, Mapping):
        return {name: _filled(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_filled(inner) for inner in value]
    return "" if value is None else value
