"""Calls: what a pallet lets the outside do, and what dispatching one means for weight, class and fee."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from enum import IntEnum
from itertools import pairwise
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Concatenate,
    Final,
    Generic,
    NamedTuple,
    ParamSpec,
    Self,
    TypeVar,
    overload,
)

from frame.codecs import OUTER_CALL
from frame.declaration_error import DeclarationError
from frame.names import docs_of
from frame.origin import Origin
from frame.weights import ZERO, Unmeasured, Weight
from primitives.hints import type_hints
from primitives.scale import Codec
from primitives.scale.base import Decoder

if TYPE_CHECKING:
    from frame.pallet import Pallet

P = ParamSpec("P")
S = TypeVar("S", bound="Pallet[Any]")


class DispatchClass(IntEnum):
    """Which share of a block a call may use (`frame_support::dispatch::DispatchClass`)."""

    __scale_path__ = "frame_support::dispatch::DispatchClass"

    Normal = 0
    Operational = 1
    Mandatory = 2


class Pays(IntEnum):
    """Whether the sender pays a fee (`frame_support::dispatch::Pays`)."""

    __scale_path__ = "frame_support::dispatch::Pays"

    Yes = 0
    No = 1


class DispatchInfo(NamedTuple):
    """What is known of a call before it runs; `weight` is the most it may use."""

    weight: Weight
    dispatch_class: DispatchClass = DispatchClass.Normal
    pays: Pays = Pays.Yes


class PostInfo(NamedTuple):
    """What is known after: the weight really used (None = as declared) and whether a fee is due."""

    actual_weight: Weight | None = None
    pays: Pays = Pays.Yes

    def weight_of(self, info: DispatchInfo) -> Weight:
        """The weight to charge: what was used, never more than declared."""
        if self.actual_weight is None:
            return info.weight
        return self.actual_weight.min(info.weight)


NESTING: Final = 4
"""Levels of SCALE nesting that a call inside a call uses up: batches nest some ten deep."""

AS_DECLARED: Final = PostInfo()
"""After a call that said nothing of its weight."""

CallResult = Weight | PostInfo | None
WeightRule = Weight | Callable[..., Weight]
ClassRule = DispatchClass | Callable[..., DispatchClass]
PaysRule = Pays | Callable[..., Pays]


class CallEntry:
    """One call in one runtime: where it is, how its arguments are coded, what it costs."""

    __slots__ = (
        "arity",
        "class_of",
        "codec",
        "constant_info",
        "decode",
        "definition",
        "dispatch_class",
        "pallet_index",
        "pallet_name",
        "pays",
        "pays_of",
        "prefix",
        "weight_of",
    )

    def __init__(
        self, definition: CallMethod[Any, Any], pallet_index: int, pallet_name: str, codec: Codec[Any]
    ) -> None:
        self.definition = definition
        self.pallet_index = pallet_index
        self.pallet_name = pallet_name
        self.codec = codec
        self.decode: Decoder = self._decode_first
        """Reads the arguments at an offset: see `Codec.decoder`."""
        self.prefix = bytes((pallet_index, definition.index))
        self.weight_of = definition.weight_rule
        self.dispatch_class, self.class_of = _constant_or_rule(
            definition.dispatch_class, definition.arguments
        )
        self.pays, self.pays_of = _constant_or_rule(definition.pays, definition.arguments)
        varies = callable(self.weight_of) or self.class_of is not None or self.pays_of is not None
        self.constant_info: DispatchInfo | None = None
        if not varies:
            self.constant_info = self.info(())

    def _decode_first(self, data: bytes, offset: int, depth: int) -> tuple[Any, int]:
        self.decode = self.codec.decoder()  # compiled when the first such call comes
        return self.decode(data, offset, depth)

    def info(self, args: tuple[Any, ...]) -> DispatchInfo:
        """Weight, class and fee of this call with these arguments."""
        if self.constant_info is not None:
            return self.constant_info
        weight = self.weight_of(args) if callable(self.weight_of) else self.weight_of
        return DispatchInfo(
            weight or ZERO,
            self.dispatch_class if self.class_of is None else self.class_of(args),
            self.pays if self.pays_of is None else self.pays_of(args),
        )


class RuntimeCall:
    """A call with its arguments: made by `pallet.method.new(...)` or decoded; dispatched by
    `Pallet.dispatch`.
    """

    __slots__ = ("args", "entry", "known_info")

    def __init__(self, entry: CallEntry, args: tuple[Any, ...]) -> None:
        self.entry = entry
        self.args = args
        self.known_info = entry.constant_info

    def encode(self) -> bytes:
        """Pallet index ‖ call index ‖ arguments."""
        return self.entry.prefix + self.entry.codec.encode(self.args)

    def info(self) -> DispatchInfo:
        """Weight, class and fee.

        Found once: a batch asks its calls for each of the three, and batches nest, so that asking anew
        would take exponential time.
        """
        if self.known_info is None:
            self.known_info = self.entry.info(self.args)
        return self.known_info

    @property
    def pallet(self) -> str:
        """The pallet's name."""
        return self.entry.pallet_name

    @property
    def name(self) -> str:
        """The call's name."""
        return self.entry.definition.name

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments by name."""
        return dict(zip(self.entry.definition.arguments, self.args, strict=True))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RuntimeCall)
            and self.entry.prefix == other.entry.prefix
            and self.args == other.args
        )

    def __hash__(self) -> int:
        return hash(self.encode())

    def __repr__(self) -> str:
        text = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.pallet}.{self.name}({text})"


AnyCall = Annotated[RuntimeCall, OUTER_CALL]
"""The hint of an argument that is itself a call: `call: AnyCall`, `calls: list[AnyCall]`."""


class BoundCall(Generic[P]):
    """A call on a pallet: call it to run it as plain Python, `.new(...)` makes the value to dispatch."""

    __slots__ = ("_definition", "_pallet")

    def __init__(self, definition: CallMethod[Any, Any], pallet: Pallet[Any]) -> None:
        self._definition = definition
        self._pallet = pallet

    def __call__(self, origin: Origin, *args: P.args, **kwargs: P.kwargs) -> CallResult:
        result: CallResult = self._definition.function(self._pallet, origin, *args, **kwargs)
        return result

    def new(self, *args: P.args, **kwargs: P.kwargs) -> RuntimeCall:
        """The call as a value, with these arguments."""
        entry = self._pallet.entry(self._definition.name)
        return RuntimeCall(entry, self._definition.in_order(args, kwargs))


class CallMethod(Generic[S, P]):
    """What `@call` makes of a method: the declaration, and the descriptor that binds it."""

    def __init__(
        self,
        function: Callable[Concatenate[S, Origin, P], CallResult],
        index: int,
        weight: WeightRule | None,
        dispatch_class: ClassRule,
        pays: PaysRule,
        inherent: bool,
    ) -> None:
        self.function = function
        self.index = index
        self.declared_weight = weight
        self.dispatch_class = dispatch_class
        self.pays = pays
        self.inherent = inherent
        self.name: str = function.__name__
        self.docs = docs_of(function)
        self.signature = inspect.signature(function)
        self.arguments = tuple(self.signature.parameters)[2:]
        self.hints: dict[str, Any] = {}
        self.weight_rule: Weight | Callable[[tuple[Any, ...]], Weight] | None = None

    def resolve(self, where: str, names: dict[str, Any]) -> None:
        """Find the argument types; a mistake ends with a sentence that names `where`."""
        parameters = list(self.signature.parameters.values())
        if len(parameters) < 2 or parameters[1].name != "origin":
            raise DeclarationError(f"{where}: a call begins with (self, origin: Origin, …)")
        try:
            hints = type_hints(self.function, names)
        except NameError as error:
            raise DeclarationError(
                f"{where}: {error}; types of calls stand in the module or in the pallet"
            ) from None
        for parameter in parameters[2:]:
            if (
                parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD
                or parameter.default is not parameter.empty
            ):
                raise DeclarationError(
                    f"{where}: the argument `{parameter.name}` must be plain, without default or *"
                )
            if parameter.name not in hints:
                raise DeclarationError(f"{where}: the argument `{parameter.name}` has no type")
        self.hints = {name: hints[name] for name in self.arguments}

    def resolve_weight(self, where: str, weights: object) -> None:
        """Find the weight: the one declared, else the attribute of this name in the pallet's `weights`.

        It stays None when `weights` lacks what it needs: a call that is not measured yet.
        """
        rule = self.declared_weight if self.declared_weight is not None else getattr(weights, self.name, None)
        if rule is None or isinstance(rule, Weight):
            self.weight_rule = rule
            return
        if isinstance(rule, Unmeasured):
            return
        if not callable(rule):
            raise DeclarationError(f"{where}: the weight is neither a Weight nor a function")
        if _unmeasured(rule, weights):
            return
        if not _wanted(rule):
            try:
                self.weight_rule = rule()
            except TypeError:  # measured over other components than the rule gives: to be measured again
                self.weight_rule = None
            return
        self.weight_rule = _picker(rule, self.arguments, where)

    def in_order(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments by position."""
        if not kwargs and len(args) == len(self.arguments):
            return args
        bound = self.signature.bind(None, None, *args, **kwargs)
        return tuple(bound.arguments.values())[2:]

    @overload
    def __get__(self, pallet: None, owner: type) -> Self: ...
    @overload
    def __get__(self, pallet: Pallet[Any], owner: type) -> BoundCall[P]: ...
    def __get__(self, pallet: Pallet[Any] | None, owner: type) -> Self | BoundCall[P]:
        if pallet is None:
            return self
        bound: BoundCall[P] = BoundCall(self, pallet)
        pallet.__dict__[self.name] = bound
        return bound


