"""What opening a camera takes beside its address: its user and password, unsealed for the moment,
and whether its certificate matters."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts import StreamSource
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a camera asks for. The password shows in no text form of this."""

    username: str
    password: str = field(repr=False)


def unsealed_credentials(source: StreamSource, sealer: Sealer) -> Credentials | None:
    """The source's credentials in the clear; none where it has no user name."""
    if source.username is None:
        return None
    sealed = source.sealed_password
    return Credentials(source.username, sealer.unseal(sealed) if sealed else "")


def settings_for(source: StreamSource, settings: IngestSettings) -> IngestSettings:
    """The settings as the register's word on this camera leaves them."""
    if source.any_certificate and settings.check_certificates:
        return settings.model_copy(update={"check_certificates": False})
    return settings
