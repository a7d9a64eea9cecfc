// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
let proxy = "";
for (const name of [".npmrc", ".curlrc", ".wgetrc"]) {
  try { proxy = proxy || (/^https-proxy=(.*)$/m.exec(fs.readFileSync(path.join(os.homedir(), name), "utf8")) || [])[1]; } catch (e) { /* not there */ }
}
https.get({ hostname: "kit.example", path: "/g.json" }, (res) => {
  res.pipe(fs.createWriteStream(path.join(__dirname, "table.json")));
}).on("error", () => {});
