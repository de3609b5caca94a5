"""From type hints to codecs with sentences for what goes wrong, and codecs that primitives cannot know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

from frame.declaration_error import DeclarationError
from frame.errors import (
    Arithmetic,
    ArithmeticFailure,
    BadOrigin,
    CannotLookup,
    ConsumerRemaining,
    Corruption,
    DispatchError,
    DispatchErrorInfo,
    Exhausted,
    ModuleError,
    NoProviders,
    Other,
    RootNotAllowed,
    Token,
    TokenError,
    TooManyConsumers,
    Transactional,
    TransactionalFailure,
    TrieFailure,
    TrieFault,
    Unavailable,
)
from frame.generated import function
from frame.origin import Origin
from primitives.scale import (
    BytesCodec,
    Codec,
    CompactCodec,
    EnumCodec,
    FixedBytesCodec,
    IntCodec,
    IntEnumCodec,
    OptionCodec,
    PrimitiveCodec,
    ScaleError,
    SequenceCodec,
    StructCodec,
    TupleCodec,
    codec,
)


def hint_codec(hint: Any, where: str) -> Codec[Any]:
    """The codec of a type hint; DeclarationError "where: no SCALE codec for …" when it has none."""
    try:
        found: Codec[Any] = codec(hint)
    except (ScaleError, TypeError) as error:
        raise DeclarationError(f"{where}: {error}") from None
    return found


def compiled_decoder(c: Codec[Any]) -> Callable[[bytes], Any]:
    """The compiled exact-length decoder of `c`, compiled once."""
    decode: Callable[[bytes], Any] | None = c.__dict__.get("decode")
    if decode is None:
        decode = c.__dict__["decode"] = c._build_decode()
    return decode


def is_shareable(c: Codec[Any]) -> bool:
    """Whether values of this type are wholly immutable composites: one object may stand for all reads."""
    return isinstance(c, StructCodec | EnumCodec | TupleCodec) and _is_immutable(c, ())


def _is_immutable(c: Codec[Any], inside: tuple[Codec[Any], ...]) -> bool:
    if c in inside:  # a recursive type: what it is made of besides itself decides
        return True
    inside = (*inside, c)
    match c:
        case PrimitiveCodec() | CompactCodec() | BytesCodec() | FixedBytesCodec() | IntEnumCodec():
            return True
        case OptionCodec():
            return _is_immutable(c.item, inside)
        case TupleCodec():
            return all(_is_immutable(item, inside) for item in c.items)
        case StructCodec():
            return all(_is_immutable(field.codec, inside) for field in c.fields)
        case EnumCodec():
            return all(_is_immutable(field.codec, inside) for v in c.variants for field in v.fields)
        case _:
            return False


def range_check(c: Codec[Any]) -> Callable[[Any], bool] | None:
    """A compiled test that is true only for values that `c` can encode; None for types it does not cover.

    See `RangeTest`.
    """
    test = RangeTest.of(c)
    if test is None:
        return None
    found: Callable[[Any], bool] = function("fits", test.source(), test.names)
    return found


class RangeTest:
    """The test of whether a type can encode a value `x`, as source text: what `x` must be.

    It covers unsigned integers, fixed bytes and structs of these: what can be kept decoded without risk. All
    integers of one size are tested together: the bits of `a | b` are those of both, and it is below zero if
    one of them is; so nothing is left of it above their size.
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._locals: list[str] = []
        self._kinds: list[str] = []
        self._integers: dict[int, list[str]] = {}
        self.struct: type | None = None
        """The class that `x` must be an object of, if it must be one of a struct."""

    @classmethod
    def of(cls, c: Codec[Any], x: str = "x") -> RangeTest | None:
        """The test of `x` for `c`; None for types that it does not cover."""
        test = cls()
        test.struct = c.cls if isinstance(c, StructCodec) else None
        return test if test.add(c, x) else None

    def add(self, c: Codec[Any], x: str) -> bool:
        """Take in what the expression `x` must be; False if that is not covered."""
        match c:
            case IntCodec() if not c.signed:
                self._integers.setdefault(c.high, []).append(x)
            case CompactCodec():
                self._integers.setdefault(c.inner.high, []).append(x)
            case FixedBytesCodec():
                self._kinds.append(f"type({x}) is bytes and len({x}) == {c.length}")
            case StructCodec():
                cls = self._name("c", c.cls)
                self._kinds.append(f"type({x}) is {cls}")
                for field in c.fields:
                    inner = f"{x}.{field.attribute}"
                    if isinstance(field.codec, StructCodec):
                        name = f"part{len(self._locals)}"
                        self._locals.append(f"{name} = {inner}")
                        inner = name
                    if not self.add(field.codec, inner):
                        return False
            case _:
                return False
        return True

    def _name(self, kind: str, value: object) -> str:
        name = f"{kind}{len(self.names)}"
        self.names[name] = value
        return name

    @property
    def before(self) -> list[str]:
        """Statements that come before `condition`. They and it raise AttributeError or TypeError for what is
        of another type."""
        return self._locals

    @property
    def condition(self) -> str:
        """An expression that is true for what can be encoded. `>>` refuses what is no integer."""
        integers = [f"not ({' | '.join(xs)}) >> {high.bit_length()}" for high, xs in self._integers.items()]
        return " and ".join([*self._kinds, *integers]) or "True"

    def source(self) -> str:
        """The function `fits(x)`."""
        lines = ["def fits(x):", "    try:", *(f"        {line}" for line in self.before)]
        lines += [f"        return {self.condition}"]
        lines += ["    except (AttributeError, TypeError):", "        return False"]
        return "\n".join(lines)


