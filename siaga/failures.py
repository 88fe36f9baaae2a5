"""How a command says that it failed: one clear line, and exit code 1."""

from __future__ import annotations


class Failure(Exception):
    """What the user should know; printed as it is on standard error."""