def call(
    index: int,
    *,
    weight: WeightRule | None = None,
    dispatch_class: ClassRule = DispatchClass.Normal,
    pays: PaysRule = Pays.Yes,
    inherent: bool = False,
) -> Callable[[Callable[Concatenate[S, Origin, P], CallResult]], CallMethod[S, P]]:
    """Make a method a call: `(self, origin: Origin, typed arguments…) -> None | Weight | PostInfo`.

    `index` is the call's byte and never changes. `weight`, `dispatch_class` and `pays` are values, or
    functions whose parameters name the call's arguments they need. Returning a `Weight` says what was
    really used: the rest is refunded. `inherent` calls come only from the block's author, unsigned.
    """

    def make(function: Callable[Concatenate[S, Origin, P], CallResult]) -> CallMethod[S, P]:
        if not 0 <= index < 256:
            raise DeclarationError(f"{function.__qualname__}: the index {index} does not fit a byte")
        return CallMethod(function, index, weight, dispatch_class, pays, inherent)

    return make


def _wanted(rule: Callable[..., Any]) -> list[inspect.Parameter]:
    """The arguments that a rule names."""
    return [p for p in inspect.signature(rule).parameters.values() if p.default is p.empty]


def _unmeasured(rule: Callable[..., Any], weights: object) -> bool:
    """Whether a rule like `lambda x: Weights.name(x)` reads a name that the pallet's `Weights` lacks."""
    code = getattr(rule, "__code__", None)
    if code is None or weights is None:
        return False
    captured = inspect.getclosurevars(rule)
    known = {**captured.globals, **captured.nonlocals}
    steps = list(dis.get_instructions(code))
    return any(
        step.opname in ("LOAD_GLOBAL", "LOAD_DEREF")
        and known.get(step.argval) is weights
        and following.opname in ("LOAD_ATTR", "LOAD_METHOD")
        and isinstance(getattr(weights, following.argval, Unmeasured()), Unmeasured)
        for step, following in pairwise(steps)
    )


