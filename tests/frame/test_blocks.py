"""Blocks: building and executing, the order of things, what a signed transaction must be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from frame import Origin, Weight
from frame.call import RuntimeCall
from frame.executive import InvalidBlock
from frame.extensions import MetadataHashMode
from frame.machine import Machine, Trap
from frame.runtime import Block, bare
from frame.testing import Chain, sign
from frame.transaction import BadFormat, Invalid, InvalidTransaction, Unknown, UnknownTransaction
from frame.weights import weight
from pallets.system import System
from pallets.system.types import DispatchEventInfo
from primitives.digest import Digest, DigestItem
from primitives.era import Era
from primitives.keys import Keypair, Scheme
from primitives.scale import encode_compact, replace
from primitives.trie import ordered_root
from tests.frame.template_runtime import ALICE, BOB, Template, TemplateRuntime

TEMPLATE = TemplateRuntime.template


def invalid(kind: Invalid) -> Callable[[BaseException], bool]:
    """Whether an exception is this InvalidTransaction."""
    return lambda error: isinstance(error, InvalidTransaction) and error.kind is kind


class Refused:
    """Asserts that a transaction is refused for a reason, by the pool and in a block; nothing changes."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def everywhere(self, raw: bytes, kind: Invalid) -> None:
        with pytest.raises(InvalidTransaction) as caught:
            self.chain.runtime.validate(self.chain.state, 2, raw, self.chain.header.hash, self.chain.host)
        assert caught.value.kind is kind
        self.in_block(raw, kind)

    def in_block(self, raw: bytes, kind: Invalid) -> None:
        builder = self.chain.open()
        machine = builder.machine
        before = dict(machine.overlay.delta().top)
        with pytest.raises(InvalidTransaction) as caught:
            builder.apply(raw)
        assert caught.value.kind is kind
        assert dict(machine.overlay.delta().top) == before
        self.chain.close(builder)


@pytest.fixture
def refused(chain: Chain) -> Refused:
    return Refused(chain)


def test_a_block_of_transfers_of_state(chain: Chain) -> None:
    store = TEMPLATE.entry("store")
    first = chain.sign(ALICE, RuntimeCall(store, (5,)))
    second = chain.sign(ALICE, RuntimeCall(store, (6,)), nonce=1, era=Era.mortal(8, 0))
    third = chain.sign(BOB, RuntimeCall(TEMPLATE.entry("store_then_fail"), (9,)), tip=3)
    outcome = chain.block(first, second, third)
    assert outcome.results == [b"\0", b"\0", b"\0", bytes((1, 3, 7, 1, 0, 0, 0))]
    kinds = [type(event).__name__ for event in chain.events()]
    assert kinds == [
        "ExtrinsicSuccess", "Stored", "ExtrinsicSuccess", "Stored", "ExtrinsicSuccess", "ExtrinsicFailed",
    ]  # fmt: skip
    failed = chain.events()[-1]
    assert isinstance(failed, System.ExtrinsicFailed)
    assert isinstance(failed.dispatch_info, DispatchEventInfo)
    assert failed.dispatch_info.weight == weight(2_000_000 + 125_000_000)
    header = outcome.header
    assert header.extrinsics_root == ordered_root(chain.blocks[-1].extrinsics, 0)
    assert header.state_root == chain.state.root(type(outcome.delta)({}), 1)
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    assert machine.system.account_nonce(BOB.account_id) == 1
    assert machine.system.account_nonce(ALICE.account_id) == 2
    assert machine.of(TEMPLATE).something.get() == 6


def test_nothing_of_a_block_s_making_stays(chain: Chain) -> None:
    chain.block(chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,))))
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    system = machine.of(TemplateRuntime.system)
    for item in (
        system.execution_phase,
        system.extrinsic_count,
        system.all_extrinsics_len,
        system.inherents_applied,
    ):
        assert not item.exists()
    assert chain.state.get(b":extrinsic_index") is None
    assert system.block_weight.get().normal.ref_time > 0


def test_validity(chain: Chain) -> None:
    call = RuntimeCall(TEMPLATE.entry("store"), (5,))
    who = ALICE.account_id

    def validate(raw: bytes) -> object:
        return chain.runtime.validate(chain.state, 2, raw, chain.header.hash, chain.host)

    now = validate(chain.sign(ALICE, call))
    later = validate(chain.sign(ALICE, call, nonce=2, era=Era.mortal(64, 0)))
    assert (now.requires, now.provides) == ([], [who + bytes(4)])  # type: ignore[attr-defined]
    assert now.longevity == (1 << 64) - 1 and now.propagate  # type: ignore[attr-defined]
    assert later.requires == [who + b"\1\0\0\0"]  # type: ignore[attr-defined]
    assert later.provides == [who + b"\2\0\0\0"]  # type: ignore[attr-defined]
    assert later.longevity == 63  # type: ignore[attr-defined]


