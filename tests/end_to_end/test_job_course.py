"""Whole jobs against a real node: the good one, and every way in which one may go wrong."""

from __future__ import annotations

import time
from dataclasses import replace as changed
from pathlib import Path

import numpy as np
import pytest

from client import blobs, buyer, datasets, jobs
from client.blobs import Progress
from client.errors import ChainError, ClientError, InputError
from client.provider import Provider
from client.verification import run_again
from executor.enclave import TrainResult
from executor.errors import ReceiptError
from primitives import job as rules
from primitives.data import Policy, WithoutDp, blob_hash, piece_hash, pieces
from primitives.job import FailReason, JobState, RejectReason, ResultPackage
from primitives.scale import decode, encode, replace
from primitives.sealing import model_context, result_context, seal
from primitives.spec import Init, steps
from tests.end_to_end.people import GRIST, Money, Town

SHORT = ("accept = 600", "accept = 1"), ("result = 3600", "result = 1"), ("confirm = 86400", "confirm = 1")


@pytest.fixture
def served(town: Town) -> tuple[Town, Provider, int]:
    """A provider whose dataset is registered and listed."""
    town.settle_in()
    provider = town.daemon()
    assert provider.dataset is not None
    return town, provider, provider.dataset


def refused_with(reason: RejectReason, town: Town, provider: Provider, job: int) -> None:
    """The daemon rejects the job for this reason, and the buyer has all money back."""
    before = town.money(town.buyer)
    provider.tick()
    record = jobs.read(town.chain, job)
    assert (record.state, record.reject_reason) == (JobState.Rejected, reason)
    after = town.money(town.buyer)
    assert after == Money(before.free + record.price + record.fee, before.held - record.price - record.fee)


