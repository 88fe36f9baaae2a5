"""`siaga audit`: check the audit log's chain, read it, and take out what must be forgotten."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from incidents.people.audit import AuditEntry, Verdict
from incidents.people.audit_chain import Head
from siaga.commands.options import ConfigOption, JsonOption
from siaga.commands.stored import with_store
from siaga.failures import Failure

app = typer.Typer(no_args_is_help=True, help="Who did what and who saw what.")


@app.command()
def verify(
    head: Annotated[
        str, typer.Option(help="A head that was noted elsewhere before, SEQ:HASH.")
    ] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk the whole chain; name its first broken link, or print its head to be noted elsewhere."""
    noted = _head(head) if head else None
    verdict = with_store(config, lambda store: store.audit.verify(noted))
    if as_json:
        typer.echo(json.dumps(_document(verdict)))
    elif verdict.holds:
        typer.echo(f"{verdict.entries} entries from {verdict.first_seq}: the chain holds")
        typer.echo(f"head {verdict.head}")
    if not verdict.holds:
        raise Failure(f"the audit log is broken at entry {verdict.broken_seq}: {verdict.why}")


@app.command()
def show(
    actor: Annotated[str | None, typer.Option(help="Who.")] = None,
    action: Annotated[str | None, typer.Option(help="What, or its beginning: view.")] = None,
    subject: Annotated[str | None, typer.Option(help="An id, or an account's name.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Newest entries.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The newest entries, newest first."""
    page = with_store(
        config,
        lambda store: store.audit.page(actor=actor, action=action, subject=subject, limit=limit),
    )
    if as_json:
        typer.echo(json.dumps({"entries": [_item(one) for one in page.entries]}))
        return
    for one in page.entries:
        at = one.recorded_at.isoformat(sep=" ", timespec="seconds")
        typer.echo(f"{one.seq:>8}  {at}  {one.actor:<20} {one.action:<22} {one.subject}")


@app.command()
def forget(subject: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Take the details of all entries about something away; the chain still holds."""
    gone = with_store(config, lambda store: store.audit.forget(subject))
    if as_json:
        typer.echo(json.dumps({"subject": subject, "entries": gone}))
        return
    typer.echo(f"took the details of {gone} entries about {subject} away")


def _head(text: str) -> Head:
    if not (found := re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", text.strip())):
        raise typer.BadParameter("write it as it was printed, SEQ:HASH", param_hint="--head")
    return Head(int(found[1]), found[2])


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "holds": verdict.holds,
        "entries": verdict.entries,
        "first_seq": verdict.first_seq,
        "head": {"seq": verdict.head.seq, "hash": verdict.head.hash},
        "broken_seq": verdict.broken_seq,
        "why": verdict.why,
    }


def _item(one: AuditEntry) -> dict[str, object]:
    return {
        "seq": one.seq,
        "recorded_at": one.recorded_at.isoformat(),
        "actor": one.actor,
        "action": one.action,
        "subject": one.subject,
        "details": one.details,
        "hash": one.hash,
    }
