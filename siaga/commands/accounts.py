"""`siaga users` and `siaga keys`: who may come in."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from incidents.people.accounts import Role
from plumbing.clock import SystemClock
from siaga.commands.options import ConfigOption, JsonOption
from siaga.commands.stored import with_store

users = typer.Typer(no_args_is_help=True, help="People's accounts.")
keys = typer.Typer(no_args_is_help=True, help="Machines' keys.")

PASSWORD_BYTES = 15
MOST_DAYS = 36_500
"""A key's; longer is for ever, which is what none says."""

RoleOption = Annotated[Role, typer.Option(help="What they may do.")]
GroupsOption = Annotated[
    list[str] | None,
    typer.Option("--camera-group", help="See this group's cameras alone; may be repeated."),
]


@users.command("list")
def list_users(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every account."""
    accounts = with_store(config, lambda store: store.accounts.all())
    if as_json:
        found = [
            {
                "username": one.username,
                "display_name": one.display_name,
                "role": one.role.value,
                "enabled": one.enabled,
                "external": one.is_external,
                "camera_groups": _listed(one.camera_groups),
            }
            for one in accounts
        ]
        typer.echo(json.dumps({"users": found}))
        return
    for one in accounts:
        shut = "" if one.enabled else "   (shut out)"
        typer.echo(f"{one.username:<20} {one.role.value:<14} {one.display_name}{shut}")


@users.command("add")
def add_user(
    username: str,
    role: RoleOption = Role.OPERATOR,
    name: Annotated[str, typer.Option(help="Shown on the screen; default the user name.")] = "",
    camera_group: GroupsOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account; prints its password once."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with_store(
        config,
        lambda store: store.accounts.add(
            username, password, role, name or None, camera_groups=camera_group or None
        ),
    )
    _tell_password(username, password, as_json)


@users.command("password")
def reset_password(username: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Give an account a new password; prints it once and ends the account's sessions."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with_store(config, lambda store: store.accounts.set_password(username, password))
    _tell_password(username, password, as_json)


@users.command("disable")
def disable_user(username: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Shut an account out and end its sessions."""
    with_store(config, lambda store: store.accounts.set_enabled(username, False))
    _tell({"username": username, "enabled": False}, f"{username} is shut out", as_json)


@users.command("enable")
def enable_user(username: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Let an account in again."""
    with_store(config, lambda store: store.accounts.set_enabled(username, True))
    _tell({"username": username, "enabled": True}, f"{username} may sign in", as_json)


@keys.command("list")
def list_keys(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every key that was issued."""
    found = with_store(config, lambda store: store.keys.all())
    now = SystemClock().now()
    if as_json:
        items = [
            {
                "name": one.name,
                "role": one.role.value,
                "scopes": _listed(one.scopes),
                "camera_groups": _listed(one.camera_groups),
                "expires_at": one.expires_at and one.expires_at.isoformat(),
                "revoked_at": one.revoked_at and one.revoked_at.isoformat(),
                "used_at": one.used_at and one.used_at.isoformat(),
            }
            for one in found
        ]
        typer.echo(json.dumps({"keys": items}))
        return
    for one in found:
        state = "revoked" if one.revoked_at else ""
        if not state and one.expires_at is not None:
            has_ended = one.expires_at <= now
            state = f"{'expired' if has_ended else 'until'} {one.expires_at:%Y-%m-%d}"
        scopes = " ".join(sorted(one.scopes or ()))
        typer.echo(f"{one.name:<24} {one.role.value:<14} {state:<18} {scopes}".rstrip())


@keys.command("issue")
def issue_key(
    name: str,
    role: Annotated[Role, typer.Option(help="What the machine may do.")] = Role.DISPATCH,
    days: Annotated[
        int | None, typer.Option(min=1, max=MOST_DAYS, help="Days until it expires.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="Narrow it to this, such as incidents:read; may be repeated."),
    ] = None,
    camera_group: GroupsOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key for a machine; prints it once."""
    from api.routes.keys import require_known

    require_known(scope or ())
    expires_at = SystemClock().now() + timedelta(days=days) if days else None
    key = with_store(
        config,
        lambda store: store.keys.issue(
            name,
            role,
            expires_at,
            scopes=scope or None,
            camera_groups=camera_group or None,
        ),
    )
    _tell_key(name, key, expires_at, as_json)


@keys.command("rotate")
def rotate_key(
    name: str,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=720, help="The old key is let in for so long beside it.")
    ] = 24.0,
    days: Annotated[
        int | None, typer.Option(min=1, max=MOST_DAYS, help="Days until the new one expires.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a machine's key without a pause; prints the new one once."""
    expires_at = SystemClock().now() + timedelta(days=days) if days else None
    overlap = timedelta(hours=overlap_hours)
    key = with_store(config, lambda store: store.keys.rotate(name, overlap, expires_at))
    _tell_key(name, key, expires_at, as_json)


@keys.command("revoke")
def revoke_key(name: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """End a key for good."""
    with_store(config, lambda store: store.keys.revoke(name))
    _tell({"name": name, "revoked": True}, f"revoked {name}", as_json)


def _tell_password(username: str, password: str, as_json: bool) -> None:
    document = {"username": username, "password": password}
    _tell(document, f"user {username}   password {password}", as_json)


def _tell_key(name: str, key: str, expires_at: datetime | None, as_json: bool) -> None:
    document = {"name": name, "key": key, "expires_at": expires_at and expires_at.isoformat()}
    _tell(document, key, as_json)


def _tell(document: dict[str, Any], line: str, as_json: bool) -> None:
    typer.echo(json.dumps(document) if as_json else line)


def _listed(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)
