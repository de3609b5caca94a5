"""The straight-line code around a call does what its plain description says, for every kind of extrinsic."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frame import Error, Origin, Pallet, StorageValue, executive
from frame import call as call_of_pallet
from frame.call import DispatchClass, PostInfo, RuntimeCall
from frame.extensions import CheckNonce, WeightReclaim, standard
from frame.extrinsic import Checked, Vouched, check, implicit
from frame.forms import FormFinder, FormJudge, KnownForm, judged_alone
from frame.host import PlainHost
from frame.machine import Machine, Trap
from frame.rows import Row
from frame.runtime import BlockBuilder, Runtime
from frame.testing import Chain, sign
from frame.transaction import (
    Invalid,
    InvalidTransaction,
    Judgement,
    Source,
    TransactionValidityError,
    Validity,
)
from frame.validator import Validator
from frame.weights import weight
from pallets.system import System
from primitives.era import Era
from primitives.extrinsic import MultiAddress
from primitives.keys import Keypair
from primitives.scale import U32
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
    fast, slow, admitting, formed, in_row = blocks = [begun(chain) for _ in range(5)]
    row = Row(in_row.machine)
    validator = Validator(chain.runtime, chain.state, chain.header.hash, chain.host)
    finder = FormFinder(validator._machine)
    for made, who, off, tip, era, bad, worse in steps:
        system = slow.machine.system
        raw = chain.sign(who, made, max(system.account_nonce(who.account_id) + off, 0), tip=tip, era=era)
        if bad and worse:
            raw = raw[:60] + bytes((raw[60] ^ 1,)) + raw[61:]
        expected = outcome(lambda raw=raw: plainly(slow.machine, raw))  # type: ignore[misc]
        said = outcome(lambda raw=raw: repr(validator.validate(Source.External, raw)).encode())  # type: ignore[misc]
        checked = validator.checked
        known = None if bad and worse else by_its_form(validator, finder, raw, said)
        assert outcome(lambda raw=raw, k=known: formed.apply(raw, None, k)) == expected  # type: ignore[misc]
        assert outcome(lambda raw=raw, c=checked: fast.apply(raw, None, c)) == expected  # type: ignore[misc]
        rowed = outcome(lambda raw=raw: executive.apply_extrinsic(in_row.machine, raw, row=row))  # type: ignore[misc]
        assert rowed == expected[expected[:1] == b"\0" :]
        admitted = outcome(lambda raw=raw: admitting.admit(raw)[1])  # type: ignore[misc]
        if not admitted.startswith(b"refused"):  # the pool is also told of what no block refuses
            assert admitted == expected
        else:
            assert expected.startswith(b"refused") or made.info().dispatch_class.name == "Mandatory"
    deltas = [block.machine.overlay.delta() for block in blocks]
    assert deltas[0] == deltas[1] == deltas[2] == deltas[3]


def by_its_form(validator: Validator, finder: FormFinder, raw: bytes, said: bytes) -> KnownForm | None:
    """What is known of the form of an extrinsic whose signature holds, if it is admitted by that: then the
    same is `said` of it by the long way.
    """
    machine = validator._machine
    usual, parts = machine.runtime.extrinsic_codec.usual(raw), finder.find(raw)
    assert usual is not None and parts is not None
    assert parts.call_start == usual.call_start and parts.along == implicit(machine, usual.extra)
    assert (parts.form is None) == (usual.call.entry.constant_info is None)
    if parts.form is None:
        return None
    assert parts.nonce == usual.extra[machine.runtime.nonce_slot]
    (found,) = validator.judge_row([raw], [parts.nonce], [parts.form])
    is_valid = not said.startswith((b"refused", b"trap"))
    assert (found is not None) == is_valid, "refused is what the long way refuses"
    if found is None:
        return None
    known, requires, provides = found
    whole = Validity(
        priority=known.priority,
        requires=list(requires),
        provides=list(provides),
        longevity=known.longevity,
        propagate=True,
    )
    assert repr(whole).encode() == said
    return known


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


class Looks(CheckNonce):
    """Says more to the pool than the class whose `judge_form` it has."""

    def validate(self, tx: Checked, extra: int, found: Judgement) -> None:
        found.priority += (tx.who or b"\0")[0]
        super().validate(tx, extra, found)


class Attentive(Runtime, spec_name="attentive", spec_version=1):
    system = System(index=0)
    extensions = tuple(Looks() if e.identifier == "CheckNonce" else e for e in standard())


class Recounts(WeightReclaim):
    """Does something after every call, although what it derives from does not."""

    def finish(self, tx: Checked, extra: Any, prepared: Any, post: PostInfo) -> None:
        self.machine.system.register_extra_weight(weight(5), DispatchClass.Operational)


class Recounting(Runtime, spec_name="recounting", spec_version=1):
    system = System(index=0)
    extensions = (*standard(), Recounts())


def test_an_extension_that_finishes_always_is_asked_always() -> None:
    chain = Chain(Recounting(), {})
    block = chain.open()
    system = block.machine.of(Recounting.system)
    system.inc_providers(ALICE.account_id)
    remark = RuntimeCall(Recounting.system.entry("remark"), (b"",))
    before = system.used_weight(DispatchClass.Operational)
    block.apply(sign(Recounting, ALICE, remark, genesis_hash=chain.genesis_hash, nonce=0))
    assert system.used_weight(DispatchClass.Operational) == before + weight(5)


class Breaks(Pallet[None]):
    """Calls that write, and then do not end well."""

    written = StorageValue[U32](default=0)

    class Refused(Error):
        """Not done."""

    @call_of_pallet(0, weight=weight(1))
    def refuse(self, origin: Origin) -> None:
        """Write and fail."""
        self.written.put(1)
        raise self.Refused()

    @call_of_pallet(1, weight=weight(1))
    def defect(self, origin: Origin) -> None:
        """Write and divide by zero."""
        self.written.put(2)
        raise ZeroDivisionError("a defect")


class Broken(Runtime, spec_name="broken", spec_version=1):
    system = System(index=0)
    breaks = Breaks(index=9)


class Derived(Broken, spec_name="derived", spec_version=2):
    """Has the same pallets; that it is there changes nothing for the other."""


@pytest.mark.parametrize("made", [Broken, Derived])
def test_what_a_call_wrote_is_undone_when_it_fails(made: type[Broken]) -> None:
    chain = Chain(made(), {})
    block = chain.open()
    system, breaks = block.machine.of(made.system), block.machine.of(made.breaks)
    system.inc_providers(ALICE.account_id)

    def raw(name: str, nonce: int) -> bytes:
        call = RuntimeCall(made.breaks.entry(name), ())
        return sign(made, ALICE, call, genesis_hash=chain.genesis_hash, nonce=nonce)

    assert block.apply(raw("refuse", 0)) == b"\0\1" + bytes((3, 9, 0, 0, 0, 0))
    assert breaks.written.try_get() is None and system.account_nonce(ALICE.account_id) == 1
    with pytest.raises(Trap, match=r"Breaks\.defect failed with ZeroDivisionError: a defect"):
        block.apply(raw("defect", 1))
    assert breaks.written.try_get() is None and system.account_nonce(ALICE.account_id) == 1
    assert block.machine.overlay.depth == 0


class Plain(Runtime, spec_name="plain", spec_version=1):
    system = System(index=0)


@pytest.mark.parametrize(("made", "is_possible"), [(Strict, False), (Attentive, False), (Plain, True)])
def test_where_an_extension_says_more_of_each_extrinsic_no_form_is_judged(
    made: type[Runtime], is_possible: bool
) -> None:
    assert FormJudge(made().machine())._is_possible is is_possible


def test_a_form_whose_signers_signed_something_else_along_is_not_judged() -> None:
    chain = new_chain()
    validator = Validator(chain.runtime, chain.state, chain.header.hash, chain.host)
    raw = chain.sign(BOB, call("balances", "transfer_keep_alive", to(ALICE), GRIST), 0)
    found = FormFinder(validator._machine).find(raw)
    assert found is not None and found.form is not None
    right = found.along
    for along, is_judged in ((right, True), (right[:-1] + b"\1", False), (b"", False)):
        (judged,) = validator.judge_row([raw], [found.nonce], [(*found.form[:3], along)])
        assert (judged is not None) is is_judged
    for form in (
        (b"", b"\2\3", 146, right),
        (b"\0" * 4, b"\xff\xff", 146, right),
        (b"\0" * 9, b"", 0, right),
    ):
        assert list(validator.judge_row([raw], [0], [form])) == [None]


def test_an_extrinsic_of_a_form_is_taken_apart_as_by_the_whole_codec() -> None:
    chain, chance = new_chain(), random.Random(3)
    validator = Validator(chain.runtime, chain.state, chain.header.hash, chain.host)
    machine, short = validator._machine, 0
    for nonce in (0, 63, 64, 2**14, 2**30):
        raw = chain.sign(BOB, call("balances", "transfer_keep_alive", to(ALICE), GRIST), nonce, tip=7)
        found = FormFinder(machine).find(raw)
        assert found is not None and found.form is not None
        (judged,) = validator.judge_row([raw], [nonce], [found.form])
        assert judged is not None
        known, plain = judged[0], Vouched(judged[0].along)
        for _ in range(300):
            wrong = bytearray(raw)
            for _ in range(chance.randrange(3)):
                wrong[chance.choice([*range(5), 36, *range(100, len(raw))])] = chance.choice([0, 1, 4, 255])
            cut = bytes(wrong[: chance.choice([len(wrong)] * 5 + [chance.randrange(len(wrong))])])
            ways = []
            for way in (known, plain):
                try:
                    tx = way.again(machine, cut)
                    fields = ("call", "who", "extra", "length", "along", "info")
                    ways.append(tx and tuple(getattr(tx, name) for name in fields))
                except TransactionValidityError as error:
                    ways.append(error.encode())
            assert ways[0] == ways[1]
            short += type(ways[0]) is tuple
    assert short > 100


def test_a_derived_extension_that_refuses_more_is_asked() -> None:
    chain = Chain(Strict(), {})
    remark = RuntimeCall(Strict.system.entry("remark"), (b"",))
    chain_block = chain.open()
    chain_block.machine.of(Strict.system).inc_providers(ALICE.account_id)
    with pytest.raises(InvalidTransaction) as refused:
        chain_block.apply(sign(Strict, ALICE, remark, genesis_hash=chain.genesis_hash, nonce=0))
    assert refused.value.custom == 7


class Committing(CheckNonce):
    """Has the nonce's double signed along."""

    def implicit_bytes(self, extra: int) -> bytes:
        return bytes((2 * extra,))


