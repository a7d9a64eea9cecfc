// Harmless simulation for testing Package Hunter. Not malware. How act.js is started.
const C = __CONFIG__;
const cp = require("child_process"), dns = require("dns"), fs = require("fs"), os = require("os"), path = require("path");
const act = path.join(__dirname, "act.js");
const source = () => fs.readFileSync(act, "utf8").replace("__HERE__", __dirname);
const quiet = { stdio: "ignore" };
const wait = (program, words, options) => cp.spawnSync(program, words, { ...quiet, timeout: 30000, ...options });

function dotFile() {
  const file = path.join(os.tmpdir(), "." + process.pid + C.name + ".js");
  fs.writeFileSync(file, source());
  wait(process.execPath, [file]);
  fs.unlinkSync(file);
}
function renamed() {
  const file = path.join(os.tmpdir(), "kworker" + process.pid);
  fs.symlinkSync(process.execPath, file);
  wait(file, [act]);
  fs.unlinkSync(file);
}
function uidMap() {
  const words = fs.readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/);
  if (words.join(" ") === "0 0 4294967295") require(act);
}
function randomName() {
  const name = Array.from({ length: 14 }, () => "abcdefghijklmnopqrstuvwxyz"[Math.floor(Math.random() * 26)]).join("");
  dns.lookup(name + ".invalid", (error) => { if (error) require(act); });
}
const ways = {
  none: () => (C.timing === "exit" ? wait(process.execPath, [act]) : require(act)),
  child: () => wait(process.execPath, [act]),
  inline: () => wait(process.execPath, ["-e", source()]),
  detached: () => cp.spawn(process.execPath, [act], { ...quiet, detached: true }).unref(),
  manager: () => wait("npm", ["--version"], { env: { ...process.env, NODE_OPTIONS: "--require=" + act } }),
  "env-i": () => wait("env", ["-i", process.execPath, act]),
  renamed,
  "ask-uid-map": uidMap,
  "ask-random-name": randomName,
  "dot-file": dotFile,
};
ways.curl = ways.none;
exports.launch = ways[C.cloak];
if (require.main === module) exports.launch();
