// Drives an unmodified @polkadot/api against a node and prints what it saw, as one JSON object.
//   node polkadot.mjs ws://127.0.0.1:9944 '<arguments of datasets.register>'
import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";

const api = await ApiPromise.create({ provider: new WsProvider(process.argv[2]), noInitWarn: true, throwOnConnect: true });
const keyring = new Keyring({ type: "sr25519" });
const [alice, bob] = ["//Alice", "//Bob"].map((uri) => keyring.addFromUri(uri));
const ed = new Keyring({ type: "ed25519" }).addFromUri("//Alice");
const seen = { statuses: [] };

const free = async (who) => (await api.query.system.account(who.address)).data.free.toBigInt();

// Sends, waits until finalized, and gives the events of the extrinsic.
const send = (tx, who, options = {}) =>
  new Promise((resolve, reject) => {
    tx.signAndSend(who, options, ({ status, events, dispatchError }) => {
      seen.statuses.push(status.type);
      if (status.isFinalized) {
        const names = events.map(({ event }) => `${event.section}.${event.method}`);
        const data = Object.fromEntries(events.map(({ event }) => [`${event.section}.${event.method}`, event.data.toJSON()]));
        let error = null;
        if (dispatchError?.isModule) {
          const meta = api.registry.findMetaError(dispatchError.asModule);
          error = `${meta.section}.${meta.name}`;
        } else if (dispatchError) error = dispatchError.toString();
        resolve({ names, data, error, block: status.asFinalized.toHex() });
      }
    }).catch(reject);
  });

const heads = [];
const unsubscribeHeads = await api.rpc.chain.subscribeFinalizedHeads((head) => heads.push(head.number.toNumber()));
const balances = [];
const unsubscribeBalance = await api.query.system.account(bob.address, (account) => balances.push(account.data.free.toString()));

seen.chain = (await api.rpc.system.chain()).toString();
seen.properties = (await api.rpc.system.properties()).toJSON();
seen.genesis = api.genesisHash.toHex();
seen.existential_deposit = api.consts.balances.existentialDeposit.toString();
seen.pallets = Object.keys(api.tx);

const before = [await free(alice), await free(bob)];
const transfer = api.tx.balances.transferKeepAlive(bob.address, 5_000_000_000_000n);
const info = await transfer.paymentInfo(alice);
seen.fee_estimated = info.partialFee.toString();
seen.transfer = await send(transfer, alice);
seen.fee_charged = seen.transfer.data["transactionPayment.TransactionFeePaid"][1].toString();
const after = [await free(alice), await free(bob)];
seen.alice_paid = (before[0] - after[0]).toString();
seen.bob_received = (after[1] - before[1]).toString();

seen.batch = await send(
  api.tx.utility.batchAll([api.tx.balances.transferAllowDeath(bob.address, 10n ** 12n), api.tx.system.remark("0x1234")]),
  alice, { tip: 7 });
seen.failing = await send(api.tx.balances.transferKeepAlive(bob.address, 10n ** 30n), alice);
seen.immortal = (await send(api.tx.system.remarkWithEvent("0x00"), alice, { era: 0 })).names;
seen.funded = (await send(api.tx.balances.transferKeepAlive(ed.address, 3n * 10n ** 12n), alice)).names;
seen.ed25519 = (await send(api.tx.system.remarkWithEvent("0x01"), ed)).names;

const r = JSON.parse(process.argv[3]);
seen.dataset = await send(api.tx.datasets.register(r.kind, r.schema, r.root, r.rows, r.chunks, r.sealPk, r.policy), alice);
const datasets = await api.query.datasets.datasets.entries();
seen.datasets = datasets.map(([key, value]) => [key.args[0].toString(), value.unwrap().owner.toString()]);

seen.old_balance = (await (await api.at(api.genesisHash)).query.system.account(bob.address)).data.free.toString();
seen.next_index = (await api.rpc.system.accountNextIndex(alice.address)).toNumber();
const dryRun = await api.rpc.system.dryRun((await api.tx.system.remark("0x05").signAsync(alice)).toHex());
seen.dry_run = dryRun.isOk && dryRun.asOk.isOk;
const block = await api.rpc.chain.getBlock(seen.transfer.block);
seen.calls = block.block.extrinsics.map((xt) => `${xt.method.section}.${xt.method.method}`);
seen.accounts = (await api.query.system.account.keys()).length;
seen.metadata_version = api.runtimeMetadata.version;

unsubscribeHeads();
unsubscribeBalance();
seen.heads = heads;
seen.balances = balances;
seen.errors = [];
for (const [who, options] of [[alice, { nonce: 0 }], [keyring.addFromUri("//Nobody"), {}]])
  await api.tx.system.remark("0x06").signAndSend(who, options).catch((error) => seen.errors.push(error.message));
console.log(JSON.stringify(seen));
await api.disconnect();
