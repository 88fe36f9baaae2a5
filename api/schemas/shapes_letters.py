"""What answers about dead letters hold."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class DeadLetterItem(BaseModel):
    """Something that came over the bus and could not be used."""

    id: str
    recorded_at: str
    problem: str
    is_whole: bool = Field(description="Whether its bytes are there")


class SetAsideItem(BaseModel):
    """A report that is stored, and that fusion could not work with."""

    report_id: str
    problem: str


class DeadLetterList(BaseModel):
    """The newest letters, and all reports that were set aside."""

    dead_letters: list[DeadLetterItem]
    set_aside: list[SetAsideItem]


class TakenLetter(BaseModel):
    """What became of a letter."""

    id: str
    outcome: Literal["taken", "repeated"] = Field(
        description="`repeated`: what it tells had been stored already"
    )
