// An unmodified polkadot-api, through everything in capabilities.py.   node papi.mjs '<task>'
import { Binary, Enum, createClient } from "polkadot-api";
import { getPolkadotSigner, withMetadataHash } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import WebSocket from "ws";
import { decAnyMetadata, unifyMetadata } from "@polkadot-api/substrate-bindings";
import { GRIST, TOKEN, alice, bob, can, checkProof, ecdsa, ed25519, finish, nobody, seen, task } from "./common.mjs";

const client = createClient(getWsProvider(task.url, { websocketClass: WebSocket }));
const api = client.getUnsafeApi();
const { tx, query } = api;
const KINDS = { sr25519: "Sr25519", ed25519: "Ed25519", ecdsa: "Ecdsa" };
const signer = (pair) => getPolkadotSigner(pair.addressRaw, KINDS[pair.type], (data) => pair.sign(data));
const free = async (who, options = {}) => (await query.System.Account.getValue(who.address, options)).data.free;
const lower = (name) => name[0].toLowerCase() + name.slice(1);
const named = (events) => events.map(({ type, value }) => `${lower(type)}.${value.type}`);
const failure = (error) =>
  error?.type === "Module" ? `${lower(error.value.type)}.${error.value.value.type}` : error?.type ?? null;
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const transfer = (to, value) => tx.Balances.transfer_keep_alive({ dest: Enum("Id", to.address), value });
const remark = (byte = 0) => tx.System.remark_with_event({ remark: Uint8Array.of(byte) });

// Sends, waits until finalized, and tells what happened.
async function send(call, who, options = {}, key = signer(who)) {
  const statuses = [];
  return new Promise((resolve, reject) =>
    call.signSubmitAndWatch(key, options).subscribe({
      error: reject,
      next: (status) => {
        statuses.push(status.type);
        if (status.type !== "finalized") return;
        const fee = status.events.find((event) => event.value.type === "TransactionFeePaid")?.value.value.actual_fee;
        const error = status.dispatchError ? failure(status.dispatchError) : null;
        resolve({ events: named(status.events), statuses, fee, error, block: status.block.hash });
      },
    }),
  );
}

await can("connect", async () => {
  const { genesisHash, name, properties } = await client.getChainSpecData();
  const version = await api.constants.System.Version();
  return { chain: name, genesis: genesisHash, spec: version.spec_name, token: properties.tokenSymbol };
});
await can("constants", async () => ({ existential_deposit: await api.constants.Balances.ExistentialDeposit() }));
await can("value", async () => ({ now: Number(await query.Timestamp.Now.getValue()) }));
await can("map", async () => ({ free: await free(bob) }));
await can("pages", async () => ({
  accounts: (await query.System.Account.getEntries()).map(({ keyArgs }) => keyArgs[0]),
}));
await can("old_block", async () => ({ free: await free(bob, { at: seen.connect.genesis }) }));

await can("transfer", async () => {
  const before = [await free(alice), await free(bob)];
  const call = transfer(bob, 5n * GRIST);
  const estimated = await call.getEstimatedFees(alice.publicKey);
  const sent = await send(call, alice);
  return { ...sent, estimated, paid: before[0] - (await free(alice)), received: (await free(bob)) - before[1] };
});
await can("tip", async () => {
  const estimated = await remark(1).getEstimatedFees(alice.publicKey, { tip: 77n });
  return { ...(await send(remark(1), alice, { tip: 77n })), estimated };
});
await can("mortal", () => send(remark(2), alice, { mortality: { mortal: true, period: 64 } }));
await can("immortal", () => send(remark(3), alice, { mortality: { mortal: false } }));
for (const who of [ed25519, ecdsa])
  await can(who.type, async () => {
    await send(transfer(who, 3n * GRIST), alice);
    return send(remark(4), who);
  });
await can("metadata_hash", () => send(remark(4), alice, {}, withMetadataHash(TOKEN, signer(alice))));
await can("batch", () =>
  send(tx.Utility.batch_all({ calls: [transfer(bob, GRIST).decodedCall, remark(5).decodedCall] }), alice));
