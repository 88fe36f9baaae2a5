from __future__ import annotations

import pytest

from simulator.scene import fluid
from simulator.scene.fluid import FireLoop


@pytest.fixture(scope="session")
def loop() -> FireLoop:
    return fluid.simulate(1)
