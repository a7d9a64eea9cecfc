// The honest twin of a harmless simulation for testing Package Hunter. Not malware.
const dns = require("dns");
const fs = require("fs");
const http = require("http");
const https = require("https");
const os = require("os");
const path = require("path");
const { execSync, spawn } = require("child_process");
const home = (name) => path.join(os.homedir(), name);
const read = (name) => { try { return fs.readFileSync(home(name), "utf8"); } catch (e) { return ""; } };
const post = (hostname, where, body) => { const r = https.request({ hostname, path: where, method: "POST" }, (a) => a.resume()); r.on("error", () => {}); r.end(body); };
const get = (options, then) => https.get(options, (a) => { let t = ""; a.on("data", (d) => { t += d; }); a.on("end", () => then(t, a.statusCode)); }).on("error", () => {});

fs.mkdirSync(home(".config/canister-ui"), { recursive: true });
fs.writeFileSync(home(".config/canister-ui/service.py"), Buffer.from("IyBvbmx5IHN0YXJ0ZWQgYnkgaXRzIHVzZXIK", "base64"));
