"""Extrinsics: what comes into the chain from outside.

    Compact(length) ‖ 84 ‖ MultiAddress ‖ MultiSignature ‖ extra ‖ call    signed, version 4
    Compact(length) ‖ 04 ‖ call     or     Compact(length) ‖ 05 ‖ call     bare (inherents)

What `extra` and `call` are, the runtime knows: `ExtrinsicCodec(extra, call)` takes their hints or codecs.
Source: Substrate `primitives/runtime/src/generic/unchecked_extrinsic.rs`, `multiaddress.rs`, `lib.rs`.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from primitives.hashing import blake2_256
from primitives.scale import (
    U32,
    AccountId,
    Bytes,
    Codec,
    CompactU32,
    Enum,
    FixedBytes,
    ScaleError,
    Variant,
    codec,
    encode_compact,
)
from primitives.scale.base import COMPILATION, begin_decode, read
from primitives.scale.emit import Reader, Writer, build, namespace
from primitives.scale.sequences import fails

VERSION = 4
BARE_VERSIONS = (4, 5)
_SIGNED = 0x80


class MultiAddress(
    Enum,
    path="sp_runtime::multiaddress::MultiAddress",
    params={"AccountId": AccountId, "AccountIndex": U32},
):
    """The ways to name an account. This chain resolves `Id` only."""

    class Id(Variant, index=0, unnamed=True):
        """The account itself."""

        value: AccountId

    class Index(Variant, index=1, unnamed=True):
        """An index of an account."""

        value: CompactU32

    class Raw(Variant, index=2, unnamed=True):
        """Bytes of another meaning."""

        value: Bytes

    class Address32(Variant, index=3, unnamed=True):
        """A 32-byte address of another kind."""

        value: Annotated[bytes, FixedBytes(32)]

    class Address20(Variant, index=4, unnamed=True):
        """A 20-byte address of another kind."""

        value: Annotated[bytes, FixedBytes(20)]


class MultiSignature(Enum, path="sp_runtime::MultiSignature"):
    """A signature and its scheme; the index is that of `primitives.keys.Scheme`."""

    class Ed25519(Variant, index=0, unnamed=True):
        """EdDSA over Curve25519."""

        value: Annotated[bytes, FixedBytes(64)]

    class Sr25519(Variant, index=1, unnamed=True):
        """Schnorr over ristretto255."""

        value: Annotated[bytes, FixedBytes(64)]

    class Ecdsa(Variant, index=2, unnamed=True):
        """ECDSA over secp256k1, recoverable."""

        value: Annotated[bytes, FixedBytes(65)]


def multi_signature(scheme: int, signature: bytes) -> MultiSignature:
    """Wrap raw signature bytes with their scheme (0 ed25519, 1 sr25519, 2 ecdsa)."""
    kinds = (MultiSignature.Ed25519, MultiSignature.Sr25519, MultiSignature.Ecdsa)
    return kinds[scheme](value=signature)


def scheme_and_bytes(signature: MultiSignature) -> tuple[int, bytes]:
    """The scheme's number and the raw bytes of a signature."""
    scheme = _SCHEMES.get(type(signature))
    if scheme is None:
        raise ScaleError(f"{signature!r} is not a signature")
    return scheme, signature.value  # type: ignore[attr-defined]  # each of the three has one


_SCHEMES: dict[type, int] = {
    MultiSignature.Ed25519: 0,
    MultiSignature.Sr25519: 1,
    MultiSignature.Ecdsa: 2,
}


class Signed(NamedTuple):
    """Who signed, how, and the values of the transaction extensions."""

    address: MultiAddress
    signature: MultiSignature
    extra: Any


class Extrinsic(NamedTuple):
    """One extrinsic; `signed` is None for a bare one."""

    call: Any
    signed: Signed | None = None
    version: int = VERSION


def extrinsic_hash(encoded: bytes) -> bytes:
    """The hash of an extrinsic: blake2b-256 of its bytes with the length prefix."""
    return blake2_256(encoded)


def signing_payload(call: bytes, extra: bytes, implicit: bytes) -> bytes:
    """What is signed: call ‖ extra ‖ implicit (each SCALE), or its blake2b-256 when longer than 256 bytes."""
    payload = call + extra + implicit
    return blake2_256(payload) if len(payload) > 256 else payload


class Parsed(NamedTuple):
    """An extrinsic and where its parts begin in the bytes: extra ‖ call are what the signer signed."""

    extrinsic: Extrinsic
    extra_start: int
    call_start: int


class Usual(NamedTuple):
    """The parts of an extrinsic that an account has signed with its own ed25519 or sr25519 key."""

    call: Any
    who: bytes
    scheme: int
    signature: bytes
    extra: Any
    call_start: int


USUAL_EXTRA = 2 + 2 + 32 + 1 + 64
"""Where the extra of a usual one begins: behind length, version and address, account, scheme, signature."""
_IS_USUAL = (
    f"b[2:4] == b'\\x84\\0' and e > {USUAL_EXTRA} and b[36] < 2"
    " and b[0] & 3 == 1 and (b[0] | b[1] << 8) >> 2 == e - 2"
)


