"""Nodes of the base-16 Patricia-Merkle trie and their bytes.

The layout is Substrate's (`substrate/primitives/trie/src/node_header.rs`, `node_codec.rs`, `trie_stream.rs`):
header ‖ nibbles ‖ [branch: u16 bitmap] ‖ [value] ‖ [branch: children]. A value of 33 bytes or more is stored
by its hash in state version 1. A child is a Compact length followed by the child's own encoding when that is
shorter than 32 bytes, else by its blake2b-256 hash.

Inside a node, nibbles are hexadecimal text: one character a nibble, so that slicing, comparing and
`startswith` run at the speed of C and a key turns into nibbles by `bytes.hex`.
"""

from __future__ import annotations

from hashlib import blake2b

HASH_LENGTH = 32
CHILD_PREFIX = b":child_storage:default:"
"""Top-level key of a child trie's root: this prefix ‖ the child's name."""
HASHED_VALUE_MIN = 33
"""Shortest value that state version 1 stores by hash (`TRIE_VALUE_NODE_THRESHOLD`)."""
MAX_NIBBLES = 65535
"""Longest partial key a header can carry (`NIBBLE_SIZE_BOUND`)."""
MAX_KEY_LENGTH = MAX_NIBBLES // 2
NIBBLES = "0123456789abcdef"
NIBBLE_INDEX = {digit: index for index, digit in enumerate(NIBBLES)}
NIBBLE_BIT = {digit: 1 << index for digit, index in NIBBLE_INDEX.items()}
"""A child's place in the bitmap of a branch."""
EMPTY_NODE = b"\x00"
HASH_PREFIX = b"\x80"
"""Compact(32): what a child reference by hash begins with."""


class TrieError(Exception):
    """Base of what can go wrong with a trie."""


class InvalidNode(TrieError):
    """The bytes are not a canonical trie node."""


class InvalidKey(TrieError):
    """A key is too long, or keys nest too deeply."""


class MissingNode(TrieError):
    """A node or value that the trie refers to is not in the store."""


class StateVersionUnknown(TrieError):
    """The state version is neither 0 nor 1."""


class Node:
    """A leaf (`refs is None`) or a branch, decoded.

    `value` is the encoded value section: Compact length ‖ bytes, or the bare hash when `hashed`.
    `refs` holds 16 encoded child references (length prefix included), empty where there is no child;
    `ref` is this node's own reference, where it is known.
    """

    __slots__ = ("hashed", "partial", "ref", "refs", "value")

    def __init__(
        self,
        partial: str,
        value: bytes | None,
        hashed: bool = False,
        refs: list[bytes] | None = None,
    ) -> None:
        self.partial = partial
        self.value = value
        self.hashed = hashed
        self.refs = refs
        self.ref = b""

    def inline_value(self) -> bytes | None:
        """The value itself; None if there is none or only its hash is here."""
        if self.value is None or self.hashed:
            return None
        return self.value[_compact_width(self.value[0]) :]


def blake2_256(data: bytes) -> bytes:
    return blake2b(data, digest_size=32).digest()


EMPTY_ROOT = blake2_256(EMPTY_NODE)

# ── encoding ────────────────────────────────────────────────────────────────

_LEAF, _BRANCH, _BRANCH_VALUE, _HASHED_LEAF, _HASHED_BRANCH = 0x40, 0x80, 0xC0, 0x20, 0x10
_MASK = {_LEAF: 63, _BRANCH: 63, _BRANCH_VALUE: 63, _HASHED_LEAF: 31, _HASHED_BRANCH: 15}
REFERENCE = 1 + HASH_LENGTH
"""Bytes of a child reference by hash."""
_BITMAP_BITS = [1 << index for index in range(16)]


def _header(kind: int, count: int) -> bytes:
    mask = _MASK[kind]
    if count < mask:
        return bytes((kind | count,))
    full, rest = divmod(count - mask, 255)
    return bytes((kind | mask,)) + b"\xff" * full + bytes((rest,))


_HEADERS = {kind: [_header(kind, count) for count in range(160)] for kind in _MASK}


