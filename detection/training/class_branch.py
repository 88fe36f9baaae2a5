"""Trains a detector's class branch alone (`siaga train class-branch`): minutes instead of hours.

Life cycle: stage > features of every view, once (`feature_cache`) > the branch over them, a
checkpoint an epoch > the last one, which `publish` exports and measures. The rest of the net, and
with it every box, stays as it was. Killed anywhere, the same command goes on.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detection.training import environment, sources
from detection.training.detector import detector_split
from detection.training.environment import print_err
from detection.training.feature_cache import FeatureCache, cached_features
from detection.training.staging import stage

WARM_UP_STEPS = 80
LOWEST_RATE = 0.03
"""Of the highest: where the cosine ends."""
WEIGHT_DECAY = 1e-3
LONGEST_GRADIENT = 10.0
SLOWEST_AVERAGE = 0.998
"""Decay of the running mean of the weights, which is what is kept."""


@dataclass(frozen=True, slots=True)
class ClassBranchPlan:
    """One training, in full: with the data and the seed it says what the weights will be."""

    start_weights: str
    work: Path
    epochs: int = 5
    views: int = 3
    image_size_px: int = 320
    batch: int = 16
    seed: int = 7
    threads: int = 1
    learning_rate: float = 0.0006
    stated_licence_only: bool = False
    history: str = "themselves trained on these scenes"
    """What the starting weights have seen before; stands in the model card."""


def train(plan: ClassBranchPlan) -> Path:
    """Train to the end, or go on where an earlier run of the same plan stopped; returns the last
    checkpoint.

    Progress and time left go to standard error. Raises TrainExtraMissingError, DataUnusableError
    and FileNotFoundError, the last also for starting weights that aren't there.
    """
    work = plan.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    environment.prepare(work, plan.threads, plan.seed)
    if not Path(plan.start_weights).is_file():
        raise FileNotFoundError(f"there are no starting weights {plan.start_weights}")
    parts = detector_split(sources.data_root(), plan.stated_licence_only)
    note = work / "plan.json"
    facts = json.dumps(
        {
            **asdict(plan),
            "work": str(plan.work),
            "start_weights_sha256": environment.weights_sha256(plan.start_weights),
            "split_sha256": parts.digest(),
        },
        indent=1,
    )
    if not note.is_file() or note.read_text() != facts:
        print_err(parts.table())
        stage(parts, work, plan.image_size_px, plan.seed)
        for old in work.glob("epoch*.pt"):
            old.unlink()
        (work / "features" / "labels.jsonl").unlink(missing_ok=True)
        note.write_text(facts)
    checkpoint = _load(plan.start_weights)
    net = (checkpoint.get("ema") or checkpoint["model"]).float().eval()
    features = cached_features(
        net, work / "stage", work / "features", plan.views, plan.seed, plan.image_size_px
    )
    _train_branch(plan, net, features, work)
    finished = work / "class-branch.pt"
    _save({**checkpoint, "model": net, "ema": None, "train_args": asdict(plan)}, finished)
    return finished


def _train_branch(plan: ClassBranchPlan, net: Any, features: FeatureCache, work: Path) -> None:
    """Train `net`'s class branch in place, over one random view of each picture an epoch."""
    import torch
    from ultralytics.cfg import get_cfg
    from ultralytics.utils.loss import v8DetectionLoss

    net.args = get_cfg()
    head = net.model[-1]
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    weights = list(head.cv3.parameters())
    for parameter in weights:
        parameter.requires_grad_(True)
    # The head alone in training: it hands out raw maps, and the norms' statistics stay at rest.
    head.training = True
    loss_of = v8DetectionLoss(net)
    optimiser = torch.optim.AdamW(weights, lr=plan.learning_rate, weight_decay=WEIGHT_DECAY)
    mean = [w.detach().clone() for w in weights]
    each = features.pictures // plan.batch
    steps, step, first = plan.epochs * each, 0, 0
    done = sorted(work.glob("epoch*.pt"), key=lambda path: int(path.stem[5:]))
    if done:
        print_err(f"going on from {done[-1]}")
        state = _load(done[-1])
        optimiser.load_state_dict(state["optimiser"])
        mean, first = state["mean"], int(done[-1].stem[5:]) + 1
        step = first * each
        with torch.no_grad():
            for weight, saved in zip(weights, state["weights"], strict=True):
                weight.copy_(saved)
    began_s = time.monotonic()
    for epoch in range(first, plan.epochs):
        rng = np.random.default_rng([plan.seed, epoch])
        order, losses = rng.permutation(features.pictures), []
        for batch in range(each):
            picked = order[batch * plan.batch : (batch + 1) * plan.batch]
            view = rng.integers(0, features.views, len(picked))
            index = np.sort(picked + features.pictures * view)
            for group in optimiser.param_groups:
                group["lr"] = plan.learning_rate * _rate(step, steps)
            with torch.autocast("cpu", torch.bfloat16):
                raw = head([_tensor(level[index]) for level in features.levels])
            loss, _ = loss_of(_in_full(raw), _batch(features, index))
            # Of box, class and distance, the class's alone: nothing else can move.
            optimiser.zero_grad()
            loss[1].backward()
            torch.nn.utils.clip_grad_norm_(weights, LONGEST_GRADIENT)
            optimiser.step()
            step += 1
            losses.append(loss[1].item() / len(picked))
            with torch.no_grad():
                for kept, weight in zip(mean, weights, strict=True):
                    kept.lerp_(weight, 1.0 - min(SLOWEST_AVERAGE, step / (step + 20)))
        left_s = (time.monotonic() - began_s) / (epoch - first + 1) * (plan.epochs - epoch - 1)
        _save(
            {"weights": weights, "mean": mean, "optimiser": optimiser.state_dict()},
            work / f"epoch{epoch}.pt",
        )
        print_err(
            f"epoch {epoch + 1}/{plan.epochs} class loss {np.mean(losses):.3f} "
            f"about {left_s / 60:.0f} min left"
        )
    with torch.no_grad():
        for weight, kept in zip(weights, mean, strict=True):
            weight.copy_(kept)
    head.training = False


def _rate(step: int, steps: int) -> float:
    """Share of the highest learning rate: a short ascent, then half a cosine."""
    fall = LOWEST_RATE + (1.0 - LOWEST_RATE) * 0.5 * (1.0 + math.cos(math.pi * step / steps))
    return min(1.0, (step + 1) / WARM_UP_STEPS) * fall


def _tensor(values: Any) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(values)).float()


def _in_full(raw: Any) -> Any:
    """The head's maps in full precision: sums of thousands of small terms follow."""
    import torch

    if torch.is_tensor(raw):
        return raw.float()
    if isinstance(raw, dict):
        return {name: _in_full(value) for name, value in raw.items()}
    return [_in_full(value) for value in raw]


def _batch(features: FeatureCache, index: Any) -> dict[str, Any]:
    import torch

    labels = [features.labels[i] for i in index]
    whole = torch.from_numpy(np.concatenate(labels)).float()
    belongs = np.repeat(np.arange(len(labels)), [len(some) for some in labels])
    return {
        "batch_idx": torch.from_numpy(belongs).float(),
        "cls": whole[:, :1],
        "bboxes": whole[:, 1:],
        "img": torch.empty(len(labels), 3, 1, 1),
    }


def _load(path: str | Path) -> dict[str, Any]:
    import torch

    # Our own trainings wrote it, so it may be unpickled whole.
    loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return loaded


def _save(state: dict[str, Any], path: Path) -> None:
    """Written whole or not at all: a run may be killed here."""
    import torch

    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)
