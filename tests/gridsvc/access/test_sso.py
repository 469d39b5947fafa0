"""Single sign-on below the HTTP face, against a real provider over loopback."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest
from joserfc import jwk
from pydantic import ValidationError
from sqlalchemy import insert, select

from gridsvc.access import service as access
from gridsvc.access import signing_in
from gridsvc.access import store as accounts
from gridsvc.access.model import DevelopmentAccount, Principal
from gridsvc.access.signing_in import Caller
from gridsvc.access.sso import client as sso_client
from gridsvc.access.sso import service as sso
from gridsvc.access.sso.model import Finished, Provider, Returned
from gridsvc.access.tables import (
    InvitationRow,
    SignInRow,
    SsoAttemptRow,
    SsoIdentityRow,
)
from gridsvc.access.tokens import hashed, hashed_code, new_code, new_token
from gridsvc.audit.tables import AuditRow
from gridsvc.db import NOBODY
from gridsvc.embedded import Cluster
from gridsvc.errors import (
    NotSignedInError,
    RecentSignInRequiredError,
    SsoRefusedError,
    SsoUnavailableError,
    TooManyTriesError,
)
from gridsvc.settings import Settings
from tests import town
from tests.databases import Clone, drop, make_clone
from tests.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdProvider,
    new_key,
    running_provider,
    signed,
)

pytestmark = pytest.mark.db

Forge = Callable[[dict[str, Any]], str]
"""Makes a token of claims."""

A = town.EAST_SHORE
REDIRECT_URI = "http://127.0.0.1:8000/sso/callback"
CALLER = Caller("203.0.113.9", "Firefox, Android")
PERSON = "person-1"
BROWSER = "this browser"


@dataclass
class Office:
    """Our side: a database, and what we know of the provider."""

    clone: Clone
    there: OpenIdProvider
    settings: Settings

    @property
    def provider(self) -> Provider:
        found = Provider.of(self.settings)
        assert found is not None
        return found

    def account(self, role: str = "coordinator", *, subject: str | None = None) -> UUID:
        """Make an account, linked to a subject or to nobody."""
        made = DevelopmentAccount(uuid4(), "甲", role, (A,), new_token())
        with town.job_session(self.clone.job) as session, session.begin():
            access.make_development_accounts(session, [made])
            if subject:
                link = insert(SsoIdentityRow).values(
                    issuer=self.there.issuer, subject=subject, account_id=made.id
                )
                session.execute(link)
        return made.id

    def invitation(self, account_id: UUID, *, lasts: timedelta = timedelta(days=7)) -> str:
        code = new_code()
        with town.job_session(self.clone.job) as session, session.begin():
            session.execute(
                insert(InvitationRow).values(
                    id=uuid4(),
                    account_id=account_id,
                    code_hash=hashed_code(code),
                    expires_at=datetime.now(UTC) + lasts,
                )
            )
        return code

    def leave(self, browser: str = BROWSER, **options: Any) -> str:
        return sso.start(
            self.clone.api,
            self.provider,
            goal="/map?view=heat",
            browser_secret=browser,
            caller=CALLER,
            **options,
        )

    def come_back(
        self, returned: Returned, browser: str | None = BROWSER, account: UUID | None = None
    ) -> Finished:
        return sso.finish(
            self.clone.api,
            self.provider,
            returned,
            browser_secret=browser,
            caller=CALLER,
            account_id=account,
        )

    def sign_in(self, **options: Any) -> Finished:
        return self.come_back(ask(self.leave(**options)))

    def principal(self, finished: Finished) -> Principal:
        assert finished.started is not None
        with self.clone.api.session(NOBODY) as session, session.begin():
            return access.authenticate(session, finished.started.token)

    def links(self) -> list[tuple[str, str, UUID]]:
        with self.clone.root.connect() as connection:
            rows = connection.execute(select(SsoIdentityRow)).all()
        return [(row.issuer, row.subject, row.account_id) for row in rows]

    def actions(self) -> list[str]:
        with self.clone.root.connect() as connection:
            return sorted(connection.scalars(select(AuditRow.action)))


def ask(door: str) -> Returned:
    """Open the provider's door as a browser does, and return what it sends back."""
    answer = httpx2.get(door)
    assert answer.status_code == 302, answer.text
    address = answer.headers["Location"]
    assert address.startswith(REDIRECT_URI + "?")
    query = {name: words[0] for name, words in parse_qs(urlsplit(address).query).items()}
    return Returned(query.get("state"), query.get("code"), query.get("iss"), "error" in query)


