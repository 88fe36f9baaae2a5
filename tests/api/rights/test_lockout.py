"""Guessing gets slower and slower, for the guesser alone."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from api.rights.lockout import (
    FORGOTTEN_AFTER_S,
    FREE_TRIES,
    FREE_TRIES_ADDRESS,
    LONGEST_WAIT_S,
    MAX_KEPT,
    Lockout,
)
from plumbing.clock import HeldClock


def held() -> tuple[HeldClock, Lockout]:
    clock = HeldClock(datetime(2026, 11, 22, tzinfo=UTC))
    return clock, Lockout(clock)


def test_a_few_mistakes_cost_nothing_and_further_ones_double_the_wait() -> None:
    clock, lockout = held()
    waits = []
    for _ in range(FREE_TRIES + 4):
        lockout.failed("ani", "10.0.0.1")
        waits.append(lockout.wait_s("ani", "10.0.0.1"))
    assert waits == [0] * (FREE_TRIES - 1) + [15, 30, 60, 120, 240]
    clock.advance(239)
    assert lockout.wait_s("ANI", "10.0.0.1") == 1
    clock.advance(1)
    assert lockout.wait_s("ani", "10.0.0.1") == 0


def test_who_was_given_another_password_need_not_wait() -> None:
    _, lockout = held()
    for name in ("Ani", "budi"):
        for address in ("10.0.0.1", "10.0.0.2"):
            for _ in range(FREE_TRIES + 1):
                lockout.failed(name, address)
    lockout.forgive("ani")
    assert lockout.wait_s("ani", "10.0.0.1") == lockout.wait_s("ANI", "10.0.0.2") == 0
    assert lockout.wait_s("budi", "10.0.0.1") > 0


def test_a_stranger_elsewhere_does_not_lock_the_operator_out() -> None:
    _, lockout = held()
    for _ in range(50):
        lockout.failed("ani", "203.0.113.9")
    assert lockout.wait_s("ani", "203.0.113.9") > 0
    assert lockout.wait_s("ani", "10.0.0.1") == 0


def test_many_names_from_one_place_do_not_help() -> None:
    _, lockout = held()
    for number in range(FREE_TRIES_ADDRESS):
        lockout.failed(f"name-{number}", "203.0.113.9")
    assert lockout.wait_s("fresh", "203.0.113.9") > 0


def test_the_right_password_and_time_forget() -> None:
    clock, lockout = held()
    for _ in range(FREE_TRIES):
        lockout.failed("ani", "10.0.0.1")
    lockout.succeeded("ani", "10.0.0.1")
    assert lockout.wait_s("ani", "10.0.0.1") == 0
    for _ in range(40):
        lockout.failed("budi", "10.0.0.2")
    clock.advance(FORGOTTEN_AFTER_S + 1)
    assert lockout.wait_s("budi", "10.0.0.2") == 0


@given(st.integers(0, 5_000))
def test_no_wait_is_longer_than_the_longest(failures: int) -> None:
    _, lockout = held()
    for _ in range(min(failures, 200)):
        lockout.failed("ani", "a")
    assert 0 <= lockout.wait_s("ani", "a") <= LONGEST_WAIT_S


def test_memory_is_bounded() -> None:
    _, lockout = held()
    for number in range(MAX_KEPT + 100):
        lockout.failed(f"name-{number}", f"address-{number}")
    assert len(lockout._kept) == MAX_KEPT
