"""Hostile bytes: never an exception without a name, never a changed state after a refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frame.call import RuntimeCall
from frame.executive import InvalidBlock
from frame.machine import Trap
from frame.runtime import Block
from frame.testing import Chain
from frame.transaction import TransactionValidityError
from primitives.header import Header
from primitives.scale import ScaleError, codec, encode_compact
from tests.frame.template_runtime import ALICE, Template, TemplateRuntime

TEMPLATE = TemplateRuntime.template
SETTINGS = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def refuse_or_apply(chain: Chain, raw: bytes) -> None:
    """Apply bytes as an extrinsic and check that a refusal leaves the state as it was."""
    builder = chain.open()
    overlay = builder.machine.overlay
    before = dict(overlay.delta().top)
    try:
        builder.apply(raw)
    except (TransactionValidityError, Trap) as error:
        assert str(error)
        assert dict(overlay.delta().top) == before
        assert overlay.depth == 0
    builder.abandon()
    try:
        chain.runtime.validate(chain.state, 2, raw, chain.header.hash, chain.host)
    except TransactionValidityError as error:
        assert error.encode()[0] in (0, 1)


@SETTINGS
@given(st.binary(max_size=200), st.booleans())
def test_random_bytes(chain: Chain, body: bytes, framed: bool) -> None:
    refuse_or_apply(chain, encode_compact(len(body)) + body if framed else body)


@SETTINGS
@given(st.integers(0, 140), st.binary(min_size=1, max_size=4))
def test_spoiled_extrinsics(chain: Chain, at: int, patch: bytes) -> None:
    raw = chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,)))
    refuse_or_apply(chain, raw[:at] + patch + raw[at + len(patch) :])


@SETTINGS
@given(st.binary(max_size=40), st.sampled_from([b"\x07\x05", b"\x07\x04", b"\x00\x04", b"\x00\x06", b""]))
def test_signed_random_calls(chain: Chain, tail: bytes, head: bytes) -> None:
    class Raw:
        """A call that is any bytes."""

        def encode(self) -> bytes:
            return head + tail

    call: Any = Raw()
    refuse_or_apply(chain, chain.sign(ALICE, call))


@SETTINGS
@given(st.binary(max_size=300))
def test_random_arguments_of_runtime_apis(chain: Chain, args: bytes) -> None:
    from frame.apis import ApiFailed

    for name in chain.runtime.apis:
        try:
            chain.runtime.call(chain.state, name, args, chain.host)
        except (ScaleError, ApiFailed) as error:
            assert str(error)


@SETTINGS
@given(st.lists(st.binary(max_size=60), max_size=4), st.binary(min_size=110, max_size=110))
def test_random_blocks(chain: Chain, extrinsics: list[bytes], head: bytes) -> None:
    try:
        header = codec(Header).decode(head)
    except ScaleError:
        header = chain.header.__replace__(number=1, parent_hash=chain.genesis_hash)
    with pytest.raises(InvalidBlock):
        chain.runtime.execute_block(chain.state, Block(header, extrinsics), chain.host)


def test_a_deep_batch_is_no_crash(chain: Chain) -> None:
    class Raw:
        """Calls in calls."""

        def encode(self) -> bytes:
            return b"\x07\x04" * 100_000 + Template.declaration.calls[0].name.encode()

    call: Any = Raw()
    refuse_or_apply(chain, chain.sign(ALICE, call))