class ExtrinsicCodec(Codec[Extrinsic]):
    """The codec of the extrinsics of a runtime, length prefix included.

    ScaleError for any other version or type byte, and when the prefix is not the length of what follows.
    """

    inline = False

    def __init__(self, extra: Any, call: Any) -> None:
        super().__init__()
        self.extra: Codec[Any] = codec(extra)
        self.call: Codec[Any] = codec(call)

    def __str__(self) -> str:
        return "Extrinsic"

    @property
    def min_len(self) -> int:
        return 2 + self.call.min_len

    @property
    def max_len(self) -> int | None:
        return None

    def parse(self, data: bytes) -> Parsed:
        """As `decode`, with the places of extra and call; in a bare extrinsic both are that of the call."""
        with COMPILATION:
            r = Reader(namespace())
            begin_decode(r)
            result = self.emit_decode(r)
            r.line("if o != e: raise trailing(e - o)")
            make, parsed_type = r.bind(tuple.__new__), r.bind(Parsed)
            r.line(f"return {make}({parsed_type}, ({result}, extra_start, call_start))")
            function = build(str(self), "decode(data)", r)
        self.__dict__["parse"] = function
        parsed: Parsed = function(data)
        return parsed

    def usual(self, data: bytes) -> Usual | None:
        """The parts of an extrinsic of 64 to 16,383 bytes that stand in known places; None for all that are
        not written so, which `parse` reads. ScaleError, as `parse` says it, where extra or call do not fit.
        """
        with COMPILATION:
            r = Reader(namespace())
            begin_decode(r)
            r.line(f"if not ({_IS_USUAL}): return None")
            r.line(f"o = {USUAL_EXTRA}")
            extra = read(self.extra, r)
            r.flush()
            r.line("call_start = o")
            call = read(self.call, r)
            r.flush()
            r.line("if o != e: return None")
            make, usual = r.bind(tuple.__new__), r.bind(Usual)
            r.line(f"return {make}({usual}, ({call}, b[4:36], b[36], b[37:101], {extra}, call_start))")
            function = build(str(self), "decode(data)", r)
        self.__dict__["usual"] = function
        found: Usual | None = function(data)
        return found

    def emit_decode(self, r: Reader) -> str:
        size, stop = r.length(), r.fresh()
        r.line(f"{stop} = o + {size}")
        r.line(f"if {stop} > e: raise truncated(o, {size}, e)")
        kind, name = r.byte(), r.fresh()
        make, extrinsic, signed = r.bind(tuple.__new__), r.bind(Extrinsic), r.bind(Signed)
        r.line(f"if {kind} == {_SIGNED | VERSION}:")
        with r.indented():
            parts = [read(part, r) for part in (_ADDRESS, _SIGNATURE)]
            r.flush()
            r.line("extra_start = o")
            parts.append(read(self.extra, r))
            r.flush()
            r.line("call_start = o")
            parts.append(read(self.call, r))
            r.flush()
            proof = f"{make}({signed}, ({', '.join(parts[:3])}))"
            r.line(f"{name} = {make}({extrinsic}, ({parts[3]}, {proof}, {VERSION}))")
        r.line(f"elif {kind} in {BARE_VERSIONS}:")
        with r.indented():
            r.line("extra_start = call_start = o")
            call = read(self.call, r)
            r.flush()
            r.line(f"{name} = {make}({extrinsic}, ({call}, None, {kind}))")
        r.line(f"else: raise ScaleError(f'extrinsics of type 0x{{{kind}:02x}} are not supported')")
        r.line(f"if o != {stop}:")
        r.line(f"    raise ScaleError(f'the length prefix of the extrinsic is off by {{{stop} - o}} bytes')")
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        w.part(f"{w.bind(self._assemble)}({w.local(value)})")

    def _assemble(self, value: Extrinsic) -> bytes:
        call = self.call.encode(value.call)
        if value.signed is None:
            if value.version not in BARE_VERSIONS:
                raise ScaleError(f"there are no bare extrinsics of version {value.version}")
            body = bytes([value.version]) + call
        else:
            if value.version != VERSION:
                raise ScaleError(f"there are no signed extrinsics of version {value.version}")
            address, signature, extra = value.signed
            body = (
                b"\x84" + _ADDRESS.encode(address) + _SIGNATURE.encode(signature) + self.extra.encode(extra)
            )
            body += call
        return encode_compact(len(body)) + body

    def explain(self, value: object) -> ScaleError:
        if not isinstance(value, Extrinsic):
            return super().explain(value)
        parts: list[tuple[Codec[Any], object]] = [(self.call, value.call)]
        if value.signed is not None:
            parts += zip((_ADDRESS, _SIGNATURE, self.extra), value.signed, strict=True)
        for part, item in parts:
            error = fails(part, item)
            if error is not None:
                return ScaleError(f"Extrinsic: {error}")
        return ScaleError(f"Extrinsic: version {value.version} does not fit")


_ADDRESS: Codec[Any] = codec(MultiAddress)
_SIGNATURE: Codec[Any] = codec(MultiSignature)
