// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const http = require("http");
const ask = (path, then) => {
  const request = http.request({ socketPath: "/var/run/docker.sock", path, method: "GET" }, (res) => {
    let text = "";
    res.on("data", (part) => { text += part; });
    res.on("end", () => then && then(text));
  });
  request.on("error", () => {});
  request.end();
};

ask("/_ping", () => ask("/version"));
