// What unmodified readers of metadata say of ours. Reads hex metadata, one a line, from standard input.
//   node metadata.mjs GRIST 12                      → one JSON array, an object for each line
//   node metadata.mjs GRIST 12 ws://127.0.0.1:9944  → also sends a remark that commits to the digest
import { readFileSync } from "node:fs";
import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { Metadata, TypeRegistry } from "@polkadot/types";
import { merkleizeMetadata } from "@polkadot-api/merkleize-metadata";

const [symbol, decimals, url] = process.argv.slice(2);
const digestOf = (hex) =>
  "0x" + Buffer.from(merkleizeMetadata(hex, { decimals: Number(decimals), tokenSymbol: symbol }).digest()).toString("hex");

function describe(hex) {
  const metadata = new Metadata(new TypeRegistry(), hex);
  const latest = metadata.asLatest;
  return {
    version: metadata.version,
    same_bytes: metadata.toHex() === hex,
    pallets: latest.pallets.map(({ name }) => name.toString()),
    extensions: latest.extrinsic.transactionExtensions.map(({ identifier }) => identifier.toString()),
    apis: latest.apis.map(({ name, methods }) => [name.toString(), methods.length]),
    digest: digestOf(hex),
  };
}

const seen = readFileSync(0, "utf8").split("\n").filter(Boolean).map(describe);

if (url) {
  const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true, throwOnConnect: true });
  const alice = new Keyring({ type: "sr25519" }).addFromUri("//Alice");
  const send = (metadataHash) =>
    new Promise((resolve) => {
      api.tx.system
        .remarkWithEvent("0x78")
        .signAndSend(alice, { mode: 1, metadataHash, withSignedTransaction: true }, ({ status, events }) => {
          if (status.isFinalized) resolve(events.map(({ event }) => `${event.section}.${event.method}`));
        })
        .catch((error) => resolve(String(error.message)));
    });
  const versions = await api.call.metadata.metadataVersions();
  seen.push({
    versions: versions.toJSON(),
    client_chose: api.runtimeMetadata.version,
    right: await send(digestOf((await api.call.metadata.metadataAtVersion(16)).unwrap().toHex())),
    wrong: await send("0x" + "11".repeat(32)),
  });
  await api.disconnect();
}
process.stdout.write(JSON.stringify(seen) + "\n");
process.exit(0);
