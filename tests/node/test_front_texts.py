"""What a worker makes of texts and bytes by itself: submissions that it recognises, signatures that it
judges, frames that it writes.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame.testing import sign
from node.front.frames import text_frames
from node.front.submission import submission
from node.front.verify import Verifier
from primitives.era import Era
from primitives.keys import Keypair, Scheme
from runtime import GristmillRuntime
from tests.signing import remark


@pytest.mark.parametrize("ident", ["7", '"x"'])
def test_a_plain_submission_is_recognised(ident: str) -> None:
    text = f'{{"jsonrpc":"2.0","id":{ident},"method":"author_submitExtrinsic","params":["0x00ff"]}}'
    assert submission(text) == (ident, b"\x00\xff", False)


@pytest.mark.parametrize(
    "text",
    [
        '{"jsonrpc":"2.0","id":01,"method":"author_submitExtrinsic","params":["0x00"]}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x0"]}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x00","0x00"]}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x00"],"id":2}',
        '{"id":1,"method":"author_submitExtrinsic","params":["0x00"]}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x00"]}}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x\u0660\u0660"]}',
    ],
)
def test_what_only_resembles_a_submission_is_left_to_the_reader_of_json(text: str) -> None:
    found = submission(text)
    assert found is None or found == ("2", b"\x00", False)  # of two ids the last one counts, as in `json`


@given(
    ident=st.one_of(st.integers(), st.text(max_size=8)),
    extrinsic=st.binary(max_size=40),
    watched=st.booleans(),
    order=st.permutations(["jsonrpc", "id", "method", "params"]),
    tight=st.booleans(),
)
def test_any_way_to_write_a_submission_is_understood(
    ident: int | str, extrinsic: bytes, watched: bool, order: list[str], tight: bool
) -> None:
    method = "author_submitAndWatchExtrinsic" if watched else "author_submitExtrinsic"
    request = {"jsonrpc": "2.0", "id": ident, "method": method, "params": ["0x" + extrinsic.hex()]}
    text = json.dumps({key: request[key] for key in order}, separators=(",", ":") if tight else None)
    found = submission(text)
    if found is not None or "author_submit" in text[:256]:
        assert found is not None and json.loads(found[0]) == ident and found[1:] == (extrinsic, watched)


def _signed_texts(gristmill: GristmillRuntime) -> list[bytes]:
    genesis, found = bytes(32), []
    for scheme in Scheme:
        pair = Keypair.from_uri("//Front", scheme)
        for data in (b"", b"x" * 300):
            found.append(sign(gristmill, pair, remark(data), genesis_hash=genesis, nonce=3))
        found.append(
            sign(
                gristmill,
                pair,
                remark(b"m"),
                genesis_hash=genesis,
                era=Era.mortal(64, 5),
                birth_hash=bytes([5]) * 32,
            )
        )
    return found


def test_the_short_way_to_a_verdict_is_the_long_one(gristmill: GristmillRuntime) -> None:
    verifier = Verifier(gristmill, bytes(32))
    for number in range(1, 9):
        verifier.learn(number, bytes([number]) * 32)
    chance = random.Random(4)
    short = 0
    for extrinsic in _signed_texts(gristmill):
        whole = verifier._any(extrinsic)
        verdict = verifier.verdict(extrinsic)
        assert verdict is not None and verdict[:2] == (whole, True)
        for _ in range(300):
            wrong = bytearray(extrinsic)
            wrong[chance.randrange(min(len(wrong), 110))] = chance.randrange(256)
            cut = bytes(wrong[: chance.choice([len(wrong), len(wrong), chance.randrange(len(wrong))])])
            question = None
            with suppress(Exception):  # of a call that cannot be read, only the long way says so
                question = verifier._any(cut)
            usual = None
            with suppress(Exception):
                usual = verifier._usual(cut)
            if usual is not None:
                assert usual[0] == question
                short += 1
            found = verifier.verdict(cut)
            assert (None if found is None else found[:2]) == (
                None if question is None else (question, question == whole)
            )
    assert short > 500


@given(st.lists(st.one_of(st.text(max_size=300), st.sampled_from([125, 126, 65535, 65536]).map("é".__mul__))))
def test_frames_are_read_as_they_were_written(texts: list[str]) -> None:
    data, at, found = text_frames(texts), 0, []
    while at < len(data):
        assert data[at] == 0x81
        size, at = data[at + 1], at + 2
        if size > 125:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        found.append(data[at : at + size].decode())
        at += size
    assert found == texts
