"""The printed sheet of invitations: ten cards an A4 page, to be cut and handed out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import segno
from markupsafe import Markup

from api.deps import Language
from api.pages.shell import templates
from api.pages.text import exactly, words_of
from api.schemas.accounts import link_of
from gridsvc.access.accounts.model import Invited

_CARDS_A_SHEET = 10
_MASK = 3
_OTHER: dict[Language, Language] = {"zh": "en", "en": "zh"}
_HTML_LANGUAGE: dict[Language, str] = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True)
class Card:
    """What one card says.

    Attributes
    ----------
    qr
        Leads to the page where the owner chooses a password, with the code filled in.
    """

    name: str
    login: str
    code: str
    expires: str
    qr: Markup


def cards_page(
    invited: Sequence[Invited],
    public_url: str,
    language: Language = "zh",
    *,
    nonce: str | None = None,
) -> str:
    """Return a page of cards to print, in the order given; it needs nothing but itself.

    The codes are on it: it is to be sent without being kept, and saved for its owner only.

    Parameters
    ----------
    public_url
        Origin under which people reach the service, without a slash at the end.
    language
        What stands first; the other language follows in small print.
    nonce
        That of the Content-Security-Policy it is sent under; a file needs none.
    """
    cards = [_card(one, public_url) for one in invited]
    page = templates().get_template("cards_print.html")
    return page.render(
        say=words_of(language),
        aside=words_of(_OTHER[language]),
        html_language=_HTML_LANGUAGE[language],
        aside_language=_HTML_LANGUAGE[_OTHER[language]],
        nonce=nonce,
        address=f"{public_url}/invite",
        count=len(cards),
        sheets=list(_sheets(cards)),
    )


def _card(invited: Invited, public_url: str) -> Card:
    return Card(
        name=invited.account.name,
        login=invited.account.login,
        code=invited.code,
        expires=exactly(invited.expires_at),
        qr=_qr_of(link_of(invited.code, origin=public_url)),
    )


def _qr_of(link: str) -> Markup:
    """Return a QR code as SVG: black on white, with the quiet zone that readers need.

    References
    ----------
    .. [1] ISO/IEC 18004:2015, 7.8 (eight masks; a reader knows each by its number) and 9.1.
    """
    # Trying all masks to find the best takes 6 ms a code: ten seconds for 1,502 people.
    code = segno.make_qr(link, error="m", mask=_MASK, boost_error=False)
    # The link itself is drawn, not written: there is nothing to escape.
    return Markup(code.svg_inline(border=4, light="#fff", omitsize=True))  # noqa: S704


def _sheets(cards: Sequence[Card]) -> Iterator[Sequence[Card]]:
    for start in range(0, len(cards), _CARDS_A_SHEET):
        yield cards[start : start + _CARDS_A_SHEET]
