"""Whether a model's log-likelihood ratios keep their word: what they state beside what is so.

A ratio states a probability once a prior is given; here hazard and clutter are equally likely, as
where the curves were fitted. Pictures that state about the same are put together, and the share of
them that truly shows the hazard stands beside it: on the diagonal where the model keeps its word.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

EDGES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Of the stated probability: finer at the ends, where decisions are made."""
ROUNDS = 400


@dataclass(frozen=True, slots=True)
class StatedPicture:
    """One picture: the natural-log likelihood ratio that the model states, and what is so."""

    llr: float
    present: bool
    scene: str


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pictures that state about the same probability."""

    stated: float
    """Their mean."""
    observed: float
    """The share that shows the hazard, with hazard and clutter weighing the same in all."""
    low: float
    high: float
    """95 % interval of `observed`, by bootstrap over scenes."""
    pictures: int
    scenes: int


def reliability_bins(pictures: Sequence[StatedPicture]) -> tuple[ReliabilityBin, ...]:
    """The bins that hold any picture, by rising probability.

    Raises ValueError without both pictures that show the hazard and such that don't.
    """
    present = np.array([p.present for p in pictures], dtype=bool)
    if present.all() or not present.any():
        raise ValueError("reliability needs pictures with the hazard and pictures without")
    stated = 1.0 / (1.0 + np.exp(-np.clip([p.llr for p in pictures], -50.0, 50.0)))
    weights = np.where(present, 0.5 / present.sum(), 0.5 / (~present).sum())
    index = np.clip(np.searchsorted(EDGES, stated, side="right") - 1, 0, len(EDGES) - 2)
    names = sorted({p.scene for p in pictures})
    scene = np.array([names.index(p.scene) for p in pictures])
    draws = np.random.default_rng(0)
    bins = []
    for i in range(len(EDGES) - 1):
        mine = index == i
        if not mine.any():
            continue
        scenes = np.unique(scene[mine])
        # By scene: the weight of the hazard, and of everything.
        hazard = np.array([weights[mine & present & (scene == s)].sum() for s in scenes])
        whole = np.array([weights[mine & (scene == s)].sum() for s in scenes])
        picks = draws.integers(0, len(scenes), (ROUNDS, len(scenes)))
        shares = hazard[picks].sum(axis=1) / whole[picks].sum(axis=1)
        low, high = (float(q) for q in np.quantile(shares, [0.025, 0.975]))
        observed = float(hazard.sum() / whole.sum())
        # Where all agree resampling sees no doubt: the rule of three does.
        beyond = min(1.0, 3.0 / len(scenes))
        bins.append(
            ReliabilityBin(
                float(np.average(stated[mine], weights=weights[mine])),
                observed,
                low if observed < 1.0 else 1.0 - beyond,
                high if observed > 0.0 else beyond,
                int(mine.sum()),
                len(scenes),
            )
        )
    return tuple(bins)


def log_loss_bits(pictures: Sequence[StatedPicture]) -> float:
    """Mean surprise in bits, hazard and clutter weighing the same: 1 is what a coin scores."""
    by_kind: dict[bool, list[float]] = {True: [], False: []}
    for p in pictures:
        by_kind[p.present].append(math.log1p(math.exp(-p.llr if p.present else p.llr)))
    return sum(sum(losses) / len(losses) for losses in by_kind.values()) / 2 / math.log(2)


_PANEL_PX = 260
_MARGIN_PX = 46
_INK = "#1b2733"
_FAINT = "#c6d0d8"
_MARK = "#0b7a8c"


def reliability_svg(panels: Mapping[str, Sequence[ReliabilityBin]]) -> str:
    """A drawing with one panel a hazard, as SVG. A bin's disc grows with its scenes, its line is
    the 95 % interval.
    """
    width = _MARGIN_PX + len(panels) * (_PANEL_PX + _MARGIN_PX)
    height = _PANEL_PX + 2 * _MARGIN_PX
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11" '
        f'fill="{_INK}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for i, (title, bins) in enumerate(panels.items()):
        lines += _panel(title, bins, _MARGIN_PX + i * (_PANEL_PX + _MARGIN_PX), _MARGIN_PX)
    return "\n".join([*lines, "</svg>", ""])


def _panel(title: str, bins: Sequence[ReliabilityBin], left: int, top: int) -> Iterator[str]:
    def x(share: float) -> float:
        return round(left + share * _PANEL_PX, 1)

    def y(share: float) -> float:
        return round(top + (1 - share) * _PANEL_PX, 1)

    bottom = top + _PANEL_PX
    yield f'<text x="{left}" y="{top - 14}" font-size="13" font-weight="bold">{title}</text>'
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        for x0, y0, x1, y1 in ((x(tick), top, x(tick), bottom), (x(0), y(tick), x(1), y(tick))):
            yield f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="{_FAINT}"/>'
        yield f'<text x="{x(tick)}" y="{bottom + 15}" text-anchor="middle">{tick:g}</text>'
        yield f'<text x="{left - 6}" y="{y(tick) + 4}" text-anchor="end">{tick:g}</text>'
    yield (
        f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="{_INK}" '
        'stroke-dasharray="4 4"/>'
    )
    for one in bins:
        at = x(one.stated)
        yield (
            f'<line x1="{at}" y1="{y(one.low)}" x2="{at}" y2="{y(one.high)}" '
            f'stroke="{_MARK}" stroke-width="2"/>'
        )
        radius = round(min(3 + 0.5 * math.sqrt(one.scenes), 9), 1)
        yield (
            f'<circle cx="{at}" cy="{y(one.observed)}" r="{radius}" fill="{_MARK}">'
            f"<title>{one.pictures} pictures of {one.scenes} scenes</title></circle>"
        )
    middle = left + _PANEL_PX / 2
    yield f'<text x="{middle}" y="{bottom + 32}" text-anchor="middle">stated probability</text>'
    if left == _MARGIN_PX:
        yield (
            f'<text x="{12}" y="{top + _PANEL_PX / 2}" text-anchor="middle" '
            f'transform="rotate(-90 12 {top + _PANEL_PX / 2})">share that shows it</text>'
        )
