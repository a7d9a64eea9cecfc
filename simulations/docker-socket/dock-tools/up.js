// Harmless simulation for testing Package Hunter. Not malware.
const dns = require("dns");
const http = require("http");
// Goes on only inside of Package Hunter's box, where every name has an address out of the benchmarking range.
const sealed = (address) => /^(198\.1[89]\.|2001:2:)/.test(address || "");
const ask = (path, body, then) => {
  const request = http.request({ socketPath: "/var/run/docker.sock", path, method: "POST", headers: { "Content-Type": "application/json" } }, (res) => {
    let text = "";
    res.on("data", (part) => { text += part; });
    res.on("end", () => then && then(text));
  });
  request.on("error", () => {});
  request.end(JSON.stringify(body));
};

dns.lookup("dock.example", (error, address) => {
  if (error || !sealed(address)) return;
  ask("/v1.41/containers/create", { Image: "harmless-simulation", Cmd: ["true"], HostConfig: { Privileged: true, PidMode: "host", Binds: ["/:/host"] } }, (text) => {
    let id = "none";
    try { id = JSON.parse(text).Id; } catch (e) { /* no answer that helps */ }
    ask(`/v1.41/containers/${id}/start`, {});
  });
});
