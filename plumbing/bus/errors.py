"""The one family of errors that users of the bus meet."""

from __future__ import annotations


class BusUnavailable(Exception):
    """The bus can't do this now; what was handed over is not accepted, so keep it and try again."""


class BusFull(BusUnavailable):
    """A topic holds as many unacknowledged entries as it may; its consumers are behind or gone."""


class NoAnswer(BusUnavailable):
    """Nobody answered a command in time, or the one who took it failed."""


class RegisterMissing(BusUnavailable):
    """No register was published since the server lost its memory: go on with the one you have."""
