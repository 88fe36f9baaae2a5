import sqlite3
import subprocess
import sys
from datetime import timedelta

import pytest

from contracts import ContractError
from incidents.errors import Exists, NotFound
from incidents.people.accounts import FIRST_USERNAME, Role
from incidents.store import Store
from plumbing.clock import HeldClock

PASSWORD = "kuda lumping makan beling"
IDLE = timedelta(hours=8)


async def test_the_first_start_makes_one_account_with_a_password_of_its_own(
    any_store: Store,
) -> None:
    password = await any_store.accounts.ensure_first_account()
    assert password is not None
    account = await any_store.accounts.check_password(FIRST_USERNAME, password)
    assert account is not None
    assert account.role is Role.SUPERVISOR
    assert await any_store.accounts.ensure_first_account() is None
    assert len(await any_store.accounts.all()) == 1


async def test_passwords(any_store: Store) -> None:
    accounts = any_store.accounts
    added = await accounts.add("sari", PASSWORD, Role.OPERATOR, "Sari Dewi")
    assert await accounts.check_password("sari", PASSWORD) == added
    assert await accounts.check_password("sari", PASSWORD + " ") is None
    assert await accounts.check_password("nobody", PASSWORD) is None
    assert await accounts.check_password("sari", "x" * 1_000_000) is None
    await accounts.set_password("sari", PASSWORD[::-1])
    assert await accounts.check_password("sari", PASSWORD) is None
    assert await accounts.check_password("sari", PASSWORD[::-1]) is not None


async def test_what_can_not_be_an_account(store: Store) -> None:
    await store.accounts.add("sari", PASSWORD, Role.OPERATOR)
    with pytest.raises(Exists, match="account 'sari'"):
        await store.accounts.add("sari", PASSWORD, Role.VIEWER)
    with pytest.raises(ContractError, match="15 to 200"):
        await store.accounts.add("budi", "pendek", Role.VIEWER)
    with pytest.raises(ContractError, match="blank"):
        await store.accounts.add("  ", PASSWORD, Role.VIEWER)
    for change in (
        store.accounts.set_password("budi", PASSWORD),
        store.accounts.set_enabled("budi", False),
    ):
        with pytest.raises(NotFound):
            await change


async def test_a_session_ends_when_it_is_unused_ended_or_its_account_is_shut_out(
    any_store: Store, clock: HeldClock
) -> None:
    await any_store.accounts.add("sari", PASSWORD, Role.OPERATOR)
    sessions = any_store.sessions
    token = await sessions.open("sari")
    for _ in range(3):
        clock.advance(IDLE.total_seconds() - 1)
        found = await sessions.find(token, idle=IDLE)
        assert found is not None
        assert found.username == "sari"
    clock.advance(IDLE.total_seconds() + 1)
    assert await sessions.find(token, idle=IDLE) is None
    assert await sessions.forget_unused(idle=IDLE) == 1

    token = await sessions.open("sari")
    await sessions.end(token)
    assert await sessions.find(token, idle=IDLE) is None

    for shut_out in (
        lambda: any_store.accounts.set_password("sari", PASSWORD),
        lambda: any_store.accounts.set_enabled("sari", False),
    ):
        token = await sessions.open("sari")
        await shut_out()
        assert await sessions.find(token, idle=IDLE) is None
    assert await any_store.accounts.check_password("sari", PASSWORD) is None


async def test_machine_keys(any_store: Store, clock: HeldClock) -> None:
    keys = any_store.keys
    key = await keys.issue("dispatch-1", Role.DISPATCH)
    brief = await keys.issue("test", Role.VIEWER, expires_at=clock.now() + timedelta(hours=1))
    found = await keys.find(key)
    assert found is not None
    assert (found.name, found.role) == ("dispatch-1", Role.DISPATCH)
    assert await keys.find(key + "x") is None
    with pytest.raises(Exists):
        await keys.issue("dispatch-1", Role.VIEWER)
    assert await keys.find(brief) is not None
    clock.advance(3600)
    assert await keys.find(brief) is None
    await keys.revoke("dispatch-1")
    assert await keys.find(key) is None
    with pytest.raises(NotFound):
        await keys.revoke("nobody")
    assert [one.name for one in await keys.all()] == ["dispatch-1", "test"]


async def test_an_expired_key_is_not_revived_by_rotating_it(
    any_store: Store, clock: HeldClock
) -> None:
    keys = any_store.keys
    old = await keys.issue("brief", Role.VIEWER, clock.now() + timedelta(hours=1))
    clock.advance(7200)
    new = await keys.rotate("brief", timedelta(days=1))
    assert await keys.find(old) is None
    assert await keys.find(new) is not None


async def test_a_rotated_key_lives_on_for_the_overlap(any_store: Store, clock: HeldClock) -> None:
    keys = any_store.keys
    old = await keys.issue("dispatch-1", Role.DISPATCH)
    new = await keys.rotate("dispatch-1", timedelta(days=1))
    clock.advance(86_399)
    for key in (old, new):
        found = await keys.find(key)
        assert found is not None
        assert found.name == "dispatch-1"
    clock.advance(1)
    assert await keys.find(old) is None
    with pytest.raises(ContractError, match="overlap"):
        await keys.rotate("dispatch-1", timedelta(days=31))
    await keys.revoke("dispatch-1")
    with pytest.raises(NotFound):
        await keys.rotate("dispatch-1", timedelta())


async def test_a_session_ends_after_its_longest_time_however_much_it_was_used(
    any_store: Store, clock: HeldClock
) -> None:
    await any_store.accounts.add("sari", PASSWORD, Role.OPERATOR)
    longest = timedelta(hours=16)
    token = await any_store.sessions.open("sari")
    for _ in range(4):
        clock.advance(4 * 3600)
        assert await any_store.sessions.find(token, idle=IDLE, longest=longest) is not None
    clock.advance(60)
    assert await any_store.sessions.find(token, idle=IDLE, longest=longest) is None
    assert await any_store.sessions.forget_unused(idle=IDLE, longest=longest) == 1


async def test_the_last_supervisor_is_not_shut_out(any_store: Store) -> None:
    await any_store.accounts.ensure_first_account()
    with pytest.raises(ContractError, match="last supervisor"):
        await any_store.accounts.set_enabled(FIRST_USERNAME, False)
    await any_store.accounts.add("sari", PASSWORD, Role.SUPERVISOR)
    await any_store.accounts.set_enabled(FIRST_USERNAME, False)
    # Limited to some cameras, she could let nobody in again, herself included.
    with pytest.raises(ContractError, match="last supervisor"):
        await any_store.accounts.change("sari", camera_groups=["Timur"])


def test_in_earnest_a_guess_costs_64_mebibytes_and_three_passes() -> None:
    """The other tests hash as cheaply as can be."""
    hashing = (
        "import asyncio; from incidents.people.passwords import hash_password;"
        f"print(asyncio.run(hash_password({PASSWORD!r})))"
    )
    done = subprocess.run([sys.executable, "-c", hashing], capture_output=True, text=True)
    assert done.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), done.stderr


async def test_a_stolen_database_opens_nothing(store: Store, sqlite_url: str) -> None:
    await store.accounts.add("sari", PASSWORD, Role.OPERATOR)
    token = await store.sessions.open("sari")
    key = await store.keys.issue("dispatch-1", Role.DISPATCH)
    with sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///")) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert "$argon2id$" in dump
    for secret in (PASSWORD, token, key):
        assert secret not in dump
