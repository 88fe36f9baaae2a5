from __future__ import annotations

from simulator.cost import measure, table


def test_a_small_city_is_measured() -> None:
    cost = measure(cameras=1, fps=5.0, seconds=0.8)
    assert 0 < cost.quiet_ms < 200
    assert 0 < cost.encode_ms < 200
    assert 0 < cost.first_ready_cpu_s <= cost.all_ready_cpu_s
    assert cost.cameras_a_core > 0.5
    assert "cameras a core" in table(cost)