def _picker(
    rule: Callable[..., Any], arguments: tuple[str, ...], where: str
) -> Callable[[tuple[Any, ...]], Any]:
    """`rule` as a function of all the arguments by position, from which it takes those that it names.

    Where it wants an `int` and the argument is none, it gets the argument's length: so a measured weight
    whose components have the names of arguments is wired by that alone.
    """
    wanted = _wanted(rule)
    for parameter in wanted:
        if parameter.name not in arguments:
            raise DeclarationError(
                f"{where}: its weight, class or fee names `{parameter.name}`, which is not an argument"
            )
    places = [(arguments.index(p.name), p.annotation in ("int", int)) for p in wanted]
    if not places:
        return lambda args: rule()
    if any(counted for _, counted in places):
        return lambda args: rule(*[_amount(args[at]) if counted else args[at] for at, counted in places])
    if len(places) == 1:
        only: Final = places[0][0]
        return lambda args: rule(args[only])
    return lambda args: rule(*[args[at] for at, _ in places])


def _amount(value: Any) -> int:
    return value if isinstance(value, int) else len(value)


def _constant_or_rule(rule: Any, arguments: tuple[str, ...]) -> tuple[Any, Any]:
    if callable(rule) and not isinstance(rule, IntEnum):
        return None, _picker(rule, arguments, "call")
    return rule, None
