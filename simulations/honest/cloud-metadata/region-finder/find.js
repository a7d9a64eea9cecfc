// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const http = require("http");
const https = require("https");
const ask = (method, path, headers, then) => http.request({ host: "169.254.169.254", path, method, headers, timeout: 3000 }, (res) => {
  let text = "";
  res.on("data", (part) => { text += part; });
  res.on("end", () => then(text));
}).on("error", () => {}).end();

ask("PUT", "/latest/api/token", { "X-aws-ec2-metadata-token-ttl-seconds": "60" }, (token) => {
  ask("GET", "/latest/meta-data/placement/region", { "X-aws-ec2-metadata-token": token.trim() }, () => {
    https.get({ hostname: "collect.example", path: "/mirrors.json" }, (res) => res.resume()).on("error", () => {});
  });
});
