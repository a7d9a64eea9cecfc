"""The standard unix password manager (passwordstore.org): a file for each entry, of which the name tells."""

from __future__ import annotations

import os
import re
import sys

from package_hunter.sandbox.image.keepers.common import HOME, fail, kept, plain

STORE = ".password-store"
BANNER = """============================================
= pass: the standard unix password manager =
=                                          =
=                  v1.7.4                  =
=                                          =
=             Jason A. Donenfeld           =
=               Jason@zx2c4.com            =
=                                          =
=      http://www.passwordstore.org/       =
============================================"""


def names() -> list[str]:
    """Every entry, by its name."""
    top = f"{HOME}/{STORE}"
    found = []
    for folder, _, files in os.walk(top):
        inner = folder[len(top) + 1 :] + "/"
        found += [(inner + f[:-4]).lstrip("/") for f in files if f.endswith(".gpg")]
    return sorted(found)


def tree(below: str) -> None:
    print(below or "Password Store")
    inside = [name[len(below) :].strip("/") for name in names() if name.startswith(below)]
    folders = sorted({name.partition("/")[0] for name in inside})
    for folder in folders:
        print(("└── " if folder == folders[-1] else "├── ") + folder)
        entries = [name.partition("/")[2] for name in inside if name.startswith(folder + "/")]
        for entry in entries:
            print(
                ("    " if folder == folders[-1] else "│   ")
                + ("└── " if entry == entries[-1] else "├── ")
                + entry
            )


def show_entry(name: str) -> None:
    if name not in names():
        folder = any(one.startswith(name.rstrip("/") + "/") for one in names())
        return tree(name.rstrip("/")) if folder else fail(f"Error: {name} is not in the password store.")
    entry = kept(f"{STORE}/{name}.gpg", {"secret": "", "user": ""})
    return print(f"{entry['secret']}\nusername: {entry['user']}")


def main(words: list[str]) -> None:
    """``pass WORDS``."""
    rest = plain(words)
    verb = (rest or [""])[0]
    if verb in ("version", "help") or "--version" in words or "--help" in words:
        print(BANNER)
    elif verb in ("", "ls", "list") or verb == "show":
        show_entry(rest[1]) if len(rest) > 1 else tree("")
    elif verb in ("find", "search"):
        print("Search Terms: " + ",".join(rest[1:]))
        print("\n".join(f"└── {name}" for name in names() if any(w.lower() in name for w in rest[1:])))
    elif verb == "grep":
        for name in names():
            text = kept(f"{STORE}/{name}.gpg", {"secret": "", "user": ""})
            lines = [text["secret"], f"username: {text['user']}"]
            hits = [line for line in lines if any(re.search(re.escape(word), line) for word in rest[1:])]
            print("\n".join([name + ":", *hits])) if hits else None
    elif verb in ("git", "init", "insert", "edit", "generate", "rm", "mv", "cp"):
        fail("gpg: public key decryption failed: No pinentry", 2)
    else:
        show_entry(verb)


if __name__ == "__main__":
    main(sys.argv[1:])
