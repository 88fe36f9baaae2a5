"""What workers count reaches whoever asks, in Prometheus' form too."""

from __future__ import annotations

from api.worker_figures import text_of_workers
from plumbing.bus import Bus


async def test_each_worker_s_newest_figures_are_told(bus: Bus) -> None:
    assert await bus.read_figures() == {}
    assert await text_of_workers(bus) == ""
    await bus.publish_figures("w1", {"look_backs_done_total": 1.0})
    await bus.publish_figures("w1", {"look_backs_done_total": 2.0, "shadow_pictures": 7.0})
    await bus.publish_figures("w2", {"look_backs_done_total": 5.0})
    assert (await bus.read_figures())["w1"] == {
        "look_backs_done_total": 2.0,
        "shadow_pictures": 7.0,
    }
    text = await text_of_workers(bus)
    assert text.count("# TYPE siaga_worker_look_backs_done_total counter\n") == 1
    assert 'siaga_worker_look_backs_done_total{worker="w2"} 5\n' in text
    assert "# TYPE siaga_worker_shadow_pictures gauge\n" in text


async def test_metrics_go_on_while_the_bus_is_away() -> None:
    async with Bus("redis://127.0.0.1:1/0") as away:
        assert await text_of_workers(away) == ""
