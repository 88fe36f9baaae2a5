"""The access table as a document: ``python -m api.access_table > docs/access.md``.

It is made from what the routes themselves ask (`access`, `scopes`, `views` and `reach` of
`api.rights`), and a test keeps the file equal to it and true by real requests.
"""

from __future__ import annotations

import sys

from api.rights.access import ACCESS, Roles
from api.rights.reach import AGENCY_ROUTES
from api.rights.scopes import scope_of
from api.rights.views import VIEWS
from incidents.people.accounts import Role

_HEAD = """# Who may do what

Every address with the roles that may use it. This page is made from the table that the program
itself asks before it reads anything of a request: `python -m api.access_table > docs/access.md`.

- *scope*: what a machine's key must have where it was narrowed (`siaga keys issue --scope`).
- *agency*: open to an agency's own people and systems, who see what is theirs alone.
- *audited*: what is written into the audit log before anything is shown. Whatever changes something
  is written there in any case.
- Who is limited to groups of cameras finds other cameras, and incidents that only those have to do
  with, nowhere: they are answered with 404. What is about the whole city (accounts, keys, webhooks,
  audit log, reports, learnt figures, dead letters) is closed to them (403).
"""


def document() -> str:
    """The whole page."""
    roles = list(Role)
    names = [role.value.replace("_", " ") for role in roles]
    head = ["", "address", *names, "scope", "agency", "audited"]
    lines = [_HEAD, _row(head), _row(["---"] * 2 + [":-:"] * len(roles) + ["---"] * 3)]
    for (method, path), allowed in sorted(ACCESS.items(), key=_order):
        shown = "WS" if method == "WEBSOCKET" else method
        marks = ["●" if _may(role, allowed) else "" for role in roles]
        scope = "everybody" if allowed is None else scope_of(method, path)
        agency = "●" if (method, path) in AGENCY_ROUTES else ""
        audited = VIEWS.get((method, path), "")
        lines.append(_row([shown, f"`{path}`", *marks, scope, agency, audited]))
    return "\n".join(lines) + "\n"


def _may(role: Role, allowed: Roles) -> bool:
    return allowed is None or role in allowed


def _order(item: tuple[tuple[str, str], Roles]) -> tuple[str, str]:
    (method, path), _ = item
    return path, method


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(document())
