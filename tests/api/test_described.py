"""What the API does is what its description says: a seeded share of `python -m bench.described`."""

from __future__ import annotations

import pytest

from bench.described import probe
from incidents.people.accounts import Role
from tests.support.api import ApiThread


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_request_gets_an_answer_that_is_not_described(own_api_thread: ApiThread) -> None:
    api = own_api_thread.api
    found = probe(api.url, api.keys[Role.SUPERVISOR], examples=1, with_seed=20261122)
    assert found.failures == {}
    assert found.requests > 100
    assert not [status for status in found.statuses if status >= 500 and status not in (503, 504)]
