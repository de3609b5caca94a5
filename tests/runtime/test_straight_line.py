"""The straight-line code around a call does what its plain description says, for every kind of extrinsic."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frame import executive
from frame.call import RuntimeCall
from frame.extensions import CheckNonce, standard
from frame.extrinsic import Checked, check
from frame.machine import Machine, Trap
from frame.runtime import BlockBuilder, Runtime
from frame.testing import Chain, sign
from frame.transaction import Invalid, InvalidTransaction, Source, TransactionValidityError
from frame.validator import Validator
from pallets.system import System
from primitives.era import Era
from primitives.extrinsic import MultiAddress
from primitives.keys import Keypair
from runtime import GristmillRuntime, runtime

GRIST = 10**12
ALICE, BOB, DUST, POOR = (Keypair.from_uri(uri) for uri in ("//Alice", "//Bob", "//Dust", "//Poor"))
WHO = (ALICE, BOB, DUST, POOR)
MONEY = [[ALICE.address, 1000 * GRIST], [BOB.address, 50 * GRIST], [DUST.address, 10**9 + 1]]


def call(pallet: str, name: str, *args: object) -> RuntimeCall:
    return RuntimeCall(getattr(GristmillRuntime, pallet).entry(name), args)


def to(who: Keypair) -> MultiAddress:
    return MultiAddress.Id(value=who.account_id)


def transfers() -> st.SearchStrategy[RuntimeCall]:
    names = st.sampled_from(["transfer_keep_alive", "transfer_allow_death"])
    amounts = st.one_of(st.integers(0, 2 * 10**9), st.integers(0, 2000 * GRIST))
    return st.builds(lambda n, w, a: call("balances", n, to(w), a), names, st.sampled_from(WHO), amounts)


def calls() -> st.SearchStrategy[RuntimeCall]:
    return st.one_of(
        transfers(),
        st.builds(
            lambda w, k: call("balances", "transfer_all", to(w), k), st.sampled_from(WHO), st.booleans()
        ),
        st.builds(lambda a, k: call("balances", "burn", a, k), st.integers(0, 60 * GRIST), st.booleans()),
        st.builds(lambda b: call("system", "remark_with_event", b), st.binary(max_size=40)),
        st.builds(lambda cs: call("utility", "batch", cs), st.lists(transfers(), max_size=3)),
        st.builds(lambda cs: call("utility", "batch_all", cs), st.lists(transfers(), max_size=3)),
        st.builds(lambda c: call("sudo", "sudo", c), transfers()),
        st.builds(lambda n: call("timestamp", "set", n), st.integers(0, 2**64 - 1)),
    )


STEPS = st.lists(
    st.tuples(
        calls(),
        st.sampled_from(WHO),
        st.sampled_from([0, 0, 0, 0, 0, 1, -1]),  # off the right nonce
        st.sampled_from([0, 0, 5, 10**20]),  # tip
        st.sampled_from([Era(), Era.mortal(64, 1)]),
        st.booleans(),  # tampered with, when with the next one
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def outcome(work: Callable[[], bytes]) -> bytes:
    try:
        return work()
    except TransactionValidityError as error:
        return b"refused " + error.encode()
    except Trap as trap:
        return b"trap " + str(trap).encode()


def plainly(machine: Machine, raw: bytes) -> bytes:
    """One extrinsic, with the loops over extensions that define what is to happen."""
    machine.overlay.begin()
    try:
        error = executive.plainly_applied(machine, check(machine, raw))
    except Exception:
        machine.overlay.rollback()
        raise
    machine.overlay.commit()
    return b"\0\0" if error is None else b"\0\1" + error.encode()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_the_same_results_and_the_same_state(
    steps: list[tuple[RuntimeCall, Keypair, int, int, Era, bool, bool]],
) -> None:
    chain = new_chain()
    fast, slow, admitting = blocks = [begun(chain) for _ in range(3)]
    validator = Validator(chain.runtime, chain.state, chain.header.hash, chain.host)
    for made, who, off, tip, era, bad, worse in steps:
        system = slow.machine.system
        raw = chain.sign(who, made, max(system.account_nonce(who.account_id) + off, 0), tip=tip, era=era)
        if bad and worse:
            raw = raw[:60] + bytes((raw[60] ^ 1,)) + raw[61:]
        expected = outcome(lambda raw=raw: plainly(slow.machine, raw))  # type: ignore[misc]
        checked = None
        if outcome(lambda raw=raw: repr(validator.validate(Source.External, raw)).encode()):  # type: ignore[misc]
            checked = validator.checked
        assert outcome(lambda raw=raw, c=checked: fast.apply(raw, None, c)) == expected  # type: ignore[misc]
        admitted = outcome(lambda raw=raw: admitting.admit(raw)[1])  # type: ignore[misc]
        if not admitted.startswith(b"refused"):  # the pool is also told of what no block refuses
            assert admitted == expected
        else:
            assert expected.startswith(b"refused") or made.info().dispatch_class.name == "Mandatory"
    deltas = [block.machine.overlay.delta() for block in blocks]
    assert deltas[0] == deltas[1] == deltas[2]


def new_chain() -> Chain:
    chain = Chain(runtime(), {"balances": {"balances": MONEY}, "sudo": {"key": ALICE.address}})
    chain.block()
    return chain


def begun(chain: Chain) -> BlockBuilder:
    """The next block, after its inherents; the same each time."""
    before = chain.clock
    block = chain.open()
    chain.clock = before
    executive.inherents_applied(block.machine)
    return block


def test_what_was_judged_is_checked_anew_where_something_else_is_signed_along() -> None:
    chain = new_chain()
    pay = call("balances", "transfer_keep_alive", to(BOB), GRIST)
    other = b"\7" * 32
    key = chain.open().machine.of(GristmillRuntime.system).block_hashes.key_of(0)
    rewrite = call("sudo", "sudo", call("system", "set_storage", [(key, other)]))
    good = chain.sign(BOB, pay, 0)
    validator = Validator(chain.runtime, chain.state, chain.header.hash, chain.host)
    validator.validate(Source.External, good)
    assert validator.checked is not None
    block = chain.open()
    block.apply(chain.sign(ALICE, rewrite, 0))
    with pytest.raises(TransactionValidityError):
        block.apply(good, None, validator.checked)
    block.apply(sign(chain.runtime, BOB, pay, genesis_hash=other, nonce=0))


def test_a_refused_transaction_leaves_nothing_checked() -> None:
    chain = new_chain()
    validator = Validator(chain.runtime, chain.state, chain.header.hash, chain.host)
    validator.validate(Source.External, chain.sign(ALICE, call("system", "remark", b""), 0))
    with pytest.raises(TransactionValidityError):
        validator.validate(Source.External, chain.sign(POOR, call("system", "remark", b""), 0))
    assert validator.checked is None


class NeverToday(CheckNonce):
    """Refuses more than the class whose `prepare` it has."""

    def check(self, tx: Checked, extra: int) -> None:
        raise InvalidTransaction(Invalid.Custom, 7)


class Strict(Runtime, spec_name="strict", spec_version=1):
    system = System(index=0)
    extensions = tuple(NeverToday() if e.identifier == "CheckNonce" else e for e in standard())


def test_a_derived_extension_that_refuses_more_is_asked() -> None:
    chain = Chain(Strict(), {})
    remark = RuntimeCall(Strict.system.entry("remark"), (b"",))
    chain_block = chain.open()
    chain_block.machine.of(Strict.system).inc_providers(ALICE.account_id)
    with pytest.raises(InvalidTransaction) as refused:
        chain_block.apply(sign(Strict, ALICE, remark, genesis_hash=chain.genesis_hash, nonce=0))
    assert refused.value.custom == 7
