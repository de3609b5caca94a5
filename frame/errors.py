"""Why a dispatch failed, in Substrate's encoding (`sp_runtime::DispatchError`).

    DispatchError                 tag
    ├── Other                      0
    ├── CannotLookup               1
    ├── BadOrigin                  2
    ├── ModuleError                3   a decoded error of some pallet: index, four bytes
    │   └── Error                      the base of the errors that a pallet declares
    ├── ConsumerRemaining          4
    ├── NoProviders                5
    ├── TooManyConsumers           6
    ├── TokenError(Token)          7
    ├── ArithmeticFailure(Arithmetic)  8
    ├── TransactionalFailure(Transactional)  9
    ├── Exhausted                 10
    ├── Corruption                11   also StorageMissing: a value that must be there is not
    ├── Unavailable               12
    ├── RootNotAllowed            13
    └── TrieFailure               14

A call that raises one of these leaves no change behind; the fee and the nonce are kept.
Any other exception out of a call is a defect of the runtime, not of the caller: see `frame.machine.Trap`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from primitives.scale import U8, Enum, FixedBytes, Struct, Variant

if TYPE_CHECKING:
    from frame.weights import Weight


class Token(IntEnum):
    """What was wrong with an amount of tokens (`sp_runtime::TokenError`)."""

    __scale_path__ = "sp_runtime::TokenError"

    FundsUnavailable = 0
    OnlyProvider = 1
    BelowMinimum = 2
    CannotCreate = 3
    UnknownAsset = 4
    Frozen = 5
    Unsupported = 6
    CannotCreateHold = 7
    NotExpendable = 8
    Blocked = 9


class Arithmetic(IntEnum):
    """Which arithmetic failed (`sp_arithmetic::ArithmeticError`)."""

    __scale_path__ = "sp_arithmetic::ArithmeticError"

    Underflow = 0
    Overflow = 1
    DivisionByZero = 2


class Transactional(IntEnum):
    """What was wrong with a storage layer (`sp_runtime::TransactionalError`)."""

    __scale_path__ = "sp_runtime::TransactionalError"

    LimitReached = 0
    NoLayer = 1


class TrieFault(IntEnum):
    """What was wrong with a trie or a proof (`sp_runtime::proving_trie::TrieError`)."""

    __scale_path__ = "sp_runtime::proving_trie::TrieError"

    InvalidStateRoot = 0
    IncompleteDatabase = 1
    ValueAtIncompleteKey = 2
    DecoderError = 3
    InvalidHash = 4
    DuplicateKey = 5
    ExtraneousNode = 6
    ExtraneousValue = 7
    ExtraneousHashReference = 8
    InvalidChildReference = 9
    ValueMismatch = 10
    IncompleteProof = 11
    RootMismatch = 12
    DecodeError = 13


class DispatchError(Exception):
    """The base of everything a call may fail with."""

    tag: ClassVar[int]
    actual_weight: Weight | None = None
    """The weight used until the failure, when the call knows better than its declaration."""

    def payload(self) -> bytes:
        """The SCALE bytes after the tag."""
        return b""

    def encode(self) -> bytes:
        """The SCALE bytes of `sp_runtime::DispatchError`."""
        return bytes((self.tag,)) + self.payload()

    def after(self, weight: Weight) -> Self:
        """This error, saying that only `weight` has been used."""
        self.actual_weight = weight
        return self

    @property
    def name(self) -> str:
        """The name clients show."""
        return type(self).__name__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DispatchError) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> object:
        return self.tag, self.payload()


class Other(DispatchError):
    """Something without a place in the list; the text is for people and is not encoded."""

    tag = 0


class CannotLookup(DispatchError):
    """The address leads to no account."""

    tag = 1


class BadOrigin(DispatchError):
    """The call does not accept this sender."""

    tag = 2


class ModuleError(DispatchError):
    """An error of the pallet with this index; `error` is its index and three more bytes."""

    tag = 3

    def __init__(self, index: int, error: bytes) -> None:
        super().__init__(f"pallet {index}, error {error.hex()}")
        self.module_index: int | None = index
        self.error = error

    def payload(self) -> bytes:
        if self.module_index is None:
            raise ValueError(f"{self.name} was not raised inside a dispatch, so its pallet has no index yet")
        return bytes((self.module_index,)) + self.error


class Error(ModuleError):
    """The base of a pallet's own errors, nested in its class; indices follow the order of definition."""

    index: ClassVar[int] = -1
    pallet_name: ClassVar[str] = ""
    docs: ClassVar[str] = ""

    def __init__(self, message: str = "") -> None:
        DispatchError.__init__(self, message or self.docs or self.name)
        self.module_index = None
        self.error = bytes((max(self.index, 0), 0, 0, 0))

    def located(self, module_index: int) -> Self:
        """This error, knowing the index of its pallet in the runtime that dispatched it."""
        self.module_index = module_index
        return self

    def _identity(self) -> object:
        if self.module_index is None:
            return type(self)
        return super()._identity()


