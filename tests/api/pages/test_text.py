"""The words of the pages: complete in both languages, with the same facts."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

import api.pages
import gridsvc
from api.pages import account, member, members_import, office_accounts, territory_office
from api.pages.home import FORMATS
from api.pages.notices import office as notice_office
from api.pages.rules_page import GROUPS
from api.pages.shell import TABS
from api.pages.signing_in import SsoFault
from api.pages.text import ago, clock, load_words, words_of
from api.pages.trail import ACTIONS, action_key
from geodata import workbooks
from geodata.vocabularies import Vocabulary
from gridsvc.access.accounts.model import COLUMNS
from gridsvc.access.model import ROLES
from gridsvc.contacts.model import TIERS
from gridsvc.incidents.model import STATUSES
from gridsvc.notices.channels import FAULTS
from gridsvc.notices.model import CHANNEL_KINDS, LANGUAGES
from gridsvc.notices.sending.outcome import OUTCOMES
from gridsvc.overview.export_layers import PLANNER_LAYERS
from gridsvc.people.model import ABSENCE_KINDS, AFFILIATIONS, POST_KINDS, PURPOSES
from gridsvc.people.twins.likeness import REASONS as TWIN_REASONS
from gridsvc.territory.importing.findings import OWN_KINDS
from gridsvc.territory.importing.model import LAYERS, Status
from tests.api.pages.contact_words import contact_words
from tests.api.pages.incident_words import incident_words
from tests.api.pages.report_words import report_words

FOLDER = Path(api.pages.__file__).parent
SOURCES = [
    path.read_text("utf-8")
    for path in (*Path(gridsvc.__file__).parent.rglob("*.py"), Path(workbooks.__file__))
]
ERROR_KINDS = (403, 404, 409, 413, 422, 429, 503, "stale", "parts", "other")
# The stable name of a fault is the first text given to its error.
LIST_FAULTS = {
    fault
    for source in SOURCES
    for fault in re.findall(
        r'(?:InvalidAccountError|UnreadableListError|UnusableWorkbookError|ListFault)\([^"]*?"([a-z-]+)"',
        source,
    )
}
FAULT_PARTS = ("kind", "advice")
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def facts_of(phrase: Any) -> set[str]:
    """Return the names in a phrase; of a pair, those of the form for many."""
    text = phrase["other"] if isinstance(phrase, dict) else phrase
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(load_words()))
def test_a_phrase_is_there_in_both_languages(key: str) -> None:
    phrase = load_words()[key]
    assert set(phrase) == {"zh", "en"}
    for language in ("zh", "en"):
        text = phrase[language]
        assert text
        if isinstance(text, dict):
            assert set(text) == {"one", "other"}


def test_facts_of_one_language_are_known_to_the_caller_of_the_other() -> None:
    # Chinese may leave out a number that English needs; neither may name what is not given.
    differing = {
        key: facts_of(phrase["zh"]) ^ facts_of(phrase["en"])
        for key, phrase in load_words().items()
        if facts_of(phrase["zh"]) != facts_of(phrase["en"])
    }
    assert differing == {"heat_headline": {"n", "total"}}


def notice_words() -> set[str]:
    """Return the keys of the phrases that the pages of notices put together."""
    return {
        *(f"channel_kind_{kind}" for kind in CHANNEL_KINDS),
        *(f"channel_language_{language}" for language in LANGUAGES),
        *(f"channel_fault_{fault}".replace("-", "_") for fault in (*FAULTS, "place")),
        *(f"channel_done_{deed}" for deed in get_args(notice_office.Done)),
        *(f"try_{outcome}".replace("-", "_") for outcome in OUTCOMES),
    }


def test_every_phrase_that_a_template_or_module_says_exists_and_none_is_left_over() -> None:
    sources = [
        path.read_text("utf-8") for path in FOLDER.rglob("*") if path.suffix in {".py", ".html"}
    ]
    said = {key for text in sources for key in re.findall(r"""say\(\s*["'](\w+)["'][,)]""", text)}
    listed = {key for text in sources for key in re.findall(r"""["'](\w+)["']""", text)}
    made = (
        contact_words()
        | report_words()
        | incident_words()
        | {
            *(f"status_{status}" for status in STATUSES),
            *(f"tier_{tier}" for tier in TIERS),
            *(f"layer_{layer}" for layer in PLANNER_LAYERS),
            *(f"format_{name}" for name in FORMATS),
            *(f"view_{view}" for view in ("coverage", "heat", "routes", "territory")),
            *(f"place_{place}" for place in ("stairwell", "compound", "community", "outside")),
            *(f"error_{kind}{part}" for kind in ERROR_KINDS for part in ("", "_text")),
            *(f"role_{role}" for role in ROLES),
            *(f"tab_{name}" for name, _, _ in TABS),
            *(f"rules_{name}" for name in GROUPS),
            *(f"purpose_{purpose}" for purpose in PURPOSES),
            *(f"post_{kind}" for kind in POST_KINDS),
            *(f"affiliation_{one}" for one in AFFILIATIONS),
            *(f"absence_{kind}" for kind in ABSENCE_KINDS),
            *(f"member_done_{deed}" for deed in get_args(member.Done)),
            *(f"member_{vocabulary}" for vocabulary in get_args(Vocabulary)),
            *(f"member_fault_{kind}".replace("-", "_") for kind in members_import.FAULT_KINDS),
            *(f"twins_{reason}" for reason in TWIN_REASONS),
            *(f"column_{column}".replace(" ", "_") for column in COLUMNS),
            *(f"login_sso_{fault}" for fault in get_args(SsoFault)),
            *(f"done_{deed}".replace("-", "_") for deed in get_args(account.Done)),
            *(f"account_{deed}" for deed in get_args(office_accounts.Done)),
            *(f"list_fault_{fault}".replace("-", "_") for fault in LIST_FAULTS),
            *(action_key(action) for action in ACTIONS),
            *(f"layer_{layer}" for layer in LAYERS),
            *(f"severity_{severity}" for severity in ("error", "warning")),
            *(f"outcome_{outcome}" for outcome in territory_office.OUTCOMES),
            *(f"import_state_{status}" for status in get_args(Status)),
            *(
                f"import_fault_{kind}".replace("-", "_")
                for kind in (*territory_office.TOLD_FAULTS, "other")
            ),
            *(
                f"fault_{part}_{kind}".replace("-", "_")
                for kind in OWN_KINDS
                for part in FAULT_PARTS
            ),
            *notice_words(),
        }
    )
    known = set(load_words())
    assert (said | made) - known == set()
    assert known - listed - made == set()


def test_every_action_that_is_noted_in_the_trail_has_words() -> None:
    noted = {
        action
        for source in SOURCES
        if "audit" in source or "note(" in source
        for action in re.findall(r'"([a-z-]+\.[a-z-]+)"', source)
        if action.partition(".")[2] not in {"id", "code"}
    }
    assert {"member.reveal", "account.disable", "sign-in.start"} <= noted
    assert noted - set(ACTIONS) == set()


def test_one_is_said_otherwise_than_many() -> None:
    say = words_of("en")
    assert say("card_incidents", n=1) == "incident"
    assert say("card_incidents", n=0) == say("card_incidents", n=2) == "incidents"


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(0), "1 分钟前"),
        (timedelta(minutes=59), "59 分钟前"),
        (timedelta(hours=1), "1 小时前"),
        (timedelta(hours=47), "1 天前"),
        (timedelta(days=7), "2026-02-25"),
    ],
)
def test_the_recent_past_is_told_from_now_and_the_far_past_by_its_date(
    past: timedelta, words: str
) -> None:
    assert ago(NOW - past, NOW, words_of("zh")) == words


def test_times_are_those_of_the_place() -> None:
    assert clock(NOW) == "20:00"
