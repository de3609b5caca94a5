"""What a method's parameters may be, as type hints: each hint carries the function that reads the JSON value.

    def get_header(node: Node, at: BlockHash | None = None) -> Json: ...

A parameter with a default, or `| None`, may be left out or null. Parameters come as a list, or by name in an
object.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from node.rpc.errors import RpcError, client_error, invalid_params
from primitives import ss58
from primitives.hints import type_hints
from primitives.trie import CHILD_PREFIX

Reader = Callable[[Any], Any]
MAX_KEYS = 4096


class Read(NamedTuple):
    """The annotation that names a reader."""

    reader: Reader
    secret: bool = False
    """Whether the value must not be seen in a log."""


def unhex(value: Any) -> bytes:
    """Bytes of a `0x…` string; the prefix may be missing, as async-substrate-interface sends it."""
    if not isinstance(value, str):
        raise ValueError("expected a hex string with 0x prefix")
    digits = value.removeprefix("0x")
    with suppress(ValueError):
        data = bytes.fromhex(digits)
        if 2 * len(data) == len(digits):  # it would skip white space
            return data
    raise ValueError("expected an even number of hex digits after 0x")


def _hash(value: Any) -> bytes:
    data = unhex(value)
    if len(data) != 32:
        raise ValueError(f"expected 32 bytes, got {len(data)}")
    return data


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a string")
    return value


def _u32(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise ValueError("expected an integer of 32 bits")
    return value


def number(value: Any) -> int:
    """A block number, as a number or in hex."""
    if isinstance(value, str) and value.startswith("0x") and len(value) <= 18 and "_" not in value:
        return _u32(int(value[2:] or "0", 16))
    return _u32(value)


def _numbers(value: Any) -> int | list[int]:
    if isinstance(value, list):
        if len(value) > MAX_KEYS:
            raise ValueError(f"expected at most {MAX_KEYS} numbers")
        return [number(item) for item in value]
    return number(value)


def _keys(value: Any) -> list[bytes]:
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise ValueError(f"expected a list of at most {MAX_KEYS} storage keys")
    return [unhex(item) for item in value]


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _hashes(value: Any) -> list[bytes]:
    if not isinstance(value, list):
        return [_hash(value)]
    if len(value) > MAX_KEYS:
        raise ValueError(f"expected at most {MAX_KEYS} hashes")
    return [_hash(item) for item in value]


def _child(value: Any) -> bytes:
    key = unhex(value)
    if not key.startswith(CHILD_PREFIX):
        raise client_error("Invalid child storage key")
    return key.removeprefix(CHILD_PREFIX)


def _account(value: Any) -> bytes:
    data = unhex(value) if isinstance(value, str) and value.startswith("0x") else ss58.decode(_text(value))[0]
    if len(data) != 32:
        raise ValueError("expected an account address")
    return data


BlockHash = Annotated[bytes, Read(_hash)]
Hex = Annotated[bytes, Read(unhex)]
Text = Annotated[str, Read(_text)]
Secret = Annotated[str, Read(_text, secret=True)]
Count = Annotated[int, Read(_u32)]
Numbers = Annotated[int | list[int], Read(_numbers)]
Keys = Annotated[list[bytes], Read(_keys)]
Account = Annotated[bytes, Read(_account)]
Flag = Annotated[bool, Read(_flag)]
Hashes = Annotated[list[bytes], Read(_hashes)]
"""One hash, or a list of them."""
Child = Annotated[bytes, Read(_child)]
"""A child trie, given by its key in the top trie; read as its name."""
Anything = Annotated[Any, Read(lambda value: value)]


class Parameter(NamedTuple):
    """One parameter: its name in JSON, how to read it, whether it must be there, and whether it is secret."""

    name: str
    reader: Reader
    required: bool
    secret: bool


def parameters(function: Callable[..., Any], skip: int) -> tuple[Parameter, ...]:
    """The JSON parameters of `function`, after its first `skip` arguments."""
    hints = type_hints(function)
    found = list(inspect.signature(function).parameters.values())[skip:]
    return tuple(_parameter(p, hints[p.name]) for p in found)


def _parameter(parameter: inspect.Parameter, hint: Any) -> Parameter:
    read = _read_of(hint)
    return Parameter(_camel(parameter.name), read.reader, not _may_be_null(parameter, hint), read.secret)


def _may_be_null(parameter: inspect.Parameter, hint: Any) -> bool:
    return parameter.default is not inspect.Parameter.empty or type(None) in get_args(hint)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _read_of(hint: Any) -> Read:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    return next(extra for extra in get_args(hint) if isinstance(extra, Read))


def bind(wanted: tuple[Parameter, ...], given: Any) -> list[Any]:
    """The arguments for a call, or an Invalid params error."""
    if given is None:
        given = []
    if isinstance(given, dict):
        given = [given.get(parameter.name) for parameter in wanted]
    if not isinstance(given, list):
        raise invalid_params("expected a list or an object")
    if len(given) > len(wanted):
        raise invalid_params(f"expected at most {len(wanted)} parameters, got {len(given)}")
    values = []
    for i, parameter in enumerate(wanted):
        value = given[i] if i < len(given) else None
        if value is None and parameter.required:
            raise invalid_params(f"missing parameter `{parameter.name}`")
        values.append(None if value is None else _read(parameter, value))
    return values


def _read(parameter: Parameter, value: Any) -> Any:
    try:
        return parameter.reader(value)
    except RpcError:
        raise
    except Exception as error:
        raise invalid_params(f"`{parameter.name}`: {error}") from None
