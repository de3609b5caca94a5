"""What the chain is asked and may not do, by signed extrinsics to a real node.

Each is refused by name, and leaves every record, index, hold and blob as it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from client import blobs, buyer, jobs
from client.errors import ChainError, ClientError
from client.keyring import Identity
from client.provider import Provider
from primitives.data import blob_hash, piece_hash, pieces
from primitives.hashing import twox_128
from primitives.job import JobState
from tests.end_to_end.people import GRIST, Town

PALLETS = ("Blobs", "Datasets", "Market", "Compute", "Rewards", "Sudo")
OUTSIDE_THE_CURVE = bytes([255]) * 32
RESULT = {"sealed_hash": bytes(32), "sealed_len": 1, "commitment": bytes(32)}


@pytest.fixture
def served(town: Town) -> tuple[Town, Provider, int]:
    """A provider whose dataset is listed, with a second to deliver or be confirmed in."""
    town.settle_in(("accept = 600", "accept = 30"))
    provider = town.daemon()
    assert provider.dataset is not None
    return town, provider, provider.dataset


def records(town: Town) -> dict[str, str]:
    """Everything that our pallets store, and everybody's holds."""
    prefixes = [twox_128(name.encode()) for name in PALLETS]
    prefixes.append(twox_128(b"Balances") + twox_128(b"Holds"))
    found: dict[str, str] = {}
    for prefix in prefixes:
        start = "0x" + prefix.hex()
        while keys := town.chain.rpc.call("state_getKeysPaged", "0x" + prefix.hex(), 1000, start):
            (changes,) = town.chain.rpc.call("state_queryStorageAt", keys)
            found |= dict(changes["changes"])
            start = keys[-1]
    return found


@contextmanager
def refused(town: Town, name: str) -> Iterator[None]:
    """The block refuses the call by this name, and no record changes."""
    before = records(town)
    with pytest.raises(ChainError) as error:
        yield
    assert error.value.name == name
    assert before and records(town) == before


def send(town: Town, who: Identity, pallet: str, call: str, **arguments: object) -> None:
    town.chain.submit(town.signer(who), town.chain.call(pallet, call, **arguments))


def test_a_job_that_may_not_be_submitted(served: tuple[Town, Provider, int]) -> None:
    town, _, dataset = served
    model = town.model()
    submitted = town.order(dataset)
    good = {
        "dataset": dataset,
        "model": submitted.model_blob,
        "work": submitted.quote.work,
        "spec": town.spec(model),
        "max_price": submitted.quote.price,
        "seal_pk": town.buyer.seal_public,
    }

    def submit(**changes: object) -> None:
        jobs.submit(town.chain, town.signer(town.buyer), **{**good, **changes})  # type: ignore[arg-type]

    for name, changes in (
        ("Compute.MaxPriceTooLow", {"max_price": submitted.quote.price - 1}),
        ("Compute.MaxPriceTooLow", {"max_price": 0}),
        ("Compute.NoWork", {"work": 0}),
        ("Compute.CannotPay", {"work": 2**63, "max_price": 2**128 - 1}),
        ("Compute.BadSealKey", {"seal_pk": bytes(32)}),
        ("Compute.BadSealKey", {"seal_pk": OUTSIDE_THE_CURVE}),
        ("Compute.BlobMissing", {"model": bytes(32)}),
        ("Compute.DatasetUnavailable", {"dataset": 2**32 - 1}),
        ("Compute.BadBatch", {"spec": town.spec(model, epochs=0)}),
        ("Compute.UnknownNumerics", {"spec": town.spec(model, numerics=9999)}),
    ):
        with refused(town, name):
            submit(**changes)


def test_an_incomplete_blob_and_wrong_pieces(served: tuple[Town, Provider, int]) -> None:
    town, _, dataset = served
    content = bytes(300_000)
    parts = pieces(content)
    hashes = [piece_hash(index, part) for index, part in enumerate(parts)]
    send(town, town.buyer, "Blobs", "declare", length=len(content), pieces=hashes)
    blob = blob_hash(content)
    with refused(town, "Blobs.WrongPiece"):
        send(town, town.stranger, "Blobs", "put", hash=blob, index=0, data=b"other bytes")
    with refused(town, "Blobs.WrongPiece"):
        send(town, town.stranger, "Blobs", "put", hash=blob, index=1, data=parts[0])
    with refused(town, "Blobs.NoSuchPiece"):
        send(town, town.stranger, "Blobs", "put", hash=blob, index=2, data=parts[1])
    send(town, town.stranger, "Blobs", "put", hash=blob, index=0, data=parts[0])
    with refused(town, "Blobs.PieceKnown"):
        send(town, town.stranger, "Blobs", "put", hash=blob, index=0, data=parts[0])
    with refused(town, "Compute.BlobMissing"):
        jobs.submit(
            town.chain, town.signer(town.buyer), dataset=dataset, model=blob, work=1,
            spec=town.spec(town.model()), max_price=GRIST, seal_pk=town.buyer.seal_public,
        )  # fmt: skip
    with refused(town, "Blobs.NotYourBlob"):
        send(town, town.stranger, "Blobs", "remove", hash=blob)
    with refused(town, "Blobs.TooEarly"):
        send(town, town.stranger, "Blobs", "expire", hash=blob)
    assert blobs.missing(town.chain, blob) == [1]


