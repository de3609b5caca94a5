"""Jobs under differential privacy on a real chain: fine-tuning a buyer's model, and the budget."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from client import buyer, datasets, jobs
from client.errors import ChainError
from client.provider import Provider
from client.verification import run_again
from executor.enclave import Enclave, Limits, Secrets
from executor.errors import ReceiptError
from executor.initialise import init_key
from primitives.job import JobState
from primitives.spec import Dp, Init, TrainingSpec, rho_nano
from tests.end_to_end.people import Town

DP = Dp(clip_num=1, clip_den=1, sigma_milli=4000)
PRIVATE = (
    ('without_dp = "anyone"', 'without_dp = "never"'),
    ("rho_budget = 1.0", "rho_budget = 0.1"),
    ("sigma_min = 1.0", "sigma_min = 2.0"),
    ("metrics = [] ", 'metrics = ["LastEpochLoss"] '),
)


@pytest.fixture
def served(town: Town) -> tuple[Town, Provider, int]:
    """A provider who lets nobody train without differential privacy; budget ρ = 0.1."""
    town.settle_in(*PRIVATE)
    provider = town.daemon()
    assert provider.dataset is not None
    return town, provider, provider.dataset


def tensors(model: bytes) -> dict[str, bytes]:
    """The raw values of a model's initialisers."""
    graph = onnx.load_model_from_string(model).graph
    return {item.name: onnx.numpy_helper.to_array(item).tobytes() for item in graph.initializer}


def test_a_buyers_own_model_is_fine_tuned_under_privacy(served: tuple[Town, Provider, int]) -> None:
    """Given weights are welcome here because they are noised: only the last layer is trained."""
    town, provider, dataset = served
    model = town.model()
    spec = town.spec(model, dp=DP, init=Init.Given(), trainable=[b"3.weight", b"3.bias"])
    quoted = buyer.quote(town.chain, dataset, model, spec)
    assert quoted.rho == rho_nano(spec) == 62_500_000
    order = buyer.Order(model, spec)
    job = buyer.submit(town.chain, town.buyer, order, quoted).job
    assert datasets.budget(town.chain, dataset).reserved == quoted.rho
    provider.tick()
    accepted = jobs.read(town.chain, job)
    assert (accepted.state, accepted.noise_commit is not None) == (JobState.Accepted, True)
    provider.tick()
    package = buyer.fetch(town.chain, town.buyer, job).package
    assert run_again(town.chain, job, package.receipt, town.data) == {}
    secret = town.data / "secret"
    kept = secret.read_text()
    secret.write_text("11" * 32 + "\n")
    with pytest.raises(ReceiptError, match="not those"):  # the secret salts the rows, too
        run_again(town.chain, job, package.receipt, town.data)
    secret.write_text(kept)
    jobs.confirm(town.chain, town.signer(town.buyer), job)
    assert town.state(job) == JobState.Settled
    budget = datasets.budget(town.chain, dataset)
    assert (budget.reserved, budget.spent) == (0, quoted.rho)
    before, after = tensors(model), tensors(package.weights)
    assert {name for name in before if before[name] != after[name]} == {"3.weight", "3.bias"}
    assert package.receipt.metrics == []  # a loss on private rows would be a second release
    assert package.receipt.noise_commit == accepted.noise_commit
    assert accepted.beacon is not None
    assert package.weights == again(provider, job, model, spec, accepted.beacon)
    with pytest.raises(ChainError) as error:  # half of the budget is left, and this costs more
        town.order(dataset, dp=DP, epochs=3)
    assert error.value.name == "Compute.PrivacyBudgetExceeded"


def again(provider: Provider, job: int, model: bytes, spec: TrainingSpec, beacon: bytes) -> bytes:
    """The same job trained a second time by its provider: it must add the very same noise."""
    secret = Secrets(provider.secret.noise(provider.chain.genesis, job))
    key = init_key(beacon, job)
    return Enclave().train(model, provider.rows, spec, Limits(), secret, init_key=key).weights


def test_what_the_policy_refuses_costs_nothing(served: tuple[Town, Provider, int]) -> None:
    town, _, dataset = served
    before = town.money(town.buyer).held
    for change in ({}, {"dp": Dp(clip_num=1, clip_den=1, sigma_milli=1999)}):
        with pytest.raises(ChainError) as error:
            town.order(dataset, **change)
        assert error.value.name == "Compute.DpRequired"
    with pytest.raises(ChainError) as error:
        town.order(dataset, dp=DP, epochs=4)
    assert error.value.name == "Compute.PrivacyBudgetExceeded"
    held = town.money(town.buyer).held - before
    deposits = sum(blob.deposit for _, blob in buyer.blobs.owned(town.chain, town.buyer.keypair.account_id))
    assert held == deposits  # of the models, which are taken back with `job reclaim`
    assert datasets.budget(town.chain, dataset).reserved == 0


def test_noise_hides_what_one_row_does(served: tuple[Town, Provider, int]) -> None:
    """With and without one row, the weights differ by less than the noise moves them."""
    town, provider, _ = served
    model = town.model()
    spec = town.spec(model, dp=DP, init=Init.Given(), epochs=1)
    plain = town.spec(model, init=Init.Given(), epochs=1)
    first, second = (
        Enclave().train(model, provider.rows, spec, Limits(), Secrets(bytes([n]) * 32)).weights
        for n in (1, 2)
    )
    exact = Enclave().train(model, provider.rows, plain, Limits(), Secrets()).weights

    def vector(weights: bytes) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.concatenate([np.frombuffer(raw, "<f4") for raw in tensors(weights).values()])

    start = vector(model)
    noise = np.linalg.norm(vector(first) - vector(second))
    step = 0.1 * 1 / 16  # rate · clip / batch: the most that one row can move one step
    assert noise > 20 * step
    assert np.linalg.norm(vector(exact) - start) > 0
