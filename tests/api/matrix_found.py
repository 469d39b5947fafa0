"""How the matrix reads from an answer which rows are in it."""

import io
import re
from typing import Any

from httpx2 import Response
from pyarrow.parquet import read_table

from tests.api.matrix_promises import Found
from tests.api.mvt import decode


def each(key: str) -> Found:
    """Read a column of a list, paged or not."""

    def found(answer: Response) -> list[object]:
        body: Any = answer.json()
        if isinstance(body, dict):
            assert body.get("next") is None, "a page too short for this matrix"
            body = body["items"]
        return [one[key] for one in body]

    return found


def each_of_lists(key: str) -> Found:
    """Read what stands first in a column of lists."""
    return lambda answer: [one[key][0] for one in answer.json()]


def of_history(answer: Response) -> list[object]:
    return [answer.json()["grid"]["code"]]


def values(*keys: str) -> Found:
    return lambda answer: [answer.json()[key] for key in keys]


def features(answer: Response) -> list[object]:
    return [feature["id"] for feature in answer.json()["features"]]


def cells(answer: Response) -> list[object]:
    own = (feature["properties"] for feature in answer.json()["features"])
    return [f"{cell['x']}/{cell['y']}={cell['incident_count']}" for cell in own]


def in_parquet(key: str) -> Found:
    """Read a column of a GeoParquet file."""
    return lambda answer: read_table(io.BytesIO(answer.content))[key].to_pylist()


def in_tile(key: str) -> Found:
    return lambda answer: [
        feature.properties[key]
        for layer in decode(answer.content).values()
        for feature in layer.features
    ]


def in_page(digits: int) -> Found:
    """Read the codes that a page names, cut to those of a community (12) or compound (15).

    What follows a bracket is the name of a caller of these tests.
    """
    pattern = re.compile(rf"(?<!\()\b(4406050\d{{{digits - 7}}})\d*\b")
    return lambda answer: sorted(set(pattern.findall(answer.text)))


def by_pattern(pattern: str) -> Found:
    """Read from a page what a pattern's group holds, each once."""
    return lambda answer: sorted(set(re.findall(pattern, answer.text)))


def subjects(answer: Response) -> list[object]:
    return re.findall(r'subject=[^"]*"><code>([^<]+)</code>', answer.text)


def figures(answer: Response) -> list[object]:
    """Read the figures of the page of results that `RESULTS` counts."""
    shown = [int(word.replace(",", "")) for word in re.findall(r"<dd>([\d,]+)</dd>", answer.text)]
    (incidents,) = re.findall(r"<b>([\d,]+)</b></small></h2>", answer.text)
    return [shown[4], incidents, shown[6], shown[8]]


def of_session(answer: Response) -> list[object]:
    body = answer.json()
    return [body["role"], *(body["territories"][0][end] for end in ("lo", "hi"))]


def of_card(answer: Response) -> list[object]:
    body = answer.json()
    return [body["stairwell"]["code"], body["incident_count"]]


def of_coverage(answer: Response) -> list[object]:
    body = answer.json()
    return [sum(body.values()), body["uncovered"]]


def of_results(answer: Response) -> list[object]:
    body = answer.json()
    return [
        *(body["stairwells"], body["incidents"], body["building_chiefs"]),
        body["people_in_organisations"],
    ]
