"""What a page of somebody who is signed in is made from, in one piece."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from api.deps import LanguageDep, PrincipalDep, SessionDep, SettingsDep
from api.errors import status_of
from api.pages.faults import fault_of, with_wait
from api.pages.places import Places
from api.pages.shell import render
from api.pages.text import Words, words_of
from gridsvc.errors import GridsvcError


@dataclass(frozen=True)
class Desk:
    """A request of somebody signed in, with the transaction that answers it."""

    request: Request
    session: SessionDep
    settings: SettingsDep
    principal: PrincipalDep
    language: LanguageDep

    @property
    def say(self) -> Words:
        """The phrases of the page's language."""
        return words_of(self.language)

    def places(self) -> Places:
        """Read what the caller's territory is called."""
        return Places(self.session, self.principal.scope.intervals, self.say)

    def show(
        self,
        template: str,
        *,
        error: GridsvcError | None = None,
        wrong: str = "login_wrong",
        **values: Any,
    ) -> HTMLResponse:
        """Return a page.

        Parameters
        ----------
        error
            What went wrong with what was sent: the page has its status, and its words as ``fault``.
        wrong
            Key of the phrase for wrong credentials.
        """
        fault = fault_of(error, self.language, wrong=wrong) if error else None
        page = render(
            self.request,
            template,
            self.language,
            self.principal,
            status=status_of(error) if error else HTTPStatus.OK,
            fault=fault,
            **values,
        )
        return with_wait(page, error) if error else page


DeskDep = Annotated[Desk, Depends()]
