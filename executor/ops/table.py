"""The one table: ONNX operator → the function that writes it in IR primitives.

A function's signature is the operator's schema. Positional parameters are inputs: `Node` a tensor, `Ints`
integers known now, `Value` either, `| None` optional, `*xs` any number. Keyword-only parameters are
attributes with their defaults; one without a default is required; one that the function lacks is refused;
`outputs_` is how many outputs the node names. A function gives a value, or a tuple of them. The
shape rule is in the IR's constructors, the gradient follows from the primitives
(executor/compiler/gradients.py).
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_args, get_type_hints

import numpy as np

from executor.compiler.ir import Node
from executor.errors import MalformedGraph, UnknownOp, UnsupportedAttribute, UnsupportedOpset
from executor.ops.aside import Aside, through
from executor.ops.elsewhere import instead
from executor.ops.values import Ints, Value, Values, integers, tensor

Function = Callable[..., "Value | Values"]
Body = Callable[..., list[Value]]
"""A sub-graph: called with its inputs it gives its outputs."""
Typed = TypeVar("Typed", bound=Function)


@dataclass(frozen=True)
class Operator:
    """One form of an operator, valid from opset `since` on."""

    name: str
    since: int
    function: Function
    inputs: tuple[tuple[object, bool], ...]
    """(annotation, required)"""
    variadic: bool
    attributes: dict[str, tuple[object, bool]]


LAYOUT = frozenset(
    {"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Shape", "Size", "Slice", "If", "Loop", "Scan"}
)
"""They know themselves what to do with a batch that is not in front."""
OPERATORS: dict[str, list[Operator]] = {}
"""Name → forms, newest first."""


def operator(*names: str, since: int = 1) -> Callable[[Typed], Typed]:
    """Enter a function into the table under `names`, from opset `since` on."""

    def enter(function: Typed) -> Typed:
        hints = get_type_hints(function)
        inputs, attributes, variadic = [], {}, False
        for name, parameter in inspect.signature(function).parameters.items():
            required = parameter.default is inspect.Parameter.empty
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                attributes[name] = (hints[name], required)
            else:
                variadic |= parameter.kind is inspect.Parameter.VAR_POSITIONAL
                inputs.append((hints[name], required))
        for name in names:
            forms = OPERATORS.setdefault(name, [])
            forms.append(Operator(name, since, function, tuple(inputs), variadic, attributes))
            forms.sort(key=lambda form: -form.since)
        return function

    return enter


def form(name: str, opset: int) -> Operator:
    """The form of an operator that an opset means. Raises UnknownOp, UnsupportedOpset."""
    if name not in OPERATORS:
        raise UnknownOp(f"the operator {name!r} is not in the table{instead(name)}")
    for candidate in OPERATORS[name]:
        if candidate.since <= opset:
            return candidate
    raise UnsupportedOpset(f"{name} is not supported in opset {opset}")


def apply(
    name: str, opset: int, inputs: Sequence[Value | None], attributes: dict[str, object], outputs: int = 1
) -> "Value | Values":
    """The value of a node, or a tuple of them. Raises a ModelError."""
    found = form(name, opset)
    with fitting(name):
        return _applied(found, opset, inputs, attributes, outputs)


@contextmanager
def fitting(name: str) -> Iterator[None]:
    """What an operator takes for granted, a hostile file need not give: ranks, sizes, finite numbers, types.
    Raises MalformedGraph where arithmetic or a look-up fails for want of it.
    """
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise MalformedGraph(f"{name} with inputs or attributes that do not fit it ({why})") from error


def _applied(
    found: Operator, opset: int, inputs: Sequence[Value | None], attributes: dict[str, object], outputs: int
) -> "Value | Values":
    name = found.name
    if any(isinstance(item, Aside) for item in inputs) and name not in LAYOUT:

        def run(values: Sequence[Value | None], changed: dict[str, object]) -> object:
            return apply(name, opset, values, changed, outputs)

        moved: Any = through(name, inputs, attributes, run)
        return cast("Value | Values", moved)
    keywords = _attributes(found, attributes)
    if "outputs_" in found.attributes:
        keywords["outputs_"] = outputs
    return found.function(*_inputs(found, inputs), **keywords)


def _inputs(found: Operator, inputs: Sequence[Value | None]) -> list[Value | None]:
    kinds = list(found.inputs)
    if found.variadic:
        kinds += [(kinds[-1][0], False)] * (len(inputs) - len(kinds))
    needed = max((place + 1 for place, (_, required) in enumerate(kinds) if required), default=0)
    if not needed <= len(inputs) <= len(kinds):
        raise MalformedGraph(f"{found.name} with {len(inputs)} inputs")
    values: list[Value | None] = []
    for value, (kind, required) in zip(inputs, kinds, strict=False):
        if value is None:
            if required and type(None) not in get_args(kind):
                raise MalformedGraph(f"{found.name} lacks an input")
            values.append(None)
        elif kind in (Node, Node | None):
            values.append(tensor(value))
        elif kind in (Ints, Ints | None):
            values.append(integers(value))
        else:
            values.append(value)
    return values


def _attributes(found: Operator, attributes: dict[str, object]) -> dict[str, object]:
    values = {}
    for name, value in attributes.items():
        if name == "outputs_" or name not in found.attributes:
            raise UnsupportedAttribute(f"{found.name} with the attribute {name!r}")
        if not _fits(value, found.attributes[name][0]):
            raise UnsupportedAttribute(f"the attribute {name!r} of {found.name} is of the wrong kind")
        values[name] = value
    for name, (_, required) in found.attributes.items():
        if required and name not in values and name != "outputs_":
            raise UnsupportedAttribute(f"{found.name} without the attribute {name!r}")
    return values


def _fits(value: object, hint: object) -> bool:
    """A value of the annotated kind: int, float, str, tuple of them, array, sub-graph, or None for absent."""
    if callable(value):
        return hint in (Body, Body | None)
    match value:
        case int():
            return hint in (int, int | None)
        case float():
            return hint in (float, float | None)
        case str():
            return hint in (str, str | None)
        case np.ndarray():
            return "ndarray" in str(hint)
        case tuple():
            kinds = {type(item) for item in value} or {int, float, str}
            return any(str(hint).startswith(f"tuple[{kind.__name__}") for kind in kinds)
    return False