def test_results_by_strangers_and_second_results(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    job = town.order(dataset).job
    for who in (town.stranger, town.buyer):
        with refused(town, "Compute.NotYourJob"):
            send(town, who, "Compute", "accept", job=job, noise_commit=None)
    provider.tick()
    for who in (town.stranger, town.buyer):
        with refused(town, "Compute.NotYourJob"):
            send(town, who, "Compute", "submit_result", job=job, **RESULT)
    with refused(town, "Compute.BlobMissing"):
        send(town, town.provider, "Compute", "submit_result", job=job, **RESULT)
    with refused(town, "Compute.TooEarly"):
        send(town, town.stranger, "Compute", "expire", job=job)
    provider.tick()
    assert town.state(job) == JobState.Delivered
    with refused(town, "Compute.WrongState"):
        send(town, town.provider, "Compute", "submit_result", job=job, **RESULT)
    with refused(town, "Compute.WrongState"):
        send(town, town.provider, "Compute", "fail", job=job, reason="Provider")
    for who in (town.stranger, town.provider):
        with refused(town, "Compute.NotYourJob"):
            send(town, who, "Compute", "confirm", job=job)
    jobs.confirm(town.chain, town.signer(town.buyer), job)
    for call in ("confirm", "cancel"):
        with refused(town, "Compute.WrongState"):
            send(town, town.buyer, "Compute", call, job=job)
    with refused(town, "Compute.WrongState"):
        send(town, town.stranger, "Compute", "expire", job=job)


def test_an_expired_job_can_only_be_expired(town: Town) -> None:
    town.settle_in(("accept = 600", "accept = 1"))
    provider = town.daemon()
    assert provider.dataset is not None
    job = town.order(provider.dataset).job
    time.sleep(1.1)
    for who, call, arguments in (
        (town.provider, "accept", {"noise_commit": None}),
        (town.provider, "reject", {"reason": "Busy"}),
        (town.buyer, "cancel", {}),
    ):
        with refused(town, "Compute.TooLate"):
            send(town, who, "Compute", call, job=job, **arguments)
    held = town.money(town.buyer).held
    record = jobs.read(town.chain, job)
    jobs.expire(town.chain, town.signer(town.stranger), job)
    assert town.state(job) == JobState.Expired
    assert held - town.money(town.buyer).held == record.price + record.fee


def test_a_dataset_that_may_not_be_registered_or_changed(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    mine = town.chain.value("Datasets", "Datasets", dataset)
    good = {name: mine[name] for name in ("kind", "schema", "root", "rows", "chunks", "seal_pk", "policy")}
    for name, changes in (
        ("Datasets.BadSealKey", {"seal_pk": bytes(32)}),
        ("Datasets.BadSealKey", {"seal_pk": OUTSIDE_THE_CURVE}),
        ("Datasets.WrongChunks", {"chunks": 99}),
        ("Datasets.WrongChunks", {"rows": 2**64 - 1}),
        ("Datasets.WrongChunks", {"rows": 0}),
        ("Datasets.StreamsUnsupported", {"kind": "Stream"}),
    ):
        with refused(town, name):
            send(town, town.provider, "Datasets", "register", **{**good, **changes})
    for call, arguments in (("close", {}), ("update", {"root": bytes(32), "rows": 1, "chunks": 1})):
        with refused(town, "Datasets.NotYourDataset"):
            send(town, town.stranger, "Datasets", call, id=dataset, **arguments)
    assert provider.dataset == dataset


@pytest.mark.parametrize(
    "text", ["0x", "0x00", "0x04", "0xff", "0x" + "ff" * 1000, "0x" + "84" * 400_000, "x", 7]
)
def test_a_malformed_extrinsic(town: Town, text: object) -> None:
    before, head = records(town), town.chain.rpc.call("chain_getHeader")
    with pytest.raises(ClientError) as error:
        town.chain.rpc.call("author_submitExtrinsic", text)
    assert error.value.name in ("RpcError", "InvalidTransaction", "InvalidFormat")
    assert records(town) == before and town.chain.rpc.call("chain_getHeader") == head
    assert town.chain.rpc.call("author_pendingExtrinsics") == []


def test_a_signature_by_another_key(town: Town) -> None:
    """The bytes of a good extrinsic with one bit of the signature turned."""
    call = town.chain.call("System", "remark", remark=b"")
    good = bytearray(town.chain.sign(town.signer(town.buyer), call))
    good[60] ^= 1
    before = records(town)
    with pytest.raises(ClientError) as error:
        town.chain.rpc.call("author_submitExtrinsic", "0x" + good.hex())
    assert error.value.name in ("RpcError", "InvalidTransaction", "InvalidFormat")
    assert records(town) == before


def test_the_daemon_leaves_the_jobs_of_its_other_datasets_alone(served: tuple[Town, Provider, int]) -> None:
    """One account, two data directories: each serves its own dataset and does not reject the other's jobs."""
    town, provider, dataset = served
    town.data = town.home / "second"
    town.make_rows(seed=3)
    town.settle_in(("rows1.csv", "rows3.csv"))
    second = town.daemon()
    assert second.dataset is not None and second.dataset != dataset
    job = town.order(dataset).job
    assert second.tick() == 0 and town.state(job) == JobState.Submitted
    assert provider.tick() == 1 and town.state(job) == JobState.Accepted
    assert buyer.quote(town.chain, second.dataset, town.model(), town.spec(town.model())).price
