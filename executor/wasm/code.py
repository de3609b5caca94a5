"""One function being written: a structured assembler that counts the fuel it will burn.

Fuel, as wasmtime counts it (crates/cranelift/src/func_environ.rs, `fuel_before_op`): one unit on entering a
function, and one for each operator executed, except nop, drop, block, loop, unreachable, return, else and
end, which are free. The code written here branches only on loop counters that are constants, or on `run`'s
step count, so the number of executed operators is known while they are written: a loop's body counts as often
as it turns.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from executor.wasm.encoding import F32, F64, I32, I64, V128, Body, signed, unsigned

LANES = 4
BLOCK_VOID = 0x40

KINDS = {"i32": I32, "i64": I64, "f32": F32, "f64": F64}


def _numbered(first: int, names: str) -> dict[str, int]:
    """Opcodes that follow one another."""
    return {name: first + place for place, name in enumerate(names.split())}


SCALAR = {
    **_numbered(
        0x45,
        "i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u "
        "i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u "
        "f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge",
    ),
    **_numbered(
        0x6A,
        "i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl "
        "i32.shr_s i32.shr_u",
    ),
    **_numbered(
        0x7C,
        "i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl "
        "i64.shr_s i64.shr_u",
    ),
    **_numbered(
        0x8B,
        "f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div "
        "f32.min f32.max f32.copysign",
    ),
    **_numbered(
        0x99,
        "f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add f64.sub f64.mul f64.div "
        "f64.min f64.max f64.copysign i32.wrap_i64",
    ),
    "i64.extend_i32_s": 0xAC, "i64.extend_i32_u": 0xAD,
    **_numbered(0xB2, "f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u"),
    **_numbered(
        0xB6,
        "f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u "
        "f64.promote_f32",
    ),
    **_numbered(0xBC, "i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64"),
    "i32.extend8_s": 0xC0, "i32.extend16_s": 0xC1,
}  # fmt: skip
SATURATING = _numbered(
    0,
    "i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u i64.trunc_sat_f32_s "
    "i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u",
)
"""Float to integer; they carry the prefix 0xFC."""
# Operators without immediates. SIMD ones carry the prefix 0xFD.
PLAIN = {"select": 0x1B, **SCALAR}
SIMD = {
    "i32x4.splat": 0x11, "f32x4.splat": 0x13, "v128.and": 0x4E, "v128.andnot": 0x4F, "v128.or": 0x50,
    "v128.xor": 0x51, "v128.bitselect": 0x52, "i32x4.eq": 0x37, "i32x4.lt_u": 0x3A,
    "f32x4.eq": 0x41, "f32x4.ne": 0x42, "f32x4.lt": 0x43, "f32x4.gt": 0x44, "f32x4.le": 0x45, "f32x4.ge":
    0x46, "f32x4.ceil": 0x67, "f32x4.floor": 0x68, "f32x4.trunc": 0x69, "f32x4.nearest": 0x6A,
    "i32x4.shl": 0xAB, "i32x4.shr_s": 0xAC, "i32x4.shr_u": 0xAD, "i32x4.add": 0xAE, "i32x4.sub": 0xB1,
    "f32x4.abs": 0xE0, "f32x4.neg": 0xE1, "f32x4.sqrt": 0xE3, "f32x4.add": 0xE4, "f32x4.sub": 0xE5,
    "f32x4.mul": 0xE6, "f32x4.div": 0xE7, "f32x4.min": 0xE8, "f32x4.max": 0xE9, "f32x4.pmin": 0xEA,
    "f32x4.pmax": 0xEB, "i32x4.trunc_sat_f32x4_s": 0xF8, "f32x4.convert_i32x4_s": 0xFA,
    "f64x2.eq": 0x47, "i16x8.gt_u": 0x32, "i32x4.mul": 0xB5,
    "i32x4.lt_s": 0x39, "i32x4.gt_s": 0x3B, "v128.any_true": 0x53, "i32x4.dot_i16x8_s": 0xBA,
    "f32x4.relaxed_madd": 0x105, "f32x4.relaxed_nmadd": 0x106,
}  # fmt: skip
# Loads and stores: opcode bytes, log2 of the alignment hint.
MEMORY = {
    "i64.load": (b"\x29", 3), "f64.load": (b"\x2b", 3), "i32.load8_s": (b"\x2c", 0),
    "i32.load8_u": (b"\x2d", 0), "i32.load16_s": (b"\x2e", 1), "i32.load16_u": (b"\x2f", 1),
    "i64.store": (b"\x37", 3), "f64.store": (b"\x39", 3), "i32.store8": (b"\x3a", 0),
    "i32.store16": (b"\x3b", 1),
    "i32.load": (b"\x28", 2), "i32.store": (b"\x36", 2), "f32.load": (b"\x2a", 2), "f32.store": (b"\x38", 2),
    "v128.load": (b"\xfd\x00", 2), "v128.load32_splat": (b"\xfd\x09", 2), "v128.load32_zero": (b"\xfd\x5c",
    2), "v128.store": (b"\xfd\x0b", 2),
}  # fmt: skip
ATOMIC = {
    "i32.atomic.load": (b"\xfe\x10", 2), "i32.atomic.store": (b"\xfe\x17", 2),
    "i32.atomic.rmw.add": (b"\xfe\x1e", 2), "i32.atomic.rmw.cmpxchg": (b"\xfe\x48", 2),
}  # fmt: skip
"""Their alignment is no hint: another address traps."""
MEMORY |= ATOMIC
LANE_MEMORY = {"v128.load32_lane": (0x56, 2), "v128.store32_lane": (0x5A, 2), "v128.store64_lane": (0x5B, 2)}
OPERATORS = {name: bytes([op]) for name, op in PLAIN.items()} | {
    name: b"\xfd" + unsigned(op) for name, op in SIMD.items()
}
OPERATORS |= {name: b"\xfc" + unsigned(op) for name, op in SATURATING.items()}
SPLATS = tuple(
    b"\xfd\x0d" + bytes(4 * lane + byte for _ in range(4) for byte in range(4)) for lane in range(4)
)


@lru_cache(maxsize=1 << 12)
def _of_local(operator: int, index: int) -> bytes:
    return bytes([operator]) + unsigned(index)


@lru_cache(maxsize=1 << 12)
def _picked(words: tuple[int, int, int, int]) -> bytes:
    return b"\xfd\x0d" + bytes(4 * word + byte for word in words for byte in range(4))


class Code:
    """A function body under construction. Parameters come first among the locals: so many i32s, or as listed
    by type."""

    def __init__(self, params: int | Sequence[int] = 0, results: Sequence[int] = ()) -> None:
        self.signature = (I32,) * params if isinstance(params, int) else tuple(params)
        self.params = len(self.signature)
        self.results = tuple(results)
        self.fuel = 1
        self.out = bytearray()
        self.joins = 0
        """Places so far where paths of control meet: what is known of a local before one may not hold after
        it."""
        self.kinds: list[int] = []
        self._free: list[int] = []

    # --- locals -------------------------------------------------------------------------------------------

    def local(self, kind: int = V128) -> int:
        """A new local; starts as zero at function entry."""
        if kind == V128 and self._free:
            return self._free.pop()
        self.kinds.append(kind)
        return self.params + len(self.kinds) - 1

    def release(self, *indices: int) -> None:
        """Give vector locals back for reuse; their content is no longer needed."""
        self._free += indices

    def get(self, index: int) -> None:
        self._emit(_of_local(0x20, index))

    def set(self, index: int) -> None:
        self._emit(_of_local(0x21, index))

    def tee(self, index: int) -> None:
        self._emit(_of_local(0x22, index))

    # --- instructions -------------------------------------------------------------------------------------

    def _emit(self, data: bytes) -> None:
        self.out += data
        self.fuel += 1

    def op(self, name: str) -> None:
        """An operator without immediates, by its name in the specification."""
        self._emit(OPERATORS[name])

    def i32(self, value: int) -> None:
        """Push an i32 constant below 2³² (taken modulo 2³²)."""
        value &= 0xFFFFFFFF
        self._emit(b"\x41" + signed(value - (value >> 31 << 32)))

    def number(self, kind: str, value: float | int) -> None:
        """Push a constant of a scalar type by its name."""
        if kind == "i32":
            self.i32(int(value))
        elif kind == "i64":
            bits = int(value) & 0xFFFF_FFFF_FFFF_FFFF
            self._emit(b"\x42" + signed(bits - (bits >> 63 << 64)))
        else:
            self._emit(
                b"\x43" + struct.pack("<f", value) if kind == "f32" else b"\x44" + struct.pack("<d", value)
            )

    def extract(self, lane: int) -> None:
        """Replace a vector by one of its f32 lanes."""
        self._emit(b"\xfd\x1f" + bytes([lane]))

    def extract_i32(self, lane: int) -> None:
        """Replace a vector by one of its i32 lanes."""
        self._emit(b"\xfd\x1b" + bytes([lane]))

    def splat(self, value: float) -> None:
        """Push four copies of a float32 constant."""
        self.v128(struct.pack("<f", value) * 4)

    def splat_bits(self, bits: int) -> None:
        """Push four copies of a 32-bit pattern."""
        self.v128(bits.to_bytes(4, "little") * 4)

    def v128(self, value: bytes) -> None:
        self._emit(b"\xfd\x0c" + value)

    def memory(self, name: str, offset: int) -> None:
        """A load or store at (address on the stack) + `offset`."""
        code, align = MEMORY[name]
        self._emit(code + bytes([align]) + unsigned(offset))

    def lane_memory(self, name: str, offset: int, lane: int) -> None:
        """A load or store of one lane."""
        code, align = LANE_MEMORY[name]
        self._emit(b"\xfd" + unsigned(code) + bytes([align]) + unsigned(offset) + bytes([lane]))

    def shuffle(self, words: tuple[int, int, int, int]) -> None:
        """Pick four 32-bit words out of the eight of two vectors."""
        self._emit(_picked(words))

    def splat_lane(self, vector: int, lane: int) -> None:
        """Push four copies of a lane of a local."""
        self.get(vector)
        self.get(vector)
        self._emit(SPLATS[lane])

    def call(self, function: int, fuel: int) -> None:
        """Call a function that burns `fuel`, its entry included."""
        self._emit(b"\x10" + unsigned(function))
        self.fuel += fuel

    # --- control ------------------------------------------------------------------------------------------

    @contextmanager
    def loop(self, count: int) -> Iterator[None]:
        """Run the block `count` ≥ 1 times."""
        if count == 1:
            yield
            return
        counter = self.local(I32)
        self.i32(count)
        self.set(counter)
        self._open_loop()
        before = self.fuel
        yield
        self._back_edge(counter)
        self.fuel = before + (self.fuel - before) * count

    @contextmanager
    def loop_while_counting(self, counter: int) -> Iterator[None]:
        """Run the block as often as local `counter` says, if above zero. Its fuel counts once, for one
        turn."""
        self._open_loop()
        yield
        self._back_edge(counter)

    @contextmanager
    def unless_zero(self, condition: int) -> Iterator[None]:
        """Skip the block if the local is zero."""
        self.out += bytes([0x02, BLOCK_VOID])
        self.get(condition)
        self.op("i32.eqz")
        self._emit(b"\x0d\x00")
        self.joins += 1
        yield
        self.joins += 1
        self.out.append(0x0B)

    @contextmanager
    def block(self) -> Iterator[None]:
        """A block: a branch to it goes on behind it."""
        self.out += bytes([0x02, BLOCK_VOID])
        yield
        self.out.append(0x0B)
        self.joins += 1

    @contextmanager
    def repeated(self) -> Iterator[None]:
        """A block that a branch begins anew. Its fuel counts once, for one turn."""
        self._open_loop()
        yield
        self.out.append(0x0B)
        self.joins += 1

    def branch(self, depth: int) -> None:
        """Branch to the block `depth` levels out, 0 being the innermost."""
        self._emit(b"\x0c" + unsigned(depth))

    def branch_if(self, depth: int) -> None:
        """Branch if the number on the stack is not zero."""
        self._emit(b"\x0d" + unsigned(depth))

    def leave(self) -> None:
        """Return from the function, which has no result."""
        self.out.append(0x0F)

    def _open_loop(self) -> None:
        self.out += bytes([0x03, BLOCK_VOID])
        self.joins += 1

    def _back_edge(self, counter: int) -> None:
        self.get(counter)
        self.i32(1)
        self.op("i32.sub")
        self.tee(counter)
        self._emit(b"\x0d\x00")
        self.out.append(0x0B)
        self.joins += 1

    def body(self) -> Body:
        """The finished function."""
        return Body(self.signature, tuple(self.kinds), bytes(self.out) + b"\x0b", self.results)