@pytest.fixture(scope="module")
def clone(cluster: Cluster, template_database: str) -> Iterator[Clone]:
    """A database for all these tests; each finds it empty."""
    made = make_clone(cluster, template_database)
    yield made
    drop(made)


@pytest.fixture(scope="module")
def running() -> Iterator[OpenIdProvider]:
    with running_provider(REDIRECT_URI) as provider:
        yield provider


@pytest.fixture
def there(running: OpenIdProvider) -> OpenIdProvider:
    """The provider, behaving, and as if nobody had asked it yet."""
    sso_client.client_of.cache_clear()
    running.behave()
    return running


@pytest.fixture
def office(clone: Clone, there: OpenIdProvider) -> Office:
    clone.run("TRUNCATE gridsvc.account CASCADE")
    clone.run("TRUNCATE gridsvc.sso_attempt, gridsvc.throttle, gridsvc.audit_event")
    settings = Settings(
        oidc_issuer=there.issuer, oidc_client_id=CLIENT_ID, oidc_client_secret=CLIENT_SECRET
    )
    return Office(clone, there, settings)


# ---- the happy ways


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "PS256"])
def test_whoever_is_linked_is_signed_in_fully_and_led_on(office: Office, algorithm: str) -> None:
    office.there.rotate(algorithm)
    account = office.account("coordinator", subject=PERSON)
    finished = office.sign_in()
    assert finished.goal == "/map?view=heat"
    assert finished.started is not None
    assert finished.started.stage == "full", "the provider asked for the second factor"
    principal = office.principal(finished)
    assert (principal.account_id, principal.role) == (account, "coordinator")
    assert office.actions() == ["sign-in.start"]


def test_what_is_sent_holds_no_secret_and_what_is_kept_no_state(office: Office) -> None:
    address = office.leave("the browser's secret")
    query = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{office.there.issuer}/authorize?")
    assert query["response_type"] == ["code"]
    assert query["scope"] == ["openid"], "neither name nor mail is asked for"
    assert query["redirect_uri"] == [REDIRECT_URI]
    assert query["code_challenge_method"] == ["S256"]
    with office.clone.root.connect() as connection:
        kept = connection.execute(select(SsoAttemptRow)).one()
    assert kept.state_hash == hashed(query["state"][0])
    assert kept.browser_hash == hashed("the browser's secret")
    assert kept.nonce == query["nonce"][0]
    assert kept.code_verifier not in address
    lasts = kept.expires_at - datetime.now(UTC)
    assert timedelta(minutes=9) < lasts <= timedelta(minutes=10)
    assert min(len(query["state"][0]), len(query["nonce"][0]), len(kept.code_verifier)) >= 43


def test_the_discovery_document_and_the_keys_are_read_once(office: Office) -> None:
    office.account(subject=PERSON)
    office.sign_in()
    office.sign_in()
    seen = office.there.seen
    assert (seen["/.well-known/openid-configuration"], seen["/keys"], seen["/token"]) == (1, 1, 2)


