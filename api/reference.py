"""The OpenAPI description as one plain page: no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterator
from typing import Any

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1f24;background:#fff}h1{font-size:1.6rem}h2{margin-top:2.5rem}"
    "details{border:1px solid #d0d7de;border-radius:6px;margin:.5rem 0;padding:.5rem .8rem}"
    "summary{cursor:pointer}code{background:#f3f5f7;padding:.1rem .3rem;border-radius:4px}"
    ".m{display:inline-block;width:4.5rem;font-weight:700}pre{overflow:auto;background:#f3f5f7;"
    "padding:.8rem;border-radius:6px;font-size:13px}table{border-collapse:collapse}"
    "td,th{border:1px solid #d0d7de;padding:.2rem .5rem;text-align:left;vertical-align:top}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
REFERENCE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""The page's own content security policy: its one style sheet and nothing else."""


def reference_page(description: dict[str, Any]) -> str:
    """The page for an OpenAPI 3.1 document."""
    title = html.escape(description["info"]["title"])
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
        f"<p>{html.escape(description['info'].get('description', ''))}</p>"
        "<p>For programs: <a href='/openapi.json'>/openapi.json</a></p>"
        f"{''.join(_sections(description))}<h2>Shapes</h2>{''.join(_shapes(description))}</html>"
    )


def _sections(description: dict[str, Any]) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append(_operation(method.upper(), path, operation))
    for tag, operations in by_tag.items():
        yield f"<h2>{html.escape(tag)}</h2>{''.join(operations)}"


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    roles = operation.get("x-roles")
    who = ", ".join(roles) if roles else "everybody"
    return (
        f"<details><summary><span class='m'>{method}</span><code>{html.escape(path)}</code> "
        f"{html.escape(operation.get('summary', ''))}</summary>"
        f"<p>{html.escape(operation.get('description', ''))}</p><p>For: {html.escape(who)}</p>"
        f"{_parameters(operation)}{_request(operation)}{_responses(operation)}</details>"
    )


def _parameters(operation: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{html.escape(one['name'])}</code><td>{one['in']}"
        f"<td>{'yes' if one.get('required') else ''}<td>{html.escape(_type(one['schema']))}"
        f"<td>{html.escape(one.get('description', ''))}"
        for one in operation.get("parameters", ())
    ]
    if not rows:
        return ""
    return f"<table><tr><th>name<th>in<th>needed<th>type<th>meaning{''.join(rows)}</table>"


def _request(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(f"<p>Body: {_link(media.get('schema', {}))}</p>" for media in content.values())


def _responses(operation: dict[str, Any]) -> str:
    rows = []
    for status, response in operation.get("responses", {}).items():
        shapes = {_link(media.get("schema", {})) for media in response.get("content", {}).values()}
        rows.append(
            f"<tr><td>{status}<td>{html.escape(response['description'])}<td>{' '.join(shapes)}"
        )
    return f"<table><tr><th>answer<th>meaning<th>shape{''.join(rows)}</table>"


def _shapes(description: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(description.get("components", {}).get("schemas", {}).items()):
        text = html.escape(json.dumps(schema, indent=1, ensure_ascii=False))
        anchor = html.escape(name)
        yield f"<details id='{anchor}'><summary>{anchor}</summary><pre>{text}</pre></details>"


def _link(schema: dict[str, Any]) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    return f"<a href='#{html.escape(name)}'>{html.escape(name)}</a>" if name else _type(schema)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    return str(schema.get("type", "")) or "bytes"
