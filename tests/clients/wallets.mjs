// What wallets do beyond plain transfers: an account of several owners, a pure account behind proxies, and an
// account with an ecdsa key. Drives an unmodified @polkadot/api and prints what it saw, as one JSON object.
//   node wallets.mjs ws://127.0.0.1:9944
import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { createKeyMulti, encodeAddress, sortAddresses } from "@polkadot/util-crypto";

const api = await ApiPromise.create({ provider: new WsProvider(process.argv[2]), noInitWarn: true, throwOnConnect: true });
const keyring = new Keyring({ type: "sr25519" });
const [alice, bob, charlie] = ["//Alice", "//Bob", "//Charlie"].map((uri) => keyring.addFromUri(uri));
const ecdsa = new Keyring({ type: "ecdsa" }).addFromUri("//Wallet");
const GRIST = 10n ** 12n;
const seen = {};

const free = async (address) => (await api.query.system.account(address)).data.free.toBigInt();
const send = (tx, who) =>
  new Promise((resolve, reject) => {
    tx.signAndSend(who, {}, ({ status, events, txIndex }) => {
      if (!status.isFinalized) return;
      const names = events.map(({ event }) => `${event.section}.${event.method}`);
      const data = Object.fromEntries(events.map(({ event }) => [`${event.section}.${event.method}`, event.data.toHuman()]));
      resolve({ names, data, txIndex, block: status.asFinalized });
    }).catch(reject);
  });

// ecdsa: receives, then sends
await send(api.tx.balances.transferKeepAlive(ecdsa.address, 5n * GRIST), alice);
seen.ecdsa = (await send(api.tx.balances.transferKeepAlive(bob.address, GRIST), ecdsa)).names;

// two of three
const owners = [alice, bob, charlie].map((pair) => pair.address);
const shared = encodeAddress(createKeyMulti(owners, 2), 42);
const others = (pair) => sortAddresses(owners.filter((address) => address !== pair.address), 42);
await send(api.tx.balances.transferKeepAlive(shared, 10n * GRIST), alice);
const payment = api.tx.balances.transferKeepAlive(ecdsa.address, GRIST);
const { weight } = await payment.paymentInfo(alice);
seen.opened = (await send(api.tx.multisig.approveAsMulti(2, others(alice), null, payment.method.hash, weight), alice)).names;
const [operation] = await api.query.multisig.multisigs.entries(shared);
const when = operation[1].unwrap().when;
seen.operation = operation[1].toHuman();
const closed = await send(api.tx.multisig.asMulti(2, others(bob), when, payment.method, weight), bob);
seen.executed = closed.data["multisig.MultisigExecuted"];
seen.left_open = (await api.query.multisig.multisigs.keys(shared)).length;

// a pure account
const created = await send(api.tx.proxy.createPure("Any", 0, 0), alice);
const pure = created.data["proxy.PureCreated"];
await send(api.tx.balances.transferKeepAlive(pure.pure, 5n * GRIST), alice);
await send(api.tx.proxy.proxy(pure.pure, null, api.tx.proxy.addProxy(charlie.address, "NonTransfer", 0)), alice);
seen.forbidden = (await send(api.tx.proxy.proxy(pure.pure, null, api.tx.balances.transferKeepAlive(bob.address, GRIST)), charlie)).data["proxy.ProxyExecuted"];
seen.allowed = (await send(api.tx.proxy.proxy(pure.pure, "NonTransfer", api.tx.system.remark("0x00")), charlie)).data["proxy.ProxyExecuted"];
const before = await free(bob.address);
seen.paid = (await send(api.tx.proxy.proxy(pure.pure, "Any", api.tx.balances.transferKeepAlive(bob.address, GRIST)), alice)).data["proxy.ProxyExecuted"];
seen.received = ((await free(bob.address)) - before).toString();
seen.proxies = (await api.query.proxy.proxies(pure.pure)).toHuman()[0];
const at = Number(pure.at.replaceAll(",", "")), index = Number(pure.extrinsicIndex.replaceAll(",", ""));
seen.killed = (await send(api.tx.proxy.proxy(pure.pure, null, api.tx.proxy.killPure(alice.address, "Any", 0, at, index)), alice)).names;

process.stdout.write(JSON.stringify(seen) + "\n");
process.exit(0);
