import json

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from maps.escape import html_text, script_json

HOSTILE = "</script><img src=x onerror=alert(1)>"

json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(alphabet="{%#}<>&'\"\\ab中\u2028"),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(alphabet="{%ab"), inner),
)


@given(json_values)
def test_json_for_a_script_reads_back_as_the_same_value(value: object) -> None:
    assert json.loads(script_json(value)) == value


@given(json_values)
def test_json_for_a_script_is_the_same_after_a_template_has_rendered_it(value: object) -> None:
    written = script_json(value)
    assert jinja2.Template(written).render() == written


@given(json_values)
def test_json_for_a_script_holds_nothing_that_html_reads(value: object) -> None:
    assert not set("<>&'\u2028\n") & set(script_json(value))


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        script_json({"count": float("nan")})


@given(some.text(alphabet="{%#}<>&'\"ab"))
def test_text_in_html_is_neither_markup_nor_template(text: str) -> None:
    written = html_text(text)
    assert not set("<>\"'{") & set(written)
    assert jinja2.Template(written).render() == written


def test_a_script_in_a_name_becomes_text() -> None:
    assert html_text(HOSTILE) == "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"
