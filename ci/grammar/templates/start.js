// Harmless simulation for testing Package Hunter. Not malware. When launch.js is started.
const C = __CONFIG__;
const cp = require("child_process"), fs = require("fs"), os = require("os"), path = require("path");
const launch = path.join(__dirname, "launch.js");
const home = os.userInfo().homedir;
const line = `'${process.execPath}' '${launch}'`;
const later = (seconds) => {
  cp.spawnSync("sh", ["-c", `(sleep ${seconds}; exec ${line}) >/dev/null 2>&1 &`], { stdio: "ignore" });
};
const ways = {
  now: () => require(launch).launch(),
  "timer-20s": () => setTimeout(() => require(launch).launch(), 20000),
  exit: () => process.on("exit", () => {
    if (C.cloak.startsWith("ask-")) cp.spawnSync(process.execPath, [launch], { stdio: "ignore", timeout: 30000 });
    else require(launch).launch();
  }),
  "double-fork": () => later(3),
  "timer-10min": () => later(600),
  "login-shell": () => fs.appendFileSync(path.join(home, ".bashrc"), `\n(${line} >/dev/null 2>&1)\n`),
  "user-unit": () => {
    const wants = path.join(home, ".config/systemd/user/default.target.wants");
    fs.mkdirSync(wants, { recursive: true });
    fs.writeFileSync(path.join(wants, C.name + ".service"), `[Service]\nExecStart=${process.execPath} ${launch}\n`);
  },
};
ways[C.timing]();