def test_nonces(chain: Chain, refused: Refused) -> None:
    call = RuntimeCall(TEMPLATE.entry("store"), (5,))
    refused.in_block(chain.sign(ALICE, call, nonce=1), Invalid.Future)
    first = chain.sign(ALICE, call)
    chain.block(first)
    refused.everywhere(first, Invalid.Stale)


def test_signatures(chain: Chain, refused: Refused) -> None:
    call = RuntimeCall(TEMPLATE.entry("store"), (5,))
    good = chain.sign(ALICE, call)
    refused.everywhere(good[:-1] + bytes([good[-1] ^ 1]), Invalid.BadProof)
    refused.everywhere(good[:60] + bytes([good[60] ^ 1]) + good[61:], Invalid.BadProof)
    swapped = good.replace(ALICE.account_id, BOB.account_id)
    refused.everywhere(swapped, Invalid.BadProof)
    other_chain = sign(chain.runtime, ALICE, call, genesis_hash=bytes(32))
    refused.everywhere(other_chain, Invalid.BadProof)
    chain.block(chain.sign(Keypair.from_uri("//Alice", Scheme.SR25519), call))
    edward = Keypair.from_uri("//Edward", Scheme.ED25519)
    refused.everywhere(chain.sign(edward, call), Invalid.Payment)  # the signature holds, the account is empty
    ecarte = Keypair.from_uri("//Écarté", Scheme.ECDSA)
    refused.everywhere(chain.sign(ecarte, call), Invalid.Payment)
    forged = chain.sign(ecarte, call).replace(ecarte.account_id, edward.account_id)
    refused.everywhere(forged, Invalid.BadProof)
    long = RuntimeCall(TEMPLATE.entry("carry"), (b"x" * 300,))
    chain.block(chain.sign(ALICE, long, nonce=1))


def test_the_zero_account_signs_nothing(chain: Chain) -> None:
    class Gullible:
        """A host that believes every signature."""

        def verify(self, scheme: int, signature: bytes, message: bytes, public: bytes) -> bool:
            return True

        def index_blob(self, hash: bytes, piece: int, data: bytes) -> None: ...

        def replay_step(self, request: bytes) -> bytes:
            return b""

    chain.host = Gullible()
    raw = chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,))).replace(ALICE.account_id, bytes(32))
    Refused(chain).everywhere(raw, Invalid.BadSigner)


def test_mortality(chain: Chain, refused: Refused) -> None:
    call = RuntimeCall(TEMPLATE.entry("store"), (5,))
    for _ in range(3):
        chain.block()
    era = Era.mortal(4, 3)
    raw = chain.sign(ALICE, call, era=era)
    assert era.birth(4) == 3
    chain.block(raw)
    short_lived = chain.sign(BOB, call, era=Era.mortal(4, 3))
    for _ in range(3):
        chain.block()
    refused.everywhere(short_lived, Invalid.BadProof)
    unborn = chain.sign(BOB, call)
    coming = chain.header.number + 1
    era = Era(8, coming % 8)
    unknown_birth = sign(
        chain.runtime, BOB, call, genesis_hash=chain.genesis_hash, era=era, birth_hash=bytes(32)
    )
    assert era.birth(coming) == coming
    refused.everywhere(unknown_birth, Invalid.AncientBirthBlock)
    chain.block(unborn)


def test_a_runtime_without_token_knows_no_metadata_digest(chain: Chain) -> None:
    raw = chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,)))
    call_at = raw.rindex(TEMPLATE.entry("store").prefix)
    assert raw[call_at - 1] == MetadataHashMode.Disabled
    committed = raw[: call_at - 1] + b"\1" + raw[call_at:]
    with pytest.raises(UnknownTransaction) as caught:
        chain.runtime.validate(chain.state, 2, committed, chain.header.hash, chain.host)
    assert caught.value.kind is Unknown.CannotLookup


