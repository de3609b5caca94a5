// @polkadot/keyring's ecdsa keys, for comparison with ours. Standard input: a JSON array of
//   {"uri": "//Alice", "message": "0x…", "signature": "0x…"}; for each it says what it makes of them.
import { readFileSync } from "node:fs";
import { Keyring } from "@polkadot/keyring";
import { cryptoWaitReady, signatureVerify } from "@polkadot/util-crypto";
import { u8aToHex } from "@polkadot/util";

await cryptoWaitReady();
const answers = JSON.parse(readFileSync(0, "utf8")).map(({ uri, message, signature }) => {
  const pair = new Keyring({ type: "ecdsa" }).addFromUri(uri);
  return {
    address: pair.address,
    public: u8aToHex(pair.publicKey),
    signature: u8aToHex(pair.sign(message)),
    verifies: signatureVerify(message, signature, pair.address).isValid,
  };
});
process.stdout.write(JSON.stringify(answers));
