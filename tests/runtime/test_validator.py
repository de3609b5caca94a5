"""Judging one transaction after the other says what judging each on its own says; and a block knows at once
when root changes what has to be signed.
"""

from __future__ import annotations

import pytest

from frame.call import RuntimeCall
from frame.runtime import Block
from frame.testing import Chain, sign
from frame.transaction import InvalidTransaction, Source, TransactionValidityError, Validity
from frame.validator import Validator
from primitives.era import Era
from primitives.extrinsic import MultiAddress
from primitives.keys import Keypair
from runtime import GristmillRuntime, runtime

GRIST = 10**12
ALICE, BOB, POOR = (Keypair.from_uri(uri) for uri in ("//Alice", "//Bob", "//Poor"))


def new_chain() -> Chain:
    money = [[ALICE.address, 1000 * GRIST], [BOB.address, 10**9 + 1]]
    return Chain(runtime(), {"balances": {"balances": money}, "sudo": {"key": ALICE.address}})


def pay(amount: int = GRIST) -> RuntimeCall:
    dest = MultiAddress.Id(value=BOB.account_id)
    return RuntimeCall(GristmillRuntime.balances.entry("transfer_keep_alive"), (dest, amount))


def outcome(judge: object, *args: object) -> Validity | bytes:
    try:
        return judge(*args)  # type: ignore[operator, no-any-return]
    except TransactionValidityError as error:
        return error.encode()


def test_one_validator_for_many_is_one_for_each() -> None:
    chain = new_chain()
    chain.block(chain.sign(ALICE, pay(), nonce=0))
    good = chain.sign(ALICE, pay(), nonce=1)
    forged = bytearray(good)
    forged[60] ^= 1
    extrinsics = [
        good,
        bytes(forged),
        good,
        chain.sign(ALICE, pay(), nonce=0),
        chain.sign(ALICE, pay(), nonce=9, tip=5),
        chain.sign(BOB, pay(), nonce=0),
        chain.sign(POOR, pay(), nonce=0),
        chain.sign(ALICE, pay(), nonce=1, era=Era.mortal(64, 1)),
        good[:-1],
        b"\x10\x04\x01\x00\x00",
        b"",
    ]
    validator = Validator(chain.runtime, chain.state, chain.header.hash, chain.host)
    for extrinsic in [*extrinsics, *reversed(extrinsics)]:
        alone = outcome(
            chain.runtime.validate, chain.state, Source.External, extrinsic, chain.header.hash, chain.host
        )
        assert outcome(validator.validate, Source.External, extrinsic) == alone
        if extrinsic == good:
            parsed = validator.parse(extrinsic)
            assert outcome(validator.validate, Source.External, extrinsic, parsed) == alone


def test_a_validator_that_moves_on_is_a_new_one() -> None:
    chain = new_chain()
    validator = Validator(chain.runtime, chain.state, chain.header.hash, chain.host)
    for nonce in range(4):
        sent = [chain.sign(ALICE, pay(), nonce=n, tip=n, era=Era.mortal(4, 0)) for n in range(nonce, 5)]
        sent += [chain.sign(BOB, pay(GRIST // 10**6), nonce=0), chain.sign(POOR, pay(), nonce=0)]
        fresh = Validator(runtime(), chain.state, chain.header.hash, chain.host)
        for extrinsic in sent:
            expected = outcome(fresh.validate, Source.External, extrinsic)
            assert outcome(validator.validate, Source.External, extrinsic) == expected
        chain.block(chain.sign(ALICE, pay(), nonce=nonce))
        if nonce == 2:  # one that it does not see
            chain.block()
        validator.move(chain.state, chain.header.hash, chain.host)


def test_reading_in_between_leaves_in_memory_what_the_next_block_needs() -> None:
    chain = new_chain()
    for nonce in range(6):
        chain.block(chain.sign(ALICE, pay(), nonce=nonce))
        at = chain.header.hash
        maker = chain.runtime.maker_of(at)
        for _ in range(2):
            chain.runtime.call(chain.state, "Core_version", b"", chain.host)
            chain.runtime.validate(
                chain.state, Source.External, chain.sign(ALICE, pay(), nonce + 1), at, chain.host
            )
        assert maker is not None and chain.runtime.maker_of(at) is maker


def test_root_may_change_what_has_to_be_signed_within_a_block() -> None:
    chain = new_chain()
    machine = chain.runtime.machine()
    key = machine.of(GristmillRuntime.system).block_hashes.key_of(0)
    other = b"\x07" * 32
    rewrite = RuntimeCall(GristmillRuntime.system.entry("set_storage"), ([(key, other)],))
    sudo = RuntimeCall(GristmillRuntime.sudo.entry("sudo"), (rewrite,))
    before, after = (
        sign(chain.runtime, ALICE, pay(), genesis_hash=genesis, nonce=nonce)
        for genesis, nonce in ((chain.genesis_hash, 0), (other, 2))
    )
    builder = chain.open()
    builder.apply(before)
    builder.apply(chain.sign(ALICE, sudo, nonce=1))
    with pytest.raises(InvalidTransaction):
        builder.apply(chain.sign(ALICE, pay(), nonce=2))
    builder.apply(after)
    extrinsics = list(builder.extrinsics)
    header, done = builder.finish()
    again = chain.runtime.execute_block(chain.state, Block(header, extrinsics), chain.host)
    assert again.delta == done.delta and len(done.results) == 4
