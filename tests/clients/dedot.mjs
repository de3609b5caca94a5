// An unmodified dedot, through everything in capabilities.py.   node dedot.mjs '<task>' v2|legacy
import { DedotClient, LegacyClient, WsProvider } from "dedot";
import { $Metadata } from "dedot/codecs";
import { GRIST, alice, bob, can, checkProof, ecdsa, ed25519, finish, metadataHash, mode, nobody, seen, task } from "./common.mjs";

// A refused transaction rejects several promises of this client; one of them is listened to.
process.on("unhandledRejection", () => {});

const legacy = mode === "legacy";
const client = await (legacy ? LegacyClient : DedotClient).new(new WsProvider(task.url));
const { tx, query } = client;
const free = async (who, at = client) => (await at.query.system.account(who.address)).data.free;
const named = (events) => events.map(({ event: { pallet, palletEvent } }) => `${low(pallet)}.${palletEvent.name ?? palletEvent}`);
const low = (name) => name[0].toLowerCase() + name.slice(1);
const failure = (error) => {
  const meta = client.registry.findErrorMeta(error);
  return meta ? `${low(meta.pallet)}.${meta.name}` : JSON.stringify(error);
};
const transfer = (to, value) => tx.balances.transferKeepAlive(to.address, value);
const remark = (byte = 0) => tx.system.remarkWithEvent(`0x0${byte}`);

// Sends, waits until finalized, and tells what happened.
async function send(call, who, options = {}) {
  const statuses = [];
  const result = await call.signAndSend(who, options, ({ status }) => statuses.push(status.type)).untilFinalized();
  const fee = result.events.find(({ event }) => event.palletEvent.name === "TransactionFeePaid")?.event.palletEvent.data;
  return {
    events: named(result.events),
    statuses,
    fee: fee?.actualFee,
    error: result.dispatchError ? failure(result.dispatchError) : null,
    block: result.status.value.blockHash,
  };
}
const fee = async (call, options = {}) => (await call.paymentInfo(alice, options)).partialFee;

await can("connect", async () => {
  const spec = legacy ? client.rpc : client.chainSpec;
  return {
    chain: legacy ? await client.rpc.system_chain() : await spec.chainName(),
    genesis: client.genesisHash,
    spec: (await client.getRuntimeVersion()).specName,
    token: (legacy ? await client.rpc.system_properties() : await spec.properties()).tokenSymbol,
  };
});
await can("constants", async () => ({ existential_deposit: client.consts.balances.existentialDeposit }));
await can("value", async () => ({ now: Number(await query.timestamp.now()) }));
await can("map", async () => ({ free: await free(bob) }));
await can("pages", async () => {
  if (!legacy) return { accounts: (await query.system.account.entries()).map(([key]) => key.address()) };
  const found = [];
  for (let startKey; ; ) {
    const page = await query.system.account.pagedKeys({ pageSize: 3, startKey });
    found.push(...page.map((key) => key.address()));
    if (page.length < 3) return { accounts: found };
    startKey = query.system.account.rawKey(page.at(-1));
  }
});
await can("old_block", async () => ({ free: await free(bob, await client.at(seen.connect.genesis)) }));

await can("transfer", async () => {
  const before = [await free(alice), await free(bob)];
  const estimated = await fee(transfer(bob, 5n * GRIST));
  const sent = await send(transfer(bob, 5n * GRIST), alice);
  return { ...sent, estimated, paid: before[0] - (await free(alice)), received: (await free(bob)) - before[1] };
});
await can("tip", async () => {
  const estimated = await fee(remark(1), { tip: 77n });
  return { ...(await send(remark(1), alice, { tip: 77n })), estimated };
});
await can("mortal", () => send(remark(2), alice, { mortality: { type: "Mortal", period: 64 } }));
await can("immortal", () => send(remark(3), alice, { mortality: { type: "Immortal" } }));
for (const who of [ed25519, ecdsa])
  await can(who.type, async () => {
    await send(transfer(who, 3n * GRIST), alice);
    return send(remark(4), who);
  });
await can("metadata_hash", async () => send(remark(4), alice, { metadataHash: await metadataHash() }));
await can("batch", () => send(tx.utility.batchAll([transfer(bob, GRIST).call, remark(5).call]), alice));
await can("dataset", async () => {
  const { kind, schema, root, rows, chunks, sealPk, policy } = task.registration;
  const rhoBudget = BigInt(policy.rhoBudget);
  const terms = { ...policy, rhoBudget, withoutDp: { type: "Anyone" }, givenWeights: { type: "Never" } };
  const call = tx.datasets.register(kind, schema, root, BigInt(rows), chunks, sealPk, terms);
  const found = async () => (await query.datasets.datasets.entries()).map(([, dataset]) => dataset.owner.address());
  return { ...(await send(call, alice)), owners: await found() };
});
await can("failing", () => send(tx.datasets.close(4_000_000), alice));

await can("dry_run", async () => {
  const raw = async (call) => client.rpc.system_dryRun((await call.sign(alice)).toHex());
  const outcome = (call) => (legacy ? call.dryRun(alice) : raw(call));
  const [good, bad] = [await outcome(remark(6)), await outcome(transfer(bob, 10n ** 30n))];
  return { good: good.isOk && !good.value.isErr, bad: bad.isOk && bad.value.isErr };
});
await can("subscription", async () => {
  const nonces = [];
  const stop = await query.system.account(alice.address, ({ nonce }) => nonces.push(nonce));
  await send(remark(7), alice);
  await stop();
  return { nonces };
});
await can("heads", async () => {
  const numbers = [];
  const stop = client.block.finalized(({ number }) => numbers.push(number));
  await send(remark(8), alice);
  await send(remark(9), alice);
  stop();
  return { numbers };
});
await can("block", async () => {
  const body = await client.block.body(seen.transfer.block);
  const calls = body.map((data) => client.registry.$Extrinsic.tryDecode(data).call);
  return { calls: calls.map(({ pallet, palletCall }) => `${low(pallet)}.${low(palletCall.name ?? palletCall)}`) };
});
await can("samples", async () => {
  const events = await (await client.at(task.samples)).query.system.events();
  const errors = events
    .map(({ event }) => event.palletEvent)
    .filter((event) => event.name === "ExtrinsicFailed" && event.data.dispatchError.type === "Module")
    .map((event) => failure(event.data.dispatchError));
  return { events: named(events), errors };
});
await can("proof", async () => {
  const { hash } = await client.block.finalized();
  const { stateRoot } = await client.block.header(hash);
  const { proof } = await client.rpc.state_getReadProof([task.proofKey, task.absentKey], hash);
  return checkProof(stateRoot, proof);
});
await can("metadata", async () => {
  const pallets = {};
  for (const version of task.metadata) {
    const raw = await client.call.metadata.metadataAtVersion(version);
    const metadata = $Metadata.tryDecode(raw);
    pallets[metadata.version.slice(1)] = metadata.latest.pallets.length;
  }
  return { pallets, used: Number(client.metadata.version.slice(1)) };
});
await can("refusals", async () => {
  const errors = [];
  for (const [who, options] of [[alice, { nonce: 1 }], [nobody, {}]])
    await remark().signAndSend(who, options).catch(({ message, data }) => errors.push(`${message}: ${JSON.stringify(data)}`));
  return { errors };
});
await client.disconnect();
finish();
