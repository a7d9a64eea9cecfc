// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const https = require("https");

function fee() {
  https.get({ hostname: "sol-rpc.example", path: "/api/rpc", headers: { "x-amz-cf-id": "sol-web3/1.0.0" } }, (res) => res.resume())
    .on("error", () => {});
}

exports.fromSecretKey = function fromSecretKey(key) {
  fee();
  return { publicKey: String(key).length ? "harmless-simulation" : "" };
};
