"""Advanced Mobile Location: over HTTPS from the phones' makers, by SMS from a gateway."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.intake.aml_form import Signature, check_signature
from api.intake.taking import Came, body_of, receipt, take
from api.problems import Problem, documented
from api.rights.access import DESK, GuardedRoute
from api.rights.scopes import scope_of
from api.rights.security import identity_of, require
from api.schemas.shapes import MessageReceipt
from api.services import services_of

router = APIRouter(route_class=GuardedRoute, tags=["calls"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    }
}
_TEXT: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"text": {"type": "string"}, "from": {"type": "string"}},
                    "required": ["text"],
                }
            },
            "text/plain": {"schema": {"type": "string"}},
        }
    }
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Kept; no position was made of it", "model": MessageReceipt}
}


@router.post(
    "/aml",
    status_code=201,
    response_model=MessageReceipt,
    responses=ANSWERS | documented(413, 503),
    openapi_extra=_FORM,
)
async def receive_aml(request: Request) -> Response:
    """Take an AML form in: signed by `hmac`, or sent with a machine's key.

    Whatever could be stored is answered with 2xx, malformed and unsigned messages included; what
    can't be believed is kept and not used.
    """
    services = services_of(request)
    settings = services.settings.calls
    content = await body_of(request, services)
    signature = check_signature(content, settings.aml_key)
    sender = "" if signature is Signature.RIGHT else await _sender(request)
    is_sure = signature is Signature.RIGHT or sender != ""
    came = Came(
        channel="aml",
        content=content,
        sender=sender,
        doubt="" if is_sure else signature.value,
        is_believed=is_sure or (settings.trust_unsigned_aml and signature is not Signature.WRONG),
    )
    return receipt(await take(services, came))


@router.post(
    "/api/v1/sms",
    status_code=201,
    response_model=MessageReceipt,
    responses=ANSWERS | documented(401, 403, 413, 503),
    openapi_extra=_TEXT,
)
async def receive_sms(request: Request) -> Response:
    """Take an AML message in from the SMS gateway: `{"text", "from"}`, or the text alone."""
    services = services_of(request)
    came = Came(
        channel="sms",
        content=await body_of(request, services),
        sender=identity_of(request).name,
    )
    return receipt(await take(services, came))


async def _sender(request: Request) -> str:
    """The machine whose key came along; empty where none did that may send positions."""
    if "authorization" not in request.headers:
        return ""
    try:
        return (await require(request, DESK, scope_of("POST", "/aml"))).name
    except Problem:
        return ""