_LEAF_HEADERS = {False: _HEADERS[_LEAF], True: _HEADERS[_HASHED_LEAF]}
_ODD_LEAF_HEADS = {
    hashed: [[head + bytes((nibble,)) for nibble in range(16)] for head in heads]
    for hashed, heads in _LEAF_HEADERS.items()
}
"""With the first nibble, which an odd number of them puts into a byte of its own."""


def header(kind: int, count: int) -> bytes:
    """Header byte(s) for `count` nibbles of partial key."""
    if count < 160:
        return _HEADERS[kind][count]
    if count > MAX_NIBBLES:
        raise InvalidKey(f"a partial key of {count} nibbles; at most {MAX_NIBBLES} fit a node")
    return _header(kind, count)


def compact(number: int) -> bytes:
    """SCALE Compact of a length below 2**30."""
    if number < 64:
        return bytes((number << 2,))
    if number < 1 << 14:
        return (number << 2 | 1).to_bytes(2, "little")
    if number < 1 << 30:
        return (number << 2 | 2).to_bytes(4, "little")
    raise InvalidNode(f"a length of {number} bytes is too large for a node")


def encode_value(value: bytes, version: int) -> tuple[bytes, bool]:
    """The value section of a node and whether it is a hash."""
    if version and len(value) >= HASHED_VALUE_MIN:
        return blake2b(value, digest_size=32).digest(), True
    return compact(len(value)) + value, False


def encode_node(node: Node) -> bytes:
    """The node's bytes."""
    value, refs, partial = node.value, node.refs, node.partial
    if refs is None:
        kind = _HASHED_LEAF if node.hashed else _LEAF
        return header(kind, len(partial)) + _nibble_bytes(partial) + (value or b"")
    kind = _BRANCH if value is None else _HASHED_BRANCH if node.hashed else _BRANCH_VALUE
    present = 0
    for bit, ref in zip(_BITMAP_BITS, refs, strict=True):
        if ref:
            present |= bit
    head = header(kind, len(partial)) + _nibble_bytes(partial)
    return b"".join((head, present.to_bytes(2, "little"), value or b"", *refs))


def _nibble_bytes(partial: str) -> bytes:
    return bytes.fromhex("0" + partial if len(partial) & 1 else partial)


def leaf_bytes(key: bytes, at: int, value: bytes, hashed: bool) -> bytes:
    """The bytes of the leaf that holds the rest of a key, from nibble `at` on, and the value section."""
    count = 2 * len(key) - at
    if count < 160:
        if at & 1:
            return _ODD_LEAF_HEADS[hashed][count][key[at >> 1] & 15] + key[(at >> 1) + 1 :] + value
        return _LEAF_HEADERS[hashed][count] + key[at >> 1 :] + value
    head = header(_HASHED_LEAF if hashed else _LEAF, count)
    return head + (bytes((key[at >> 1] & 15,)) if at & 1 else b"") + key[at + 1 >> 1 :] + value


def is_leaf(data: bytes) -> bool:
    """Whether the bytes of a node are a leaf's."""
    return 0x20 <= data[0] < 0x80


def plain_branch(data: bytes) -> tuple[str, int, int] | None:
    """(partial key, where the children begin, their bitmap) of a branch without a value that refers to all
    its children by hash; None for any other node, and for bytes that are none.
    """
    first = data[0]
    if first < _BRANCH or first >= _BRANCH | 63:
        return None
    count = first & 63
    at = 3 + (count + 1 >> 1)
    if len(data) <= at:
        return None
    bitmap = data[at - 2] | data[at - 1] << 8
    if len(data) - at != REFERENCE * bitmap.bit_count():  # a shorter child would make it shorter
        return None
    if not count:
        return "", at, bitmap
    nibbles = data[1 : at - 2].hex()
    if count & 1:
        return (nibbles[1:], at, bitmap) if nibbles[0] == "0" else None
    return nibbles, at, bitmap


def reference(encoded: bytes) -> bytes:
    """How a parent refers to the node with these bytes: the bytes if shorter than a hash, else the hash."""
    if len(encoded) < HASH_LENGTH:
        return bytes((len(encoded) << 2,)) + encoded
    return HASH_PREFIX + blake2b(encoded, digest_size=32).digest()