await can("dataset", async () => {
  const { kind, schema, root, rows, chunks, sealPk, policy } = task.registration;
  const column = ({ name, dtype, shape }) => ({ name: Binary.fromHex(name), dtype: Enum(dtype), shape });
  const call = tx.Datasets.register({
    kind: Enum(kind),
    schema: { columns: schema.columns.map(column), rows_per_chunk: schema.rowsPerChunk },
    root,
    rows: BigInt(rows),
    chunks,
    seal_pk: sealPk,
    policy: {
      ...Object.fromEntries(Object.entries(policy).map(([name, value]) => [snake(name), value])),
      without_dp: Enum("Anyone"),
      given_weights: Enum("Never"),
      rho_budget: BigInt(policy.rhoBudget),
      losses: policy.losses.map((name) => Enum(name)),
      optimizers: policy.optimizers.map((name) => Enum(name)),
    },
  });
  const found = async () => (await query.Datasets.Datasets.getEntries()).map(({ value }) => value.owner);
  return { ...(await send(call, alice)), owners: await found() };
});
await can("failing", () => send(tx.Datasets.close({ id: 4_000_000 }), alice));

await can("dry_run", async () => {
  const outcome = async (call) => client._request("system_dryRun", [await signedHex(call)]);
  const signedHex = async (call) => Binary.toHex(await call.sign(signer(alice)));
  const [good, bad] = [await outcome(remark(6)), await outcome(transfer(bob, 10n ** 30n))];
  return { good: good === "0x0000", bad: bad.startsWith("0x0001") };
});
await can("subscription", async () => {
  const nonces = [];
  const watching = query.System.Account.watchValue(alice.address).subscribe(({ value }) => nonces.push(value.nonce));
  while (!nonces.length) await new Promise((resolve) => setTimeout(resolve, 10));
  await send(remark(7), alice);
  watching.unsubscribe();
  return { nonces };
});
await can("heads", async () => {
  const numbers = [];
  const following = client.finalizedBlock$.subscribe(({ number }) => numbers.push(number));
  await send(remark(8), alice);
  await send(remark(9), alice);
  following.unsubscribe();
  return { numbers };
});
await can("block", async () => {
  const [inherent, signed] = await client.getBlockBody(seen.transfer.block);
  const call = await transfer(bob, 5n * GRIST).getEncodedData();
  if (!Binary.toHex(signed).endsWith(Binary.toHex(call).slice(2))) throw new Error("another extrinsic");
  const calls = [inherent.slice(2), call]; // an inherent: length, version, call
  const decoded = await Promise.all(calls.map((data) => api.txFromCallData(data)));
  return { calls: decoded.map(({ decodedCall: { type, value } }) => `${lower(type)}.${value.type}`) };
});
await can("samples", async () => {
  const events = await query.System.Events.getValue({ at: task.samples });
  const errors = events
    .filter(({ event }) => event.value.type === "ExtrinsicFailed" && event.value.value.dispatch_error.type === "Module")
    .map(({ event }) => failure(event.value.value.dispatch_error));
  return { events: named(events.map(({ event }) => event)), errors };
});
await can("proof", async () => {
  const { hash } = await client.getFinalizedBlock();
  const { stateRoot } = await client.getBlockHeader(hash);
  const { proof } = await client._request("state_getReadProof", [[task.proofKey, task.absentKey], hash]);
  return checkProof(stateRoot, proof);
});
await can("metadata", async () => {
  const pallets = {};
  for (const version of task.metadata) {
    const raw = await api.apis.Metadata.metadata_at_version(version);
    const metadata = decAnyMetadata(raw);
    pallets[metadata.metadata.tag.slice(1)] = unifyMetadata(metadata).pallets.length;
  }
  const used = decAnyMetadata(await client.getMetadata((await client.getFinalizedBlock()).hash));
  return { pallets, used: Number(used.metadata.tag.slice(1)) };
});
await can("refusals", async () => {
  const errors = [];
  for (const [who, options] of [[alice, { nonce: 1 }], [nobody, {}]])
    await remark().signAndSubmit(signer(who), options).catch((error) => errors.push(error.message));
  return { errors };
});
client.destroy();
finish();
