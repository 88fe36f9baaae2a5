"""People sign in and out; guesses, other pages and old sessions get nowhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from argon2 import PasswordHasher

from incidents.people import passwords
from incidents.people.accounts import Role
from plumbing.clock import SystemClock
from plumbing.ids import new_id
from tests.api.made import a_call
from tests.support.api import PASSWORD, USERNAME, ApiThread

SIGN_IN = {"username": USERNAME, "password": PASSWORD}


@pytest.fixture
def nobody(shared_api: ApiThread) -> Iterator[httpx.Client]:
    with shared_api.client(None) as client:
        yield client


def test_a_session_lasts_from_sign_in_to_sign_out(nobody: httpx.Client) -> None:
    assert nobody.get("/api/v1/session").status_code == 401
    answer = nobody.post("/api/v1/session", json=SIGN_IN)
    assert answer.status_code == 200
    assert answer.json() == {"username": "ani", "display_name": "Ani", "role": "operator"}
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert nobody.get("/api/v1/session").json() == answer.json()
    assert nobody.post("/api/v1/calls", json=a_call()).status_code == 201
    token = nobody.cookies["siaga_session"]
    assert nobody.delete("/api/v1/session").status_code == 204
    nobody.cookies.set("siaga_session", token)
    assert nobody.get("/api/v1/session").status_code == 401


def test_signing_in_again_ends_the_session_before(nobody: httpx.Client) -> None:
    nobody.post("/api/v1/session", json=SIGN_IN)
    old = nobody.cookies["siaga_session"]
    nobody.post("/api/v1/session", json=SIGN_IN)
    assert nobody.cookies["siaga_session"] != old
    stale = {"Cookie": f"siaga_session={old}"}
    assert httpx.get(f"{nobody.base_url}/api/v1/session", headers=stale).status_code == 401


@pytest.mark.parametrize(
    "body", [SIGN_IN | {"password": "wrong"}, {"username": "who", "password": "x"}]
)
def test_a_wrong_name_or_password_gives_the_same_answer(
    nobody: httpx.Client, body: dict[str, str]
) -> None:
    answer = nobody.post("/api/v1/session", json=body)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The name or the password is wrong."
    assert "set-cookie" not in answer.headers


@pytest.fixture
def heavy_passwords() -> Iterator[None]:
    """Hashed as in earnest, so that it shows where nothing is."""
    light = passwords._hasher
    passwords.use(PasswordHasher())
    yield
    passwords.use(light)


@pytest.mark.usefixtures("heavy_passwords")
def test_nobody_learns_by_guessing_which_accounts_there_are(
    own_api_thread: ApiThread,
) -> None:
    # Its own: so many wrong passwords make a whole address wait.
    run, accounts = own_api_thread.run, own_api_thread.api.store.accounts
    known, disabled, external = (new_id("name") for _ in range(3))
    run(accounts.add(known, PASSWORD, Role.VIEWER))
    run(accounts.add(disabled, PASSWORD, Role.VIEWER))
    run(accounts.set_enabled(disabled, enabled=False))
    run(accounts.add(external, None, Role.VIEWER, external_id=new_id("sub")))
    tries = {
        "a wrong password": (known, "wrong"),
        "an account that is shut out, and its password": (disabled, PASSWORD),
        "the identity provider's account": (external, PASSWORD),
        "no account": (new_id("name"), PASSWORD),
    }
    told: set[tuple[object, ...]] = set()
    work_s: dict[str, float] = {}
    for what, (username, password) in tries.items():
        body = {"username": username, "password": password}
        with own_api_thread.client(None) as nobody:
            answers = [nobody.post("/api/v1/session", json=body) for _ in range(6)]
        for answer in answers[:5]:
            problem = {k: v for k, v in answer.json().items() if k not in UNLIKE}
            told.add((answer.status_code, *sorted(problem.items()), *sorted(answer.headers)))
        assert answers[5].status_code == 429, f"{what} is locked out like the others"
        work_s[what] = min(
            _work_s(lambda: run(accounts.check_password(username, password)))  # noqa: B023
            for _ in range(3)
        )
    assert len(told) == 1, told
    # Of the processor, not of the clock: a password's hash is nearly all of it.
    assert max(work_s.values()) < 3 * min(work_s.values()), work_s


UNLIKE = ("correlation_id", "instance")
"""Of a problem, what is another each time."""


def _work_s(do: Callable[[], object]) -> float:
    before_s = time.process_time()
    do()
    return time.process_time() - before_s


def test_who_guesses_is_made_to_wait_even_with_the_right_password(
    shared_api: ApiThread, nobody: httpx.Client
) -> None:
    name = new_id("name")
    accounts = shared_api.api.store.accounts
    shared_api.run(accounts.add(name, PASSWORD, Role.VIEWER))
    guesses = [
        nobody.post("/api/v1/session", json={"username": name, "password": str(guess)})
        for guess in range(6)
    ]
    assert [answer.status_code for answer in guesses] == [401] * 5 + [429]
    right = nobody.post("/api/v1/session", json={"username": name, "password": PASSWORD})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0
    assert nobody.post("/api/v1/session", json=SIGN_IN).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({}, 201),
    ],
)
def test_what_another_page_sends_with_the_cookie_is_refused(
    nobody: httpx.Client, headers: dict[str, str], status: int
) -> None:
    nobody.post("/api/v1/session", json=SIGN_IN)
    assert nobody.post("/api/v1/calls", json=a_call(), headers=headers).status_code == status


def test_our_own_page_may_send_and_another_may_not_sign_in(nobody: httpx.Client) -> None:
    ours = {"Origin": str(nobody.base_url).rstrip("/")}
    assert nobody.post("/api/v1/session", json=SIGN_IN, headers=ours).status_code == 200
    evil = {"Origin": "https://evil.example"}
    assert nobody.post("/api/v1/session", json=SIGN_IN, headers=evil).status_code == 403


def test_a_key_that_is_wrong_revoked_or_expired_opens_nothing(
    shared_api: ApiThread, nobody: httpx.Client
) -> None:
    keys = shared_api.api.store.keys
    revoked, expired = new_id("key"), new_id("key")
    first = shared_api.run(keys.issue(revoked, Role.VIEWER))
    assert nobody.get("/api/v1/log", headers=_bearer(first)).status_code == 200
    shared_api.run(keys.revoke(revoked))
    second = shared_api.run(keys.issue(expired, Role.VIEWER, SystemClock().now()))
    for key in (first, second, "siaga_nonsense", "x" * 1000, "ü"):
        answer = nobody.get("/api/v1/log", headers=_bearer(key))
        assert answer.status_code == 401, key
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_wrong_key_is_not_mended_by_a_cookie(nobody: httpx.Client) -> None:
    nobody.post("/api/v1/session", json=SIGN_IN)
    assert nobody.get("/api/v1/log", headers=_bearer("wrong")).status_code == 401


def test_a_disabled_account_is_out_at_once(shared_api: ApiThread, nobody: httpx.Client) -> None:
    name = new_id("name")
    accounts = shared_api.api.store.accounts
    shared_api.run(accounts.add(name, PASSWORD, Role.VIEWER))
    body = {"username": name, "password": PASSWORD}
    assert nobody.post("/api/v1/session", json=body).status_code == 200
    shared_api.run(accounts.set_enabled(name, enabled=False))
    assert nobody.get("/api/v1/session").status_code == 401
    assert nobody.post("/api/v1/session", json=body).status_code == 401


def _bearer(key: str) -> list[tuple[bytes, bytes]]:
    return [(b"Authorization", f"Bearer {key}".encode("latin-1"))]
