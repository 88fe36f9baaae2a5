"""The nouns' JSON form: ``from_json(T, to_json(x)) == x`` for every noun ``T``.

Unknown keys are ignored, so that processes of neighbouring versions can share a bus; what people
type is checked more strictly where it comes in (`api`, `siaga`).
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from contracts.errors import ContractError

T = TypeVar("T")


# Building an adapter compiles a validator; each noun needs it once a process.
_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    adapter = _adapters.get(kind)
    if adapter is None:
        adapter = _adapters[kind] = TypeAdapter(kind)
    return adapter


def to_json(value: object, kind: Any = None) -> bytes:
    """One noun as compact UTF-8 JSON. ``kind`` is needed for unions only."""
    return _adapter(kind or type(value)).dump_json(value)


def to_plain(value: object, kind: Any = None) -> Any:
    """One noun as dicts, lists and plain JSON values."""
    return _adapter(kind or type(value)).dump_python(value, mode="json")


def from_json(kind: type[T], data: bytes | str) -> T:
    """Read one noun.

    Raises:
        ContractError: the text is no JSON or breaks a law of the noun; names the first bad field.
    """
    try:
        value: T = _adapter(kind).validate_json(data)
    except ValidationError as error:
        raise _as_contract_error(error) from error
    return value


def from_plain(kind: type[T], data: object) -> T:
    """Read one noun from dicts and lists, by the same rules as `from_json`."""
    try:
        value: T = _adapter(kind).validate_python(data)
    except ValidationError as error:
        raise _as_contract_error(error) from error
    return value


def _as_contract_error(error: ValidationError) -> ContractError:
    first = error.errors(include_url=False)[0]
    inner = first.get("ctx", {}).get("error")
    path = ".".join(str(part) for part in first["loc"])
    if isinstance(inner, ContractError):
        return ContractError(".".join(filter(None, (path, inner.field))), inner.why)
    return ContractError(path or "(whole document)", first["msg"])
