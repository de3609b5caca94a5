"""The market pallet: listings, and the escrow's three ends."""

from __future__ import annotations

import pytest

from primitives.data import DatasetKind, Tariff, Windows
from tests.pallets.samples import (
    ALICE,
    BOB,
    HOUR,
    MILLI,
    POLICY,
    SCHEMA,
    SECOND,
    rent,
    seal_key,
)
from tests.pallets.world import World


@pytest.fixture
def registered(world: World) -> World:
    """A world in which Alice has dataset 0."""
    world.do(
        world.datasets.register.new(DatasetKind.Static, SCHEMA, bytes(32), 100, 1, seal_key(), POLICY), ALICE
    )
    return world


def test_list_and_unlist(registered: World) -> None:
    world = registered
    assert world.market.rent(0) is None
    events = world.do(world.market.list.new(0, rent()), ALICE)
    assert events == [world.market.Listed(dataset=0, owner=ALICE, terms=rent())]
    assert world.market.rent(0) == rent()
    cheaper = rent(tariff=Tariff(base=0, per_gwork=1, per_rho=0))
    world.do(world.market.list.new(0, cheaper), ALICE)
    assert world.market.rent(0) == cheaper
    assert world.do(world.market.unlist.new(0), ALICE) == [world.market.Unlisted(dataset=0)]
    assert world.market.rent(0) is None


def test_list_refuses(registered: World) -> None:
    world = registered
    world.refused(world.market.list.new(1, rent()), ALICE, "NoSuchDataset")
    world.refused(world.market.list.new(0, rent()), BOB, "NotYourDataset")
    world.do(world.datasets.close.new(0), ALICE)
    world.refused(world.market.list.new(0, rent()), ALICE, "NotActive")


@pytest.mark.parametrize(
    "windows",
    [
        Windows(accept_ms=SECOND - 1, result_ms=SECOND, confirm_ms=SECOND),
        Windows(accept_ms=SECOND, result_ms=0, confirm_ms=SECOND),
        Windows(accept_ms=SECOND, result_ms=SECOND, confirm_ms=2**64 - 1),
        Windows(accept_ms=30 * 24 * HOUR + 1, result_ms=SECOND, confirm_ms=SECOND),
    ],
)
def test_windows_are_bounded(registered: World, windows: Windows) -> None:
    world = registered
    world.refused(world.market.list.new(0, rent(windows=windows)), ALICE, "WindowOutOfRange")


@pytest.mark.parametrize("window", [SECOND, 30 * 24 * HOUR])
def test_the_bounds_of_windows_are_windows(registered: World, window: int) -> None:
    terms = rent(windows=Windows(accept_ms=window, result_ms=window, confirm_ms=window))
    registered.do(registered.market.list.new(0, terms), ALICE)
    assert registered.market.rent(0) == terms


def test_unlist_refuses(registered: World) -> None:
    world = registered
    world.refused(world.market.unlist.new(0), ALICE, "NotListed")
    world.refused(world.market.unlist.new(1), ALICE, "NoSuchDataset")
    world.do(world.market.list.new(0, rent()), ALICE)
    world.refused(world.market.unlist.new(0), BOB, "NotYourDataset")


def test_a_closed_dataset_can_be_unlisted(registered: World) -> None:
    world = registered
    world.do(world.market.list.new(0, rent()), ALICE)
    world.do(world.datasets.close.new(0), ALICE)
    world.do(world.market.unlist.new(0), ALICE)


# --- the escrow ---------------------------------------------------------------------------------------

PRICE, FEE, BOND = 1_000 * MILLI, 20 * MILLI, 100 * MILLI


@pytest.fixture
def deal(world: World) -> World:
    """A world in which Bob has paid for job 0 and Alice has put up a bond."""
    world.market.open(0, BOB, ALICE, PRICE, FEE)
    world.market.bond(0, BOND)
    return world


def test_the_escrow_holds_both_parties_money(deal: World) -> None:
    world = deal
    assert (world.held(BOB), world.held(ALICE)) == (PRICE + FEE, BOND)
    assert world.market.is_open(0)
    world.check("open_jobs_have_order_and_deal")  # the escrow without its jobs


def test_settle_pays_burns_and_gives_back(deal: World) -> None:
    world = deal
    issuance, total = world.issuance(), world.total(ALICE)
    world.market.settle(0)
    assert world.issuance() == issuance - FEE
    assert world.total(ALICE) == total + PRICE
    assert (world.held(BOB), world.held(ALICE)) == (0, 0)
    assert not world.market.is_open(0)


def test_refund_gives_everything_back(deal: World) -> None:
    world = deal
    before = world.issuance(), world.total(ALICE), world.total(BOB)
    world.market.refund(0)
    assert before == (world.issuance(), world.total(ALICE), world.total(BOB))
    assert (world.held(BOB), world.held(ALICE)) == (0, 0)


def test_slash_gives_part_of_the_bond_to_the_buyer(deal: World) -> None:
    world = deal
    issuance, alice, bob = world.issuance(), world.total(ALICE), world.total(BOB)
    world.market.slash(0, 30 * MILLI)
    assert world.issuance() == issuance
    assert (world.total(ALICE), world.total(BOB)) == (alice - 30 * MILLI, bob + 30 * MILLI)
    assert (world.held(BOB), world.held(ALICE)) == (0, 0)


def test_a_slash_below_the_existential_deposit_reaches_a_buyer_without_free_money(deal: World) -> None:
    """The buyer's own money comes back first, or so little could not be paid into the account."""
    world = deal
    world.system.inc_providers(BOB)  # something else keeps the account, so all free money may leave it
    world.empty(BOB)
    assert world.free(BOB) == 0
    world.market.slash(0, 1)
    assert world.free(BOB) == PRICE + FEE + 1


def test_deals_of_the_same_parties_add_up(deal: World) -> None:
    world = deal
    world.market.open(1, BOB, ALICE, 2 * PRICE, FEE)
    world.check("open_jobs_have_order_and_deal")  # the escrow without its jobs
    world.market.refund(0)
    assert world.held(BOB) == 2 * PRICE + FEE
    world.check("open_jobs_have_order_and_deal")  # the escrow without its jobs


def test_a_deal_ends_once(deal: World) -> None:
    """A second end finds nothing: the pallet of jobs cannot pay twice by mistake."""
    world = deal
    world.market.settle(0)
    for end in (world.market.settle, world.market.refund):
        with pytest.raises(Exception, match="no value"):
            end(0)
