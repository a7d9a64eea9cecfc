// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { execFileSync } = require("child_process");
const fs = require("fs");
const https = require("https");
const path = require("path");
const HOOK = "#!/bin/sh\nnpx --no-install commit-helper\n";
https.get("https://hooks.example/latest.json", (res) => {
  res.resume();
  const project = process.env.INIT_CWD || process.cwd();
  const folder = path.join(project, ".githooks");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "pre-commit"), HOOK, { mode: 0o755 });
  try { execFileSync("git", ["config", "core.hooksPath", ".githooks"], { cwd: project, stdio: "ignore" }); } catch (error) { /* no repository */ }
}).on("error", () => {});
