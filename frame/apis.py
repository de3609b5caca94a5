"""Runtime APIs: what `state_call` reaches, by Substrate's names and types.

An API method is a plain function `(machine, typed arguments…) -> typed result`; its codecs and its place in
metadata V15 derive from the hints. What it writes is thrown away.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final

from frame import executive
from frame.call import DispatchClass
from frame.codecs import AnyDispatchError, CalledCodec, hint_codec
from frame.errors import DispatchError
from frame.extensions import ChargeTransactionPayment, NoPayment
from frame.extrinsic import parse
from frame.machine import Machine
from frame.names import docs_of
from frame.traits import FeePayment
from frame.transaction import Invalid as InvalidKind
from frame.transaction import (
    InvalidTransaction,
    Source,
    TransactionValidityError,
    Unknown,
    UnknownTransaction,
    Validity,
)
from frame.version import RuntimeVersion, api_id
from frame.weights import Weight
from primitives.header import Header
from primitives.hints import type_hints
from primitives.scale import (
    H256,
    U8,
    U32,
    U128,
    AccountId,
    Bytes,
    Codec,
    Enum,
    Err,
    FixedBytes,
    Ok,
    Result,
    ScaleError,
    Struct,
    TupleCodec,
    Variant,
    codec,
    decode_compact,
    encode_compact,
)


class UnknownApi(LookupError):
    """There is no runtime API of this name; the text is Substrate's, which clients match."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Exported method {name} is not found")


class ApiFailed(Exception):
    """A runtime API was called with arguments that it cannot answer for; the text says why."""


class ExtrinsicCodec(CalledCodec):
    """An extrinsic as bytes, with its length prefix, inside another type."""

    def write(self, value: Any) -> bytes:
        return bytes(value)

    def read(self, data: bytes, offset: int, depth: int) -> tuple[bytes, int]:
        size, start = decode_compact(data, offset, 32)
        if start + size > len(data):
            raise ScaleError(
                f"unexpected end of input: the extrinsic has {size} bytes, {len(data) - start} are left"
            )
        return data[offset : start + size], start + size

    def __str__(self) -> str:
        return "Extrinsic"


class InvalidInfo(Enum, path="sp_runtime::transaction_validity::InvalidTransaction"):
    """The shape of `InvalidTransaction` on the wire."""

    class Call(Variant): ...

    class Payment(Variant): ...

    class Future(Variant): ...

    class Stale(Variant): ...

    class BadProof(Variant): ...

    class AncientBirthBlock(Variant): ...

    class ExhaustsResources(Variant): ...

    class Custom(Variant, unnamed=True):
        value: U8

    class BadMandatory(Variant): ...

    class MandatoryValidation(Variant): ...

    class BadSigner(Variant): ...

    class IndeterminateImplicit(Variant): ...

    class UnknownOrigin(Variant): ...


class UnknownInfo(Enum, path="sp_runtime::transaction_validity::UnknownTransaction"):
    """The shape of `UnknownTransaction` on the wire."""

    class CannotLookup(Variant): ...

    class NoUnsignedValidator(Variant): ...

    class Custom(Variant, unnamed=True):
        value: U8


class ValidityErrorInfo(Enum, path="sp_runtime::transaction_validity::TransactionValidityError"):
    """The shape of `TransactionValidityError` on the wire."""

    class Invalid(Variant, unnamed=True):
        value: InvalidInfo

    class Unknown(Variant, unnamed=True):
        value: UnknownInfo


class ValidityErrorCodec(CalledCodec):
    """`TransactionValidityError` as the exceptions of `frame.transaction`."""

    shape = ValidityErrorInfo

    def write(self, value: Any) -> bytes:
        if not isinstance(value, TransactionValidityError):
            raise ScaleError(f"{value!r} is not a TransactionValidityError")
        return value.encode()

    def read(self, data: bytes, offset: int, depth: int) -> tuple[TransactionValidityError, int]:
        info: Any
        info, end = codec(ValidityErrorInfo).decode_from(data, offset)
        kind = type(info.value).__name__
        custom = getattr(info.value, "value", 0)
        if isinstance(info, ValidityErrorInfo.Invalid):
            return InvalidTransaction(InvalidKind[kind], custom), end
        return UnknownTransaction(Unknown[kind], custom), end


_EXTRINSIC: Final = ExtrinsicCodec()
Extrinsic = Annotated[bytes, _EXTRINSIC]
AnyValidityError = Annotated[TransactionValidityError, ValidityErrorCodec()]
DispatchResult = Result[tuple[()], AnyDispatchError]
ApplyResult = Result[DispatchResult, AnyValidityError]


