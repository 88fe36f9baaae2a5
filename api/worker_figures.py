"""What the workers count, in Prometheus' text form."""

from __future__ import annotations

from plumbing.bus import Bus, BusUnavailable


async def text_of_workers(bus: Bus) -> str:
    """A line a worker and figure; nothing while the bus is away."""
    try:
        told = await bus.read_figures()
    except BusUnavailable:
        return ""
    lines: list[str] = []
    for name in sorted({name for figures in told.values() for name in figures}):
        kind = "counter" if name.endswith("_total") else "gauge"
        lines.append(f"# TYPE siaga_worker_{name} {kind}\n")
        lines += [
            f'siaga_worker_{name}{{worker="{worker}"}} {figures[name]:g}\n'
            for worker, figures in told.items()
            if name in figures
        ]
    return "".join(lines)
