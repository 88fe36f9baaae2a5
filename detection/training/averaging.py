"""The mean of several checkpoints of one training: often better than each, and never slower.

Wortsman et al., "Model soups" (2022). The checkpoints must have the same architecture and come from
one lineage; weights that don't share an ancestor have no meaningful mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from detection.training import environment


def average(checkpoints: Sequence[Path], target: Path) -> None:
    """Write the mean of the checkpoints' averaged (EMA) weights to `target`.

    Raises ValueError without checkpoints or where their layers differ, TrainExtraMissingError.
    """
    environment.require()
    import torch

    if not checkpoints:
        raise ValueError("nothing to average")
    states: list[dict[str, Any]] = []
    first: dict[str, Any] = {}
    for path in checkpoints:
        # Our own training wrote them, so they may be unpickled whole.
        loaded = torch.load(path, map_location="cpu", weights_only=False)
        model = (loaded.get("ema") or loaded["model"]).float()
        first = first or {**loaded, "model": model, "ema": None}
        states.append(model.state_dict())
    if any(state.keys() != states[0].keys() for state in states):
        raise ValueError("the checkpoints have different layers")
    mean = {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
    first["model"].load_state_dict(mean)
    torch.save(first, target)