class BlockShape(Struct, path="sp_runtime::generic::block::Block"):
    """A block on the wire."""

    header: Header
    extrinsics: list[Extrinsic]


class InherentData(Struct, path="sp_inherents::InherentData"):
    """What the author knows, by identifier, each SCALE-encoded."""

    data: list[tuple[Annotated[bytes, FixedBytes(8)], Bytes]]


class CheckInherentsResult(Struct, path="sp_inherents::CheckInherentsResult"):
    """What is wrong with a block's inherents."""

    okay: bool
    fatal_error: bool
    errors: InherentData


class InclusionMode(Enum, path="sp_runtime::ExtrinsicInclusionMode"):
    """Whether a block may hold transactions."""

    class AllExtrinsics(Variant): ...

    class OnlyInherents(Variant): ...


class RuntimeDispatchInfo(Struct, path="pallet_transaction_payment::types::RuntimeDispatchInfo"):
    """Weight, class and fee of a transaction, without tip."""

    weight: Weight
    class_: DispatchClass
    partial_fee: U128


class InclusionFee(Struct, path="pallet_transaction_payment::types::InclusionFee"):
    """The parts of the fee."""

    base_fee: U128
    len_fee: U128
    adjusted_weight_fee: U128


class FeeDetails(Struct, path="pallet_transaction_payment::types::FeeDetails"):
    """The fee in parts; None for a transaction that pays nothing."""

    inclusion_fee: InclusionFee | None
    tip: U128


