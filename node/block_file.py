"""Files of blocks, as Substrate's `export-blocks` writes them and `import-blocks` reads them.

Binary: u64 LE count, then that many SCALE `SignedBlock`s (header, Vec of extrinsics, Option of
justifications). JSON: the objects of `chain_getBlock`, one after another. Source:
`substrate/client/service/src/chain_ops/`.

A file may come from a stranger: sizes are bounded before anything is kept, and errors name the block.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from frame.runtime import Block
from node.chain import Chain
from node.errors import BadBlockFile, UnknownBlock
from node.rpc.wire import block_json
from primitives.digest import Digest, DigestItem
from primitives.header import Header
from primitives.scale import ScaleError, decode, encode, encode_compact

MAX_BLOCK = 64 << 20
"""Most bytes of one block, in either form."""
MAX_ITEMS = 1 << 20
"""Most extrinsics, or digest items, of one block."""
CHUNK = 1 << 20
NO_JUSTIFICATIONS = b"\0"


def write_blocks(file: BinaryIO, chain: Chain, first: int, last: int, *, binary: bool) -> None:
    """Write the blocks `first` to `last`. Raises `UnknownBlock` for one whose body is kept no more."""
    if binary:
        file.write((last - first + 1).to_bytes(8, "little"))
    for number in range(first, last + 1):
        header, body = _stored(chain, number)
        if binary:
            file.write(header.encode() + encode_compact(len(body)) + b"".join(body) + NO_JUSTIFICATIONS)
        else:
            file.write(json.dumps(block_json(header, body), separators=(",", ":")).encode() + b"\n")


def _stored(chain: Chain, number: int) -> tuple[Header, list[bytes]]:
    digest = chain.hash_at(number)
    header = None if digest is None else chain.header(digest)
    body = None if digest is None else chain.body(digest)
    if header is None or body is None:
        raise UnknownBlock(f"the body of block {number} is not kept: see --blocks-pruning")
    return header, body


def read_blocks(file: BinaryIO, *, binary: bool) -> Iterator[Block]:
    """The blocks of a file, in its order. Raises `BadBlockFile`."""
    return _read_binary(_Stream(file)) if binary else _read_json(file)


# ── SCALE ───────────────────────────────────────────────────────────────────


class _Stream:
    """Exact reads, with a budget that each block renews."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.left = MAX_BLOCK

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise BadBlockFile(f"a block has more than {MAX_BLOCK} bytes")
        self.left -= length
        data = self._file.read(length)
        if len(data) < length:
            raise BadBlockFile("the file ends within a block")
        return data

    def compact(self) -> tuple[int, bytes]:
        """A SCALE compact below 2**32, and its bytes."""
        head = self.take(1)
        mode = head[0] & 3
        if mode == 3:
            if head[0] != 3:
                raise BadBlockFile("a length is above 32 bits")
            data = head + self.take(4)
            return int.from_bytes(data[1:], "little"), data
        data = head + self.take((0, 1, 3)[mode])
        return int.from_bytes(data, "little") >> 2, data

    def count(self, what: str) -> tuple[int, bytes]:
        number, data = self.compact()
        if number > MAX_ITEMS:
            raise BadBlockFile(f"a block has {number} {what}, more than {MAX_ITEMS}")
        return number, data

    def lengthy(self) -> bytes:
        """Bytes behind their length, the length included."""
        length, data = self.compact()
        return data + self.take(length)


def _read_binary(stream: _Stream) -> Iterator[Block]:
    count = int.from_bytes(stream.take(8), "little")
    for position in range(count):
        stream.left = MAX_BLOCK
        try:
            yield _binary_block(stream)
        except (BadBlockFile, ScaleError) as error:
            raise BadBlockFile(f"block {position + 1} of {count} in the file: {error}") from None


def _binary_block(stream: _Stream) -> Block:
    parent, (_, number) = stream.take(32), stream.compact()
    roots, (logs, digest) = stream.take(64), stream.count("digest items")
    head = parent + number + roots + digest + b"".join(_digest_item(stream) for _ in range(logs))
    header = decode(Header, head)
    extrinsics = [stream.lengthy() for _ in range(stream.count("extrinsics")[0])]
    if stream.take(1) != NO_JUSTIFICATIONS:
        for _ in range(stream.count("justifications")[0]):  # nothing here votes: they say nothing to us
            stream.take(4)
            stream.lengthy()
    return Block(header, extrinsics)


_ENGINE_ITEMS = b"\4\5\6"


def _digest_item(stream: _Stream) -> bytes:
    tag = stream.take(1)
    if tag == b"\0":
        return tag + stream.lengthy()
    if tag in _ENGINE_ITEMS:
        return tag + stream.take(4) + stream.lengthy()
    if tag == b"\x08":
        return tag
    raise BadBlockFile(f"no digest item has the tag {tag[0]}")


# ── JSON ────────────────────────────────────────────────────────────────────


def _read_json(file: BinaryIO) -> Iterator[Block]:
    for position, value in enumerate(_values(file), 1):
        try:
            yield _json_block(value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise BadBlockFile(f"block {position} in the file is no SignedBlock in JSON: {what}") from None


def _values(file: BinaryIO) -> Iterator[Any]:
    """JSON values one after another, each at most `MAX_BLOCK` bytes (twice as many digits)."""
    decoder, text, ask, ended = json.JSONDecoder(), "", CHUNK, False
    read = _text_reader(file)
    while True:
        text = text.lstrip()
        if text:
            try:
                value, end = decoder.raw_decode(text)
            except (ValueError, RecursionError) as error:
                if ended or isinstance(error, RecursionError):
                    raise BadBlockFile(f"the file holds no JSON block where one should be: {error}") from None
            else:
                text, ask = text[end:], CHUNK
                yield value
                continue
        elif ended:
            return
        if len(text) > 2 * MAX_BLOCK:
            raise BadBlockFile(f"the file holds no JSON block within {2 * MAX_BLOCK} characters")
        more = read(ask)
        ended, text, ask = not more, text + more, 2 * ask


def _text_reader(file: BinaryIO) -> Callable[[int], str]:
    def read(length: int) -> str:
        try:
            return file.read(length).decode("ascii")
        except UnicodeDecodeError:
            raise BadBlockFile("the file is no JSON; was it written with --binary?") from None

    return read


def _json_block(value: Any) -> Block:
    fields = value["block"]
    head = fields["header"]
    header = Header(
        parent_hash=_hash(head["parentHash"]),
        number=_number(head["number"]),
        state_root=_hash(head["stateRoot"]),
        extrinsics_root=_hash(head["extrinsicsRoot"]),
        digest=Digest(logs=[decode(DigestItem, _bytes(log)) for log in _list(head["digest"]["logs"])]),
    )
    encode(Header, header)
    return Block(header, [_bytes(extrinsic) for extrinsic in _list(fields["extrinsics"])])


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list is something else")
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError("bytes are no text with 0x")
    return bytes.fromhex(value[2:])


def _hash(value: Any) -> bytes:
    data = _bytes(value)
    if len(data) != 32:
        raise ValueError(f"a hash has {len(data)} bytes, not 32")
    return data


def _number(value: Any) -> int:
    if not isinstance(value, str) or not value.startswith("0x") or len(value) > 10:
        raise ValueError("the number is no hexadecimal text with 0x below 2**32")
    return int(value[2:], 16)
