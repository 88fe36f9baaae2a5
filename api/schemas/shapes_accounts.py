"""The shapes of answers about accounts, keys and the audit log, for the description at /docs."""

from __future__ import annotations

from pydantic import BaseModel, Field


class UserItem(BaseModel):
    """An account."""

    username: str
    display_name: str
    role: str
    enabled: bool
    external: bool = Field(description="Signs in with the identity provider")
    camera_groups: list[str] | None
    agency_id: str | None
    created_at: str


class UserList(BaseModel):
    """All accounts, by name."""

    users: list[UserItem]


class SessionItem(BaseModel):
    """A signed-in browser."""

    begun_at: str
    used_at: str = Field(description="To the minute")


class SessionList(BaseModel):
    """An account's sessions, the newest first."""

    sessions: list[SessionItem]


class SignInWays(BaseModel):
    """What the sign-in page offers beside a password."""

    oidc_name: str | None = Field(description="The identity provider, at /api/v1/session/oidc")


class KeyItem(BaseModel):
    """A machine's key, without the key."""

    name: str
    role: str
    scopes: list[str] | None
    camera_groups: list[str] | None
    agency_id: str | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    previous_until: str | None
    used_at: str | None


class KeyList(BaseModel):
    """All keys, by name, and the scopes that there are."""

    keys: list[KeyItem]
    known_scopes: list[str]


class IssuedKey(BaseModel):
    """A fresh key; it is never told again."""

    name: str
    key: str


class AuditEntryItem(BaseModel):
    """Something somebody did or saw; ``details`` is null where it was taken away."""

    seq: int
    recorded_at: str
    actor: str
    action: str
    subject: str
    details: dict[str, object] | None
    hash: str


class AuditHead(BaseModel):
    """The end of the chain."""

    seq: int
    hash: str


class AuditPageAnswer(BaseModel):
    """Entries, newest first; `next` is the next page's `after`."""

    entries: list[AuditEntryItem]
    next: int | None
    head: AuditHead
