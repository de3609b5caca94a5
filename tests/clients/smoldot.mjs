// Answers one JSON line with one JSON line, so that one light client serves a whole test session.
//   {"id": 1, "spec": "<raw chain spec>"}            → {"id": 1, "genesis_hash": "0x…"} or {"id": 1, "error": "…"}
//   {"id": 2, "known": "rococo_v2_2_asset_hub"}      → {"id": 2, "spec": "<that chain's spec>"}
import { createInterface } from "node:readline";
import { start } from "smoldot";
import * as known from "@substrate/connect-known-chains";

// Nothing here may reach the network: the state root follows from the spec alone.
const client = start({ maxLogLevel: 1, forbidTcp: true, forbidWs: true, forbidNonLocalWs: true, forbidWss: true });

async function genesisHash(chainSpec) {
  const chain = await client.addChain({ chainSpec, disableJsonRpc: false });
  try {
    chain.sendJsonRpc('{"jsonrpc":"2.0","id":1,"method":"chainSpec_v1_genesisHash","params":[]}');
    return JSON.parse(await chain.nextJsonRpcResponse()).result;
  } finally {
    chain.remove();
  }
}

async function answer(request) {
  if (request.known) return { spec: known[request.known] };
  return { genesis_hash: await genesisHash(request.spec) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let reply;
  try {
    reply = await answer(request);
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(JSON.stringify({ id: request.id, ...reply }) + "\n");
}
process.exit(0);
