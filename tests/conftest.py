"""Fixtures that several rooms use; each is described where it is made."""

import os

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

# A shared machine makes any deadline a matter of luck; CI must fail for the code's faults alone.
settings.register_profile("siaga", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("siaga")

pytest_plugins = ["tests.support.alone", "tests.support.bus", "tests.support.store"]


@pytest.fixture(scope="session", autouse=True)
def light_passwords() -> None:
    """Argon2 at its least: hundreds of passwords are hashed, none of which guards anything."""
    from incidents.people import passwords

    passwords.use(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
