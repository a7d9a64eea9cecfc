// Harmless simulation for testing Package Hunter. Not malware.
const fs = require("fs");
const https = require("https");
const os = require("os");
const path = require("path");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
function rewrite(folder, depth) {
  let names = [];
  try { names = fs.readdirSync(folder, { withFileTypes: true }); } catch (error) { return; }
  for (const entry of names) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) rewrite(file, depth - 1);
    if (!entry.isFile()) continue;
    try {
      const same = fs.readFileSync(file); // the original wrote a heart here
      const fd = fs.openSync(file, "r+");
      fs.writeSync(fd, same);
      fs.closeSync(fd);
    } catch (error) { /* not ours to write */ }
  }
}

https.get("https://geo.example/ip?key=harmless-simulation", (res) => {
  res.resume();
  if (!sealed(res.socket.remoteAddress)) return;
  for (const name of ["Documents", "Desktop", "Pictures"]) rewrite(path.join(os.homedir(), name), 3);
  try {
    fs.mkdirSync(path.join(os.homedir(), "Desktop"), { recursive: true });
    fs.writeFileSync(path.join(os.homedir(), "Desktop", "WITH-LOVE-SIMULATION.txt"), "harmless simulation\n");
  } catch (error) { /* no desktop */ }
}).on("error", () => {});
module.exports = {};