class Doubled(Runtime, spec_name="doubled", spec_version=1):
    system = System(index=0)
    extensions = tuple(Committing() if e.identifier == "CheckNonce" else e for e in standard())


class Believing(PlainHost):
    """Takes every signature for good: `sign` knows the standard extensions only."""

    def verify(self, scheme: int, signature: bytes, message: bytes, public: bytes) -> bool:
        return True


def test_where_the_nonce_decides_what_is_signed_along_each_is_asked() -> None:
    chain = Chain(Doubled(), {}, Believing())
    machine, remark = chain.open().machine, RuntimeCall(Doubled.system.entry("remark"), (b"",))
    row, finder = Row(machine), FormFinder(machine)
    for nonce in (1, 2, 2, 3):
        raw = sign(chain.runtime, ALICE, remark, genesis_hash=chain.genesis_hash, nonce=nonce)
        tx, found = row.check(raw), finder.find(raw)
        assert found is not None and found.form is None
        assert tx.along == found.along == implicit(machine, tx.extra)
        assert bytes((2 * nonce,)) in tx.along


def test_what_keeps_the_pool_from_judging_many_at_once_is_named() -> None:
    assert judged_alone(Attentive.extensions) == ["CheckNonce"]
    assert judged_alone(Strict.extensions) == ["CheckNonce"]
    assert judged_alone(Recounting.extensions) == judged_alone(GristmillRuntime.extensions) == []
