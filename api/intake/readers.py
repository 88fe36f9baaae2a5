"""Which reader a message's channel takes, now or when somebody looks at it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from api.intake.aml_form import read_form
from api.intake.aml_sms import read_sms
from api.intake.pidf_lo import read_pidf_lo
from api.intake.readings import Reading

Reader = Callable[[bytes], Reading]


def reader_of(channel: str, country_code: str) -> Reader:
    """The reader of ``aml``, ``sms`` or ``pidf-lo``."""

    def read_text(content: bytes) -> Reading:
        text, sender = text_and_sender(content)
        return read_sms(text, sender, country_code)

    readers: dict[str, Reader] = {
        "aml": partial(read_form, country_code=country_code),
        "sms": read_text,
        "pidf-lo": partial(read_pidf_lo, country_code=country_code),
    }
    return readers[channel]


def text_and_sender(content: bytes) -> tuple[str, str | None]:
    """The message's text, and the number it came from where the gateway tells."""
    text = content.decode("utf-8", "replace")
    # An AML message begins with a letter, and a JSON object can't.
    if not text.lstrip().startswith("{"):
        return text, None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text, None
    message, sender = found.get("text"), found.get("from")
    return (
        message if isinstance(message, str) else text,
        sender if isinstance(sender, str) else None,
    )