# ── decoding (hostile bytes) ────────────────────────────────────────────────


def _compact_width(first: int) -> int:
    return (1, 2, 4, 0)[first & 3]


def _read_compact(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise InvalidNode("ends inside a length")
    width = _compact_width(data[at])
    if width == 0 or at + width > len(data):
        raise InvalidNode("a length that is cut off or too large")
    number = int.from_bytes(data[at : at + width], "little") >> 2
    if (width == 2 and number < 64) or (width == 4 and number < 1 << 14):
        raise InvalidNode("a length that is not in its shortest form")
    return number, at + width


def _read_header(data: bytes) -> tuple[int, int, int]:
    first = data[0]
    kind = first & 0xC0 or first & 0x20 or first & 0x10
    if not kind:
        raise InvalidNode(f"unknown node header 0x{first:02x}")
    mask = _MASK[kind]
    count, at = first & mask, 1
    if count < mask:
        return kind, count, at
    while True:
        if at >= len(data):
            raise InvalidNode("ends inside the header")
        extra = data[at]
        at += 1
        count += extra
        if count > MAX_NIBBLES:
            raise InvalidNode(f"a partial key longer than {MAX_NIBBLES} nibbles")
        if extra != 255:
            return kind, count, at


def _read_nibbles(data: bytes, at: int, count: int) -> tuple[str, int]:
    end = at + (count + 1) // 2
    if end > len(data):
        raise InvalidNode("ends inside the partial key")
    nibbles = data[at:end].hex()
    if count & 1:
        if nibbles[0] != "0":
            raise InvalidNode("padding of the partial key is not zero")
        nibbles = nibbles[1:]
    return nibbles, end


def _read_value(data: bytes, at: int, hashed: bool) -> tuple[bytes, int]:
    if hashed:
        end = at + HASH_LENGTH
    else:
        length, start = _read_compact(data, at)
        end = start + length
    if end > len(data):
        raise InvalidNode("ends inside the value")
    return data[at:end], end


def _read_children(data: bytes, at: int, bitmap: int) -> tuple[list[bytes], int]:
    refs = [b""] * 16
    count = bitmap.bit_count()
    if len(data) - at == count * REFERENCE and data[at::REFERENCE] == HASH_PREFIX * count:
        # All children by their hashes, as in most branches: so many pieces of one size.
        pieces = [data[start : start + REFERENCE] for start in range(at, len(data), REFERENCE)]
        if count == 16:
            return pieces, len(data)
        for index, bit in enumerate(_BITMAP_BITS):
            if bitmap & bit:
                refs[index] = pieces[-count]
                count -= 1
        return refs, len(data)
    for index, bit in enumerate(_BITMAP_BITS):
        if bitmap & bit:
            length, start = _read_compact(data, at)
            end = start + length
            if not 0 < length <= HASH_LENGTH or end > len(data):
                raise InvalidNode("a child reference of a wrong length")
            refs[index] = data[at:end]
            at = end
    return refs, at


def decode_node(data: bytes) -> Node | None:
    """The node with these bytes, all of them used; None for the empty trie. Raises InvalidNode."""
    if not data:
        raise InvalidNode("no bytes")
    if data == EMPTY_NODE:
        return None
    kind, count, at = _read_header(data)
    partial, at = _read_nibbles(data, at, count)
    hashed = kind in (_HASHED_LEAF, _HASHED_BRANCH)
    refs: list[bytes] | None = None
    value: bytes | None = None
    bitmap = 0
    if kind not in (_LEAF, _HASHED_LEAF):
        bitmap = int.from_bytes(data[at : at + 2], "little")
        at += 2
        if at > len(data) or not bitmap:
            raise InvalidNode("a branch without children")
    if kind != _BRANCH:
        value, at = _read_value(data, at, hashed)
    if bitmap:
        refs, at = _read_children(data, at, bitmap)
    if at != len(data):
        raise InvalidNode(f"{len(data) - at} bytes too many")
    return Node(partial, value, hashed, refs)
