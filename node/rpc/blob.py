"""`GET /blob/<hash>`: the bytes of a complete blob, whole or by Range, streamed piece by piece.

One range a request, as `bytes=first-last`, `bytes=first-` or `bytes=-count` (RFC 9110 §14). Several ranges,
and units that we do not know, get the whole blob, which the RFC allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from node.http import web
from node.service import Node
from primitives.data import PIECE

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)


class Span(NamedTuple):
    """Bytes `first` to `end`, `end` not included."""

    first: int
    end: int


class Unsatisfiable(Exception):
    """The range lies outside of the blob."""


def parse_range(header: str | None, length: int) -> Span | None:
    """The bytes that a Range header asks for; None means all of them."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        span = Span(max(0, length - int(last)), length)
    else:
        span = Span(int(first), min(length, int(last) + 1) if last else length)
    if last and first and int(last) < int(first):
        return None
    if span.first >= span.end:
        raise Unsatisfiable
    return span


def cuts(span: Span) -> Iterator[tuple[int, slice]]:
    """The pieces that cover `span`, each with the part of it that is wanted."""
    for index in range(span.first // PIECE, -(-span.end // PIECE)):
        start = index * PIECE
        yield index, slice(max(0, span.first - start), min(PIECE, span.end - start))


async def serve(node: Node, request: web.Request) -> web.StreamResponse:
    """Answer 200, 206, 404 or 416."""
    match = _HASH.fullmatch(request.match_info["hash"])
    if match is None:
        return web.Response(status=400, text="a blob is named by 64 hex digits\n")
    digest = bytes.fromhex(match[1])
    length = node.blobs.length(digest)
    if length is None:
        return web.Response(status=404, text="no complete blob of this name on the chain\n")
    try:
        span = parse_range(request.headers.get("Range"), length)
    except Unsatisfiable:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{length}"})
    return await _stream(node, request, digest, length, span)


async def _stream(
    node: Node, request: web.Request, digest: bytes, length: int, span: Span | None
) -> web.StreamResponse:
    response = web.StreamResponse(status=200 if span is None else 206)
    response.content_type = "application/octet-stream"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = f'"{digest.hex()}"'
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if span is not None:
        response.headers["Content-Range"] = f"bytes {span.first}-{span.end - 1}/{length}"
    wanted = span or Span(0, length)
    response.content_length = wanted.end - wanted.first
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    for index, part in cuts(wanted):
        piece = node.blobs.piece(digest, index)
        if piece is None:
            raise ConnectionResetError("a piece of a complete blob is missing")
        await response.write(piece[part])
    await response.write_eof()
    return response
