"""What the documents tell a newcomer to type, set, open or ask for exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from api.rights.access import ACCESS
from plumbing.settings import Settings
from siaga.cli import Commands

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
"""What stands in backticks, over a line's end too."""
ACTIONS = {"retention.run"}
"""What the audit log calls what was done, where a setting might be called so."""
PACKAGES = "api bench camera_ingest contracts deploy detection docs geo incidents plumbing siaga"
OURS = (*PACKAGES.split(), "simulator", "tests", "web_map", ".ci")


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.name)
def text(request: pytest.FixtureRequest) -> str:
    document: Path = request.param
    return document.read_text(encoding="utf-8")


def commands(text: str) -> Iterator[list[str]]:
    """The words of every `siaga` command line, up to a comment or the end of what was quoted."""
    for found in re.finditer(r"(?:^|[`$ ])siaga ([a-z][^`\n#|&>;]*)", text, re.MULTILINE):
        yield found[1].replace(",", " ").split()


def test_commands_and_their_options_exist(text: str) -> None:
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    indented = re.findall(r"^ {4,}(.*)", text, re.MULTILINE)
    quoted = "\n".join([*CODE.findall(text), *blocks, *indented])
    group = Commands(name="siaga")
    for words in commands(quoted):
        shown = "siaga " + " ".join(words)
        command: Any = group.get_command(None, words[0])
        assert command is not None, f"no such command: {shown}"
        offered: set[str] = set()
        rest = words[1:]
        while True:
            offered |= {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
            inner = getattr(command, "commands", {})
            if not inner or not rest:
                break
            assert rest[0] in inner, f"no such command: {shown}"
            command, rest = inner[rest[0]], rest[1:]
        for word in rest:
            if word.startswith(("--", "[--")):
                option = re.split(r"[=.)\]]", word.lstrip("["))[0]
                assert option in {*offered, "--help"}, f"no such option {option}: {shown}"


def test_modules_tests_and_targets_exist(text: str) -> None:
    for module in re.findall(r"python -m ((?:bench|api|plumbing|simulator)[\w.]*\w)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    for tested in re.findall(r"pytest (tests/[\w/.]*\w)", text):
        assert (ROOT / tested).exists(), tested
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", text)) <= targets


def test_files_exist(text: str, request: pytest.FixtureRequest) -> None:
    document: Path = request.node.callspec.params["text"]
    for link in re.findall(r"\]\(([^)#:\s]+)", text):
        assert (document.parent / link).exists(), link
    for name in CODE.findall(text):
        if re.fullmatch(r"[\w./-]+", name) and name.split("/")[0] in OURS and "/" in name:
            assert (ROOT / name).exists(), name


def leads_somewhere(model: type[BaseModel], path: list[str]) -> bool:
    field = model.model_fields.get(path[0])
    if field is None:
        return False
    inner = field.annotation
    is_section = isinstance(inner, type) and issubclass(inner, BaseModel)
    return len(path) == 1 or not is_section or leads_somewhere(inner, path[1:])


def test_settings_exist(text: str) -> None:
    sections = {
        name
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    for name in CODE.findall(text):
        key = re.fullmatch(r"([a-z_]+)((?:\.[a-z_][a-z0-9_]*)+)(?::? .*)?", name)
        if key and key[1] in sections and name not in ACTIONS and not is_module(key[1] + key[2]):
            assert leads_somewhere(Settings, (key[1] + key[2]).split(".")), name
    for name in re.findall(r"SIAGA__(\w+)", text):
        assert leads_somewhere(Settings, name.lower().split("__")), name


def is_module(name: str) -> bool:
    """A setting's section may be called as a package is."""
    parts = name.split(".")
    return (
        any((ROOT / "/".join(parts[:n])).with_suffix(".py").is_file() for n in (2, 3))
        or (ROOT / parts[0] / parts[1]).is_dir()
    )


def test_addresses_exist(text: str) -> None:
    known = {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in ACCESS}
    for method, path in re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]+)", text):
        shown = re.sub(r"\{\w+\}", "{}", path).rstrip(".")
        # A table may leave out what its addresses have in common, a text what follows.
        assert any(
            of == method
            and (one.endswith(shown) or (shown.endswith("/") and one.startswith(shown)))
            for of, one in known
        ), f"{method} {path}"
