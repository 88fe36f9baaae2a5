"""The little SOAP 1.2 that ONVIF needs: envelopes out, with sign-in by digest, and answers in.

Sources: ONVIF Core Specification 5.9 (authentication), WS-Security UsernameToken Profile 1.1.
Answers are parsed without entities and outer documents (`defusedxml`).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import UTC, datetime
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from camera_ingest.credentials import Credentials

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"

_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-{}-1.0.xsd".format
_DIGEST = (
    "http://docs.oasis-open.org/wss/2004/01/"
    "oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
)
_BASE64 = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)


_USED = re.compile(rb"</?([A-Za-z_][\w.-]*):")
_DECLARED = re.compile(rb"xmlns:([A-Za-z_][\w.-]*)\s*=")
_ROOT = re.compile(rb"<[A-Za-z_][\w.:-]*")


class NoSoap(Exception):
    """The answer is none."""


class SoapFault(Exception):
    """The camera refuses.

    Attributes:
        is_sign_in: because of the user name or password.
    """

    def __init__(self, reason: str, *, is_sign_in: bool) -> None:
        super().__init__(reason)
        self.is_sign_in = is_sign_in


def envelope(body: str, credentials: Credentials | None, camera_now: datetime) -> bytes:
    """A request.

    Args:
        body: Its XML; values in it are the caller's to escape.
        credentials: Signed in with, where there are any.
        camera_now: The camera's own time: it refuses digests that are minutes old.
    """
    head = "" if credentials is None else _security(credentials, camera_now)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{_ENVELOPE}" xmlns:tt="{SCHEMA}">'
        f"<s:Header>{head}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def _security(credentials: Credentials, camera_now: datetime) -> str:
    nonce = secrets.token_bytes(16)
    created = camera_now.strftime("%Y-%m-%dT%H:%M:%SZ")
    # SHA-1 is what the standard says; the password itself never goes over the line.
    digest = hashlib.sha1(
        nonce + created.encode() + credentials.password.encode(), usedforsecurity=False
    ).digest()
    return (
        f'<w:Security xmlns:w="{_SECURITY("secext")}" xmlns:u="{_SECURITY("utility")}"'
        ' s:mustUnderstand="1"><w:UsernameToken>'
        f"<w:Username>{escape(credentials.username)}</w:Username>"
        f'<w:Password Type="{_DIGEST}">{base64.b64encode(digest).decode()}</w:Password>'
        f'<w:Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</w:Nonce>'
        f"<u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
    )


def parse_answer(document: bytes) -> Element:
    """The element in an answer's body.

    Raises:
        NoSoap: it is none.
        SoapFault: it is a refusal.
    """
    try:
        root = fromstring(_with_prefixes(document))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise NoSoap from error
    body = first(root, "Body")
    if body is None or not len(body):
        raise NoSoap
    answer: Element = body[0]
    if local_name(answer) == "Fault":
        words = " ".join(text.strip() for text in answer.itertext() if text.strip())
        names = words.lower()
        is_sign_in = "notauthorized" in names or "authoriz" in names or "authentic" in names
        raise SoapFault(words[:200], is_sign_in=is_sign_in)
    return answer


def _with_prefixes(document: bytes) -> bytes:
    """Some cameras use prefixes that they never declare, for which a parser refuses the whole."""
    missing = set(_USED.findall(document)) - set(_DECLARED.findall(document)) - {b"xml", b"xmlns"}
    if not missing:
        return document
    declared = b"".join(b' xmlns:%b="urn:%b"' % (name, name) for name in sorted(missing))
    return _ROOT.sub(lambda found: found[0] + declared, document, count=1)


def local_name(element: Element) -> str:
    """Its name without namespace: cameras disagree on these."""
    return str(element.tag).rpartition("}")[2]


def every(element: Element, name: str) -> list[Element]:
    """All elements of a name, at any depth."""
    return [each for each in element.iter() if local_name(each) == name]


def first(element: Element | None, *path: str) -> Element | None:
    """The first of a name, in it the first of the next name, and so on."""
    for name in path:
        if element is None:
            return None
        found = (each for each in element.iter() if local_name(each) == name)
        element = next((each for each in found if each is not element), None)
    return element


def text_of(element: Element | None, *path: str) -> str:
    """An element's text; empty where there is none."""
    found = first(element, *path)
    return (found.text or "").strip() if found is not None else ""


def number_of(element: Element | None, *path: str) -> float | None:
    """An element's number; none where it is none."""
    try:
        return float(text_of(element, *path))
    except ValueError:
        return None


def utc_of(element: Element | None) -> datetime | None:
    """A date and time as ONVIF tells it; none where that is none."""
    if element is None:
        return None
    values = [
        number_of(element, name) for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")
    ]
    try:
        year, month, day, hour, minute, second = (int(value or 0) for value in values)
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def attribute_of(element: Element | None, name: str) -> float | None:
    """An attribute's number; none where it is missing or none."""
    try:
        return None if element is None else float(element.get(name, ""))
    except ValueError:
        return None
