"""The shapes of answers about exercises, for the description at /docs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ExerciseState(BaseModel):
    """What the simulated city plays."""

    city: bool = Field(description="Whether there has been a simulated city at all")
    is_playing: bool
    exercise_id: str = Field(description="Empty for the city's everyday, which isn't recorded")
    name: str
    title: str
    judul: str = Field(description="The title in Indonesian")
    asked_by: str
    started_at: str | None
    ends_at: str | None = Field(description="None where it goes round and round")


class ScenarioItem(BaseModel):
    """A scenario that can be played."""

    name: str
    title: str
    judul: str
    seconds: float
    cameras: int
    events: int
    conditions: str


class Trainee(BaseModel):
    """How one person did: steps taken first and their median waits in seconds, verdicts."""

    name: str = Field(max_length=200)
    acknowledged: int
    acknowledged_s: float | None
    verified: int
    verified_s: float | None
    dispatched: int
    dispatched_s: float | None
    right: int
    believed: int = Field(description="Verified, though nothing had happened")
    dismissed: int = Field(description="Rejected, though it had happened")


class Score(BaseModel):
    """An exercise's score; events and false alarms one by one stand beside these."""

    model_config = ConfigDict(extra="allow")

    totals: dict[str, int] = Field(description="Events, found, duplicates, false alarms ...")
    operators: dict[str, float | None] = Field(description="Median waits of all, in seconds")
    trainees: list[Trainee]


class ExerciseSummary(BaseModel):
    """An exercise that was played."""

    id: str
    scenario: str
    title: str
    judul: str
    seed: int
    asked_by: str
    started_at: str
    ended_at: str
    totals: dict[str, int]
    operators: dict[str, float | None]
    trainees: list[Trainee]


class Exercise(ExerciseSummary):
    """The same, with the whole score."""

    score: Score


class ExerciseList(BaseModel):
    """What can be played, and what was."""

    scenarios: list[ScenarioItem]
    exercises: list[ExerciseSummary]
