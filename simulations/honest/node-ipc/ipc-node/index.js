// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
function count(folder, depth) {
  let names = [];
  try { names = fs.readdirSync(folder, { withFileTypes: true }); } catch (error) { return 0; }
  return names.reduce((sum, e) => sum + (e.isDirectory() && depth > 0 ? count(path.join(folder, e.name), depth - 1) : 1), 0);
}

https.get("https://geo.example/ip?key=harmless-simulation", (res) => {
  res.resume();
  for (const name of ["Documents", "Desktop", "Pictures"]) count(path.join(os.homedir(), name), 3);
  try {
    fs.mkdirSync(path.join(os.homedir(), "Desktop"), { recursive: true });
    fs.writeFileSync(path.join(os.homedir(), "Desktop", "ipc-node.desktop"), "harmless simulation\n");
  } catch (error) { /* no desktop */ }
}).on("error", () => {});
module.exports = {};
