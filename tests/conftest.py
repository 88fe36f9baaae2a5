"""Fixtures that several rooms use; each is described where it is made."""

import os

from hypothesis import settings

# A shared machine makes any deadline a matter of luck; CI must fail for the code's faults alone.
settings.register_profile("siaga", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("siaga")

pytest_plugins = ["tests.support.bus", "tests.support.store"]