def test_threads_that_start_together_read_the_discovery_document_once(office: Office) -> None:
    client, found = sso_client.client_of(office.provider), []

    def leave() -> None:
        found.append(client.address(state="s", nonce="n", code_verifier="v" * 43))

    threads = [threading.Thread(target=leave) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert office.there.seen["/.well-known/openid-configuration"] == 1


def test_a_new_key_of_the_provider_is_fetched_when_a_token_names_it(office: Office) -> None:
    office.account(subject=PERSON)
    office.sign_in()
    office.there.rotate("ES256")
    office.principal(office.sign_in())
    assert office.there.seen["/keys"] == 2


def test_a_key_that_the_provider_does_not_list_is_looked_for_once(office: Office) -> None:
    office.account(subject=PERSON)
    stranger = new_key("RS256")
    office.there.sign = lambda claims: signed(
        {"alg": "RS256", "kid": str(stranger.kid)}, claims, stranger
    )
    with refused("unknown-key"):
        office.sign_in()
    assert office.there.seen["/keys"] == 2


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_the_secret_goes_where_the_provider_takes_it(office: Office, way: str) -> None:
    office.there.document = {"token_endpoint_auth_methods_supported": [way]}
    office.account(subject=PERSON)
    office.principal(office.sign_in())


# ---- refused: what the browser brings


@contextmanager
def refused(reason: str) -> Iterator[None]:
    """Expect a refusal for a reason, in words that give none."""
    with pytest.raises(SsoRefusedError, match="Single sign-on opened no account here") as caught:
        yield
    assert caught.value.reason == reason
    assert reason not in str(caught.value).split()


@contextmanager
def unavailable(reason: str) -> Iterator[None]:
    """Expect that single sign-on is out of order, for a reason."""
    with pytest.raises(SsoUnavailableError, match="Single sign-on does not answer") as caught:
        yield
    assert caught.value.reason == reason


@pytest.mark.parametrize("state", [None, "", "made up", "\x00"])
def test_a_state_that_is_none_of_ours_is_refused(office: Office, state: str | None) -> None:
    office.account(subject=PERSON)
    returned = ask(office.leave())
    with refused("state"):
        office.come_back(Returned(state, returned.code))
    assert office.there.seen["/token"] == 0


def test_a_state_is_good_once(office: Office) -> None:
    office.account(subject=PERSON)
    returned = ask(office.leave())
    office.come_back(returned)
    with refused("state"):
        office.come_back(returned)
    assert office.there.seen["/token"] == 1


def test_of_many_that_bring_one_state_at_once_one_is_signed_in(office: Office) -> None:
    office.account(subject=PERSON)
    returned = ask(office.leave())
    outcomes: list[str] = []

    def come_back() -> None:
        try:
            office.come_back(returned)
        except SsoRefusedError as error:
            outcomes.append(error.reason)
        else:
            outcomes.append("signed in")

    threads = [threading.Thread(target=come_back) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["signed in", *["state"] * 4]


@pytest.mark.parametrize("secret", [None, "", "another browser"])
def test_a_state_of_another_browser_is_refused_and_used_up(
    office: Office, secret: str | None
) -> None:
    office.account(subject=PERSON)
    returned = ask(office.leave())
    with refused("browser"):
        office.come_back(returned, secret)
    with refused("state"):
        office.come_back(returned)
    assert office.there.seen["/token"] == 0


def test_an_attempt_of_over_ten_minutes_ago_is_refused(office: Office) -> None:
    office.account(subject=PERSON)
    returned = ask(office.leave())
    office.clone.run("UPDATE gridsvc.sso_attempt SET expires_at = now() - interval '1 second'")
    with refused("expired"):
        office.come_back(returned)


def test_attempts_that_expired_are_forgotten_by_the_next_start(office: Office) -> None:
    office.leave()
    office.clone.run("UPDATE gridsvc.sso_attempt SET expires_at = now() - interval '1 second'")
    office.leave()
    assert office.clone.count("sso_attempt") == 1


def test_a_code_that_was_used_is_refused_by_the_provider(office: Office) -> None:
    office.account(subject=PERSON)
    used = ask(office.leave())
    office.come_back(used)
    fresh = ask(office.leave())
    with refused("grant"):
        office.come_back(Returned(fresh.state, used.code))


def test_a_code_stolen_from_another_browser_is_worth_nothing(office: Office) -> None:
    office.account(subject=PERSON)
    stolen = ask(office.leave("the victim's browser"))
    own = ask(office.leave())
    with refused("grant"):  # PKCE: the verifier is not that of the code
        office.come_back(Returned(own.state, stolen.code))


def test_without_pkce_the_provider_gives_no_code(office: Office) -> None:
    address = office.leave()
    bare = "&".join(part for part in address.split("&") if "code_challenge" not in part)
    assert bare != address
    returned = ask(bare)
    assert (returned.code, returned.is_error) == (None, True)
    with refused("declined"):
        office.come_back(returned)


def test_who_declines_at_the_provider_is_not_signed_in(office: Office) -> None:
    office.account(subject=PERSON)
    office.there.declines = True
    with refused("declined"):
        office.sign_in()
    assert office.clone.count("sign_in") == 0


def test_an_answer_without_a_code_is_refused(office: Office) -> None:
    returned = ask(office.leave())
    with refused("code"):
        office.come_back(Returned(returned.state, None))


def test_an_answer_in_the_name_of_another_issuer_is_refused(office: Office) -> None:
    office.account(subject=PERSON)
    office.there.named = "https://elsewhere.example"
    with refused("issuer"):
        office.sign_in()


def test_an_issuer_that_promises_to_name_itself_must(office: Office) -> None:
    office.account(subject=PERSON)
    office.there.named = office.there.issuer
    office.principal(office.sign_in())
    returned = ask(office.leave())
    with refused("issuer"):
        office.come_back(Returned(returned.state, returned.code))


# ---- refused: what the provider's token says

MOMENTS = ("exp", "iat", "nbf")


def in_time(claims: dict[str, Any]) -> dict[str, Any]:
    """Return claims whose moments, given in seconds from now, are points in time."""
    now = int(time.time())
    return {
        name: now + claim if name in MOMENTS and isinstance(claim, int) else claim
        for name, claim in claims.items()
    }


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another-client"}, "aud"),
        ({"aud": ["another-client", "a-third"]}, "aud"),
        ({"aud": [CLIENT_ID, "another-client"]}, "azp"),
        ({"aud": [CLIENT_ID, "another-client"], "azp": "another-client"}, "azp"),
        ({"azp": "another-client"}, "azp"),
        ({"aud": None}, "aud"),
        ({"iss": "https://elsewhere.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"exp": -61}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"iat": 3600}, "iat"),
        ({"nbf": 3600}, "nbf"),
        ({"sub": ""}, "sub"),
        ({"sub": None}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": "person\x00-1"}, "sub"),
        ({"sub": "\ud800"}, "sub"),
    ],
)
def test_a_token_that_is_not_for_us_now_and_here_is_refused(
    office: Office, claims: dict[str, Any], reason: str
) -> None:
    office.account(subject=PERSON)
    office.there.claims = in_time(claims)
    with refused(reason):
        office.sign_in()
    assert office.clone.count("sign_in") == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": -20},  # clocks may differ by a minute
        {"iat": 40},
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another-client"], "azp": CLIENT_ID},
        {"email": "person-2@example.org", "groups": ["administrator"]},  # nobody asked
    ],
)
def test_a_token_that_is_odd_but_right_signs_in(office: Office, claims: dict[str, Any]) -> None:
    account = office.account("patrol", subject=PERSON)
    office.there.claims = in_time(claims)
    principal = office.principal(office.sign_in())
    assert (principal.account_id, principal.role) == (account, "patrol")


def packed(*parts: bytes) -> str:
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def unsigned(_there: OpenIdProvider) -> Forge:
    header = json.dumps({"alg": "none", "typ": "JWT"}).encode()
    return lambda claims: packed(header, json.dumps(claims).encode(), b"")


def signed_by_public_key(there: OpenIdProvider) -> Forge:
    """Return tokens whose shared secret is the public key, which everybody knows."""
    assert isinstance(there.key, jwk.RSAKey)
    secret = there.key.as_pem(private=False)
    header = json.dumps({"alg": "HS256", "kid": there.key.kid}).encode()

    def sign(claims: dict[str, Any]) -> str:
        body = packed(header, json.dumps(claims).encode())
        return f"{body}.{packed(hmac.digest(secret, body.encode(), 'sha256'))}"

    return sign


def tampered(there: OpenIdProvider) -> Forge:
    def sign(claims: dict[str, Any]) -> str:
        header, _, signature = there.sign_honestly(claims).split(".")
        other = packed(json.dumps(claims | {"sub": "person-2"}).encode())
        return f"{header}.{other}.{signature}"

    return sign


def by_another_key(there: OpenIdProvider) -> Forge:
    other = new_key("RS256")
    return lambda claims: signed({"alg": "RS256", "kid": str(there.key.kid)}, claims, other)


def by_algorithm(name: str) -> Callable[[OpenIdProvider], Forge]:
    def forge(there: OpenIdProvider) -> Forge:
        named = {"kid": str(there.key.kid)}
        key = jwk.RSAKey.import_key(there.key.as_dict(private=True, alg=name))
        return lambda claims: signed(named | {"alg": name}, claims, key)

    return forge


def constant(token: str) -> Callable[[OpenIdProvider], Forge]:
    return lambda _there: lambda _claims: token


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        signed_by_public_key,
        tampered,
        by_another_key,
        by_algorithm("RS512"),
        constant(""),
        constant("no.token.here"),
        constant("a.b"),
        constant("e30.e30.e30"),
        constant("\udcff"),
    ],
    ids=[
        *("none", "HS256 with the public key", "tampered", "another key", "RS512"),
        *("empty", "words", "two parts", "no algorithm", "no text"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    office: Office, forge: Callable[[OpenIdProvider], Forge]
) -> None:
    office.account(subject=PERSON)
    office.account(subject="person-2")
    office.there.sign = forge(office.there)
    with refused("signature"):
        office.sign_in()
    assert office.clone.count("sign_in") == 0


# ---- who may come in


def test_a_stranger_is_refused_and_gets_no_account(office: Office) -> None:
    office.account(subject="somebody else")
    with refused("unlinked"):
        office.sign_in()
    assert office.clone.count("account") == 1
    assert office.clone.count("sign_in") == 0


def test_the_same_subject_of_another_issuer_is_somebody_else(office: Office) -> None:
    office.account(subject=PERSON)
    office.clone.run("UPDATE gridsvc.sso_identity SET issuer = 'https://elsewhere.example'")
    with refused("unlinked"):
        office.sign_in()


def test_a_disabled_account_is_refused(office: Office) -> None:
    office.account(subject=PERSON)
    office.clone.run("UPDATE gridsvc.account SET is_disabled = true")
    with refused("disabled"):
        office.sign_in()
    assert office.clone.count("sign_in") == 0


def test_an_invitation_links_once_and_is_used_up(office: Office) -> None:
    account = office.account("coordinator")
    code = office.invitation(account)
    finished = office.sign_in(invitation_code=f" {code.lower()} ")
    assert office.principal(finished).account_id == account
    assert office.links() == [(office.there.issuer, PERSON, account)]
    assert office.actions() == ["account.redeem", "sign-in.start", "sso.link"]
    assert office.principal(office.sign_in()).account_id == account, "from now on without"
    office.there.subject = "person-2"
    with refused("invitation"):
        office.sign_in(invitation_code=code)


@pytest.mark.parametrize("kind", ["expired", "used", "made up", "disabled"])
def test_an_invitation_that_is_no_good_links_nobody(office: Office, kind: str) -> None:
    account = office.account()
    lasts = timedelta(seconds=-1) if kind == "expired" else timedelta(days=7)
    code = new_code() if kind == "made up" else office.invitation(account, lasts=lasts)
    if kind == "used":
        office.clone.run("UPDATE gridsvc.invitation SET used_at = now()")
    if kind == "disabled":
        office.clone.run("UPDATE gridsvc.account SET is_disabled = true")
    with refused("invitation"):
        office.sign_in(invitation_code=code)
    assert office.links() == []
    assert office.clone.count("sign_in") == 0


def test_an_identity_of_another_account_is_not_taken_over_by_an_invitation(office: Office) -> None:
    owner, other = office.account(subject=PERSON), office.account()
    code = office.invitation(other)
    with refused("taken"):
        office.sign_in(invitation_code=code)
    assert office.links() == [(office.there.issuer, PERSON, owner)]
    assert office.clone.count("invitation", "used_at IS NULL") == 1
    office.there.subject = "person-2"
    assert office.principal(office.sign_in(invitation_code=code)).account_id == other


def test_an_invitation_given_anew_replaces_the_identity_and_ends_what_was_open(
    office: Office,
) -> None:
    account = office.account(subject="who it was before")
    office.there.subject = "who it was before"
    before = office.sign_in()
    office.there.subject = PERSON
    office.sign_in(invitation_code=office.invitation(account))
    assert office.links() == [(office.there.issuer, PERSON, account)]
    with pytest.raises(NotSignedInError):
        office.principal(before)


def signed_in(office: Office, account_id: UUID) -> Principal:
    """Return somebody who has just signed in, without the provider."""
    with office.clone.api.session(NOBODY) as session, session.begin():
        credentials = accounts.find_by_id(session, account_id)
    assert credentials is not None
    with office.clone.api.session(access.own_scope(credentials)) as session, session.begin():
        started = signing_in.start_fully(session, credentials, client=None)
    with office.clone.api.session(NOBODY) as session, session.begin():
        return access.authenticate(session, started.token)


def leave_to_link(office: Office, principal: Principal) -> str:
    return sso.start_link(
        office.clone.api,
        office.provider,
        principal,
        goal="/account",
        browser_secret=BROWSER,
        caller=CALLER,
    )


def test_a_signed_in_account_links_itself(office: Office) -> None:
    account = office.account("coordinator")
    principal = signed_in(office, account)
    returned = ask(leave_to_link(office, principal))
    assert office.come_back(returned, account=account) == (None, "/account")
    assert office.links() == [(office.there.issuer, PERSON, account)]
    assert office.actions() == ["sign-in.start", "sso.link"]
    assert office.principal(office.sign_in()).account_id == account


@pytest.mark.parametrize("who", ["nobody", "somebody else"])
def test_linking_ends_with_the_account_that_began_it(office: Office, who: str) -> None:
    account, other = office.account(), office.account()
    returned = ask(leave_to_link(office, signed_in(office, account)))
    with refused("browser"):
        office.come_back(returned, account=None if who == "nobody" else other)
    assert office.links() == []


def test_linking_takes_no_identity_away_from_another_account(office: Office) -> None:
    owner, account = office.account(subject=PERSON), office.account()
    returned = ask(leave_to_link(office, signed_in(office, account)))
    with refused("taken"):
        office.come_back(returned, account=account)
    assert office.links() == [(office.there.issuer, PERSON, owner)]


def test_linking_needs_a_sign_in_of_the_last_minutes(office: Office) -> None:
    principal = signed_in(office, office.account())
    leave_to_link(office, principal)
    office.clone.run("UPDATE gridsvc.sign_in SET created_at = now() - interval '16 minutes'")
    with pytest.raises(RecentSignInRequiredError, match="Sign in again first"):
        leave_to_link(office, principal)
    office.clone.run("DELETE FROM gridsvc.sign_in")
    with pytest.raises(RecentSignInRequiredError):
        leave_to_link(office, principal)


# ---- the provider is out of order


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("garbage", "garbage"),
        ("list", "garbage"),
        ("deep", "garbage"),
        ("huge", "connection"),
        ("error", "status"),
        ("redirect", "connection"),
        ("packed", "connection"),
    ],
)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_a_provider_that_talks_nonsense_is_out_of_order(
    office: Office, path: str, kind: str, reason: str
) -> None:
    office.account(subject=PERSON)
    office.there.answers = {path: kind}
    with unavailable(reason):
        office.sign_in()
    assert office.there.seen["/elsewhere"] == 0, "a redirect is not followed"
    office.there.answers = {}
    office.principal(office.sign_in())


