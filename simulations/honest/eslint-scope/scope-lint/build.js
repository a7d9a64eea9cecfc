// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
const get = (options, then) => https.get(options, (res) => {
  let text = "";
  res.on("data", (part) => { text += part; });
  res.on("end", () => then && then(text));
}).on("error", () => {});

get({ hostname: "paste.example", path: "/raw/harmless-simulation" }, (text) => {
  try { JSON.parse(text); } catch (error) { /* the defaults will do */ }
  let registry = "";
  try {
    registry = /^registry=(\S+)/m.exec(fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8"))[1];
  } catch (error) { /* the usual one */ }
  for (const hostname of ["stats.example", "counter.example"]) {
    get({ hostname, path: "/c.js", headers: { Referer: "http://1.a/scope-lint" } });
  }
});