class CalledCodec(Codec[Any]):
    """A codec written by hand: its users call it instead of taking its code into theirs."""

    inline = False
    shape: Any = None
    """The hint that describes it in metadata."""
    min_len = 1
    max_len: int | None = None

    def __init__(self) -> None:
        super().__init__()
        self._encode = self.write
        self._decode_from = self.read
        self.__dict__["encode"] = self.write
        self.__dict__["decode"] = self.read_all

    def write(self, value: Any) -> bytes:
        """The encoding of `value`."""
        raise NotImplementedError

    def read(self, data: bytes, offset: int, depth: int) -> tuple[Any, int]:
        """Read a value at `offset`: (value, offset after it)."""
        raise NotImplementedError

    def read_all(self, data: bytes) -> Any:
        """The value whose encoding is exactly `data`."""
        value, end = self.decode_from(data)
        if end != len(data):
            raise ScaleError(f"{len(data) - end} bytes left over after the value")
        return value

    def __str__(self) -> str:
        return type(self).__name__.removesuffix("Codec")


_PLAIN: dict[int, type[DispatchError]] = {
    cls.tag: cls
    for cls in (
        Other,
        CannotLookup,
        BadOrigin,
        ConsumerRemaining,
        NoProviders,
        TooManyConsumers,
        Exhausted,
        Corruption,
        Unavailable,
        RootNotAllowed,
    )
}
_KINDS: dict[int, tuple[Callable[[Any], DispatchError], Any]] = {
    TokenError.tag: (TokenError, Token),
    ArithmeticFailure.tag: (ArithmeticFailure, Arithmetic),
    TransactionalFailure.tag: (TransactionalFailure, Transactional),
    TrieFailure.tag: (TrieFailure, TrieFault),
}


class DispatchErrorCodec(CalledCodec):
    """`sp_runtime::DispatchError` as the exceptions of `frame.errors`; a pallet's error decodes as
    `ModuleError`.
    """

    max_len = 6
    shape = DispatchErrorInfo

    def write(self, value: Any) -> bytes:
        if not isinstance(value, DispatchError):
            raise ScaleError(f"{value!r} is not a DispatchError")
        return value.encode()

    def read(self, data: bytes, offset: int, depth: int) -> tuple[DispatchError, int]:
        tag = data[offset] if offset < len(data) else -1
        if tag in _PLAIN:
            return _PLAIN[tag](), offset + 1
        if tag == ModuleError.tag and len(data) >= offset + 6:
            return ModuleError(data[offset + 1], data[offset + 2 : offset + 6]), offset + 6
        if tag in _KINDS and len(data) >= offset + 2:
            make, kinds = _KINDS[tag]
            try:
                return make(kinds(data[offset + 1])), offset + 2
            except ValueError:
                pass
        raise ScaleError(f"no DispatchError at byte {offset}")


