"""The documented default configuration: ``python -m plumbing.settings_text > config.yaml``."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

import yaml

from plumbing.settings import ENVIRONMENT_PREFIX, Settings

_HEAD = (
    "Siaga's configuration: every key, with its bounds and its default. Keep what you change, "
    "delete the rest; an unknown key is refused. Environment variables come before this file: "
    f"{ENVIRONMENT_PREFIX}API__PORT is api.port. Relative paths start from the folder in which "
    "siaga is started."
)


def documented_defaults() -> str:
    """YAML text that holds every key of `Settings` with its description, bounds and default."""
    schema = Settings.model_json_schema()
    lines = [_comment(_HEAD, "")]
    sections: list[str] = []
    for key, value in Settings().model_dump(mode="json").items():
        field = schema["properties"][key]
        section = schema["$defs"].get(field.get("$ref", "").rpartition("/")[2])
        if section is None:
            lines.append(_documented(key, value, field, ""))
            continue
        inner = [
            _documented(name, value[name], section["properties"][name], "  ") for name in value
        ]
        sections.append("\n\n".join([f"{_comment(section['description'], '')}\n{key}:", *inner]))
    return "\n\n".join([*lines, *sections]) + "\n"


def _documented(key: str, value: Any, field: dict[str, Any], indent: str) -> str:
    default = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False)
    default = default.removesuffix("...\n").strip()
    facts = "; ".join(filter(None, [_bounds(field), f"default {default}"]))
    comment = _comment(f"{field['description']} [{facts}]", indent)
    return f"{comment}\n{indent}{key}: {default}"


def _bounds(field: dict[str, Any]) -> str:
    shapes = [field, *field.get("anyOf", [])]
    facts: dict[str, Any] = {name: fact for shape in shapes for name, fact in shape.items()}
    found = []
    if "enum" in facts:
        found.append(" or ".join(map(str, facts["enum"])))
    low, high = facts.get("minimum"), facts.get("maximum")
    above, below = facts.get("exclusiveMinimum"), facts.get("exclusiveMaximum")
    limits = [
        f"above {above:g}" if above is not None else "",
        f"{low:,}".replace(",", "_") if low is not None and high is not None else "",
        f"at least {low:,}".replace(",", "_") if low is not None and high is None else "",
        f"to {high:,}".replace(",", "_") if high is not None else "",
        f"below {below:g}" if below is not None else "",
    ]
    found.append(" ".join(filter(None, limits)))
    if "maxLength" in facts:
        found.append(f"at most {facts['maxLength']} characters")
    if "pattern" in facts:
        found.append(f"matches {facts['pattern']}")
    return "; ".join(filter(None, found))


def _comment(text: str, indent: str) -> str:
    prefix = f"{indent}# "
    return textwrap.fill(
        text,
        98,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    sys.stdout.write(documented_defaults())
