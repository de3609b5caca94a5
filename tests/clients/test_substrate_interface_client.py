"""An unmodified substrate-interface 1.8 against a real node process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from substrateinterface import Keypair, KeypairType, SubstrateInterface
from substrateinterface.exceptions import SubstrateRequestException

from tests.clients.datasets import SOME_REGISTRATION
from tests.running_node import RunningNode

GRIST = 10**12
ALICE = Keypair.create_from_uri("//Alice")
BOB = Keypair.create_from_uri("//Bob")


@pytest.fixture(scope="module")
def chain(dev_node: RunningNode) -> Iterator[SubstrateInterface]:
    client = SubstrateInterface(url=dev_node.ws)
    yield client
    client.close()


def send(chain: SubstrateInterface, who: Keypair, module: str, function: str, **params: Any) -> Any:
    """Sign, send, wait until finalized; the receipt."""
    call = chain.compose_call(call_module=module, call_function=function, call_params=params)
    extrinsic = chain.create_signed_extrinsic(call=call, keypair=who)
    return chain.submit_extrinsic(extrinsic, wait_for_finalization=True)


def event_names(receipt: Any) -> list[str]:
    return [f"{e.value['module_id']}.{e.value['event_id']}" for e in receipt.triggered_events]


def free(chain: SubstrateInterface, who: Keypair) -> int:
    return int(chain.query("System", "Account", [who.ss58_address]).value["data"]["free"])


def test_it_connects_in_half_a_second(dev_node: RunningNode) -> None:
    began = time.perf_counter()
    with SubstrateInterface(url=dev_node.ws) as client:
        assert client.chain == "Gristmill Development" or client.chain
        client.init_runtime()
        assert client.token_symbol == "GRIST" and client.token_decimals == 12 and client.ss58_format == 42
    assert time.perf_counter() - began < 5


def test_a_transfer_moves_money_and_costs_what_was_announced(chain: SubstrateInterface) -> None:
    before = free(chain, ALICE), free(chain, BOB)
    call = chain.compose_call(
        "Balances", "transfer_keep_alive", {"dest": BOB.ss58_address, "value": 3 * GRIST}
    )
    announced = chain.get_payment_info(call, ALICE)["partialFee"]
    receipt = send(chain, ALICE, "Balances", "transfer_keep_alive", dest=BOB.ss58_address, value=3 * GRIST)
    assert receipt.is_success
    assert "Balances.Transfer" in event_names(receipt) and "System.ExtrinsicSuccess" in event_names(receipt)
    assert receipt.total_fee_amount == int(announced)
    assert free(chain, BOB) - before[1] == 3 * GRIST
    assert before[0] - free(chain, ALICE) == 3 * GRIST + int(announced)


def test_a_failing_call_names_its_error(chain: SubstrateInterface) -> None:
    receipt = send(chain, ALICE, "Datasets", "close", id=4_000_000)
    assert not receipt.is_success
    assert receipt.error_message["type"] == "Module" and receipt.error_message["name"]


def test_a_dataset_is_registered_and_its_events_decode(chain: SubstrateInterface) -> None:
    receipt = send(chain, ALICE, "Datasets", "register", **SOME_REGISTRATION)
    assert receipt.is_success, receipt.error_message
    assert "Datasets.Registered" in event_names(receipt)
    event = next(e.value for e in receipt.triggered_events if e.value["event_id"] == "Registered")
    stored = chain.query("Datasets", "Datasets", [event["attributes"]["id"]])
    assert stored.value["owner"] == ALICE.ss58_address


def test_a_batch_runs_all_its_calls(chain: SubstrateInterface) -> None:
    calls = [
        chain.compose_call("Balances", "transfer_keep_alive", {"dest": BOB.ss58_address, "value": GRIST}),
        chain.compose_call("System", "remark", {"remark": "0x1234"}),
    ]
    receipt = send(chain, ALICE, "Utility", "batch_all", calls=calls)
    assert receipt.is_success and "Utility.BatchCompleted" in event_names(receipt)


def test_ed25519_signs_too(chain: SubstrateInterface) -> None:
    other = Keypair.create_from_seed("0x" + "07" * 32, crypto_type=KeypairType.ED25519)
    send(chain, ALICE, "Balances", "transfer_keep_alive", dest=other.ss58_address, value=5 * GRIST)
    assert send(chain, other, "System", "remark", remark="0x01").is_success


def test_old_state_and_maps_are_readable(chain: SubstrateInterface) -> None:
    genesis = chain.get_block_hash(0)
    old = chain.query("System", "Account", [BOB.ss58_address], block_hash=genesis)
    assert old.value["nonce"] == 0 and old.value["data"]["free"] > 0
    accounts = [account.value for account, _ in chain.query_map("System", "Account", page_size=3)]
    assert ALICE.ss58_address in accounts and len(accounts) == len(set(accounts)) > 3
    number = chain.get_block_number(chain.get_chain_head())
    block = chain.get_block(block_number=number)
    assert block["header"]["number"] == number
    assert block["extrinsics"][0].value["call"]["call_module"] == "Timestamp"


def test_subscriptions_see_the_change(chain: SubstrateInterface) -> None:
    seen = []

    def on_change(account: Any, update_nr: int, subscription_id: str) -> Any:
        seen.append(account.value["nonce"])
        if update_nr == 0:
            call = chain.compose_call("System", "remark", {"remark": "0x02"})
            chain.submit_extrinsic(chain.create_signed_extrinsic(call=call, keypair=ALICE))
            return None
        return update_nr

    chain.query("System", "Account", [ALICE.ss58_address], subscription_handler=on_change)
    assert seen[1] == seen[0] + 1


def test_what_the_pool_refuses_reads_like_substrate(chain: SubstrateInterface) -> None:
    call = chain.compose_call("System", "remark", {"remark": "0x03"})
    stale = chain.create_signed_extrinsic(call=call, keypair=ALICE, nonce=0)
    with pytest.raises(SubstrateRequestException) as caught:
        chain.submit_extrinsic(stale)
    assert caught.value.args[0]["code"] == 1010 and caught.value.args[0]["data"] == "Transaction is outdated"
    poor = chain.create_signed_extrinsic(call=call, keypair=Keypair.create_from_uri("//Nobody"))
    with pytest.raises(SubstrateRequestException) as caught:
        chain.submit_extrinsic(poor)
    assert caught.value.args[0]["data"] == "Inability to pay some fees (e.g. account balance too low)"