def test_a_whole_job(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    submitted = town.order(dataset)
    seller, customer = town.money(town.provider), town.money(town.buyer)
    job = jobs.read(town.chain, submitted.job)
    assert job.price == submitted.quote.price and submitted.fee == rules.fee(job.price)
    provider.tick()
    assert town.state(submitted.job) == JobState.Accepted
    provider.tick()
    assert town.state(submitted.job) == JobState.Delivered
    fetched = buyer.fetch(town.chain, town.buyer, submitted.job)
    assert rules.weights_hash(fetched.package.weights) == fetched.package.receipt.weights_hash
    assert fetched.package.receipt.fuel <= submitted.quote.fuel
    signed = fetched.package.receipt
    assert run_again(town.chain, submitted.job, signed, town.data) == {}
    with pytest.raises(ReceiptError, match="committed to"):
        run_again(town.chain, submitted.job, replace(signed, steps=signed.steps + 1), town.data)
    paid = jobs.confirm(town.chain, town.signer(town.buyer), submitted.job)
    assert town.state(submitted.job) == JobState.Settled
    assert town.money(town.buyer).held == customer.held - job.price - job.fee
    assert town.money(town.buyer).free == customer.free - paid.fee
    earned = town.money(town.provider).total - seller.total
    assert job.price - GRIST < earned < job.price  # less the fees of its own extrinsics
    assert provider.tick() == 0


def test_the_same_rows_and_order_give_the_same_dataset(served: tuple[Town, Provider, int]) -> None:
    town, _, dataset = served
    assert town.daemon().dataset == dataset
    assert len([d for _, d in datasets.every(town.chain) if d.owner == town.provider.keypair.account_id]) == 1


def test_a_changed_file_does_not_match_its_commitment(served: tuple[Town, Provider, int]) -> None:
    town, _, _ = served
    path = town.home / "rows1.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], lines[-1].replace("16", "15", 1)]) + "\n")
    with pytest.raises(InputError) as error:
        town.daemon()
    assert error.value.name == "RowsAlreadyRegistered"


def test_other_rows_under_an_accepted_job_fail_it_openly(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    job = town.order(dataset).job
    provider.tick()
    other = town.settings_with_other_rows(provider)
    other.tick()
    record = jobs.read(town.chain, job)
    assert (record.state, record.fail_reason) == (JobState.Failed, FailReason.DatasetUnavailable)


def test_the_policy_file_reaches_the_chain(served: tuple[Town, Provider, int]) -> None:
    town, _, dataset = served
    path = town.data / "provider.toml"
    path.write_text(path.read_text().replace("epochs_max = 1000", "epochs_max = 1"))
    assert town.daemon().dataset == dataset
    policy: Policy = datasets.read(town.chain, dataset).policy
    assert policy.epochs_max == 1
    with pytest.raises(ChainError) as error:
        town.order(dataset)
    assert error.value.name == "Compute.PolicyForbids"


def test_a_convolutional_model_on_an_npz_file(town: Town) -> None:
    rows = np.random.default_rng(5)
    path = town.home / "rows.npz"
    np.savez(path, pixels=rows.integers(0, 17, (60, 1, 8, 8)).astype("u1"), label=np.arange(60) % 10)
    csv = str(town.make_rows())
    town.settle_in((csv, str(path)))
    provider = town.daemon()
    assert provider.dataset is not None
    model = town.model("cnn")
    spec = town.spec(model, epochs=1)
    order = buyer.Order(model, spec)
    quoted = buyer.quote(town.chain, provider.dataset, model, spec)
    job = buyer.submit(town.chain, town.buyer, order, quoted).job
    provider.tick()
    provider.tick()
    weights = buyer.fetch(town.chain, town.buyer, job).package.weights
    assert weights != model and abs(len(weights) - len(model)) < 200


def test_a_provider_without_money_for_the_bond_says_so(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    job = town.order(dataset).job
    free = town.money(town.provider).free
    away = {"dest": {"Id": town.stranger.keypair.account_id}, "value": free - 11 * GRIST // 1000}
    town.chain.submit(town.signer(town.provider), town.chain.call("Balances", "transfer_keep_alive", **away))
    refused_with(RejectReason.Busy, town, provider, job)


def test_one_defect_does_not_stop_the_others(
    served: tuple[Town, Provider, int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    town, provider, dataset = served
    bad, good = town.order(dataset).job, town.order(dataset, seed=b"\1" * 32).job
    examine = provider._examine

    def defective(number: int, job: jobs.Job) -> None:
        if number == bad:
            raise ValueError("a row: 0, 3, 16")
        examine(number, job)

    monkeypatch.setattr(provider, "_examine", defective)
    monkeypatch.setattr("client.provider.PAUSE", 60.0)
    assert provider.tick() == 1
    assert (town.state(bad), town.state(good)) == (JobState.Submitted, JobState.Accepted)
    assert "unforeseen ValueError" in caplog.text and "a row" not in caplog.text
    monkeypatch.undo()
    assert provider.tick() == 1, "the paused job is left alone for now"
    provider._pauses.clear()
    assert provider.tick() == 1
    assert (town.state(bad), town.state(good)) == (JobState.Accepted, JobState.Delivered)


# --- what the chain refuses


def test_too_low_a_price(served: tuple[Town, Provider, int]) -> None:
    town, _, dataset = served
    model = town.model()
    spec = town.spec(model)
    quoted = buyer.quote(town.chain, dataset, model, spec)
    with pytest.raises(InputError) as said:
        buyer.submit(town.chain, town.buyer, buyer.Order(model, spec), quoted, quoted.price - 1)
    assert said.value.name == "TooExpensive"
    cheap = replace(quoted, price=quoted.price - 1)
    before = town.money(town.buyer).held
    with pytest.raises(ChainError) as refused:
        buyer.submit(town.chain, town.buyer, buyer.Order(model, spec), cheap)
    assert refused.value.name == "Compute.MaxPriceTooLow"
    deposit = town.money(town.buyer).held - before
    assert 0 < deposit < GRIST  # the blob's deposit, nothing else


def test_an_incomplete_blob(served: tuple[Town, Provider, int]) -> None:
    town, _, dataset = served
    content = bytes(300_000)
    parts = pieces(content)
    hashes = [piece_hash(i, part) for i, part in enumerate(parts)]
    signer = town.signer(town.buyer)
    town.chain.submit(signer, town.chain.call("Blobs", "declare", length=len(content), pieces=hashes))
    blob = blob_hash(content)
    assert blobs.missing(town.chain, blob) == [0, 1]

    def submit() -> int:
        return jobs.submit(
            town.chain,
            signer,
            dataset=dataset,
            model=blob,
            work=1,
            spec=town.spec(town.model()),
            max_price=GRIST,
            seal_pk=town.buyer.seal_public,
        )[0]

    with pytest.raises(ChainError) as error:
        submit()
    assert error.value.name == "Compute.BlobMissing"
    with pytest.raises(ChainError) as wrong:
        town.chain.submit(
            signer, town.chain.call("Blobs", "put", hash=blob, index=1, data=b"x" * len(parts[1]))
        )
    assert wrong.value.name == "Blobs.WrongPiece"
    with pytest.raises(ClientError) as unread:
        blobs.fetch(town.chain, blob)
    assert unread.value.name == "BlobMissing"
    steps: list[tuple[int, int]] = []
    progress: Progress = lambda done, total: steps.append((done, total))  # noqa: E731
    assert blobs.publish(town.chain, town.signer(town.stranger), content, progress) == blob
    assert steps == [(1, 2), (2, 2)]
    assert blobs.fetch(town.chain, blob) == content
    assert submit() >= 0


def test_the_identity_as_encryption_key(served: tuple[Town, Provider, int]) -> None:
    town, _, dataset = served
    submitted = town.order(dataset)
    with pytest.raises(ChainError) as error:
        jobs.submit(
            town.chain,
            town.signer(town.buyer),
            dataset=dataset,
            model=submitted.model_blob,
            work=submitted.quote.work,
            spec=town.spec(town.model()),
            max_price=submitted.quote.price,
            seal_pk=bytes(32),
        )
    assert error.value.name == "Compute.BadSealKey"


def test_strangers_repeats_and_wrong_states(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    job = town.order(dataset).job
    result = {"sealed_hash": bytes(32), "sealed_len": 1, "commitment": bytes(32)}

    def name_of(call: bytes, who: str) -> str:
        with pytest.raises(ChainError) as error:
            town.chain.submit(town.signer(getattr(town, who)), call)
        return error.value.name or ""

    call = town.chain.call
    assert name_of(call("Compute", "submit_result", job=job, **result), "provider") == "Compute.WrongState"
    provider.tick()
    assert name_of(call("Compute", "submit_result", job=job, **result), "stranger") == "Compute.NotYourJob"
    assert name_of(call("Compute", "submit_result", job=job, **result), "provider") == "Compute.BlobMissing"
    assert name_of(call("Compute", "cancel", job=job), "buyer") == "Compute.WrongState"
    assert name_of(call("Compute", "confirm", job=job), "buyer") == "Compute.WrongState"
    assert name_of(call("Compute", "expire", job=job), "stranger") == "Compute.TooEarly"
    provider.tick()
    sealed = jobs.read(town.chain, job).sealed_hash
    assert name_of(call("Compute", "submit_result", job=job, **result), "provider") == "Compute.WrongState"
    assert jobs.read(town.chain, job).sealed_hash == sealed
    assert name_of(call("Compute", "confirm", job=job), "stranger") == "Compute.NotYourJob"
    with pytest.raises(InputError) as error:
        buyer.fetch(town.chain, town.stranger, job)
    assert error.value.name == "NotYourJob"
    with pytest.raises(InputError) as error:
        jobs.read(town.chain, 2**31)
    assert error.value.name == "NoSuchJob"


def test_cancel_gives_everything_back(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    job = town.order(dataset).job
    held = town.money(town.buyer).held
    jobs.cancel(town.chain, town.signer(town.buyer), job)
    record = jobs.read(town.chain, job)
    assert record.state == JobState.Cancelled
    assert held - town.money(town.buyer).held == record.price + record.fee
    assert provider.tick() == 0
    with pytest.raises(InputError) as error:
        buyer.fetch(town.chain, town.buyer, job)
    assert error.value.name == "NoResult"


def test_orders_that_cannot_succeed_cost_nothing(served: tuple[Town, Provider, int]) -> None:
    """Nothing is put on chain, and no deposit held, for an own dataset or without the money."""
    town, _, dataset = served
    model = town.model()
    order = buyer.Order(model, town.spec(model))
    quoted = buyer.quote(town.chain, dataset, model, order.spec)
    for who, price, name in (
        (town.provider, quoted.price, "OwnDataset"),
        (town.buyer, 10_000 * GRIST, "CannotPay"),
    ):
        before = town.money(who)
        with pytest.raises(InputError) as error:
            buyer.submit(town.chain, who, order, replace(quoted, price=price))
        assert error.value.name == name
        assert town.money(who) == before


def test_deposits_come_back_when_nothing_needs_the_bytes(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    town.settle_in(("keep_results = 7", "keep_results = 1"))
    provider = town.daemon()
    assert provider.dataset is not None
    job = town.order(provider.dataset).job
    provider.tick()
    provider.tick()
    result = jobs.read(town.chain, job).sealed_hash
    assert result is not None
    removed: list[bytes] = []
    honest = blobs.remove
    monkeypatch.setattr(blobs, "remove", lambda _chain, _signer, blob: removed.append(blob))
    now = town.chain.now()
    day = 24 * 3600 * 1000

    def wait(ms: int) -> None:
        monkeypatch.setattr(town.chain, "next_moment", lambda: now + ms)

    wait(2 * day)
    assert buyer.reclaim(town.chain, town.buyer) == [] and provider.tidy() == 0, (
        "an open job needs both blobs"
    )
    jobs.confirm(town.chain, town.signer(town.buyer), job)
    wait(0)
    assert buyer.reclaim(town.chain, town.buyer) == [] and provider.tidy() == 0, "too early for the chain"
    wait(day // 2)
    assert len(buyer.reclaim(town.chain, town.buyer)) == 1
    assert provider.tidy() == 0, "the buyer may still fetch it"
    wait(2 * day)
    assert provider.tidy() == 1 and removed[-1] == result
    assert provider.tidy() == 0, "once"
    monkeypatch.setattr(blobs, "remove", honest)
    monkeypatch.setattr(provider.journal, "find", lambda *_: None)
    assert provider.tidy() == 0, "the chain's own clock decides"
    assert "Blobs.TooEarly" in caplog.text


# --- what the clock does


def test_nobody_accepts(town: Town) -> None:
    town.settle_in(*SHORT)
    provider = town.daemon()
    assert provider.dataset is not None
    job = town.order(provider.dataset).job
    held = town.money(town.buyer).held
    time.sleep(1.1)
    assert provider.tick() == 0, "it is too late to accept or reject"
    jobs.expire(town.chain, town.signer(town.stranger), job)
    record = jobs.read(town.chain, job)
    assert record.state == JobState.Expired
    assert held - town.money(town.buyer).held == record.price + record.fee


def test_no_result_in_time_costs_the_provider(town: Town) -> None:
    town.settle_in(("result = 3600", "result = 1"))
    provider = town.daemon()
    assert provider.dataset is not None
    job = town.order(provider.dataset).job
    provider.tick()
    before = town.money(town.buyer)
    time.sleep(1.1)
    assert provider.tick() == 0
    jobs.expire(town.chain, town.signer(town.stranger), job)
    record = jobs.read(town.chain, job)
    assert record.state == JobState.Expired
    assert town.money(town.buyer).total > before.total, "part of the bond goes to the buyer"
    assert town.money(town.provider).held == town.dataset_deposit(provider)


def test_a_silent_buyer_pays_all_the_same(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.settle_in(("confirm = 86400", "confirm = 1"))
    provider = town.daemon()
    assert provider.dataset is not None
    job = town.order(provider.dataset).job
    provider.tick()
    provider.tick()
    with monkeypatch.context() as still:  # at the moment of the delivery, however long ago that is
        still.setattr(town.chain, "next_moment", town.chain.now)
        assert provider.tick() == 0
    time.sleep(1.1)
    assert provider.tick() == 1
    assert town.state(job) == JobState.Settled
    buyer.fetch(town.chain, town.buyer, job)


# --- what the daemon refuses


def test_less_work_declared_than_quoted(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    model = town.model()
    quoted = buyer.quote(town.chain, dataset, model, town.spec(model))
    job = town.order_unquoted(dataset, model, work=quoted.work - 1)
    refused_with(RejectReason.WorkMismatch, town, provider, job)


@pytest.mark.parametrize("model", [b"these bytes are no model", b"\x08\x07", bytes(1000)])
def test_bytes_that_are_no_model(served: tuple[Town, Provider, int], model: bytes) -> None:
    town, provider, dataset = served
    refused_with(RejectReason.ModelRefused, town, provider, town.order_unquoted(dataset, model))


def test_a_model_that_names_other_tensors(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    job = town.order_unquoted(dataset, town.model(), trainable=[b"no.such.weight"])
    refused_with(RejectReason.SpecRefused, town, provider, job)


def test_another_model_than_the_specification_names(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    job = town.order_unquoted(dataset, town.model(), model_hash=bytes(32))
    refused_with(RejectReason.ModelHashMismatch, town, provider, job)


def test_a_model_that_somebody_else_sealed(served: tuple[Town, Provider, int]) -> None:
    """The stranger copies the buyer's public blob and specification, to get the trained model."""
    town, provider, dataset = served
    submitted = town.order(dataset)
    jobs.cancel(town.chain, town.signer(town.buyer), submitted.job)
    job, _ = jobs.submit(
        town.chain,
        town.signer(town.stranger),
        dataset=dataset,
        model=submitted.model_blob,
        work=submitted.quote.work,
        spec=town.spec(town.model()),
        max_price=submitted.quote.price,
        seal_pk=town.stranger.seal_public,
    )
    provider.tick()
    assert jobs.read(town.chain, job).reject_reason == RejectReason.ModelNotSealedToMe


def test_given_weights_and_too_many_parameters(town: Town) -> None:
    town.settle_in(("params_per_row = 1000.0", "params_per_row = 0.5"))
    provider = town.daemon()
    assert provider.dataset is not None
    with pytest.raises(ChainError) as error:
        town.order(provider.dataset, init=Init.Given())
    assert error.value.name == "Compute.GivenWeightsForbidden"
    job = town.order(provider.dataset).job
    refused_with(RejectReason.TooManyParameters, town, provider, job)


def test_a_small_machine_refuses_big_jobs(town: Town) -> None:
    town.settle_in(("max_gwork = 100000.0", "max_gwork = 0.000001"))
    provider = town.daemon()
    assert provider.dataset is not None
    refused_with(RejectReason.TooMuchWork, town, provider, town.order(provider.dataset).job)


def test_a_policy_of_never_says_so_on_chain(town: Town) -> None:
    town.settle_in(('without_dp = "anyone"', 'without_dp = "never"'))
    provider = town.daemon()
    assert provider.dataset is not None
    assert isinstance(datasets.read(town.chain, provider.dataset).policy.without_dp, WithoutDp.Never)
    with pytest.raises(ChainError) as error:
        town.order(provider.dataset)
    assert error.value.name == "Compute.DpRequired"


# --- what the buyer refuses


class Cheat(Provider):
    """A provider whose results are altered before they are sealed."""

    def alter(self, package: ResultPackage) -> ResultPackage:
        return package

    def _train(self, number: int, job: jobs.Job) -> tuple[bytes, bytes]:
        data, _ = super()._train(number, job)
        altered = self.alter(decode(ResultPackage, data))
        return encode(ResultPackage, altered), rules.result_commitment(altered.receipt)


class OtherWeights(Cheat):
    def alter(self, package: ResultPackage) -> ResultPackage:
        weights = bytearray(package.weights)
        weights[len(weights) // 2] ^= 1
        return replace(package, weights=bytes(weights))


class OtherReceipt(Cheat):
    def alter(self, package: ResultPackage) -> ResultPackage:
        return replace(package, receipt=replace(package.receipt, steps=package.receipt.steps + 1))


class OtherJob(Cheat):
    def alter(self, package: ResultPackage) -> ResultPackage:
        return replace(package, receipt=replace(package.receipt, job=package.receipt.job + 1))


class OtherCommitment(Cheat):
    def _train(self, number: int, job: jobs.Job) -> tuple[bytes, bytes]:
        return super()._train(number, job)[0], bytes(32)


class NoPackage(Cheat):
    def _train(self, number: int, job: jobs.Job) -> tuple[bytes, bytes]:
        return b"no package at all", bytes(32)


class SealedToNobody(Provider):
    def _sealed(self, number: int, job: jobs.Job) -> bytes:
        sealed = seal(self.identity.seal_public, result_context(number), self.chain.genesis, b"x" * 100)
        self.journal.record(number, "sealed", sealed_hash=blob_hash(sealed).hex(), commitment="00" * 32)
        return sealed


CHEATS: dict[type[Provider], tuple[type[Exception], str]] = {
    OtherWeights: (ReceiptError, "weights"),
    OtherReceipt: (ReceiptError, "signature"),
    OtherJob: (ReceiptError, "another job"),
    OtherCommitment: (InputError, "committed"),
    NoPackage: (ReceiptError, "no result package"),
    SealedToNobody: (InputError, "does not open"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_false_result_is_not_taken(town: Town, cheat: type[Provider]) -> None:
    town.settle_in()
    honest = town.daemon()
    cheater = cheat(town.data, honest.settings, town.chain, town.provider)
    assert cheater.prepare() == honest.dataset
    job = town.order(cheater.prepare()).job
    cheater.tick()
    cheater.tick()
    assert town.state(job) == JobState.Delivered
    error, said = CHEATS[cheat]
    with pytest.raises(error, match=said):
        buyer.fetch(town.chain, town.buyer, job)


class FewerEpochs(Provider):
    """A provider who trains less than ordered and certifies it with a good signature."""

    def _enclave_run(self, number: int, job: jobs.Job, order: jobs.Order) -> TrainResult:
        less = changed(order, spec=replace(order.spec, epochs=1))
        result = super()._enclave_run(number, job, less)
        return changed(result, steps=steps(order.spec, job.rows))


def test_a_signed_lie_is_found_by_training_again(town: Town) -> None:
    town.settle_in()
    honest = town.daemon()
    lazy = FewerEpochs(town.data, honest.settings, town.chain, town.provider)
    job = town.order(lazy.prepare(), epochs=2).job
    lazy.tick()
    lazy.tick()
    signed = buyer.fetch(town.chain, town.buyer, job).package.receipt
    assert run_again(town.chain, job, signed, town.data).keys() == {"weights_hash", "fuel"}


def test_an_order_from_another_machine_says_what_is_missing(served: tuple[Town, Provider, int]) -> None:
    town, provider, dataset = served
    job = town.order(dataset).job
    provider.tick()
    provider.tick()
    for path in (town.home / "orders").iterdir():
        path.unlink()
    with pytest.raises(InputError) as error:
        buyer.fetch(town.chain, town.buyer, job)
    assert error.value.name == "OrderUnknown"


def test_the_context_of_a_model_names_its_buyer(served: tuple[Town, Provider, int], tmp_path: Path) -> None:
    town, _, dataset = served
    mine = model_context(dataset, town.buyer.keypair.account_id)
    assert mine != model_context(dataset, town.stranger.keypair.account_id)
