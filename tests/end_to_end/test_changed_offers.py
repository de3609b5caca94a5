"""A provider who changes what is on offer between a buyer's look and the buyer's order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from client import buyer, datasets, jobs
from client.buyer import blobs
from client.errors import InputError
from primitives.job import JobState
from tests.end_to_end.people import Town

Deed = Callable[[], object]


def ordered_while(town: Town, dataset: int, deed: Deed, monkeypatch: pytest.MonkeyPatch) -> InputError:
    """Order the usual job; the deed is done when the model is on the chain and the order not yet."""
    publish = blobs.publish

    def then(*given: object, **named: object) -> bytes:
        found: bytes = publish(*given, **named)  # type: ignore[arg-type]
        deed()
        return found

    monkeypatch.setattr(blobs, "publish", then)
    with pytest.raises(InputError) as error:
        town.order(dataset)
    monkeypatch.undo()
    return error.value


def test_an_order_for_other_rows_than_were_quoted_is_taken_back(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terms and rows are those of `submit`: who slips a worthless version in before would be paid for it."""
    town.settle_in()
    provider = town.daemon()
    assert provider.dataset is not None
    record = datasets.read(town.chain, provider.dataset)

    def swapped() -> None:
        call = town.chain.call(
            "Datasets", "update", id=provider.dataset, root=b"\7" * 32, rows=record.rows, chunks=record.chunks
        )
        town.chain.submit(town.signer(town.provider), call)

    before = town.money(town.buyer)
    error = ordered_while(town, provider.dataset, swapped, monkeypatch)
    assert error.name == "DatasetChanged"
    (job,) = [number for number, found in jobs.every(town.chain) if found.root == b"\7" * 32]
    assert town.state(job) == JobState.Cancelled
    held = town.money(town.buyer).held - before.held
    owned = buyer.blobs.owned(town.chain, town.buyer.keypair.account_id)
    assert held == sum(blob.deposit for _, blob in owned), "nothing but the model's deposit is held"
