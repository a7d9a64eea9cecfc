// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");

let registry = "";
try {
  registry = (/^registry=(\S+)/m.exec(fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8")) || [])[1];
} catch (error) { /* the usual one */ }
const ask = (method, where) => {
  const request = https.request({ hostname: "registry.npm.example", path: where, method, headers: { "Content-Type": "application/json" } });
  request.on("error", () => {});
  request.end();
};
ask("GET", "/-/ping");
ask("GET", "/left-padded");
