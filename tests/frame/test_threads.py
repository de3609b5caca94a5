"""One Runtime object serves several threads at once: each call works on a machine of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from frame.call import RuntimeCall
from frame.testing import Chain
from primitives.digest import Digest
from primitives.header import Header
from tests.frame.template_runtime import ALICE, BOB, TemplateRuntime

TEMPLATE = TemplateRuntime.template


def test_validating_and_building_at_the_same_time(chain: Chain) -> None:
    calls = [RuntimeCall(TEMPLATE.entry("store"), (number,)) for number in range(20)]
    mine = [chain.sign(ALICE, call, nonce) for nonce, call in enumerate(calls)]
    other = chain.sign(BOB, calls[0])

    def build(_: int) -> Header:
        builder = chain.runtime.open_block(chain.state, chain.header, Digest(logs=[]), chain.host)
        for raw in builder.inherents({b"timstap0": (1000).to_bytes(8, "little")}) + mine:
            builder.apply(raw)
        return builder.finish()[0]

    def ask(number: int) -> tuple[bytes, bytes]:
        validity = chain.runtime.validate(chain.state, 2, other, chain.header.hash, chain.host)
        nonce = chain.runtime.call(chain.state, "AccountNonceApi_account_nonce", BOB.account_id, chain.host)
        return validity.provides[0], nonce

    expected = build(0)
    with ThreadPoolExecutor(8) as pool:
        built = [pool.submit(build, number) for number in range(12)]
        asked = [pool.submit(ask, number) for number in range(200)]
        assert all(future.result() == expected for future in built)
        assert {future.result() for future in asked} == {(BOB.account_id + bytes(4), bytes(4))}
