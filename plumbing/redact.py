"""Secrets taken out of text that people or logs will see."""

from __future__ import annotations

import re

HIDDEN = "***"

# Up to the first slash the text is the authority. A password with a raw slash or '@' in it is no
# lawful URL, but cameras' users type such; so where a colon stands in the authority, everything up
# to the last '@' before a blank or quote goes. That may hide too much of a URL, never too little.
_USERINFO = re.compile(
    r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.\-]*:/{2,})"
    r"(?:[^\s\"'<>/?#:@]*:[^\s\"'<>]*@|[^\s\"'<>/?#]*@)"
)
_TELLING_NAME = (
    r"(?:[a-z0-9_.\-]*(?:passw(?:or)?d|passwd|pwd|token|secret|api_?key|signature|session)"
    r"[a-z0-9_.\-]*|pass|key|sig|auth|usr|user|login)"
)
_QUERY_VALUE = re.compile(
    rf"(?P<name>[?&;]{_TELLING_NAME}=)(?!\*\*\*(?:[\s\"'<>&;#]|$))[^\s\"'<>&;#]*", re.IGNORECASE
)
_AUTHORIZATION = re.compile(
    r"(?P<name>\bauthorization[\"']?\s*[:=]\s*[\"']?)(?!\*\*\*)[^\r\n\"'][^\r\n]*", re.IGNORECASE
)
_BEARER = re.compile(r"(?P<name>\bbearer\s+)[A-Za-z0-9+/=._~\-]{12,}", re.IGNORECASE)


def redact_url(text: str) -> str:
    """``text`` with user and password of every URL in it, and secret-looking values, hidden.

    Hides the user information of any ``scheme://``, query values whose names look secret
    (``token=``, ``pwd=`` ...), and what follows ``Authorization:`` or ``Bearer``. Doing it twice
    changes nothing more.
    """
    if "://" in text:
        text = _USERINFO.sub(rf"\g<scheme>{HIDDEN}@", text)
    if "=" in text:
        text = _QUERY_VALUE.sub(rf"\g<name>{HIDDEN}", text)
    text = _AUTHORIZATION.sub(rf"\g<name>{HIDDEN}", text)
    return _BEARER.sub(rf"\g<name>{HIDDEN}", text)
