"""The house keeps its shape: imports run downward, configuration and pins are whole."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from plumbing.settings import Settings
from plumbing.settings_text import documented_defaults

ROOT = Path(__file__).parents[1]
ROOMS = [
    "contracts", "plumbing", "geo", "camera_ingest", "detection", "simulator", "incidents", "api",
    "siaga",
]  # fmt: skip
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked(*patterns: str) -> list[Path]:
    """The repository's own files."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_imports_run_downward_only() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()",
         "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_import_rule_covers_every_room() -> None:
    rule = PROJECT["tool"]["importlinter"]
    assert sorted(rule["root_packages"]) == sorted(ROOMS)
    assert sorted(PROJECT["tool"]["mypy"]["packages"]) == sorted(ROOMS)
    [layers] = [one["layers"] for one in rule["contracts"] if one["type"] == "layers"]
    assert sorted(re.findall(r"\w+", " ".join(layers))) == sorted(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_typed(room: str) -> None:
    assert (ROOT / room / "py.typed").is_file()


def test_config_yaml_is_the_documented_default() -> None:
    shown = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert shown == documented_defaults(), (
        "write it anew: python -m plumbing.settings_text > config.yaml"
    )


def _keys(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for section, field in schema["properties"].items():
        inner = schema["$defs"].get(field.get("$ref", "").rpartition("/")[2])
        if inner is None:
            found.append(("", section, field))
        else:
            found += [(section, key, shape) for key, shape in inner["properties"].items()]
    return found


@pytest.mark.parametrize(
    ("section", "key", "field"),
    _keys(Settings.model_json_schema()),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_key_stands_in_config_yaml_with_comment_and_default(
    section: str, key: str, field: dict[str, Any]
) -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    defaults = Settings().model_dump(mode="json")
    assert (values[section][key] if section else values[key]) == (
        defaults[section][key] if section else defaults[key]
    )
    body = text[text.index(f"\n{section}:\n") :] if section else text
    indent = "  " if section else ""
    comment = re.search(rf"((?:^{indent}# .*\n)+){indent}{key}:", body, re.MULTILINE)
    assert comment, f"{section}.{key} has no comment"
    flat = " ".join(comment.group(1).replace("#", " ").split())
    assert " ".join(field["description"].split()) in flat
    assert "default" in flat
    for shape in (field, *field.get("anyOf", [])):
        for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if bound in shape:
                assert f"{shape[bound]:.12g}" in flat.replace("_", ""), f"{section}.{key}: {bound}"


def _direct() -> list[Requirement]:
    project = PROJECT["project"]
    return [
        Requirement(text)
        for text in [*project["dependencies"], *project["optional-dependencies"]["test"]]
    ]


def _pins() -> dict[str, str]:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r"[a-z0-9.-]+==[A-Za-z0-9.]+", line), f"no plain pin: {line}"
            name, _, version = line.partition("==")
            pins[name] = version
    return pins


def test_what_is_required_is_pinned_and_the_pins_agree() -> None:
    pins = _pins()
    for requirement in _direct():
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert str(requirement.specifier) == f"=={pins.get(name)}", (
            f"{name}: run `make pins` after a change of pyproject.toml"
        )


def test_the_lock_of_the_web_map_names_no_host() -> None:
    lock = json.loads((ROOT / "web_map" / "package-lock.json").read_text())
    named = [name for name, package in lock["packages"].items() if "resolved" in package]
    assert named == [], "set omit-lockfile-registry-resolved=true and lock again"


def test_no_file_names_a_place_of_its_making() -> None:
    # Built so that this file doesn't hold them itself.
    words = ["/wo" + "rk/", "file:/" + "//opt", "python" + "hosted.org", "registry.np" + "mjs"]
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found = [word for word in words if word in text]
        assert not found, f"{path.relative_to(ROOT)} names {found}"
