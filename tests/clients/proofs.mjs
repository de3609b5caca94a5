// Decodes read proofs with smoldot's decoder, as @acala-network/chopsticks-executor packs it. One JSON line in, one out:
//   {"root": "0x…", "proof": ["0x…", …]}  →  {"pairs": [["0x<key>", "0x<value>"], …]} or {"error": "…"}
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { decode_proof } = createRequire(import.meta.url)("@acala-network/chopsticks-executor");

for await (const line of createInterface({ input: process.stdin })) {
  const { root, proof } = JSON.parse(line);
  let reply;
  try {
    reply = { pairs: await decode_proof(root, proof) };
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}
process.exit(0);