def test_room(chain: Chain, refused: Refused) -> None:
    limits = TemplateRuntime.system.config.block_weights
    normal = limits.per_class.normal
    assert normal.max_extrinsic is not None and normal.max_total is not None
    heavy, operational = TEMPLATE.entry("heavy"), TEMPLATE.entry("heavy_operational")
    too_heavy = chain.sign(ALICE, RuntimeCall(heavy, (normal.max_extrinsic.ref_time + 1,)))
    refused.everywhere(too_heavy, Invalid.ExhaustsResources)
    builder = chain.open()
    assert builder.has_room()
    builder.apply(chain.sign(ALICE, RuntimeCall(heavy, (normal.max_extrinsic.ref_time,))))
    left = normal.max_total - machine_weight(builder.machine)
    with pytest.raises(InvalidTransaction, match="exhaust the block limits"):
        builder.apply(chain.sign(ALICE, RuntimeCall(heavy, (left.ref_time,)), nonce=1))
    builder.apply(
        chain.sign(ALICE, RuntimeCall(heavy, (left.ref_time - normal.base_extrinsic.ref_time,)), nonce=1)
    )
    assert not builder.has_room()
    with pytest.raises(InvalidTransaction, match="exhaust the block limits"):
        builder.apply(chain.sign(ALICE, RuntimeCall(heavy, (0,)), nonce=2))
    builder.apply(chain.sign(ALICE, RuntimeCall(operational, (100,)), nonce=2))  # the reserved part
    chain.close(builder)


def machine_weight(machine: Machine) -> Weight:
    """The Normal weight used so far."""
    used: Weight = machine.system.block_weight.get().normal  # type: ignore[attr-defined]
    return used


def test_length(chain: Chain, refused: Refused) -> None:
    carry = TEMPLATE.entry("carry")
    limit = TemplateRuntime.system.config.block_length.max.normal
    refused.everywhere(chain.sign(ALICE, RuntimeCall(carry, (b"x" * limit,))), Invalid.ExhaustsResources)
    builder = chain.open()
    builder.apply(chain.sign(ALICE, RuntimeCall(carry, (b"x" * (limit - 1000),))))
    with pytest.raises(InvalidTransaction):
        builder.apply(chain.sign(ALICE, RuntimeCall(carry, (b"x" * 1000,)), nonce=1))
    builder.apply(chain.sign(ALICE, RuntimeCall(carry, (b"x" * 100,)), nonce=1))
    chain.close(builder)


def test_unused_weight_goes_back_to_the_block(chain: Chain) -> None:
    builder = chain.open()
    before = builder.machine.system.block_weight.get().normal  # type: ignore[attr-defined]
    builder.apply(chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("steps"), (40, 3))))
    after = builder.machine.system.block_weight.get().normal  # type: ignore[attr-defined]
    assert after - before == weight(3_000_000 + 125_000_000)
    chain.close(builder)


def test_bare_extrinsics_are_inherents(chain: Chain) -> None:
    machine = chain.runtime.machine()
    template = machine.of(TEMPLATE)
    builder = chain.open()
    with pytest.raises(UnknownTransaction) as caught:
        builder.apply(bare(template.store.new(5)))
    assert caught.value.kind is Unknown.NoUnsignedValidator
    assert caught.value.encode() == b"\1\1"
    builder.apply(bare(template.mandatory.new(False)))
    with pytest.raises(InvalidTransaction) as bad:
        builder.apply(bare(template.mandatory.new(True)))
    assert bad.value.kind is Invalid.BadMandatory
    chain.close(builder)
    with pytest.raises(UnknownTransaction):
        chain.runtime.validate(chain.state, 2, bare(template.store.new(5)), bytes(32), chain.host)
    with pytest.raises(InvalidTransaction) as refused:
        chain.runtime.validate(chain.state, 2, bare(template.mandatory.new(False)), bytes(32), chain.host)
    assert refused.value.kind is Invalid.MandatoryValidation


def test_other_addresses_lead_nowhere(chain: Chain) -> None:
    raw = chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,)))
    body = raw[2:].replace(b"\x84\x00" + ALICE.account_id, b"\x84\x03" + ALICE.account_id)
    with pytest.raises(UnknownTransaction) as caught:
        chain.open().apply(encode_compact(len(body)) + body)
    assert caught.value.kind is Unknown.CannotLookup


def test_bad_formats(chain: Chain) -> None:
    good = chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,)))
    builder = chain.open()
    for raw in (b"", b"\0", b"\x04", good[:-1], good + b"\0", b"\x04\x06", b"\x04\x45", b"\x0c\x04\x63\x00"):
        with pytest.raises(BadFormat) as caught:
            builder.apply(raw)
        assert caught.value.encode() == b"\0\0"
        assert str(caught.value)
    chain.close(builder)


def test_a_defect_keeps_the_extrinsic_out(chain: Chain) -> None:
    builder = chain.open()
    before = dict(builder.machine.overlay.delta().top)
    with pytest.raises(Trap):
        builder.apply(chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("broken"), ())))
    assert dict(builder.machine.overlay.delta().top) == before
    chain.close(builder)


