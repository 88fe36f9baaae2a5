"""A YAML file with environment variables laid over it, checked against a model of sections."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode

from plumbing.redact import redact_url

Model = TypeVar("Model", bound=BaseModel)


class SettingsError(Exception):
    """The configuration can't be used; the message says which key and what would be right."""


def load(
    model: type[Model], path: Path | None, environment: Mapping[str, str], prefix: str
) -> Model:
    """Read the file (if any), lay the environment on top, and check it all.

    Raises:
        SettingsError: unreadable file, no YAML mapping, unknown key, or a value out of bounds.
    """
    values = _read_file(path) if path is not None else {}
    _refuse_unknown(values, model, (), f"{path}: ")
    # `bus:` with nothing under it is an empty section.
    values = {key: value for key, value in values.items() if value is not None}
    for name, text in sorted(environment.items()):
        if name.upper().startswith(prefix):
            _lay_over(values, model, name, name[len(prefix) :].lower().split("__"), text)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SettingsError("; ".join(map(_explain, error.errors(include_url=False)))) from error


def flatten(settings: BaseModel, prefix: str) -> dict[str, str]:
    """The settings as environment variables: `load` of these and no file gives the same."""
    found: dict[str, str] = {}

    def walk(value: Any, model: type[BaseModel], path: tuple[str, ...]) -> None:
        for key, inner in value.items():
            section = _section_of(model.model_fields[key].annotation)
            if section is not None:
                walk(inner, section, (*path, key))
            else:
                text = yaml.safe_dump(inner, default_flow_style=True, width=10**6)
                name = prefix + "__".join((*path, key)).upper()
                found[name] = text.removesuffix("...\n").strip()

    walk(settings.model_dump(mode="json"), type(settings), ())
    return found


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one section, where YAML would let the last one win."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"{key!r} stands twice", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"can't read the configuration {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"the configuration {path} is not UTF-8 text") from error
    try:
        values = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(f"the configuration {path} is no YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(f"the configuration {path} must hold 'key: value' lines at the top")
    return values


def _lay_over(
    values: dict[str, Any], model: type[BaseModel], name: str, keys: list[str], text: str
) -> None:
    """Put one variable in its place; below the model's own sections lie the keys of a mapping."""
    target, section = values, model
    inner: type[BaseModel] | None = model
    for depth, key in enumerate(keys[:-1]):
        _refuse_unknown({key: {}}, section, tuple(keys[:depth]), f"{name}: ")
        inner = _section_of(section.model_fields[key].annotation)
        if not isinstance(target.get(key), dict):
            target[key] = {}
        target = target[key]
        if inner is None:
            break
        section = inner
    value = _value_of(name, text, section.model_fields.get(keys[-1]))
    if inner is not None:
        _refuse_unknown({keys[-1]: value}, section, tuple(keys[:-1]), f"{name}: ")
    target[keys[-1]] = value


def _value_of(name: str, text: str, field: Any) -> Any:
    try:
        value = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(f"{name}: {error}") from error
    # A name such as 123 or a URL with ': ' in it is meant as it stands.
    takes_text = field is not None and str in _alternatives(field.annotation)
    if takes_text and value is not None and not isinstance(value, str):
        return text
    return value


def _refuse_unknown(
    values: Mapping[str, Any], model: type[BaseModel], path: tuple[str, ...], source: str
) -> None:
    known = model.model_fields
    for key, value in values.items():
        where = source + ".".join((*path, str(key)))
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
            raise SettingsError(f"{where}: unknown key; {hint}")
        inner = _section_of(known[key].annotation)
        if inner is None:
            continue
        if isinstance(value, dict):
            _refuse_unknown(value, inner, (*path, str(key)), source)
        elif value is not None:
            raise SettingsError(
                f"{where}: must be a section with keys of its own, got {_shown(value)}"
            )


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    is_union = get_origin(annotation) in (Union, types.UnionType)
    return get_args(annotation) if is_union else (annotation,)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    for candidate in _alternatives(annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _explain(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(problem["input"], dict) else f", got {_shown(problem['input'])}"
    return f"{where}: {message}{shown}"


def _shown(value: object) -> str:
    """A value in an error: short, and without the passwords that URLs may hold."""
    text = redact_url(repr(value))
    return text if len(text) <= 200 else f"{text[:200]}..."