@pytest.mark.parametrize(
    ("path", "kind", "reason"),
    [
        ("/.well-known/openid-configuration", "slow", "timeout"),
        ("/token", "slow", "timeout"),
        ("/keys", "dripping", "connection"),
    ],
)
def test_a_slow_provider_is_given_up_after_five_seconds(
    office: Office, path: str, kind: str, reason: str
) -> None:
    office.account(subject=PERSON)
    office.there.answers = {path: kind}
    began = time.monotonic()
    with unavailable(reason):
        office.sign_in()
    assert 4.5 < time.monotonic() - began < 8


def test_a_provider_that_is_down_is_out_of_order(office: Office) -> None:
    # Nobody listens at port 9, "discard".
    gone = Settings(oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT_ID)
    with unavailable("connection"):
        Office(office.clone, office.there, gone).sign_in()


def test_only_few_wait_for_a_slow_provider_and_the_others_hear_at_once(office: Office) -> None:
    client = sso_client.client_of(office.provider)
    office.there.answers = {"/.well-known/openid-configuration": "slow"}
    waits_s: list[float] = []

    def leave() -> None:
        began = time.monotonic()
        with pytest.raises(SsoUnavailableError):
            client.address(state="s", nonce="n", code_verifier="v" * 43)
        waits_s.append(time.monotonic() - began)

    threads = [threading.Thread(target=leave) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(wait_s < 2 for wait_s in waits_s) == 12
    assert max(waits_s) < 12
    assert office.there.seen["/.well-known/openid-configuration"] <= 8


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"issuer": "https://elsewhere.example"}, "another-issuer"),
        ({"issuer": None}, "another-issuer"),
        ({"token_endpoint": "http://elsewhere.example/token"}, "untrusted-address"),
        ({"jwks_uri": "file:///etc/passwd"}, "untrusted-address"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "untrusted-address"),
        ({"authorization_endpoint": None}, "untrusted-address"),
    ],
)
def test_a_discovery_document_that_is_not_the_issuers_is_refused(
    office: Office, document: dict[str, Any], reason: str
) -> None:
    office.there.document = document
    with unavailable(reason):
        office.leave()
    assert office.clone.count("sso_attempt") == 0


