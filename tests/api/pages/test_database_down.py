"""A database that does not answer: browsers get a page that says so."""

import socket

from starlette.testclient import TestClient

from api.app import create_app
from api.credentials import SESSION
from api.pages.text import load_words
from gridsvc.db import Database, make_engine
from gridsvc.settings import Settings
from tests.api.pages.markup import parse
from tests.town import VAULT


def test_a_database_that_is_down_is_a_page_that_says_to_wait() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        engine = make_engine(f"postgresql+psycopg://nobody@127.0.0.1:{port}/nothing")
        client = TestClient(create_app(Settings(development_login=True), Database(engine), VAULT))
        client.cookies.set(SESSION, "some-token")
        answer = client.get("/map", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert load_words()["error_503"]["zh"] in parse(answer.text).words
