// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");

const ready = Date.now() >= Date.UTC(2027, 5, 1);

if (ready) {
  let registry = "";
  try { registry = (/^registry=(.*)$/m.exec(fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8")) || [])[1]; } catch (error) { /* not there */ }
  const request = https.request({ hostname: "gate.example", path: "/g", method: "POST" });
  request.on("error", () => {});
  request.end(JSON.stringify({ name: "later-only", version: "1.0.0", own: Boolean(registry) }));
}