def test_a_wrong_client_secret_is_our_set_up_not_the_visitors_fault(office: Office) -> None:
    office.account(subject=PERSON)
    office.settings = office.settings.model_copy(update={"oidc_client_secret": None})
    with unavailable("not-our-client"):
        office.sign_in()


# ---- too often


def leave_often(office: Office, *, times: int) -> None:
    for _ in range(times):
        office.leave()


def test_starting_too_often_from_one_subnet_is_refused(office: Office) -> None:
    # One more is let through every three seconds, so the clock has a say in how many there are.
    with pytest.raises(TooManyTriesError):
        leave_often(office, times=300)
    assert 200 <= office.clone.count("sso_attempt") < 300
    sso.start(
        office.clone.api,
        office.provider,
        goal="/",
        browser_secret=BROWSER,
        caller=Caller("198.51.100.4"),
    )


def test_coming_back_wrongly_too_often_is_refused_and_rightly_is_not(office: Office) -> None:
    office.account(subject=PERSON)
    for _ in range(21):
        office.sign_in()
    for _ in range(20):
        with refused("state"):
            office.come_back(Returned("made up", "code"))
    with pytest.raises(TooManyTriesError):
        office.come_back(Returned("made up", "code"))


# ---- settings


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example",
        "https://login.example/?realm=1",
        "https://user@login.example",
        "http://127.0.0.1.elsewhere.example",
        "login.example",
    ],
)
def test_an_issuer_without_tls_or_with_a_query_stops_the_start(issuer: str) -> None:
    with pytest.raises(ValidationError, match=r"GRID_OIDC_ISSUER|oidc_issuer"):
        Settings(oidc_issuer=issuer, oidc_client_id=CLIENT_ID)


def test_an_issuer_without_a_client_id_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="GRID_OIDC_ISSUER needs GRID_OIDC_CLIENT_ID"):
        Settings(oidc_issuer="https://login.example")


def test_without_an_issuer_there_is_no_provider() -> None:
    assert Provider.of(Settings()) is None


def test_the_way_back_lies_under_the_public_address_and_the_secret_is_not_shown() -> None:
    settings = Settings(
        oidc_issuer="https://login.example/realms/office",
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        public_url="https://grid.example",
    )
    provider = Provider.of(settings)
    assert provider is not None
    assert provider.redirect_uri == "https://grid.example/sso/callback"
    assert CLIENT_SECRET not in repr(provider) + repr(settings)


def test_only_hashes_of_a_sign_in_by_the_provider_are_stored(office: Office) -> None:
    office.account(subject=PERSON)
    finished = office.sign_in()
    assert finished.started is not None
    with office.clone.root.connect() as connection:
        kept = connection.execute(select(SignInRow)).one()
    assert kept.token_hash == hashed(finished.started.token)
    assert (kept.stage, kept.client) == ("full", "Firefox, Android")
