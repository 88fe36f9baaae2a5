"""Slows down whoever guesses passwords.

Failures are counted a name and address together, so that a stranger who guesses at an operator's
name doesn't lock the operator out of the emergency desk; and an address alone, so that many names
from one place don't help. Each further failure doubles the wait. The counts live in the process's
memory, bounded; the oldest are forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from plumbing.clock import Clock

FREE_TRIES = 5
"""Wrong passwords for one name from one address before the first wait."""
FREE_TRIES_ADDRESS = 30
"""The same for an address, whatever the names: a call centre may share one."""
FIRST_WAIT_S = 15.0
LONGEST_WAIT_S = 900.0
FORGOTTEN_AFTER_S = 3600.0
MAX_KEPT = 20_000


@dataclass(slots=True)
class _Failures:
    count: int
    last_at_s: float


class Lockout:
    """Counts failures and says how long to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def wait_s(self, username: str, address: str) -> float:
        """Seconds until the next try is heard; 0 when it may be made now."""
        return max(
            self._wait_of((username.casefold(), address), FREE_TRIES),
            self._wait_of(("", address), FREE_TRIES_ADDRESS),
        )

    def failed(self, username: str, address: str) -> None:
        """A wrong password, or a name that isn't."""
        for key in ((username.casefold(), address), ("", address)):
            known = self._kept.pop(key, None)
            self._kept[key] = _Failures(
                1 if known is None or self._is_old(known) else known.count + 1,
                self._clock.monotonic_s(),
            )
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        """A right one: the name's failures from there are forgotten."""
        self._kept.pop((username.casefold(), address), None)

    def forgive(self, username: str) -> None:
        """Somebody who may has given the name another password: who holds it need not wait."""
        name = username.casefold()
        for key in [key for key in self._kept if key[0] == name]:
            del self._kept[key]

    def _wait_of(self, key: tuple[str, str], free: int) -> float:
        known = self._kept.get(key)
        if known is None or known.count < free or self._is_old(known):
            return 0.0
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(known.count - free, 20))
        return max(0.0, known.last_at_s + wait_s - self._clock.monotonic_s())

    def _is_old(self, known: _Failures) -> bool:
        return self._clock.monotonic_s() - known.last_at_s > FORGOTTEN_AFTER_S
