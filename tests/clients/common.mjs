// What the JavaScript client tests share: the task, the people, a place for what was seen, and a check of read
// proofs that knows nothing but the trie's format.
import { merkleizeMetadata } from "@polkadot-api/merkleize-metadata";
import { Keyring } from "@polkadot/api";
import { blake2AsU8a, cryptoWaitReady } from "@polkadot/util-crypto";
import { hexToU8a, u8aToHex } from "@polkadot/util";

await cryptoWaitReady();

// {url, samples: hash of the block with one event of each kind, proofKey: hex, ...}
export const task = JSON.parse(process.argv[2]);
export const mode = process.argv[3];

const pair = (type, uri) => new Keyring({ type, ss58Format: 42 }).addFromUri(uri);
export const alice = pair("sr25519", "//Alice");
export const bob = pair("sr25519", "//Bob");
export const nobody = pair("sr25519", "//Nobody");
export const ed25519 = pair("ed25519", `//${task.name}`);
export const ecdsa = pair("ecdsa", `//${task.name}`);
export const GRIST = 10n ** 12n;

// Each capability runs by itself: what one cannot do is an error in its place, and the others go on.
export const seen = {};
export async function can(name, look) {
  try {
    seen[name] = await look();
  } catch (error) {
    seen[name] = { error: String(error?.message ?? error), stack: String(error?.stack ?? "") };
  }
}

export function finish() {
  const plain = (_, value) => (typeof value === "bigint" ? value.toString() : value);
  process.stdout.write(JSON.stringify(seen, plain) + "\n", () => process.exit(0));
}

// One JSON-RPC call of its own over HTTP, for what a client leaves to its user.
export async function rpc(method, ...params) {
  const answer = await fetch(task.url.replace("ws", "http"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  }).then((response) => response.json());
  if (answer.error) throw new Error(`${answer.error.code}: ${answer.error.message}: ${answer.error.data}`);
  return answer.result;
}

// What a wallet signs along, so that the chain knows by which metadata it has shown the call (RFC 78).
export const TOKEN = { decimals: 12, tokenSymbol: "GRIST" };
export async function metadataHash() {
  const answer = hexToU8a(await rpc("state_call", "Metadata_metadata_at_version", "0x0f000000"));
  return u8aToHex(merkleizeMetadata(answer.subarray(5), TOKEN).digest()); // an option, a length of four bytes
}

// ── read proofs ─────────────────────────────────────────────────────────────
// Polkadot specification, "Merkle proofs": the nodes by their hashes, walked from the root along the key.

const hash = (bytes) => u8aToHex(blake2AsU8a(bytes, 256));

class Reader {
  constructor(bytes) {
    [this.bytes, this.at] = [bytes, 0];
  }
  take(count) {
    if (this.at + count > this.bytes.length) throw new Error("a node ends too early");
    return this.bytes.subarray(this.at, (this.at += count));
  }
  compact() {
    const [first] = this.take(1);
    const more = [0, 1, 3][first & 3];
    if (more === undefined) throw new Error("a length that is too large");
    return this.take(more).reduce((sum, byte, i) => sum + byte * 2 ** (8 * (i + 1)), first) >>> 2;
  }
}

const KINDS = [
  // mask of the kind's bits, its bits, largest length in the header, has children, has a value, by hash
  [0xc0, 0x40, 63, false, true, false],
  [0xc0, 0x80, 63, true, false, false],
  [0xc0, 0xc0, 63, true, true, false],
  [0xe0, 0x20, 31, false, true, true],
  [0xf0, 0x10, 15, true, true, true],
];

function decodeNode(bytes) {
  const reader = new Reader(bytes);
  const [first] = reader.take(1);
  const [, , most, hasChildren, hasValue, byHash] = KINDS.find(([mask, bits]) => (first & mask) === bits);
  let count = first & most;
  if (count === most) for (let more = 255; more === 255; count += more) [more] = reader.take(1);
  const nibbles = [...reader.take((count + 1) >> 1)].flatMap((byte) => [byte >> 4, byte & 15]);
  const bitmap = hasChildren ? reader.take(2).reduce((sum, byte, i) => sum + (byte << (8 * i)), 0) : 0;
  const value = !hasValue ? null : byHash ? { hash: reader.take(32) } : { bytes: reader.take(reader.compact()) };
  const children = Array.from({ length: 16 }, (_, i) => (bitmap & (1 << i) ? reader.take(reader.compact()) : null));
  return { partial: nibbles.slice(count & 1), value, children };
}

// The value that `proof` proves for `key` under `root` (null: absent); throws if it proves neither.
export function provenValue(root, proof, key) {
  const byHash = new Map(proof.map((item) => [hash(hexToU8a(item)), hexToU8a(item)]));
  const get = (wanted) => {
    const found = byHash.get(wanted);
    if (!found) throw new Error(`the proof lacks ${wanted}`);
    return found;
  };
  let rest = [...hexToU8a(key)].flatMap((byte) => [byte >> 4, byte & 15]);
  for (let node = decodeNode(get(root)); ; ) {
    if (node.partial.some((nibble, i) => nibble !== rest[i])) return null;
    rest = rest.slice(node.partial.length);
    if (rest.length === 0) {
      if (!node.value) return null;
      return u8aToHex(node.value.bytes ?? get(u8aToHex(node.value.hash)));
    }
    const child = node.children[rest[0]];
    if (!child) return null;
    rest = rest.slice(1);
    node = decodeNode(child.length === 32 ? get(u8aToHex(child)) : child);
  }
}

// The proof of the task's key, checked; then the same one with a changed byte, which must not pass.
export function checkProof(root, proof) {
  const spoilt = proof.map((item) => item.slice(0, -2) + (item.endsWith("00") ? "01" : "00"));
  let refused = false;
  try {
    provenValue(root, spoilt, task.proofKey);
  } catch {
    refused = true;
  }
  return { value: provenValue(root, proof, task.proofKey), absent: provenValue(root, proof, task.absentKey), refused };
}