def test_executing_refuses_what_is_not_so(chain: Chain) -> None:
    parent = chain.state
    chain.block(chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,))))
    block = chain.blocks[-1]
    runtime, host = chain.runtime, chain.host
    header = block.header

    def refuse(text: str, wrong: Block) -> None:
        with pytest.raises(InvalidBlock, match=text):
            runtime.execute_block(parent, wrong, host)

    refuse("state root is wrong", Block(replace(header, state_root=bytes(32)), block.extrinsics))
    refuse("extrinsics root is wrong", Block(replace(header, extrinsics_root=bytes(32)), block.extrinsics))
    refuse("extrinsic 1: Transaction has a bad signature", Block(replace(header, number=2), block.extrinsics))
    refuse("is wrong|bad signature", Block(replace(header, parent_hash=bytes(32)), block.extrinsics))
    refuse("genesis", Block(replace(header, number=0), block.extrinsics))
    noted = replace(header, digest=Digest(logs=[DigestItem.Other(data=b"x")]))
    refuse("digest is wrong", Block(noted, block.extrinsics))
    refuse("inherent after other", Block(header, block.extrinsics[::-1]))
    refuse("extrinsic 2: Transaction is outdated", Block(header, [*block.extrinsics, block.extrinsics[1]]))
    refuse("extrinsic 1", Block(header, [block.extrinsics[0], b"\x04"]))
    runtime.execute_block(parent, block, host)
    sealed = replace(header, digest=Digest(logs=[DigestItem.Seal(engine=b"test", data=b"x")]))
    runtime.execute_block(parent, Block(sealed, block.extrinsics), host)


def test_a_block_without_timestamp_is_no_block(chain: Chain) -> None:
    builder = chain.runtime.open_block(chain.state, chain.header, Digest(logs=[]), chain.host)
    with pytest.raises(Exception, match="Timestamp must be updated once"):
        builder.finish()


def test_there_is_one_time_a_block(chain: Chain) -> None:
    builder = chain.open()
    machine = builder.machine
    later = bare(machine.pallets[1].set.new(chain.clock + 1_000_000))  # type: ignore[attr-defined]
    with pytest.raises(InvalidTransaction) as caught:
        builder.apply(later)
    assert caught.value.kind is Invalid.BadMandatory
    assert "only once" in str(caught.value.__cause__)
    chain.close(builder)


def test_inherent_time_runs_forward(chain: Chain) -> None:
    chain.block()
    builder = chain.runtime.open_block(chain.state, chain.header, Digest(logs=[]), chain.host)
    (raw,) = builder.inherents({b"timstap0": (5).to_bytes(8, "little")})
    now = chain.clock + 1
    assert raw == bare(builder.machine.pallets[1].set.new(now))  # type: ignore[attr-defined]
    assert builder.inherents({}) == []
    builder.abandon()
    early = chain.runtime.open_block(chain.state, chain.header, Digest(logs=[]), chain.host)
    with pytest.raises(InvalidTransaction) as caught:
        early.apply(bare(early.machine.pallets[1].set.new(chain.clock)))  # type: ignore[attr-defined]
    assert caught.value.kind is Invalid.BadMandatory


def test_pre_runtime_digest_stays(chain: Chain) -> None:
    note = DigestItem.PreRuntime(engine=b"test", data=b"slot")
    builder = chain.runtime.open_block(chain.state, chain.header, Digest(logs=[note]), chain.host)
    for raw in builder.inherents({b"timstap0": (9).to_bytes(8, "little")}):
        builder.apply(raw)
    header, outcome = builder.finish()
    assert header.digest.logs == [note]
    extrinsics = builder.extrinsics
    assert (
        chain.runtime.execute_block(chain.state, Block(header, extrinsics), chain.host).delta == outcome.delta
    )


def test_an_upgrade_is_noted(chain: Chain) -> None:
    from frame.runtime import Runtime
    from pallets.timestamp import Timestamp

    class Newer(Runtime, spec_name="template", spec_version=2):
        system = System(index=0)
        timestamp = Timestamp(index=1)
        template = Template(index=7, max_step=50)

    before = chain.state.get(b":code")
    chain.runtime = Newer()
    chain.block()
    assert chain.blocks[-1].header.digest.logs == [DigestItem.RuntimeEnvironmentUpdated()]
    assert chain.state.get(b":code") != before
    assert any(isinstance(event, System.CodeUpdated) for event in chain.events())
    chain.block()
    assert chain.blocks[-1].header.digest.logs == []


def test_signed_origin_reaches_the_call(chain: Chain) -> None:
    machine = chain.runtime.machine()
    machine.of(TEMPLATE).store(Origin.of(ALICE.account_id), 7)
    assert machine.of(TEMPLATE).changes[ALICE.account_id] == 1
