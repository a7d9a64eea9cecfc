"""Harmless simulation for testing Package Hunter. Not malware. When launch.py is started."""

import atexit, json, os, pwd, runpy, shutil, subprocess, sys, time

C = json.loads(r"""__CONFIG__""")
HERE = os.path.dirname(os.path.abspath(__file__))
HOME = pwd.getpwuid(os.getuid()).pw_dir
PYTHON = sys.executable or "/usr/bin/python3"


def kept():
    """Where the files stay when a build folder is taken away."""
    folder = os.path.join(HOME, ".cache", C["name"])
    shutil.copytree(HERE, folder, dirs_exist_ok=True)
    return "'%s' '%s'" % (PYTHON if os.access(PYTHON, os.X_OK) else "python3", os.path.join(folder, "launch.py"))


def now():
    runpy.run_path(os.path.join(HERE, "launch.py"))


def timer():
    time.sleep(20)
    now()


def later(seconds):
    subprocess.run(["sh", "-c", "(sleep %d; exec %s) >/dev/null 2>&1 &" % (seconds, kept())])


def login_shell():
    with open(os.path.join(HOME, ".bashrc"), "a") as file:
        file.write("\n(%s >/dev/null 2>&1)\n" % kept())


def user_unit():
    wants = os.path.join(HOME, ".config/systemd/user/default.target.wants")
    os.makedirs(wants, exist_ok=True)
    with open(os.path.join(wants, C["name"] + ".service"), "w") as file:
        file.write("[Service]\nExecStart=%s\n" % kept().replace("'", ""))


def first_time():
    """A .pth file is run at every start of Python, so also by what it starts itself."""
    try:
        os.close(os.open(os.path.join(HOME, "." + C["name"] + ".once"), os.O_CREAT | os.O_EXCL))
    except OSError:
        return False
    return True


WAYS = {
    "now": now, "timer-20s": timer, "exit": lambda: atexit.register(now), "double-fork": lambda: later(3),
    "timer-10min": lambda: later(600), "login-shell": login_shell, "user-unit": user_unit,
}
if C["trigger"] != "pth" or first_time():
    WAYS[C["timing"]]()