class ConsumerRemaining(DispatchError):
    """The account cannot go: something consumes it."""

    tag = 4


class NoProviders(DispatchError):
    """Nothing provides for the account's existence."""

    tag = 5


class TooManyConsumers(DispatchError):
    """The account has as many consumers as it may."""

    tag = 6


class _KindError(DispatchError):
    kind: IntEnum

    def payload(self) -> bytes:
        return bytes((self.kind,))

    @property
    def name(self) -> str:
        return f"{type(self).__name__}.{self.kind.name}"


class TokenError(_KindError):
    """An amount of tokens cannot move so."""

    tag = 7

    def __init__(self, kind: Token) -> None:
        super().__init__(kind.name)
        self.kind: Token = kind


class ArithmeticFailure(_KindError):
    """A number leaves its range."""

    tag = 8

    def __init__(self, kind: Arithmetic) -> None:
        super().__init__(kind.name)
        self.kind: Arithmetic = kind


class TransactionalFailure(_KindError):
    """A storage layer cannot be opened."""

    tag = 9

    def __init__(self, kind: Transactional) -> None:
        super().__init__(kind.name)
        self.kind: Transactional = kind


class Exhausted(DispatchError):
    """Some resource is used up."""

    tag = 10


class Corruption(DispatchError):
    """The state contradicts itself."""

    tag = 11


class StorageMissing(Corruption):
    """A storage item without default holds no value where one was required."""


class Unavailable(DispatchError):
    """Something is not there yet."""

    tag = 12


class RootNotAllowed(DispatchError):
    """Root may not do this."""

    tag = 13


class TrieFailure(_KindError):
    """A trie or a proof is wrong."""

    tag = 14

    def __init__(self, kind: TrieFault) -> None:
        super().__init__(kind.name)
        self.kind: TrieFault = kind


class ModuleErrorInfo(Struct, path="sp_runtime::ModuleError"):
    """The shape of a pallet's error on the wire."""

    index: U8
    error: Annotated[bytes, FixedBytes(4)]


class DispatchErrorInfo(Enum, path="sp_runtime::DispatchError"):
    """The shape of `DispatchError` on the wire, for metadata; `frame.codecs` decodes the exceptions."""

    class Other(Variant, index=0):
        pass

    class CannotLookup(Variant, index=1):
        pass

    class BadOrigin(Variant, index=2):
        pass

    class Module(Variant, index=3, unnamed=True):
        value: ModuleErrorInfo

    class ConsumerRemaining(Variant, index=4):
        pass

    class NoProviders(Variant, index=5):
        pass

    class TooManyConsumers(Variant, index=6):
        pass

    class Token(Variant, index=7, unnamed=True):
        value: Token

    class Arithmetic(Variant, index=8, unnamed=True):
        value: Arithmetic

    class Transactional(Variant, index=9, unnamed=True):
        value: Transactional

    class Exhausted(Variant, index=10):
        pass

    class Corruption(Variant, index=11):
        pass

    class Unavailable(Variant, index=12):
        pass

    class RootNotAllowed(Variant, index=13):
        pass

    class Trie(Variant, index=14, unnamed=True):
        value: TrieFault
