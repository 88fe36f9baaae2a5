"""`siaga users` and `siaga keys`: who may come in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer

from incidents.accounts import Role
from incidents.store import Store
from plumbing.clock import SystemClock
from siaga.commands.options import ConfigOption, settings_from

users = typer.Typer(no_args_is_help=True, help="People's accounts.")
keys = typer.Typer(no_args_is_help=True, help="Machines' keys.")

T = TypeVar("T")


@users.command("list")
def list_users(config: ConfigOption = None) -> None:
    """Every account."""
    for account in _with_store(config, lambda store: store.accounts.all()):
        typer.echo(f"{account.username:<20} {account.role.value:<14} {account.display_name}")


@users.command("add")
def add_user(
    username: str,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.OPERATOR,
    name: Annotated[str, typer.Option(help="Shown on the screen; default the user name.")] = "",
    config: ConfigOption = None,
) -> None:
    """Make an account; prints its password once."""
    password = secrets.token_urlsafe(12)
    _with_store(
        config,
        lambda store: store.accounts.add(username, password, role, name or None),
    )
    typer.echo(f"user {username}   password {password}")


@users.command("password")
def reset_password(username: str, config: ConfigOption = None) -> None:
    """Give an account a new password; prints it once and ends the account's sessions."""
    password = secrets.token_urlsafe(12)
    _with_store(config, lambda store: store.accounts.set_password(username, password))
    typer.echo(f"user {username}   password {password}")


@keys.command("list")
def list_keys(config: ConfigOption = None) -> None:
    """Every key that was issued."""
    for key in _with_store(config, lambda store: store.keys.all()):
        typer.echo(f"{key.name:<24} {key.role.value}")


@keys.command("issue")
def issue_key(
    name: str,
    role: Annotated[Role, typer.Option(help="What the machine may do.")] = Role.DISPATCH,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
    config: ConfigOption = None,
) -> None:
    """Make a key for a machine; prints it once."""
    expires_at = SystemClock().now() + timedelta(days=days) if days else None
    typer.echo(_with_store(config, lambda store: store.keys.issue(name, role, expires_at)))


@keys.command("revoke")
def revoke_key(name: str, config: ConfigOption = None) -> None:
    """End a key for good."""
    _with_store(config, lambda store: store.keys.revoke(name))
    typer.echo(f"revoked {name}")


def _with_store(config: ConfigOption, use: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        store = await Store.open(settings_from(config).database_url, SystemClock())
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(run())
