"""What axe finds on a page, as far as it matters."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def serious_faults(page: Page) -> list[str]:
    """Serious and critical violations of WCAG 2.2 AA: rule, place and what axe says of it."""
    options = {"runOnly": {"type": "tag", "values": _STANDARD}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
