"""Recognising a plain submission in a client's text, and answering it."""

from __future__ import annotations

import json
import re
from typing import Final

Submission = tuple[str, bytes, bool]
"""The id as JSON, the extrinsic, whether it is watched."""

SUBMIT = {"author_submitExtrinsic": False, "author_submitAndWatchExtrinsic": True}
"""The methods that are taken apart here; True for the one that subscribes."""

_USUAL = re.compile(
    r'\{(?:"jsonrpc":"2\.0","id":(0|[1-9][0-9]{0,14}|"[A-Za-z0-9_:-]{0,64}")|"id":([1-9][0-9]{0,14}),"jsonrpc":"2\.0"),'
    r'"method":"author_submit(AndWatch)?Extrinsic","params":\["0x'
)
"""How libraries write one, byte for byte, up to the digits; all other JSON is read as JSON."""
_END = '"]}'


def submission(text: str | bytes) -> Submission | None:
    """The parts of a plain submission; None for anything else, which the node reads itself."""
    if type(text) is not str:
        return None
    usual = _USUAL.match(text)
    if usual is not None and text.endswith(_END):
        start = usual.end()
        try:
            extrinsic = bytes.fromhex(text[start:-3])
        except ValueError:
            return None
        if 2 * len(extrinsic) == len(text) - start - 3:  # else there was white space between the digits
            ident, other, watch = usual.groups()
            return ident or other, extrinsic, watch is not None
    return _read(text) if "author_submit" in text[:256] else None


def _read(text: str) -> Submission | None:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if type(request) is not dict or request.get("jsonrpc") != "2.0":
        return None
    watched = SUBMIT.get(request["method"]) if type(request.get("method")) is str else None
    ident, params = request.get("id"), request.get("params")
    if watched is None or type(ident) not in (int, str) or type(params) is not list or len(params) != 1:
        return None
    digits = params[0]
    if type(digits) is not str or not digits.startswith("0x"):
        return None
    try:
        return (str(ident) if type(ident) is int else json.dumps(ident)), bytes.fromhex(digits[2:]), watched
    except ValueError:
        return None


def taken(ident: str, digest: bytes) -> str:
    """The answer to a submission that is in the pool."""
    return f'{{"jsonrpc":"2.0","result":"0x{digest.hex()}","id":{ident}}}'


TAKEN: Final = len(taken("", bytes(32)))
"""Characters of it besides the id."""


def with_id(answer: str, ident: str) -> str:
    """An answer to null as the answer to the id that the client wrote."""
    return answer.removesuffix("null}") + ident + "}"
