// An unmodified @polkadot/api, through everything in capabilities.py.   node polkadot.mjs '<task>'
import { ApiPromise, WsProvider } from "@polkadot/api";
import { Metadata, TypeRegistry } from "@polkadot/types";
import { GRIST, alice, bob, can, checkProof, ecdsa, ed25519, finish, metadataHash, nobody, seen, task } from "./common.mjs";

const api = await ApiPromise.create({ provider: new WsProvider(task.url), noInitWarn: true, throwOnConnect: true });
const { tx, query } = api;
const free = async (who, at = api) => (await at.query.system.account(who.address)).data.free.toBigInt();
const named = (events) => events.map(({ event }) => `${event.section}.${event.method}`);

// Sends, waits until finalized, and tells what happened.
const send = (call, who, options = {}) =>
  new Promise((resolve, reject) => {
    const statuses = [];
    call.signAndSend(who, options, ({ status, events, dispatchError }) => {
      statuses.push(status.type);
      if (!status.isFinalized) return;
      const fee = events.find(({ event }) => event.method === "TransactionFeePaid")?.event.data.actualFee;
      const module = dispatchError?.isModule && api.registry.findMetaError(dispatchError.asModule);
      resolve({
        events: named(events),
        statuses,
        fee: fee?.toString(),
        error: module ? `${module.section}.${module.name}` : dispatchError?.toString() ?? null,
        block: status.asFinalized.toHex(),
      });
    }).catch(reject);
  });
const remark = (bytes = "0x00") => tx.system.remarkWithEvent(bytes);

await can("connect", async () => ({
  chain: (await api.rpc.system.chain()).toString(),
  genesis: api.genesisHash.toHex(),
  spec: api.runtimeVersion.specName.toString(),
  token: (await api.rpc.system.properties()).tokenSymbol.unwrap()[0].toString(),
}));
await can("constants", async () => ({ existential_deposit: api.consts.balances.existentialDeposit.toString() }));
await can("value", async () => ({ now: (await query.timestamp.now()).toNumber() }));
await can("map", async () => ({ free: await free(bob) }));
await can("pages", async () => {
  const found = [];
  for (let startKey; ; ) {
    const page = await query.system.account.entriesPaged({ args: [], pageSize: 3, startKey });
    found.push(...page.map(([key]) => key.args[0].toString()));
    if (page.length < 3) return { accounts: found };
    startKey = page.at(-1)[0];
  }
});
await can("old_block", async () => ({ free: await free(bob, await api.at(api.genesisHash)) }));

await can("transfer", async () => {
  const before = [await free(alice), await free(bob)];
  const call = tx.balances.transferKeepAlive(bob.address, 5n * GRIST);
  const estimated = (await call.paymentInfo(alice)).partialFee.toString();
  const sent = await send(call, alice);
  return { ...sent, estimated, paid: before[0] - (await free(alice)), received: (await free(bob)) - before[1] };
});
await can("tip", async () => {
  const call = remark("0x01");
  const estimated = (await call.paymentInfo(alice, { tip: 77 })).partialFee.toString();
  return { ...(await send(call, alice, { tip: 77 })), estimated };
});
await can("mortal", () => send(remark("0x02"), alice, { era: 64 }));
await can("immortal", () => send(remark("0x03"), alice, { era: 0 }));
for (const signer of [ed25519, ecdsa])
  await can(signer.type, async () => {
    await send(tx.balances.transferKeepAlive(signer.address, 3n * GRIST), alice);
    return send(remark("0x04"), signer);
  });
await can("metadata_hash", async () =>
  send(remark("0x04"), alice, { mode: 1, metadataHash: await metadataHash(), withSignedTransaction: true }));
await can("batch", () =>
  send(tx.utility.batchAll([tx.balances.transferKeepAlive(bob.address, GRIST), remark("0x05")]), alice));
await can("dataset", async () => {
  const { kind, schema, root, rows, chunks, sealPk, policy } = task.registration;
  const sent = await send(tx.datasets.register(kind, schema, root, rows, chunks, sealPk, policy), alice);
  const found = await query.datasets.datasets.entries();
  return { ...sent, owners: found.map(([, dataset]) => dataset.unwrap().owner.toString()) };
});
await can("failing", () => send(tx.datasets.close(4_000_000), alice));

await can("dry_run", async () => {
  const signed = async (call) => (await call.signAsync(alice, { nonce: -1 })).toHex();
  const good = await api.rpc.system.dryRun(await signed(remark("0x06")));
  const bad = await api.rpc.system.dryRun(await signed(tx.balances.transferKeepAlive(bob.address, 10n ** 30n)));
  return { good: good.isOk && good.asOk.isOk, bad: bad.isOk && bad.asOk.isErr };
});
await can("subscription", async () => {
  const values = [];
  const stop = await query.system.account(alice.address, (account) => values.push(account.nonce.toNumber()));
  await send(remark("0x07"), alice);
  stop();
  return { nonces: values };
});
await can("heads", async () => {
  const numbers = [];
  const stop = await api.rpc.chain.subscribeFinalizedHeads((head) => numbers.push(head.number.toNumber()));
  await send(remark("0x08"), alice);
  await send(remark("0x09"), alice);
  stop();
  return { numbers };
});
await can("block", async () => {
  const { block } = await api.rpc.chain.getBlock(seen.transfer.block);
  return { calls: block.extrinsics.map((xt) => `${xt.method.section}.${xt.method.method}`) };
});
await can("samples", async () => {
  const events = await (await api.at(task.samples)).query.system.events();
  const errors = events
    .filter(({ event }) => event.method === "ExtrinsicFailed" && event.data[0].isModule)
    .map(({ event }) => api.registry.findMetaError(event.data[0].asModule))
    .map(({ section, name }) => `${section}.${name}`);
  return { events: named(events), errors };
});
await can("proof", async () => {
  const header = await api.rpc.chain.getHeader();
  const { proof } = await api.rpc.state.getReadProof([task.proofKey, task.absentKey], header.hash);
  return checkProof(header.stateRoot.toHex(), proof.map((item) => item.toHex()));
});
await can("metadata", async () => {
  const pallets = {};
  for (const version of task.metadata) {
    const at = api.createType("u32", version).toHex(true);
    const answer = await api.rpc.state.call("Metadata_metadata_at_version", at);
    const raw = api.createType("Option<Bytes>", answer.toU8a(true));
    const metadata = new Metadata(new TypeRegistry(), raw.unwrap().toHex());
    pallets[metadata.version] = metadata.asLatest.pallets.length;
  }
  return { pallets, used: api.runtimeMetadata.version };
});
await can("refusals", async () => {
  const errors = [];
  for (const [who, options] of [[alice, { nonce: 1 }], [nobody, {}]])
    await remark().signAndSend(who, options).catch((error) => errors.push(error.message));
  return { errors };
});
await api.disconnect();
finish();
