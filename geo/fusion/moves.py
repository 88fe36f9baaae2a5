"""What a partition would gain by a move, and the best move of each kind; nothing is moved here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from contracts import IncidentId
from geo.fusion.pairs import apart_bonus, repeats
from geo.fusion.partings import exchanges, partings, pullable
from geo.fusion.scoring import Score
from geo.fusion.standing import Register, Standing

MERGE_GAIN = 0.5
"""Nats that a merge must gain: what people have seen as two doesn't become one on a tie."""
LEAVE_GAIN = 0.2
"""Nats that a piece must gain by leaving its incident: no flicker on a tie."""
SAME_SPOT_GAIN = 5.0
"""What makes a repeat of a camera's track one event with it, whatever else speaks against."""
TOLD_FROM = 0.001
"""Of what is less probable nobody is shown anything, and a lamp's tracks may stay as many as they
are."""
REPEATS_FROM = 0.05
"""What is this probable takes its camera's repeats in, also those that by themselves say too little
for anybody to be told of."""


@dataclass(frozen=True, slots=True)
class Move:
    """What is left of an incident; where a part of it goes (None for its own), and what that is
    then."""

    rest: Score
    target: Standing | None
    joint: Score


@dataclass(frozen=True, slots=True)
class Pull:
    """The neighbour that loses a source, what is left of it, and what the incident is then."""

    loser: Standing
    rest: Score
    joint: Score


def union_gain(one: Score, other: Score, joint: Score) -> float:
    """What is gained where two sets are one event and not two: in the partition's score, less what
    it costs if they are two after all, over what two would have cost.
    """
    if joint.impossible:
        return -math.inf
    gain = joint.gain - one.gain - other.gain - apart_bonus(one, other)
    gain -= math.log(one.parameters.two_as_one_costs)
    less, more = sorted((one.probability, other.probability))
    if (less > TOLD_FROM or more > REPEATS_FROM) and repeats(one, other):
        return max(gain, SAME_SPOT_GAIN)
    return gain


def apart_gain(one: Score, other: Score) -> float:
    """What two sets add to the partition's score as two events."""
    if one.impossible or other.impossible:
        return -math.inf
    return one.gain + other.gain + apart_bonus(one, other)


def best_home(
    register: Register, alone: Score, exercise: bool, besides: IncidentId | None = None
) -> tuple[Standing, Score] | None:
    """The incident that gains most by taking a set in, if any gains more than founding one."""
    best: tuple[Standing, Score] | None = None
    best_gain = 0.0
    for incident in register.near(alone, besides):
        if incident.exercise is not exercise:
            continue
        joint = incident.score.joined(alone)
        gain = union_gain(incident.score, alone, joint)
        if gain > best_gain:
            best, best_gain = (incident, joint), gain
    return best


def best_partner(register: Register, incident: Standing) -> tuple[Standing, Score] | None:
    """The incident with which a merge gains most, and what the two come to."""
    best: tuple[Standing, Score] | None = None
    best_gain = MERGE_GAIN
    for other in _free_near(register, incident):
        joint = incident.score.joined(other.score)
        gain = union_gain(incident.score, other.score, joint)
        if gain > best_gain:
            best, best_gain = (other, joint), gain
    return best


def best_move(register: Register, incident: Standing) -> Move | None:
    """The part of an incident that gains most by leaving it, for another or for itself."""
    best: Move | None = None
    best_gain = LEAVE_GAIN
    for leaving, rest in partings(incident.score):
        stays = union_gain(rest, leaving, incident.score)
        home = best_home(register, leaving, incident.exercise, besides=incident.id)
        moves = 0.0 if home is None else union_gain(home[0].score, leaving, home[1])
        if moves - stays > best_gain:
            best_gain = moves - stays
            best = Move(rest, None, leaving) if home is None else Move(rest, *home)
    return best


def best_pull(register: Register, incident: Standing) -> Pull | None:
    """The source of a neighbour that gains most by coming to an incident, now that more is known of
    it: who was far off, or placed by a cell alone, joined what was there at the time."""
    if incident.score.probability < TOLD_FROM:
        return None
    best: Pull | None = None
    best_gain = LEAVE_GAIN
    for other in _free_near(register, incident):
        for leaving, rest in pullable(other.score, incident.score):
            joint = incident.score.joined(leaving)
            comes = union_gain(incident.score, leaving, joint)
            gain = comes - union_gain(rest, leaving, other.score)
            if gain > best_gain:
                best, best_gain = Pull(other, rest, joint), gain
    return best


def best_exchange(register: Register, incident: Standing) -> tuple[Standing, Score, Score] | None:
    """The neighbour with which exchanging what one camera saw in both gains most; what the incident
    and the neighbour come to."""
    best: tuple[Standing, Score, Score] | None = None
    best_gain = LEAVE_GAIN
    for other in _free_near(register, incident):
        apart = apart_gain(incident.score, other.score)
        for mine, theirs in exchanges(incident.score, other.score):
            gain = apart_gain(mine, theirs) - apart
            if gain > best_gain:
                best, best_gain = (other, mine, theirs), gain
    return best


def _free_near(register: Register, incident: Standing) -> list[Standing]:
    """The neighbours that may be changed together with an incident."""
    if incident.touched:
        return []
    return [
        other
        for other in register.near(incident.score, incident.id)
        if not other.touched and other.exercise is incident.exercise
    ]
