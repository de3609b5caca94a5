"""An unmodified async-substrate-interface, through everything in capabilities.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from async_substrate_interface import AsyncSubstrateInterface
from async_substrate_interface.errors import SubstrateRequestException
from common import ALICE, BOB, ECDSA, ED25519, GRIST, NOBODY, SEEN, TASK, can, check_proof, finish, low


def named(events: Any) -> list[str]:
    return [f"{low(event['module_id'])}.{event['event_id']}" for event in events]


class Client:
    """What the questions below share."""

    def __init__(self, chain: AsyncSubstrateInterface) -> None:
        self.chain = chain

    async def call(self, module: str, function: str, **params: Any) -> Any:
        return await self.chain.compose_call(module, function, params)

    async def transfer(self, to: Any, value: int) -> Any:
        return await self.call("Balances", "transfer_keep_alive", dest=to.ss58_address, value=value)

    async def remark(self, byte: int = 0) -> Any:
        return await self.call("System", "remark_with_event", remark=f"0x0{byte}")

    async def rpc(self, method: str, *params: Any) -> Any:
        return (await self.chain.rpc_request(method, list(params)))["result"]

    async def free(self, who: Any, **at: Any) -> int:
        found = await self.chain.query("System", "Account", [who.ss58_address], **at)
        return int(plain(found)["data"]["free"])

    async def send(self, what: Any, who: Any = ALICE, **options: Any) -> dict[str, Any]:
        """Sign, send, wait until finalized; what happened."""
        signed = await self.chain.create_signed_extrinsic(what, who, **options)
        info = await self.rpc("payment_queryInfo", str(signed.data))
        receipt = await self.chain.submit_extrinsic(signed, wait_for_finalization=True)
        error = await receipt.error_message
        return {
            "events": named(await receipt.triggered_events),
            "statuses": ["Finalized"] if receipt.finalized else [],
            "fee": str(await receipt.total_fee_amount),
            "estimated": info["partialFee"],
            "error": error and f"{await self.module_of(receipt)}.{error['name']}",
            "block": receipt.block_hash,
        }

    async def module_of(self, receipt: Any) -> str:
        """This client names the error, and gives only the number of its pallet."""
        events = await receipt.triggered_events
        failed = next(e["attributes"] for e in events if e["event_id"] == "ExtrinsicFailed")
        return await self.pallet(failed["dispatch_error"]["Module"]["index"])

    async def pallet(self, index: int) -> str:
        pallets = (await self.chain.init_runtime()).metadata.pallets
        return next(low(p.value["name"]) for p in pallets if p.value["index"] == index)


def plain(found: Any) -> Any:
    return getattr(found, "value", found)


async def look(client: Client) -> None:
    chain = client.chain
    with can("constants") as seen:
        seen["existential_deposit"] = plain(await chain.get_constant("Balances", "ExistentialDeposit"))
    with can("value") as seen:
        seen["now"] = plain(await chain.query("Timestamp", "Now"))
    with can("map") as seen:
        seen["free"] = await client.free(BOB)
    with can("pages") as seen:
        pages = await chain.query_map("System", "Account", page_size=3)
        seen["accounts"] = [plain(key) async for key, _ in pages]
    with can("old_block") as seen:
        seen["free"] = await client.free(BOB, block_hash=SEEN["connect"]["genesis"])


async def act(client: Client) -> None:
    chain = client.chain
    with can("transfer") as seen:
        before = await client.free(ALICE), await client.free(BOB)
        announced = await chain.get_payment_info(await client.transfer(BOB, 5 * GRIST), ALICE)
        seen.update(await client.send(await client.transfer(BOB, 5 * GRIST)))
        after = await client.free(ALICE), await client.free(BOB)
        seen.update({"paid": before[0] - after[0], "received": after[1] - before[1]})
        seen["estimated"] = announced["partial_fee" if "partial_fee" in announced else "partialFee"]
    with can("tip") as seen:
        seen.update(await client.send(await client.remark(1), tip=77))
    with can("mortal") as seen:
        seen.update(await client.send(await client.remark(2), era={"period": 64}))
    with can("immortal") as seen:
        seen.update(await client.send(await client.remark(3)))
    for name, who in (("ed25519", ED25519), ("ecdsa", ECDSA)):
        with can(name) as seen:
            await client.send(await client.transfer(who, 3 * GRIST))
            seen.update(await client.send(await client.remark(4), who))
    with can("batch") as seen:
        calls = [await client.transfer(BOB, GRIST), await client.remark(5)]
        seen.update(await client.send(await client.call("Utility", "batch_all", calls=calls)))
    with can("dataset") as seen:
        seen.update(await client.send(await client.call("Datasets", "register", **TASK["registration"])))
        found = await chain.query_map("Datasets", "Datasets")
        seen["owners"] = [plain(dataset)["owner"] async for _, dataset in found]
    with can("failing") as seen:
        seen.update(await client.send(await client.call("Datasets", "close", id=4_000_000)))
    with can("dry_run") as seen:

        async def outcome(what: Any) -> str:
            signed = await chain.create_signed_extrinsic(what, ALICE)
            answer = str(await client.rpc("system_dryRun", str(signed.data)))
            # This client counts the nonces that it has given out: what it signs has to be sent.
            await chain.submit_extrinsic(signed, wait_for_finalization=True)
            return answer

        good, bad = await outcome(await client.remark(6)), await outcome(await client.transfer(BOB, 10**30))
        seen.update({"good": good == "0x0000", "bad": bad.startswith("0x0001")})


async def until(done: Callable[[], bool]) -> None:
    for _ in range(1000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("nothing more came")


async def listen(client: Client) -> None:
    chain = client.chain
    with can("subscription") as seen:
        nonces: list[int] = []
        key = await chain.create_storage_key("System", "Account", [ALICE.ss58_address])

        async def on_change(storage_key: Any, account: Any, ident: str) -> None:
            nonces.append(plain(account)["nonce"])

        # A handler that ends the subscription by its result trips this client over itself: cancel instead.
        watching = asyncio.create_task(chain.subscribe_storage([key], on_change))
        await until(lambda: len(nonces) > 0)
        await client.send(await client.remark(7))
        await until(lambda: len(nonces) > 1)
        watching.cancel()
        seen["nonces"] = nonces
    with can("heads") as seen:
        numbers: list[int] = []

        async def on_head(head: Any) -> Any:
            numbers.append(head["header"]["number"])
            return numbers if len(numbers) > 2 else None

        watching = asyncio.create_task(chain.subscribe_block_headers(on_head, finalized_only=True))
        await until(lambda: len(numbers) > 0)
        for byte in (8, 9):
            await client.send(await client.remark(byte))
        await watching
        seen["numbers"] = numbers


async def study(client: Client) -> None:
    chain = client.chain
    with can("block") as seen:
        block = await chain.get_block(SEEN["transfer"]["block"])
        calls = [plain(extrinsic)["call"] for extrinsic in block["extrinsics"]]
        seen["calls"] = [f"{low(c['call_module'])}.{low(c['call_function'])}" for c in calls]
    with can("samples") as seen:
        events = await chain.get_events(TASK["samples"])
        failed = [e["attributes"] for e in events if e["event_id"] == "ExtrinsicFailed"]
        modules = [e["dispatch_error"]["Module"] for e in failed if "Module" in e["dispatch_error"]]
        metadata = (await chain.init_runtime()).metadata
        errors = []
        for module in modules:
            error = module["error"]
            number = int(error[2:4], 16) if isinstance(error, str) else error[0]
            name = metadata.get_module_error(module["index"], number).name
            errors.append(f"{await client.pallet(module['index'])}.{name}")
        seen.update({"events": named(events), "errors": errors})
    with can("proof") as seen:
        head = await chain.get_chain_finalised_head()
        header = (await chain.get_block_header(head))["header"]
        answer = await client.rpc("state_getReadProof", [TASK["proofKey"], TASK["absentKey"]], head)
        seen.update(check_proof(header["stateRoot"], answer["proof"]))
    with can("metadata") as seen:
        metadata = (await chain.init_runtime()).metadata
        seen.update(
            {
                "pallets": {"15": len(metadata.pallets)},
                "used": int(str(metadata.value[1]).split("V")[1][:2]),
            }
        )
    with can("refusals") as seen:
        seen["errors"] = []
        for who, options in ((ALICE, {"nonce": 1}), (NOBODY, {})):
            try:
                signed = await chain.create_signed_extrinsic(await client.remark(), who, **options)
                await chain.submit_extrinsic(signed)
            except SubstrateRequestException as error:
                seen["errors"].append(str(error))


async def main() -> None:
    began = time.perf_counter()
    async with AsyncSubstrateInterface(TASK["url"]) as chain:
        client = Client(chain)
        await chain.init_runtime()
        with can("connect") as seen:
            seen.update(
                {
                    "chain": await client.rpc("system_chain"),
                    "genesis": await chain.get_block_hash(0),
                    "spec": plain(await chain.get_constant("System", "Version"))["spec_name"],
                    "token": (await chain.properties)["tokenSymbol"],
                    "seconds": time.perf_counter() - began,
                }
            )
        for part in (look, act, listen, study):
            await part(client)
    finish()


asyncio.run(main())
