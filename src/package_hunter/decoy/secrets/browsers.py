"""Browser profiles: Chrome's Login Data and cookies, Firefox's logins and cookies, as real SQLite files.

Schemas: Chromium components/password_manager (login_database.cc), net/extras/sqlite; Firefox cookies.sqlite.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import uuid

from package_hunter.decoy.forge import Forge, random_text

_CHROME = ".config/google-chrome/Default"
_FIREFOX = ".mozilla/firefox/k3v9x1qz.default-release"
_SITES = ("https://github.com/session", "https://console.aws.amazon.com/", "https://mail.google.com/")


def make(forge: Forge) -> None:
    _chrome(forge)
    _firefox(forge)


def _database(script: str, insert: str, rows: list[tuple[object, ...]]) -> bytes:
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(script)
        connection.executemany(insert, rows)
        connection.commit()
        return connection.serialize()
    finally:
        connection.close()


def _chrome(forge: Forge) -> None:
    rows: list[tuple[object, ...]] = []
    for number, site in enumerate(_SITES):
        # v11: encrypted with the keyring's key; what counts here is that the bytes are known
        blob = forge.canary("chrome-login", f"{_CHROME}/Login Data", random_text(48))
        rows.append(
            (site, "dmeyer@northwind-labs.dev", b"v11" + blob.encode(), 13_300_000_000_000_000 + number)
        )
    forge.file(
        f"{_CHROME}/Login Data",
        _database(
            "CREATE TABLE logins (origin_url VARCHAR NOT NULL, username_value VARCHAR, password_value BLOB,"
            " date_created INTEGER NOT NULL);",
            "INSERT INTO logins VALUES (?,?,?,?)",
            rows,
        ),
        0o600,
        days=2,
    )
    cookie = forge.canary("chrome-cookie", f"{_CHROME}/Cookies", random_text(64))
    forge.file(
        f"{_CHROME}/Cookies",
        _database(
            "CREATE TABLE cookies (creation_utc INTEGER NOT NULL, host_key TEXT NOT NULL, name TEXT NOT NULL,"
            " value TEXT NOT NULL, encrypted_value BLOB NOT NULL, path TEXT NOT NULL, expires_utc INTEGER);",
            "INSERT INTO cookies VALUES (?,?,?,?,?,?,?)",
            [(13_300_000_000_000_000, ".github.com", "user_session", "", b"v11" + cookie.encode(), "/", 0)],
        ),
        0o600,
        days=1,
    )


def _firefox(forge: Forge) -> None:
    forge.file(
        ".mozilla/firefox/profiles.ini",
        "[Profile0]\nName=default-release\nIsRelative=1\nPath=k3v9x1qz.default-release\nDefault=1\n",
    )
    secret = forge.canary(
        "firefox-login", f"{_FIREFOX}/logins.json", "MDoEEPgAAAAAAAAAAAAAAAAAAAEw" + random_text(44)
    )
    login = {
        "id": 1, "hostname": "https://github.com", "httpRealm": None, "formSubmitURL": "https://github.com",
        "encryptedUsername": "MDIEEPgAAAAAAAAAAAAAAAAAAAEwFAYIKoZIhvcNAwcECF" + random_text(24),
        "encryptedPassword": secret, "guid": f"{{{uuid.uuid4()}}}", "encType": 1, "timesUsed": 12,
    }  # fmt: skip
    forge.file(f"{_FIREFOX}/logins.json", json.dumps({"nextId": 2, "logins": [login], "version": 3}), 0o600)
    cookie = forge.canary("firefox-cookie", f"{_FIREFOX}/cookies.sqlite", secrets.token_hex(32))
    forge.file(
        f"{_FIREFOX}/cookies.sqlite",
        _database(
            "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, name TEXT, value TEXT, host TEXT, path TEXT,"
            " expiry INTEGER, isSecure INTEGER, isHttpOnly INTEGER);",
            "INSERT INTO moz_cookies VALUES (?,?,?,?,?,?,?,?)",
            [(1, "_gh_sess", cookie, ".github.com", "/", 1_900_000_000, 1, 1)],
        ),
        0o600,
        days=1,
    )
