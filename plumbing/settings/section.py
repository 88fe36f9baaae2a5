"""What every part of the settings is made of."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[float, Field(gt=0, le=10_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def network(text: str) -> str:
    """A network in CIDR notation, or an error that shows how to write one."""
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{error}; write a network like 10.20.0.0/16") from error
    return text


def with_defaults(defaults: Mapping[str, object]) -> Callable[[object], object]:
    """A validator of figures a hazard: what is not named keeps its default, so that one can be
    changed alone.
    """

    def check(given: object) -> object:
        if not isinstance(given, dict):
            return given
        unknown = sorted(set(map(str, given)) - set(defaults))
        if unknown:
            raise ValueError(f"no hazard {unknown[0]!r}; known: {', '.join(defaults)}")
        return {**defaults, **given}

    return check
