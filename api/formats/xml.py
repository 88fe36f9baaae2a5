"""Writing XML: elements from text that may hold anything."""

from __future__ import annotations

import re
from xml.etree import ElementTree

Element = ElementTree.Element

# What XML 1.0 has no way to write (section 2.2), and the two forms of a line's end that a parser
# would change anyway.
_UNLAWFUL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """The text with U+FFFD for every character that XML can't hold."""
    return _UNLAWFUL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def element(tag: str, text: str | None = None, /, **attributes: str) -> Element:
    """An element with text, which is cleaned."""
    made = Element(tag, {name: clean(value) for name, value in attributes.items()})
    if text is not None:
        made.text = clean(text)
    return made


def add(parent: Element, tag: str, text: str | None = None, /, **attributes: str) -> Element:
    """The same as the parent's last child."""
    made = element(tag, text, **attributes)
    parent.append(made)
    return made


def document(root: Element) -> bytes:
    """The whole document in UTF-8."""
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    return head + ElementTree.tostring(root, encoding="unicode").encode()
