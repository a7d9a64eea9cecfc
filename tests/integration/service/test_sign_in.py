"""Sessions, one-time codes, invitations, sealed secrets: on both databases."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.store import accounts, history, invitations, members, passwords, sessions, totp
from package_hunter.store.accounts import Grant, Start
from package_hunter.store.database import Store
from package_hunter.store.errors import StoreError
from package_hunter.store.identity_tables import InvitationRow, RecoveryCodeRow, SessionRow, TotpRow
from package_hunter.store.members import Place
from package_hunter.store.secret_box import SecretBox
from package_hunter.store.sessions import Times
from tests.support.clock import Clock

BY = Actor("ana", "192.0.2.1")
TIMES = Times(idle=60_000, whole=600_000)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_ARGON2", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def box(settings: Settings) -> SecretBox:
    return SecretBox(settings)


@pytest.fixture
def ana(store: Store) -> str:
    with store.write() as session:
        accounts.add_user(session, "ana", "correct horse", Start(()), BY)
    return "ana"


def begin(store: Store) -> str:
    with store.write() as session:
        return sessions.begin(
            session, accounts.user(session, "ana"), "password", TIMES, BY, "a\nbrowser"
        ).secret


def holds(store: Store, secret: str) -> bool:
    with store.read() as session:
        return sessions.find(session, secret, TIMES) is not None


def test_a_session_ends_unused_and_at_all_to_the_moment(store: Store, ana: str, clock: Clock) -> None:
    secret = begin(store)
    clock.forward(59.999)
    assert holds(store, secret)
    clock.forward(0.001)
    assert not holds(store, secret)
    secret = begin(store)
    for _ in range(10):
        clock.forward(59.9)
        with store.write() as session:
            live = sessions.find(session, secret, TIMES)
            assert live is not None
            sessions.note_seen(session, live.row.id)
    clock.forward(1.0)
    assert not holds(store, secret), "used all the time, and ten minutes old"


def test_what_is_kept_opens_nothing(store: Store, ana: str) -> None:
    secret = begin(store)
    with store.read() as session:
        row = session.scalars(select(SessionRow)).one()
        assert secret not in (row.sha256, row.csrf)
        assert row.agent == "abrowser"
        for kept in (row.sha256, row.csrf, str(row.id), secret + "x", ""):
            assert not holds(store, kept)


def test_a_change_of_rights_changes_the_secret_once(store: Store, ana: str, clock: Clock) -> None:
    secret = begin(store)
    with store.write() as session:
        assert sessions.rotate(session, secret, TIMES) is None, "nothing changed"
        members.give(session, "ana", Role.ADMINISTRATOR, Place(), BY)
    with store.write() as session:
        fresh = sessions.rotate(session, secret, TIMES)
        assert fresh is not None
        assert sessions.rotate(session, secret, TIMES) is None, "another request did it"
    assert holds(store, fresh)
    assert holds(store, secret), "requests are under way with it"
    clock.forward(50)
    with store.write() as session:
        found = sessions.find(session, fresh, TIMES)
        assert found is not None
        sessions.note_seen(session, found.row.id)
    clock.forward(10)
    assert not holds(store, secret)
    assert holds(store, fresh)


def test_sessions_end_with_password_codes_and_account(store: Store, ana: str, box: SecretBox) -> None:
    def changed() -> None:
        with store.write() as session:
            accounts.set_password(session, "ana", "battery staple", BY)

    def enrolled() -> None:
        with store.write() as session:
            secret = totp.begin(session, box, accounts.user(session, "ana")).secret
            totp.confirm(session, box, accounts.user(session, "ana"), pyotp.TOTP(secret).now(), BY)

    def reset() -> None:
        with store.write() as session:
            totp.remove(session, accounts.user(session, "ana"), BY)

    def removed() -> None:
        with store.write() as session:
            accounts.remove_user(session, "ana", BY)

    for change in (changed, enrolled, reset, removed):
        secret = begin(store)
        assert holds(store, secret)
        change()
        assert not holds(store, secret), change.__name__


def test_one_ends_ones_own_sessions_only(store: Store, ana: str) -> None:
    with store.write() as session:
        accounts.add_user(session, "bob", "correct horse", Start(()), BY)
        bob = accounts.user(session, "bob")
        hers = [
            sessions.begin(session, accounts.user(session, "ana"), "t", TIMES, BY).row.id for _ in range(3)
        ]
        with pytest.raises(UsageError, match="no such session"):
            sessions.end(session, bob, hers[0], BY)
        me = accounts.user(session, "ana")
        sessions.end(session, me, hers[0], BY)
        assert {row.id for row in sessions.of_account(session, me, TIMES)} == set(hers[1:])
        assert sessions.end_all(session, me, BY, but=hers[1]) == 1
        assert [row.id for row in sessions.of_account(session, me, TIMES)] == [hers[1]]
        assert history.entries(session, 99)[-1].before == '{"count":1}'


def test_an_account_has_fifty_sessions_at_most(store: Store, ana: str, clock: Clock) -> None:
    first = begin(store)
    for _ in range(50):
        clock.forward(0.01)
        last = begin(store)
    assert not holds(store, first)
    assert holds(store, last)


def enrol(store: Store, box: SecretBox, clock: Clock) -> tuple[pyotp.TOTP, list[str]]:
    with store.write() as session:
        account = accounts.user(session, "ana")
        made = totp.begin(session, box, account)
        app = pyotp.parse_uri(made.uri)
        assert isinstance(app, pyotp.TOTP)
        assert (app.name, app.issuer) == ("ana", "Package Hunter")
        codes = totp.confirm(session, box, account, app.at(clock.ms // 1_000), BY)
    return app, codes


def accepted(store: Store, box: SecretBox, code: str | None) -> bool:
    with store.write() as session:
        return totp.accept(session, box, accounts.user(session, "ana"), code, BY)


def test_a_code_is_right_once_and_for_a_step_either_way(
    store: Store, ana: str, box: SecretBox, clock: Clock
) -> None:
    assert accepted(store, box, None), "no codes yet"
    app, _ = enrol(store, box, clock)
    now = clock.ms // 1_000
    assert not accepted(store, box, app.at(now)), "it confirmed the enrolment"
    clock.forward(300)
    now = clock.ms // 1_000
    for early in (-60, 60):
        assert not accepted(store, box, app.at(now + early)), early
    assert accepted(store, box, app.at(now - 30))
    assert accepted(store, box, " ".join(app.at(now)))
    assert not accepted(store, box, app.at(now)), "a replay"
    assert not accepted(store, box, app.at(now - 30)), "an older one"
    assert accepted(store, box, app.at(now + 30))
    for wrong in (None, "", "000000x", "🐍" * 6):
        assert not accepted(store, box, wrong)


def test_two_that_come_with_one_code_at_once(store: Store, ana: str, box: SecretBox, clock: Clock) -> None:
    app, _ = enrol(store, box, clock)
    clock.forward(60)
    code = app.at(clock.ms // 1_000)
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(accepted(store, box, code))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 5 + [True]


def test_recovery_codes_are_good_once_and_kept_as_digests(
    store: Store, ana: str, box: SecretBox, clock: Clock
) -> None:
    _, codes = enrol(store, box, clock)
    assert len(set(codes)) == 10
    with store.read() as session:
        kept = session.scalars(select(RecoveryCodeRow.sha256)).all()
        assert len(kept) == 10
        assert not set(kept) & set(codes)
    assert accepted(store, box, codes[0].upper())
    assert not accepted(store, box, codes[0])
    assert accepted(store, box, codes[1].replace("-", ""))
    with store.write() as session:
        renewed = totp.new_recovery_codes(session, accounts.user(session, "ana"), BY)
    assert not accepted(store, box, codes[2])
    assert accepted(store, box, renewed[0])


def test_ten_wrong_codes_lock_until_somebody_unlocks(
    store: Store, ana: str, box: SecretBox, clock: Clock
) -> None:
    app, codes = enrol(store, box, clock)
    clock.forward(60)
    for _ in range(9):
        assert not accepted(store, box, "12")
    assert accepted(store, box, app.at(clock.ms // 1_000)), "a right one makes them forgotten"
    for _ in range(10):
        assert not accepted(store, box, "12")
    clock.forward(86_400)
    assert not accepted(store, box, app.at(clock.ms // 1_000))
    assert not accepted(store, box, codes[0])
    with store.write() as session:
        account = accounts.user(session, "ana")
        totp.unlock(session, account, BY, "it was she")
        with pytest.raises(UsageError, match="not locked"):
            totp.unlock(session, account, BY)
    assert accepted(store, box, app.at(clock.ms // 1_000))
    with store.read() as session:
        told = [e.action for e in history.entries(session, 99) if e.action.startswith("user.")]
    assert told == ["user.add", "user.lock", "user.unlock"]


def test_a_seed_is_sealed_and_fits_no_other_account(
    store: Store, ana: str, box: SecretBox, settings: Settings, tmp_path: Path
) -> None:
    with store.write() as session:
        secret = totp.begin(session, box, accounts.user(session, "ana")).secret
        kept = session.scalars(select(TotpRow.secret)).one()
    assert secret.encode() not in kept
    with pytest.raises(StoreError, match="does not fit"):
        box.open(kept, "totp:somebody-else")
    key = settings.data_dir / "store/secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    with pytest.raises(StoreError, match="does not fit"):
        box.open(kept, f"totp:{'0' * 32}")
    (tmp_path / "elsewhere").write_bytes(bytes(32))
    key.unlink()
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="cannot be used"):
        box.seal(b"x", "y")
    key.unlink()
    key.write_bytes(b"short")
    with pytest.raises(StoreError, match="holds no key"):
        box.seal(b"x", "y")


def take(store: Store, secret: str, name: str | None = None, password: str = "correct horse") -> str:
    with store.write() as session:
        return invitations.take(session, secret, name, password, "192.0.2.9").name


def test_an_invitation_is_taken_once_and_in_time(store: Store, clock: Clock) -> None:
    with store.write() as session:
        start = Start((Grant(Role.AUDITOR, Place()),))
        first, second = (invitations.invite(session, name, start, BY, hours=2) for name in ("ana", "bob"))
    with pytest.raises(UsageError, match="8 characters"):
        take(store, first, password="short")
    assert take(store, first, "somebody-else") == "ana", "it is for ana, whatever is said"
    with pytest.raises(UsageError, match="not good any more"):
        take(store, first)
    clock.forward(2 * 3_600)
    with pytest.raises(UsageError, match="not good any more"):
        take(store, second)
    with store.read() as session:
        assert members.roles_of(session, "ana") == [("auditor", "everywhere")]
        kept = session.scalars(select(InvitationRow.sha256)).all()
        assert first not in kept
        told = [(e.who, e.action) for e in history.entries(session, 99)]
    assert told[2:4] == [("ana", "user.add"), ("ana", "member.add")]


def test_a_link_gives_somebody_who_is_there_another_password(store: Store, ana: str) -> None:
    with store.write() as session:
        secret = invitations.invite_again(session, accounts.user(session, "ana"), BY)
        with pytest.raises(UsageError, match="already"):
            invitations.invite(session, "ana", Start(()), BY)
    assert take(store, secret, password="battery staple") == "ana"
    with store.write() as session:
        assert passwords.password_fits("battery staple", accounts.stored_password(session, "ana") or "")
        late = invitations.invite_again(session, accounts.user(session, "ana"), BY)
        accounts.remove_user(session, "ana", BY)
        accounts.add_user(session, "ana", "another one", Start(()), BY)
    with pytest.raises(UsageError, match="not good any more"):
        take(store, late)


def test_the_first_administrator(store: Store) -> None:
    with store.write() as session:
        older, first = (invitations.invite_first(session, BY) for _ in range(2))
    with pytest.raises(UsageError, match="not good any more"):
        take(store, older, "eve")
    with pytest.raises(UsageError, match="whoever takes it"):
        take(store, first)
    assert take(store, first, "ana") == "ana"
    with store.write() as session:
        held = {role for role, _ in members.roles_of(session, "ana")}
        assert held == {"administrator", "security-admin"}
        late = invitations.invite_first(session, BY)
    with pytest.raises(UsageError, match="not good any more"):
        take(store, late, "eve")
    with store.read() as session:
        entry = history.entries(session, 99, action="user.invite")[0]
        assert json.loads(entry.after or "")["roles"][0] == ["administrator", "everywhere"]
