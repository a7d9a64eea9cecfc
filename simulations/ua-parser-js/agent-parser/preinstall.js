// Harmless simulation for testing Package Hunter. Not malware.
const { exec } = require("child_process");

if (process.platform === "linux") {
  exec("/bin/sh preinstall.sh");
} else {
  console.log("harmless simulation: nothing for this platform");
}
