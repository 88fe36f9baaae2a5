"""Write the exact versions of everything that Siaga and its tests need, as pip constraints.

``python .ci/pins.py constraints.txt`` in an environment that has them all. What other extras
bring (training) is left out: it is installed elsewhere.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

HEAD = """\
# The exact versions that Siaga and its tests are run with: what pyproject.toml pins, and all that
# those packages need in turn. Written by `make pins`.
"""


def pinned(root: str, extras: frozenset[str]) -> dict[str, str]:
    """Versions by name of what ``root`` with ``extras`` needs, itself left out."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(root, extras)]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            package = distribution(name)
        except PackageNotFoundError:
            sys.exit(f"{name} is not installed; run `make test` first")
        if name != root:
            found[name] = package.version
        for text in package.requires or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted | {""}):
                waiting.append((canonical(requirement.name), frozenset(requirement.extras)))
    return found


def canonical(name: str) -> str:
    """A package's one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    versions = pinned("siaga", frozenset({"test"}))
    lines = [f"{name}=={version.split('+')[0]}\n" for name, version in sorted(versions.items())]
    Path(sys.argv[1]).write_text(HEAD + "".join(lines))