@dataclass(frozen=True)
class Api:
    """One method of a runtime API."""

    trait: str
    method: str
    version: int
    docs: str
    inputs: tuple[tuple[str, Codec[Any]], ...]
    output: Codec[Any]
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The name that `state_call` takes."""
        return f"{self.trait}_{self.method}"

    def run(self, machine: Machine, args: bytes) -> bytes:
        """Decode the arguments, run, encode the result. ScaleError for bad arguments."""
        values = TupleCodec(tuple(item for _, item in self.inputs)).decode(args)
        return self.output.encode(self.function(machine, *values))


def api(trait: str, version: int) -> Callable[[Callable[..., Any]], Api]:
    """Make a function a method of the runtime API `trait`."""

    def make(function: Callable[..., Any]) -> Api:
        hints = type_hints(function)
        names = list(inspect.signature(function).parameters)[1:]
        where = f"{trait}_{function.__name__}"
        return Api(
            trait,
            function.__name__,
            version,
            docs_of(function),
            tuple((name, hint_codec(hints[name], where)) for name in names),
            hint_codec(hints["return"], where),
            function,
        )

    return make


def _payment(machine: Machine) -> FeePayment | None:
    for extension in machine.extensions:
        if isinstance(extension, ChargeTransactionPayment) and not isinstance(extension, NoPayment):
            return extension.payment
    return None


@api("Core", 5)
def version(m: Machine) -> RuntimeVersion:
    """Returns the version of the runtime."""
    return m.runtime.version


@api("Core", 5)
def execute_block(m: Machine, block: BlockShape) -> tuple[()]:
    """Execute the given block."""
    executive.execute_block(m, block.header, block.extrinsics)
    return ()


@api("Core", 5)
def initialize_block(m: Machine, header: Header) -> InclusionMode:
    """Initialize a block with the given header and return the runtime executive mode."""
    executive.initialize_block(m, header.number, header.parent_hash, executive.pre_digest(header))
    return InclusionMode.AllExtrinsics()


@api("Metadata", 2)
def metadata(m: Machine) -> Bytes:
    """Returns the metadata of a runtime."""
    return m.runtime.metadata(14)


@api("Metadata", 2)
def metadata_at_version(m: Machine, version: U32) -> Bytes | None:
    """Returns the metadata at a given version."""
    return m.runtime.metadata(version) if version in METADATA_VERSIONS else None


@api("Metadata", 2)
def metadata_versions(m: Machine) -> list[U32]:
    """Returns the supported metadata versions."""
    return list(METADATA_VERSIONS)


METADATA_VERSIONS: Final = (14, 15, 16)


@api("BlockBuilder", 6)
def apply_extrinsic(m: Machine, extrinsic: Extrinsic) -> ApplyResult:
    """Apply the given extrinsic."""
    try:
        raw = executive.apply_extrinsic(m, extrinsic)
    except TransactionValidityError as error:
        return Err(error)
    result: Result[tuple[()], DispatchError] = codec(DispatchResult).decode(raw)
    return Ok(result)


@api("BlockBuilder", 6)
def finalize_block(m: Machine) -> Header:
    """Finish the current block."""
    return executive.finalize_block(m)


@api("BlockBuilder", 6)
def inherent_extrinsics(m: Machine, inherent: InherentData) -> list[Extrinsic]:
    """Generate inherent extrinsics. The inherent data will vary from chain to chain."""
    data = dict(inherent.data)
    calls = [p.create_inherent(data) for p in m.pallets if p.inherent_identifier is not None]
    bodies = [b"\x04" + call.encode() for call in calls if call is not None]
    return [encode_compact(len(body)) + body for body in bodies]


@api("BlockBuilder", 6)
def check_inherents(m: Machine, block: BlockShape, data: InherentData) -> CheckInherentsResult:
    """Check that the inherents are valid. The inherent data will vary from chain to chain."""
    given = dict(data.data)
    wrong = []
    for raw in block.extrinsics:
        extrinsic = parse(m, raw).extrinsic
        if extrinsic.signed is not None:
            break
        pallet = m.by_index[extrinsic.call.entry.pallet_index]
        problem = pallet.check_inherent(extrinsic.call, given)
        if problem is not None:
            wrong.append((pallet.inherent_identifier or bytes(8), codec(str).encode(problem)))
    return CheckInherentsResult(okay=not wrong, fatal_error=bool(wrong), errors=InherentData(data=wrong))


@api("TaggedTransactionQueue", 3)
def validate_transaction(
    m: Machine, source: Source, tx: Extrinsic, block_hash: H256
) -> Result[Validity, AnyValidityError]:
    """Validate the transaction."""
    try:
        return Ok(executive.validate_transaction(m, source, tx, block_hash))
    except TransactionValidityError as error:
        return Err(error)


@api("AccountNonceApi", 1)
def account_nonce(m: Machine, account: AccountId) -> U32:
    """Get current account nonce of given `AccountId`."""
    return m.system.account_nonce(account)


@api("TransactionPaymentApi", 4)
def query_info(m: Machine, uxt: Extrinsic, len: U32) -> RuntimeDispatchInfo:
    """Weight, class and fee of a transaction."""
    info, _ = executive.dispatch_info_of(m, uxt)
    payment = _payment(m)
    fee = 0 if payment is None else payment.compute_fee(info, len, 0)
    return RuntimeDispatchInfo(weight=info.weight, class_=info.dispatch_class, partial_fee=fee)


@api("TransactionPaymentApi", 4)
def query_fee_details(m: Machine, uxt: Extrinsic, len: U32) -> FeeDetails:
    """The fee of a transaction, in parts."""
    info, _ = executive.dispatch_info_of(m, uxt)
    payment = _payment(m)
    parts = None if payment is None else payment.fee_details(info, len, 0)
    if parts is None:
        return FeeDetails(inclusion_fee=None, tip=0)
    base, length, weight = parts
    return FeeDetails(
        inclusion_fee=InclusionFee(base_fee=base, len_fee=length, adjusted_weight_fee=weight), tip=0
    )


@api("TransactionPaymentApi", 4)
def query_weight_to_fee(m: Machine, weight: Weight) -> U128:
    """The unadjusted fee of a weight."""
    payment = _payment(m)
    return 0 if payment is None else payment.weight_fee(weight.ref_time, weight.proof_size)


@api("TransactionPaymentApi", 4)
def query_length_to_fee(m: Machine, length: U32) -> U128:
    """The fee of a length in bytes."""
    payment = _payment(m)
    return 0 if payment is None else payment.length_fee(length)


STANDARD: Final[Mapping[str, Api]] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            version,
            execute_block,
            initialize_block,
            metadata,
            metadata_at_version,
            metadata_versions,
            apply_extrinsic,
            finalize_block,
            inherent_extrinsics,
            check_inherents,
            validate_transaction,
            account_nonce,
            query_info,
            query_fee_details,
            query_weight_to_fee,
            query_length_to_fee,
        )
    }
)
"""The APIs of every runtime."""


def versions(listed: Mapping[str, Api]) -> list[tuple[bytes, int]]:
    """The API ids and versions for the RuntimeVersion, in order of appearance."""
    found: dict[str, int] = {}
    for entry in listed.values():
        found[entry.trait] = entry.version
    return [(api_id(trait), number) for trait, number in found.items()]
