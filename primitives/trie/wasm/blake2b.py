"""BLAKE2b-256 in WebAssembly text: `$blake2b` (address, length, where the 32 bytes go).

Source: RFC 7693. The twelve rounds are written out, so that the state stays in registers.
"""

from __future__ import annotations

_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
_IV = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip
_COLUMNS_AND_DIAGONALS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
_PARAMETERS = 0x01010000 | 32
"""Fanout and depth 1, no key, 32 bytes of digest."""
_ROUNDS = 12


def _mix(a: int, b: int, c: int, d: int, first: int, second: int) -> str:
    """The function G on four words of the state and two of the message."""
    lines = []
    for word, left, right in ((first, 32, 24), (second, 16, 63)):
        message = f"(i64.load offset={8 * word} (local.get $block))"
        lines += [
            f"(local.set $v{a} (i64.add (i64.add (local.get $v{a}) (local.get $v{b})) {message}))",
            _rotated(d, a, left),
            f"(local.set $v{c} (i64.add (local.get $v{c}) (local.get $v{d})))",
            _rotated(b, c, right),
        ]
    return "\n".join(lines)


def _rotated(word: int, other: int, bits: int) -> str:
    mixed = f"(i64.xor (local.get $v{word}) (local.get $v{other}))"
    return f"(local.set $v{word} (i64.rotr {mixed} (i64.const {bits})))"


def _compressed() -> str:
    return "\n".join(
        _mix(*places, *_SIGMA[turn % 10][2 * pair : 2 * pair + 2])
        for turn in range(_ROUNDS)
        for pair, places in enumerate(_COLUMNS_AND_DIAGONALS)
    )


def _each(count: int, line: str) -> str:
    return "\n".join(line.format(i=i, j=i + 8, byte=8 * i, iv=f"0x{_IV[i]:x}") for i in range(count))


def text() -> str:
    """The function. The last block is padded at 400."""
    return f"""
(func $blake2b (param $at i32) (param $length i32) (param $out i32)
  (local $block i32) (local $done i32) (local $left i32)
  {" ".join(f"(local $v{i} i64)" for i in range(16))}
  {" ".join(f"(local $h{i} i64)" for i in range(8))}
  {_each(8, "(local.set $h{i} (i64.const {iv}))")}
  (local.set $h0 (i64.xor (local.get $h0) (i64.const {_PARAMETERS})))
  (local.set $left (local.get $length))
  (local.set $block (local.get $at))
  (loop $next
    (if (i32.le_u (local.get $left) (i32.const 128))
      (then
        (memory.fill (i32.const 0x400) (i32.const 0) (i32.const 128))
        (memory.copy (i32.const 0x400) (local.get $block) (local.get $left))
        (local.set $block (i32.const 0x400))
        (local.set $done (local.get $length)))
      (else (local.set $done (i32.add (local.get $done) (i32.const 128)))))
    {_each(8, "(local.set $v{i} (local.get $h{i})) (local.set $v{j} (i64.const {iv}))")}
    (local.set $v12 (i64.xor (local.get $v12) (i64.extend_i32_u (local.get $done))))
    (if (i32.le_u (local.get $left) (i32.const 128))
      (then (local.set $v14 (i64.xor (local.get $v14) (i64.const -1)))))
    {_compressed()}
    {_each(8, "(local.set $h{i} (i64.xor (local.get $h{i}) (i64.xor (local.get $v{i}) (local.get $v{j}))))")}
    (if (i32.gt_u (local.get $left) (i32.const 128))
      (then
        (local.set $left (i32.sub (local.get $left) (i32.const 128)))
        (local.set $block (i32.add (local.get $block) (i32.const 128)))
        (br $next))))
  {_each(4, "(i64.store offset={byte} (local.get $out) (local.get $h{i}))")})
"""
