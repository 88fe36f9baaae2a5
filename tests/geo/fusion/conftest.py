from __future__ import annotations

import pytest

from geo.fusion import Fusion, FusionParameters
from tests.geo.builders import Reporter
from tests.geo.fusion.stage import CAMERAS, PROJECTION


@pytest.fixture
def fusion() -> Fusion:
    return Fusion(FusionParameters(), PROJECTION, CAMERAS)


@pytest.fixture
def say() -> Reporter:
    return Reporter(PROJECTION)
