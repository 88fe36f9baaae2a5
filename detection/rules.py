"""When a track of looks is believed. Pure.

A track's evidence is the joint likelihood ratio of its correlated looks since the onset that
explains them best (Page's CUSUM as a generalised likelihood ratio), in which old looks fade, and
what the way it behaves adds or takes: flames flicker and grow and stay where they are, lamps stand
still, lights on vehicles travel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.hazards import Sighting
from detection.tracks import Look, drift, evidence_by_onset, growth, jitter, median_flicker


@dataclass(frozen=True, slots=True)
class Rule:
    """When a track of one sighting is believed."""

    looks_needed: int
    looks_considered: int
    least_duration_s: float
    """From the first to the last of the looks that count."""
    window_s: float
    """Looks older than this count no more."""
    look_llr: float
    """A look counts from this log-likelihood ratio on."""
    confirm_llr: float
    """The joint evidence must reach this."""
    least_score: float = 0.0
    """Boxes below this are not looked at: for a class whose low scores say nothing."""
    most_drift: float | None = None
    """Farthest the box may stray, in diagonals: a wreck stands, traffic doesn't."""
    still_jitter: float | None = None
    """Below this jitter the thing is held for a lamp or a sign, the more the stiller it stands."""
    still_flicker: float = 1.0
    """The same of how much its content changes from picture to picture, in grey levels beyond what
    the picture as a whole does."""
    restless_llr: float = 0.0
    """What moving in outline and in content by twice as much as that adds, where it stays in its
    place."""
    growth_llr: float = 0.0
    """What growing to e times the area adds, and shrinking takes: no more than this either way."""
    travels_from: float | None = None
    """Beyond this drift, in diagonals, it is held for a light on a vehicle."""
    was_there_llr: float = 0.0
    """What it takes from the evidence that the thing stood there when the camera came up."""
    weak_llr: float = 0.0
    """A single look from this on is a weak cue."""


RULES: Mapping[Sighting, Rule] = {
    # Small flames are found now and then, not at every look.
    Sighting.FIRE: Rule(
        3,
        8,
        1.0,
        12.0,
        0.2,
        1.8,
        still_jitter=0.04,
        still_flicker=3.0,
        restless_llr=1.5,
        growth_llr=0.7,
        travels_from=1.5,
    ),
    Sighting.SMOKE: Rule(3, 6, 1.0, 12.0, 1.0, 2.0, still_jitter=0.008, growth_llr=0.7),
    Sighting.CRASH: Rule(
        4, 6, 3.0, 15.0, 0.7, 1.2, least_score=0.25, most_drift=0.5, was_there_llr=3.0
    ),
    # Its looks are worth what they show beyond the camera's own road.
    Sighting.FLOOD: Rule(3, 4, 8.0, 120.0, 1.0, 2.0),
}

CUED_LLR = 1.5
"""How much less evidence suffices while a call or an incident speaks of what the camera sees. What
is sent says honestly how much there is; fusion weighs it with the call's."""
CORRELATION = 0.5
"""Between looks at the same thing a second apart: joint evidence never exceeds two independent
looks.
"""
STAYS_WITHIN = 0.75
"""Drift, in diagonals, up to which something restless counts as one that burns where it stands."""
TRAVEL_LLR = 3.0
"""The most that straying takes from a fire: one nat a diagonal of its box."""
STILLNESS_LLR = 3.0
"""What perfect stillness takes from the evidence for fire and smoke: flames are twenty times as
often restless. Strong evidence outlives it.
"""


def confirms(rule: Rule, looks: Sequence[Look], least_llr: float) -> bool:
    """Whether looks (oldest first, within the window) meet a rule and are worth `least_llr`."""
    considered = looks[-rule.looks_considered :]
    counting = [look for look in considered if look.llr >= rule.look_llr]
    if len(counting) < rule.looks_needed:
        return False
    if counting[-1].at_s - counting[0].at_s < rule.least_duration_s:
        return False
    if rule.most_drift is not None and drift(counting) > rule.most_drift:
        return False
    return joint_llr(rule, looks) >= least_llr


def joint_llr(rule: Rule, looks: Sequence[Look]) -> float:
    """The natural-log likelihood ratio of the looks together, and of how the thing behaves.

    Nobody knows when it began, so the onset that explains the looks best is taken (Page's CUSUM, in
    the form of a generalised likelihood ratio), among those that leave as many looks as are needed.
    """
    latest_onset = max(0, len(looks) - rule.looks_needed)
    evidence = evidence_by_onset(looks, CORRELATION, rule.window_s)[: latest_onset + 1]
    onset = max(range(len(evidence)), key=lambda k: evidence[k])
    return evidence[onset] + behaviour_llr(rule, looks, looks[onset:])


def behaviour_llr(rule: Rule, looks: Sequence[Look], since_onset: Sequence[Look]) -> float:
    """What stillness, growth and travelling add to a track's evidence, in nats."""
    llr = 0.0
    if rule.still_jitter is not None and (moved := jitter(looks)) is not None:
        content = median_flicker(looks)
        outline = moved / rule.still_jitter
        restless = outline if content is None else min(outline, content / rule.still_flicker)
        llr -= STILLNESS_LLR * max(0.0, 1.0 - restless)
        if content is not None and drift(since_onset) <= STAYS_WITHIN:
            llr += rule.restless_llr * min(1.0, max(0.0, restless - 1.0))
    if rule.growth_llr:
        llr += rule.growth_llr * min(1.0, max(-1.0, growth(since_onset)))
    if rule.travels_from is not None:
        llr -= min(TRAVEL_LLR, max(0.0, drift(since_onset) - rule.travels_from))
    return llr
