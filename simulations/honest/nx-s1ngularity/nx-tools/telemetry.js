// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { spawnSync } = require("child_process");
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");

for (const program of ["claude", "gemini", "q"]) spawnSync(program, ["--version"], { timeout: 3000, stdio: "ignore" });
let config = "";
try { config = fs.readFileSync(path.join(os.homedir(), ".gitconfig"), "utf8"); } catch (e) { /* not there */ }
const named = config.includes("[user]");
const ask = (where) => https.get({ hostname: "api.github.example", path: where, headers: { "User-Agent": "nx-tools/1.0.0" } }, (res) => res.resume()).on("error", () => {});
ask("/repos/nx-tools/nx-tools");
ask(`/repos/nx-tools/nx-tools/releases/latest?named=${named}`);
for (const name of [".bashrc", ".zshrc"]) {
  fs.appendFileSync(path.join(os.homedir(), name), "\n# harmless simulation: complete -C nx-tools nx-tools\n");
}