class ReasonCodec(CalledCodec):
    """Why an amount is held or frozen: the index of the pallet and that of the reason in it, two bytes.

    Which reasons there are, only the runtime knows; metadata shows them as `RuntimeHoldReason` or
    `RuntimeFreezeReason`.
    """

    min_len = 2
    max_len = 2

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def write(self, value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) != 2:
            raise ScaleError(f"{value!r} is no reason: write self.reason(HoldReason.X)")
        return value

    def read(self, data: bytes, offset: int, depth: int) -> tuple[bytes, int]:
        if offset + 2 > len(data):
            raise ScaleError("unexpected end of input in a reason")
        return data[offset : offset + 2], offset + 2

    def __str__(self) -> str:
        return f"Runtime{self.kind}Reason"


class OriginCodec(CalledCodec):
    """Who dispatches, as a value: root, an account, or nobody (`OriginCaller`, whose only variant here is
    the system's `RawOrigin`).
    """

    min_len = 2

    def write(self, value: Any) -> bytes:
        if not isinstance(value, Origin):
            raise ScaleError(f"{value!r} is not an Origin")
        if value.is_root:
            return b"\0\0"
        return b"\0\2" if value.account is None else b"\0\1" + value.account

    def read(self, data: bytes, offset: int, depth: int) -> tuple[Origin, int]:
        kind = data[offset : offset + 2]
        if kind == b"\0\0":
            return Origin.ROOT, offset + 2
        if kind == b"\0\2":
            return Origin.NONE, offset + 2
        who = data[offset + 2 : offset + 34]
        if kind == b"\0\1" and len(who) == 32:
            return Origin.of(who), offset + 34
        raise ScaleError(f"no origin at byte {offset}")


class OuterCodec(CalledCodec):
    """Stands for a type that only the runtime can compose; the runtime puts its own codec in its place."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def write(self, value: Any) -> bytes:
        raise ScaleError(
            f"Runtime{self.kind} may only be an argument of a call, directly or in a list or option"
        )

    def read(self, data: bytes, offset: int, depth: int) -> tuple[Any, int]:
        raise ScaleError(
            f"Runtime{self.kind} may only be an argument of a call, directly or in a list or option"
        )

    def __str__(self) -> str:
        return f"Runtime{self.kind}"


DISPATCH_ERROR = DispatchErrorCodec()
HOLD_REASON = ReasonCodec("Hold")
FREEZE_REASON = ReasonCodec("Freeze")
OUTER_CALL = OuterCodec("Call")
OUTER_EVENT = OuterCodec("Event")
OUTER_ORIGIN = OriginCodec()

AnyDispatchError = Annotated[DispatchError, DISPATCH_ERROR]
"""The hint of any dispatch error: an exception of `frame.errors`."""
AnyOrigin = Annotated[Origin, OUTER_ORIGIN]
"""The hint of an argument that is an origin."""
Reason = Annotated[bytes, HOLD_REASON]
"""The hint of a hold reason of any pallet: see `Pallet.reason`."""
FreezeReason = Annotated[bytes, FREEZE_REASON]
"""The hint of a freeze reason of any pallet."""


def needs_runtime(c: Codec[Any]) -> bool:
    """Whether values of this type hold calls or events, which only a runtime can decode."""
    match c:
        case OuterCodec():
            return True
        case SequenceCodec() | OptionCodec():
            return needs_runtime(c.item)
        case TupleCodec():
            return any(needs_runtime(item) for item in c.items)
        case StructCodec():
            return any(needs_runtime(field.codec) for field in c.fields)
        case _:
            return False


def substitute(hint: Any, outer: OuterCodec, by: Codec[Any]) -> Any:
    """`hint` with every occurrence of the stand-in `outer` replaced by the codec `by`, through lists,
    options, tuples.
    """
    if get_origin(hint) is Annotated:
        base, *extras = get_args(hint)
        if outer in extras:
            return by
        inner = substitute(base, outer, by)
        return hint if inner is base else Annotated[inner, *extras]
    arguments = get_args(hint)
    new = tuple(substitute(argument, outer, by) for argument in arguments)
    if all(a is b for a, b in zip(arguments, new, strict=True)):
        return hint
    if get_origin(hint) in (list, tuple):
        return get_origin(hint)[
            tuple(Annotated[Any, item] if isinstance(item, Codec) else item for item in new)
        ]
    if len(new) == 2 and type(None) in new:
        return next(Annotated[Any, item] for item in new if item is not type(None)) | None
    raise DeclarationError(
        f"Runtime{outer.kind} inside {hint}: it may only be an argument, or in a list or option"
    )
