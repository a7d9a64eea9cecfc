"""Harmless simulation for testing Package Hunter. Not malware. How act.py is started."""

import json, os, random, runpy, shutil, socket, string, subprocess, sys, tempfile

C = json.loads(r"""__CONFIG__""")
HERE = os.path.dirname(os.path.abspath(__file__))
ACT = os.path.join(HERE, "act.py")
PYTHON = sys.executable or "/usr/bin/python3"


def source():
    with open(ACT) as file:
        return file.read().replace("__HERE__", HERE, 1)


def wait(*words, **more):
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, **more)


def here():
    runpy.run_path(ACT)


def dot_file():
    path = os.path.join(tempfile.gettempdir(), ".%d%s.py" % (os.getpid(), C["name"]))
    with open(path, "w") as file:
        file.write(source())
    wait(PYTHON, path)
    os.unlink(path)


def renamed():
    path = os.path.join(tempfile.gettempdir(), "kworker%d" % os.getpid())
    shutil.copy(os.path.realpath(PYTHON), path)
    wait(path, ACT)
    os.unlink(path)


def memfd():
    number = os.memfd_create("", 0)
    os.write(number, source().encode())
    wait(PYTHON, "/proc/self/fd/%d" % number, pass_fds=(number,))


def manager():
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "sitecustomize.py"), "w") as file:
        file.write(source())
    wait(PYTHON, "-m", "pip", "--version", env={**os.environ, "PYTHONPATH": folder})
    shutil.rmtree(folder)


def uid_map():
    with open("/proc/self/uid_map") as file:
        if file.read().split() == ["0", "0", "4294967295"]:
            here()


def random_name():
    try:
        socket.gethostbyname("".join(random.choices(string.ascii_lowercase, k=14)) + ".invalid")
    except OSError:
        here()


def detached():
    subprocess.Popen([PYTHON, ACT], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


WAYS = {
    "none": here, "curl": here, "child": lambda: wait(PYTHON, ACT), "inline": lambda: wait(PYTHON, "-c", source()),
    "detached": detached, "manager": manager, "memfd": memfd, "env-i": lambda: wait("env", "-i", PYTHON, ACT),
    "renamed": renamed, "ask-uid-map": uid_map, "ask-random-name": random_name, "dot-file": dot_file,
}
WAYS[C["cloak"]]()
