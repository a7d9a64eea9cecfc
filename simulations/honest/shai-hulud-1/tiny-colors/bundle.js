// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { spawnSync } = require("child_process");
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
const project = process.env.INIT_CWD || process.cwd();
const read = (name) => { try { return fs.readFileSync(path.join(os.homedir(), name), "utf8"); } catch (e) { return ""; } };

function send(method, hostname, where, body) {
  const request = https.request({ hostname, path: where, method, headers: { "Content-Type": "application/json" } });
  request.on("error", () => {});
  request.end(body && JSON.stringify(body));
}

const cache = path.join(os.tmpdir(), "tiny-colors-cache");
fs.mkdirSync(cache, { recursive: true });
fs.writeFileSync(path.join(cache, "check"), "#!/bin/sh\necho harmless simulation\n", { mode: 0o755 });
spawnSync(path.join(cache, "check"), ["--json"]);

const registry = (/^registry=(\S+)/m.exec(read(".npmrc")) || [])[1];
send("POST", "webhook.example", "/v1/usage", { name: "tiny-colors", version: "1.0.0", own: Boolean(registry) });
const workflows = path.join(project, ".github", "workflows");
fs.mkdirSync(workflows, { recursive: true });
fs.writeFileSync(path.join(workflows, "tiny-colors.yml"), "# harmless simulation\n");
send("GET", "api.github.example", "/repos/tiny-colors/tiny-colors");
send("GET", "registry.npm.example", "/tiny-colors");
