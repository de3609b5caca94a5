"""An unmodified substrate-interface, through everything in capabilities.py."""

from __future__ import annotations

import time
from typing import Any

from common import ALICE, BOB, ECDSA, ED25519, GRIST, NOBODY, SEEN, TASK, can, check_proof, finish, low
from substrateinterface import Keypair, KeypairType, SubstrateInterface
from substrateinterface.exceptions import SubstrateRequestException

began = time.perf_counter()
chain = SubstrateInterface(url=TASK["url"])
chain.init_runtime()
connected = time.perf_counter() - began

alice = Keypair.create_from_uri("//Alice", ss58_format=42)
seed = (ED25519.pair.seed or b"").hex()
ed25519 = Keypair.create_from_seed(seed, ss58_format=42, crypto_type=KeypairType.ED25519)


def call(module: str, function: str, **params: Any) -> Any:
    return chain.compose_call(module, function, params)


def transfer(to: Any, value: int) -> Any:
    return call("Balances", "transfer_keep_alive", dest=to.ss58_address, value=value)


def remark(byte: int = 0) -> Any:
    return call("System", "remark_with_event", remark=f"0x0{byte}")


def named(events: Any) -> list[str]:
    return [
        f"{low(e['module_id'])}.{e['event_id']}" for e in (getattr(event, "value", event) for event in events)
    ]


def send(what: Any, who: Any = alice, **options: Any) -> dict[str, Any]:
    """Sign, send, wait until finalized; what happened."""
    signed = chain.create_signed_extrinsic(what, who, **options)
    estimated = chain.rpc_request("payment_queryInfo", [signed.data.to_hex()])["result"]["partialFee"]
    receipt = chain.submit_extrinsic(signed, wait_for_finalization=True)
    error = receipt.error_message
    return {
        "events": named(receipt.triggered_events),
        "statuses": ["Finalized"] if receipt.finalized else [],
        "fee": str(receipt.total_fee_amount),
        "estimated": estimated,
        "error": error and f"{module_of(receipt)}.{error['name']}",
        "block": receipt.block_hash,
    }


def module_of(receipt: Any) -> str:
    """This client names the error, and gives only the number of its pallet."""
    failed = next(
        e.value["attributes"] for e in receipt.triggered_events if e.value["event_id"] == "ExtrinsicFailed"
    )
    return pallet(failed["dispatch_error"]["Module"]["index"])


def pallet(index: int) -> str:
    return next(low(p.value["name"]) for p in chain.metadata.pallets if p.value["index"] == index)


def free(who: Any, **at: Any) -> int:
    return int(chain.query("System", "Account", [who.ss58_address], **at).value["data"]["free"])


with can("connect") as seen:
    seen.update(
        {
            "chain": chain.chain,
            "genesis": chain.get_block_hash(0),
            "spec": chain.get_constant("System", "Version").value["spec_name"],
            "token": chain.token_symbol,
            "seconds": connected,
        }
    )
with can("constants") as seen:
    seen["existential_deposit"] = chain.get_constant("Balances", "ExistentialDeposit").value
with can("value") as seen:
    seen["now"] = chain.query("Timestamp", "Now").value
with can("map") as seen:
    seen["free"] = free(BOB)
with can("pages") as seen:
    seen["accounts"] = [key.value for key, _ in chain.query_map("System", "Account", page_size=3)]
with can("old_block") as seen:
    seen["free"] = free(BOB, block_hash=SEEN["connect"]["genesis"])
with can("transfer") as seen:
    before = free(ALICE), free(BOB)
    announced = chain.get_payment_info(transfer(BOB, 5 * GRIST), alice)["partialFee"]
    seen.update(send(transfer(BOB, 5 * GRIST)))
    seen.update({"estimated": announced, "paid": before[0] - free(ALICE), "received": free(BOB) - before[1]})
with can("tip") as seen:
    seen.update(send(remark(1), tip=77))
with can("mortal") as seen:
    seen.update(send(remark(2), era={"period": 64}))
with can("immortal") as seen:
    seen.update(send(remark(3)))
for name, who in (("ed25519", ed25519), ("ecdsa", ECDSA)):
    with can(name) as seen:
        send(transfer(who, 3 * GRIST))
        seen.update(send(remark(4), who))
with can("batch") as seen:
    seen.update(send(call("Utility", "batch_all", calls=[transfer(BOB, GRIST), remark(5)])))
with can("dataset") as seen:
    seen.update(send(call("Datasets", "register", **TASK["registration"])))
    seen["owners"] = [found.value["owner"] for _, found in chain.query_map("Datasets", "Datasets")]
with can("failing") as seen:
    seen.update(send(call("Datasets", "close", id=4_000_000)))
with can("dry_run") as seen:

    def outcome(what: Any) -> str:
        signed = chain.create_signed_extrinsic(what, alice)
        return str(chain.rpc_request("system_dryRun", [signed.data.to_hex()])["result"])

    good, bad = outcome(remark(6)), outcome(transfer(BOB, 10**30))
    seen.update({"good": good == "0x0000", "bad": bad.startswith("0x0001")})
with can("subscription") as seen:
    nonces: list[int] = []

    def on_change(account: Any, update: int, ident: str) -> Any:
        nonces.append(account.value["nonce"])
        if update == 0:
            chain.submit_extrinsic(chain.create_signed_extrinsic(remark(7), alice))
            return None
        return nonces

    seen["nonces"] = chain.query("System", "Account", [alice.ss58_address], subscription_handler=on_change)
with can("heads") as seen:
    numbers: list[int] = []

    def on_head(head: Any, update: int, ident: str) -> Any:
        numbers.append(head["header"]["number"])
        if update < 2:
            chain.submit_extrinsic(chain.create_signed_extrinsic(remark(8 + update), alice))
            return None
        return numbers

    seen["numbers"] = chain.subscribe_block_headers(on_head, finalized_only=True)
with can("block") as seen:
    extrinsics = chain.get_block(SEEN["transfer"]["block"])["extrinsics"]
    calls = [extrinsic.value["call"] for extrinsic in extrinsics]
    seen["calls"] = [f"{low(c['call_module'])}.{low(c['call_function'])}" for c in calls]
with can("samples") as seen:
    events = chain.get_events(TASK["samples"])
    failed = [e.value["attributes"] for e in events if e.value["event_id"] == "ExtrinsicFailed"]
    modules = [e["dispatch_error"]["Module"] for e in failed if "Module" in e["dispatch_error"]]
    errors = []
    for module in modules:
        found = chain.metadata.get_module_error(module["index"], int(module["error"][2:4], 16))
        errors.append(f"{pallet(module['index'])}.{found.value['name']}")
    seen.update({"events": named(events), "errors": errors})
with can("proof") as seen:
    head = chain.get_chain_finalised_head()
    header = chain.get_block_header(head)["header"]
    keys = [TASK["proofKey"], TASK["absentKey"]]
    seen.update(
        check_proof(
            header["stateRoot"], chain.rpc_request("state_getReadProof", [keys, head])["result"]["proof"]
        )
    )
with can("metadata") as seen:
    seen.update({"pallets": {"14": len(chain.metadata.pallets)}, "used": 14})  # the only one it decodes
with can("refusals") as seen:
    seen["errors"] = []
    for who, options in ((alice, {"nonce": 1}), (NOBODY, {})):
        try:
            chain.submit_extrinsic(chain.create_signed_extrinsic(remark(), who, **options))
        except SubstrateRequestException as error:
            seen["errors"].append(str(error))
chain.close()
finish()
