"""Sign-in by an identity provider: OpenID Connect, authorization code with PKCE (RFC 7636, S256).

`start` sends the browser to the provider, with a state, a nonce and a challenge whose secrets lie
sealed in a short-lived cookie; `finish` takes it back, swaps the code for an ID token, and checks
the token: signature by the provider's published keys, issuer, audience, time and nonce. Nothing of
the tokens is kept.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from plumbing.clock import Clock
from plumbing.sealing import Sealer, SealingError
from plumbing.settings import OidcSettings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Signatures with public keys alone: a shared secret or none would let others sign."""
LASTS = timedelta(minutes=10)
"""For signing in at the provider."""
LEEWAY_S = 60
KNOWN_FOR_S = 600.0
"""The provider's description and keys are asked for again after this, or for an unknown key."""
TIMEOUT_S = 10.0


class OidcFailed(Exception):
    """The provider, or what came back from it, can't be trusted or used; the log is told why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who the provider says it is."""

    external_id: str
    """Issuer and subject: the one name that lasts."""
    username: str
    display_name: str
    role: str | None
    """What the configuration makes of the provider's claim; none: may not come in."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where to send the browser, and what it must bring back."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class _Provider:
    authorization_endpoint: str
    token_endpoint: str
    keys: KeySet
    known_since_s: float


class Oidc:
    """The client of one provider."""

    def __init__(self, settings: OidcSettings, sealer: Sealer, clock: Clock) -> None:
        self._settings = settings
        self._sealer = sealer
        self._clock = clock
        self._provider: _Provider | None = None

    @property
    def is_configured(self) -> bool:
        """Whether there is a provider."""
        return self._settings.issuer is not None

    async def start(self, redirect_uri: str) -> Start:
        """Begin a sign-in.

        Raises:
            OidcFailed: the provider doesn't answer, or isn't one.
        """
        provider = await self._known()
        state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        verifier = secrets.token_urlsafe(48)
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        kept = {
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "redirect_uri": redirect_uri,
            "until": (self._clock.now() + LASTS).timestamp(),
        }
        joint = "&" if "?" in provider.authorization_endpoint else "?"
        return Start(
            f"{provider.authorization_endpoint}{joint}{urlencode(query)}",
            self._sealer.seal(json.dumps(kept)),
        )

    async def finish(self, cookie: str, state: str, code: str) -> Person:
        """End a sign-in with what the browser brought back.

        Raises:
            OidcFailed: it isn't what was begun, took too long, or the token can't be trusted.
        """
        try:
            kept = json.loads(self._sealer.unseal(cookie))
        except (SealingError, json.JSONDecodeError) as error:
            raise OidcFailed("the browser brought no sign-in that was begun here") from error
        if self._clock.now().timestamp() > kept["until"]:
            raise OidcFailed("the sign-in took too long")
        if not secrets.compare_digest(kept["state"].encode(), state.encode()):
            raise OidcFailed("the state is not the one that was sent")
        token = await self._swap(code, kept["verifier"], kept["redirect_uri"])
        return self._person(await self._checked(token, kept["nonce"]))

    async def _swap(self, code: str, verifier: str, redirect_uri: str) -> str:
        provider = await self._known()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self._settings.client_id,
        }
        if self._settings.client_secret is not None:
            form["client_secret"] = self._settings.client_secret
        found = await self._ask("POST", provider.token_endpoint, form)
        token = found.get("id_token")
        if not isinstance(token, str):
            raise OidcFailed("the provider gave no id_token")
        return token

    async def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            claims = self._decoded(token, await self._known())
        except (JoseError, ValueError):
            # The provider may have new keys since.
            self._provider = None
            try:
                claims = self._decoded(token, await self._known())
            except (JoseError, ValueError) as error:
                raise OidcFailed(f"the id_token can't be trusted: {error}") from error
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise OidcFailed("the id_token was made for another sign-in")
        if claims.get("azp", self._settings.client_id) != self._settings.client_id:
            raise OidcFailed("the id_token was made for another client")
        return claims

    def _decoded(self, token: str, provider: _Provider) -> dict[str, Any]:
        decoded = jwt.decode(token, provider.keys, algorithms=ALGORITHMS)
        now = int(self._clock.now().timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": str(self._settings.issuer)},
            aud={"essential": True, "value": str(self._settings.client_id)},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        registry.validate(decoded.claims)
        return dict(decoded.claims)

    def _person(self, claims: Mapping[str, Any]) -> Person:
        subject = str(claims["sub"])
        name = str(claims.get(self._settings.username_claim) or subject)[:80]
        given = claims.get(self._settings.role_claim, [])
        values = [str(one) for one in given] if isinstance(given, list) else [str(given)]
        roles = [self._settings.roles[one] for one in values if one in self._settings.roles]
        return Person(
            external_id=f"{self._settings.issuer}|{subject}"[:400],
            username=name,
            display_name=str(claims.get("name") or name)[:200],
            role=roles[0] if roles else self._settings.default_role,
        )

    async def _known(self) -> _Provider:
        now_s = self._clock.monotonic_s()
        if self._provider is None or now_s - self._provider.known_since_s > KNOWN_FOR_S:
            issuer = str(self._settings.issuer)
            found = await self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise OidcFailed(f"the provider calls itself {found.get('issuer')!r}")
            try:
                keys = KeySet.import_key_set(await self._ask("GET", found["jwks_uri"]))  # type: ignore[arg-type]
                self._provider = _Provider(
                    found["authorization_endpoint"], found["token_endpoint"], keys, now_s
                )
            except (KeyError, JoseError, ValueError) as error:
                raise OidcFailed(f"the provider's description is not whole: {error!r}") from error
        return self._provider

    async def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                answer = await client.request(method, url, data=form)
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise OidcFailed(f"{method} {url}: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise OidcFailed(f"{method} {url}: no JSON object")
        return found


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
