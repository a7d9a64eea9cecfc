"""One-time codes of users (TOTP, RFC 6238: six digits, 30 s, SHA-1, as every app knows them), and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass

import pyotp
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import UsageError
from package_hunter.store import history
from package_hunter.store.access_tables import Account
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.identity_tables import RecoveryCodeRow, SessionRow, TotpRow
from package_hunter.store.secret_box import SecretBox

_STEP_SECONDS = 30
_STEPS_EITHER_WAY = 1  # of a clock that is wrong
MAX_FAILURES = 10  # in a row, each with the right password: then only `user unlock` helps
_RECOVERY_CODES = 10
_ISSUER = "Package Hunter"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is told: once. ``uri`` is what its QR code holds."""

    secret: str
    uri: str


def is_on(session: Session, account: Account) -> bool:
    """Whether the account's logins need a code."""
    row = session.get(TotpRow, account.id)
    return row is not None and row.confirmed is not None


def begin(session: Session, box: SecretBox, account: Account) -> Enrolment:
    """A new secret, in force once a code of it was right; UsageError where one is in force."""
    row = session.get(TotpRow, account.id)
    if row is not None and row.confirmed is not None:
        raise UsageError("There are one-time codes for this account already.", "Take them away first.")
    secret = pyotp.random_base32()
    if row is None:
        row = TotpRow(account_id=account.id)
        session.add(row)
    row.secret, row.last_step, row.failures = box.seal(secret.encode(), _bound(account)), 0, 0
    session.flush()
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=account.name, issuer_name=_ISSUER))


def confirm(session: Session, box: SecretBox, account: Account, code: str, by: Actor) -> list[str]:
    """Put it in force by a right code, end the account's sessions; its recovery codes. UsageError."""
    row = session.get(TotpRow, account.id)
    if row is None or row.confirmed is not None:
        raise UsageError("No one-time codes are being set up for this account.", "Begin it first.")
    step = _right_step(box, account, row, code)
    if step is None:
        raise UsageError("The code is wrong.", "Is the clock of the device right? Try the next one.")
    row.confirmed, row.last_step = now_ms(), step
    session.execute(delete(SessionRow).where(SessionRow.account_id == account.id))
    history.record(session, by, Change("totp.add", account.name))
    return new_recovery_codes(session, account, by)


def new_recovery_codes(session: Session, account: Account, by: Actor) -> list[str]:
    """Ten new ones; those before are worthless. UsageError where no one-time codes are in force."""
    if not is_on(session, account):
        raise UsageError("There are no one-time codes for this account.", "Set them up first.")
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.account_id == account.id))
    codes = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(_RECOVERY_CODES)]
    session.add_all(RecoveryCodeRow(account_id=account.id, sha256=_digest(code)) for code in codes)
    history.record(session, by, Change("totp.recovery", account.name, after={"codes": len(codes)}))
    return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in codes]


def remove(session: Session, account: Account, by: Actor, why: str | None = None) -> None:
    """No codes are needed from now on; its sessions end. UsageError where there are none."""
    row = session.get(TotpRow, account.id)
    if row is None:
        raise UsageError("There are no one-time codes for this account.", "")
    session.delete(row)
    for table in (RecoveryCodeRow, SessionRow):
        session.execute(delete(table).where(table.account_id == account.id))
    history.record(session, by, Change("totp.remove", account.name, why=why))


def unlock(session: Session, account: Account, by: Actor, why: str | None = None) -> None:
    """Take codes again, after too many wrong ones; UsageError where it is not locked."""
    row = session.get(TotpRow, account.id)
    if row is None or row.locked is None:
        raise UsageError("This account is not locked.", "")
    row.locked, row.failures = None, 0
    history.record(session, by, Change("user.unlock", account.name, why=why))


def accept(session: Session, box: SecretBox, account: Account, code: str | None, by: Actor) -> bool:
    """Whether the account needs no code, or this one is right: taken once. To be asked in a transaction that is
    committed also where it says False: it counts what was wrong, and locks."""
    session.flush()
    # a lock on the row: two that come with one code at the same moment are one after the other
    taken = update(TotpRow).where(TotpRow.account_id == account.id).values(failures=TotpRow.failures)
    session.execute(taken.execution_options(synchronize_session=False))
    row = session.get(TotpRow, account.id, populate_existing=True)
    if row is None or row.confirmed is None:
        return True
    if row.locked is not None or not code:
        return False
    step = _right_step(box, account, row, code)
    if step is not None:
        row.last_step, row.failures = step, 0
        return True
    if _take_recovery_code(session, account, code, by):
        row.failures = 0
        return True
    row.failures += 1
    if row.failures >= MAX_FAILURES:
        row.locked = now_ms()
        history.record(session, by, Change("user.lock", account.name, after={"wrong_codes": row.failures}))
    return False


def _right_step(box: SecretBox, account: Account, row: TotpRow, code: str) -> int | None:
    """The time step that the code is of, where it is later than that of the last one."""
    totp = pyotp.TOTP(box.open(row.secret, _bound(account)).decode())
    code = code.replace(" ", "")
    now = int(time.time()) // _STEP_SECONDS
    for step in range(now - _STEPS_EITHER_WAY, now + _STEPS_EITHER_WAY + 1):
        if step > row.last_step and secrets.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None


def _take_recovery_code(session: Session, account: Account, code: str, by: Actor) -> bool:
    digest = _digest(code.replace("-", "").replace(" ", "").lower())
    gone = (
        delete(RecoveryCodeRow)
        .where(RecoveryCodeRow.account_id == account.id, RecoveryCodeRow.sha256 == digest)
        .returning(RecoveryCodeRow.sha256)
    )
    if session.scalar(gone) is None:
        return False
    history.record(session, by, Change("totp.recovered", account.name))
    return True


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def _bound(account: Account) -> str:
    return f"totp:{account.id.hex}"
