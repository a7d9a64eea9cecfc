# ruff: noqa: S608 (the SQL is put together of this file's constants alone)
"""Changes that need two people: proposals, edits, approvals, and the documents that they change.

The rules are held by triggers, written once for both databases: each is a condition (in SQL that both read) under
which the database refuses, and the sentence that it says.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPROVING_ROLES = "('security-admin')"  # tests hold it to access/roles.py

_COLUMNS = (
    *("number", "kind", "place", "group_id", "project_id", "subject", "author_id", "author", "reason"),
    *("document", "content_hash", "base_hash", "diff", "impact", "version", "needed", "state", "created"),
    *("expires", "apply_at", "way", "applied", "applied_by_id", "emergency", "emergency_text", "decided"),
    *("decided_by", "decided_why"),
)
_REVIEW = ("reviewed", "reviewer_id", "review")
_FIXED = ("number", "kind", "place", "group_id", "project_id", "author_id", "author", "created", "expires")
_EDITED = ("document", "content_hash", "base_hash", "diff", "reason", "subject", "apply_at", "version")
_OF_APPROVAL = ("id", "proposal", "version", "content_hash", "account_id", "approver", "proof", "created")


def upgrade() -> None:
    """Make the tables, the view of persons, and what holds the rules."""
    _make_proposals()
    _make_approvals()
    _make_documents()
    op.execute(
        "CREATE VIEW account_persons AS SELECT id AS account_id, coalesce(person, id) AS person_id FROM accounts"
    )
    rules = list(_rules())
    if op.get_bind().dialect.name == "sqlite":
        _sqlite(rules)
    else:
        _postgresql(rules)


def _make_proposals() -> None:
    text, number = sa.Text(), sa.BigInteger()
    op.create_table(
        "proposals",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("place", sa.String(32), nullable=False),
        sa.Column("group_id", sa.Uuid(), sa.ForeignKey("groups.id")),
        sa.Column("project_id", sa.Uuid(), sa.ForeignKey("projects.id")),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("author_id", sa.Uuid(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("author", sa.String(134), nullable=False),
        *(sa.Column(name, text, nullable=False) for name in ("reason", "document", "diff", "impact")),
        *(sa.Column(name, sa.String(64), nullable=False) for name in ("content_hash", "base_hash")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("version", "needed")),
        sa.Column("state", sa.String(16), nullable=False),
        *(sa.Column(name, number, nullable=False) for name in ("created", "expires")),
        sa.Column("apply_at", number),
        sa.Column("way", sa.String(16)),
        sa.Column("applied", number),
        sa.Column("applied_by_id", sa.Uuid(), sa.ForeignKey("accounts.id")),
        sa.Column("emergency", sa.String(32)),
        sa.Column("emergency_text", text),
        sa.Column("decided", number),
        sa.Column("decided_by", sa.String(160)),
        sa.Column("decided_why", text),
        sa.Column("reviewed", number),
        sa.Column("reviewer_id", sa.Uuid(), sa.ForeignKey("accounts.id")),
        sa.Column("review", text),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'applied', 'rejected', 'withdrawn', 'stale', 'expired')",
            name="proposal_state",
        ),
        sa.CheckConstraint("needed >= 1", name="proposal_needs_approval"),
        sa.CheckConstraint("group_id IS NULL OR project_id IS NULL", name="proposal_place"),
    )
    op.create_index("proposals_by_state", "proposals", ["state", "number"])
    op.create_index("ix_proposals_project_id", "proposals", ["project_id"])
    op.create_table(
        "proposal_edits",
        sa.Column("proposal", _NUMBER, sa.ForeignKey("proposals.number"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("editor", sa.String(134), nullable=False),
        sa.Column("created", number, nullable=False),
        sa.Column("document", text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
    )


def _make_approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("proposal", _NUMBER, sa.ForeignKey("proposals.number"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("approver", sa.String(134), nullable=False),
        sa.Column("proof", sa.String(32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.BigInteger()),
        sa.Column("dropped_why", sa.String(128)),
    )
    op.create_index("approvals_by_proposal", "approvals", ["proposal", "version"])


def _make_documents() -> None:
    op.create_table(
        "governed_documents",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("place", sa.String(32), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(160), nullable=False),
        sa.UniqueConstraint("kind", "place", "name", "version", name="governed_version"),
    )


_Rule = tuple[str, str, str, str]  # table, act, the condition of refusal, what is said

_EDITORS = (
    "SELECT p.person_id FROM proposal_edits e JOIN account_persons p ON p.account_id = e.account_id "
    "WHERE e.proposal = {number}"
)
_ME = "(SELECT p.person_id FROM account_persons p WHERE p.account_id = {account})"
_LIVE_USER = (
    "EXISTS (SELECT 1 FROM accounts a WHERE a.id = {account} AND a.kind = 'user' AND a.removed IS NULL)"
)
# (a token without an owner is a person of its own, which no user is)
_SOMEBODY = (
    "EXISTS (SELECT 1 FROM account_persons me JOIN account_persons p ON p.person_id = me.person_id "
    "JOIN accounts u ON u.id = p.account_id WHERE me.account_id = {account} AND u.kind = 'user')"
)
_COUNTED = (
    "(SELECT count(DISTINCT me.person_id) FROM approvals y "
    "JOIN account_persons me ON me.account_id = y.account_id JOIN accounts a ON a.id = y.account_id "
    "WHERE y.proposal = NEW.number AND y.version = NEW.version AND y.content_hash = NEW.content_hash "
    "AND y.dropped IS NULL AND a.removed IS NULL AND a.kind = 'user' "
    f"AND me.person_id NOT IN ({_EDITORS.format(number='NEW.number')}))"
)
# whether a role is held where the proposal is to hold: right there, everywhere, or in a group above
_AT_PLACE = (
    "(m.place = 'everywhere' OR m.place = NEW.place OR EXISTS (SELECT 1 FROM groups g JOIN "
    "(SELECT id, path FROM groups UNION ALL SELECT id, path FROM projects) w "
    "ON substr(w.path, 1, length(g.path) + 1) = g.path || '/' "
    "WHERE g.id = m.group_id AND (w.id = NEW.group_id OR w.id = NEW.project_id)))"
)
_MAY_APPROVE = (
    "EXISTS (SELECT 1 FROM members m WHERE m.account_id = NEW.applied_by_id "
    f"AND m.role IN {_APPROVING_ROLES} AND {_AT_PLACE})"
)
_OTHERS = (
    "EXISTS (SELECT 1 FROM members m JOIN accounts a ON a.id = m.account_id "
    "JOIN account_persons me ON me.account_id = a.id "
    f"WHERE m.role IN {_APPROVING_ROLES} AND {_AT_PLACE} AND a.kind = 'user' AND a.removed IS NULL "
    f"AND me.person_id NOT IN ({_EDITORS.format(number='NEW.number')}))"
)


def _rules() -> Iterator[_Rule]:
    yield from _about_approvals()
    yield from _about_edits()
    yield from _about_proposals()
    yield "governed_documents", "UPDATE", "1 = 1", "a version is never changed"


def _about_approvals() -> Iterator[_Rule]:
    # (conditions that find no proposal, or no account, refuse too: NOT EXISTS)
    of = "SELECT 1 FROM proposals p WHERE p.number = NEW.proposal"
    current = "p.version = NEW.version AND p.content_hash = NEW.content_hash"
    table = "approvals"
    yield table, "INSERT", f"NOT EXISTS ({of} AND p.state IN ('open', 'approved'))", "the proposal is closed"
    yield table, "INSERT", f"NOT EXISTS ({of} AND {current})", "that is not what the proposal says now"
    yield table, "INSERT", f"NOT EXISTS ({of} AND NEW.created < p.expires)", "the proposal is expired"
    live = _LIVE_USER.format(account="NEW.account_id")
    yield table, "INSERT", f"NOT {live}", "only users approve, tokens never"
    me, editors = _ME.format(account="NEW.account_id"), _EDITORS.format(number="NEW.proposal")
    yield table, "INSERT", f"{me} IN ({editors})", "author and editors do not approve their own"
    twice = (
        "EXISTS (SELECT 1 FROM approvals y JOIN account_persons p ON p.account_id = y.account_id "
        "WHERE y.proposal = NEW.proposal AND y.version = NEW.version AND y.dropped IS NULL "
        f"AND p.person_id = {me})"
    )
    yield table, "INSERT", twice, "that person has approved it already"
    yield table, "INSERT", "NEW.dropped IS NOT NULL", "an approval begins as one that counts"
    fixed = _differs(_OF_APPROVAL)
    yield (
        table,
        "UPDATE",
        f"{fixed} OR OLD.dropped IS NOT NULL OR NEW.dropped IS NULL",
        ("an approval is only ever dropped"),
    )


def _about_edits() -> Iterator[_Rule]:
    of = "SELECT 1 FROM proposals p WHERE p.number = NEW.proposal"
    same = "p.document = NEW.document AND p.content_hash = NEW.content_hash AND p.author_id = NEW.account_id"
    none_yet = "NOT EXISTS (SELECT 1 FROM proposal_edits o WHERE o.proposal = NEW.proposal)"
    first = f"(NEW.version = 1 AND p.version = 1 AND {same} AND {none_yet})"
    later = "(NEW.version = p.version + 1 AND p.state IN ('open', 'approved') AND NEW.created < p.expires)"
    yield (
        "proposal_edits",
        "INSERT",
        f"NOT EXISTS ({of} AND ({first} OR {later}))",
        ("edits follow each other, while the proposal is open"),
    )
    yield (
        "proposal_edits",
        "INSERT",
        f"NOT {_SOMEBODY.format(account='NEW.account_id')}",
        "only people and their tokens propose",
    )
    yield "proposal_edits", "UPDATE", "1 = 1", "an edit is never changed"


def _about_proposals() -> Iterator[_Rule]:
    table = "proposals"
    begins = "NEW.state <> 'open' OR NEW.version <> 1 OR NEW.way IS NOT NULL OR NEW.applied IS NOT NULL "
    yield table, "INSERT", f"{begins} OR NEW.reviewed IS NOT NULL", "a proposal begins open"
    yield table, "UPDATE", _differs(_FIXED), "who proposed what, where and until when stays"
    closed = "OLD.state NOT IN ('open', 'approved')"
    yield table, "UPDATE", f"{closed} AND ({_differs(_COLUMNS)})", "what is closed stays as it is"
    yield table, "UPDATE", "NEW.needed < OLD.needed", "a proposal never needs fewer approvals than before"
    edit = (
        "EXISTS (SELECT 1 FROM proposal_edits e WHERE e.proposal = NEW.number AND e.version = NEW.version "
        "AND e.document = NEW.document AND e.content_hash = NEW.content_hash)"
    )
    well = f"NEW.version = OLD.version + 1 AND NEW.state = 'open' AND {edit}"
    yield (
        table,
        "UPDATE",
        f"({_differs(_EDITED)}) AND NOT ({well})",
        "what a proposal says changes by an edit",
    )
    becomes = "NEW.state IN ('approved', 'applied') AND NEW.state <> OLD.state"
    by_yes = "(NEW.way IS NULL OR NEW.way = 'approved')"
    yield table, "UPDATE", f"{becomes} AND {by_yes} AND {_COUNTED} < NEW.needed", "approvals are missing"
    yield from _about_applying()
    yield from _about_reviews()


def _about_applying() -> Iterator[_Rule]:
    applied = "NEW.state = 'applied' AND OLD.state <> 'applied'"
    table = "proposals"
    yield (
        table,
        "UPDATE",
        "NEW.state <> 'applied' AND (NEW.way IS NOT NULL OR NEW.applied IS NOT NULL)",
        ("only what is applied was applied in some way"),
    )
    known = "NEW.way IS NOT NULL AND NEW.way IN ('approved', 'break-glass', 'alone')"
    yield (
        table,
        "UPDATE",
        f"{applied} AND NOT ({known} AND NEW.applied IS NOT NULL)",
        ("it says when and in which way it was applied"),
    )
    yield table, "UPDATE", f"{applied} AND NEW.applied >= NEW.expires", "the proposal is expired"
    early = "NEW.apply_at IS NOT NULL AND NEW.applied < NEW.apply_at"
    yield table, "UPDATE", f"{applied} AND NEW.way <> 'break-glass' AND {early}", "its time has not come"
    who = _LIVE_USER.format(account="NEW.applied_by_id")
    reasons = "'production-emergency', 'critical-deadline', 'technical-limit', 'accepted-risk'"
    told = f"NEW.emergency IS NOT NULL AND NEW.emergency IN ({reasons}) AND trim(NEW.emergency_text) <> ''"
    yield (
        table,
        "UPDATE",
        (
            f"{applied} AND NEW.way = 'break-glass' AND NOT (NEW.emergency_text IS NOT NULL AND {told} AND {who})"
        ),
        "breaking the glass needs a user, a reason and a text",
    )
    alone = f"{who} AND {_MAY_APPROVE} AND NOT {_OTHERS}"
    yield (
        table,
        "UPDATE",
        f"{applied} AND NEW.way = 'alone' AND NOT ({alone})",
        ("only who is alone in approving needs nobody else"),
    )


def _about_reviews() -> Iterator[_Rule]:
    table, changed = "proposals", _differs(_REVIEW)
    sound = "OLD.reviewed IS NULL AND NEW.reviewed IS NOT NULL AND NEW.state = 'applied' AND NEW.way <> 'approved'"
    me = _ME.format(account="NEW.reviewer_id")
    live = _LIVE_USER.format(account="NEW.reviewer_id")
    yield (
        table,
        "UPDATE",
        f"({changed}) AND NOT ({sound} AND {live})",
        ("a review is one user's, once, of what was applied unreviewed"),
    )
    breaker = _ME.format(account="NEW.applied_by_id")
    own = f"{me} IN ({_EDITORS.format(number='NEW.number')}) OR {me} = {breaker}"
    yield table, "UPDATE", f"({changed}) AND ({own})", "a review is by somebody who had no part in it"


def _differs(columns: tuple[str, ...]) -> str:
    return "(" + " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in columns) + ")"


_KEYS = {
    "proposals": ("number",),
    "proposal_edits": ("proposal", "version"),
    "approvals": ("id",),
    "governed_documents": ("id",),
}


def _sqlite(rules: list[_Rule]) -> None:
    for number, (table, act, refused, says) in enumerate(rules):
        op.execute(
            f"CREATE TRIGGER {table}_rule_{number} BEFORE {act} ON {table} WHEN {refused} "
            f"BEGIN SELECT RAISE(ABORT, '{_quoted(says)}'); END"
        )
    for table, key in _KEYS.items():
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE DELETE ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'what was proposed is never deleted'); END"
        )
        # INSERT OR REPLACE takes a row away without asking the trigger on DELETE
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        taken = f"SELECT 1 FROM {table} WHERE {same}"
        op.execute(
            f"CREATE TRIGGER {table}_no_other BEFORE INSERT ON {table} WHEN EXISTS ({taken}) "
            "BEGIN SELECT RAISE(ABORT, 'what was proposed is never replaced'); END"
        )
    op.execute(
        "CREATE TRIGGER governed_documents_one_each BEFORE INSERT ON governed_documents WHEN EXISTS "
        "(SELECT 1 FROM governed_documents d WHERE d.kind = NEW.kind AND d.place = NEW.place "
        "AND d.name = NEW.name AND d.version = NEW.version) "
        "BEGIN SELECT RAISE(ABORT, 'a version is never changed'); END"
    )
    op.execute(f"CREATE TRIGGER an_edit_drops_approvals AFTER INSERT ON proposal_edits BEGIN {_DROP}; END")


_DROP = (
    "UPDATE approvals SET dropped = NEW.created, dropped_why = 'the proposal was edited' "
    "WHERE proposal = NEW.proposal AND dropped IS NULL"
)


def _postgresql(rules: list[_Rule]) -> None:
    for table in _KEYS:
        for act in ("INSERT", "UPDATE"):
            mine = [(refused, says) for t, a, refused, says in rules if (t, a) == (table, act)]
            if not mine:
                continue
            body = " ".join(
                f"IF {refused} THEN RAISE EXCEPTION '{_quoted(says)}'; END IF;" for refused, says in mine
            )
            _function(f"{table}_{act.lower()}", f"{body} RETURN NEW;")
            _trigger(table, f"BEFORE {act}", f"{table}_{act.lower()}", "ROW")
    _function("proposals_stay", "RAISE EXCEPTION 'what was proposed is never deleted';")
    for table in _KEYS:
        _trigger(table, "BEFORE DELETE OR TRUNCATE", "proposals_stay", "STATEMENT")
    _function("edit_drops", f"{_DROP}; RETURN NULL;")
    _trigger("proposal_edits", "AFTER INSERT", "edit_drops", "ROW")


def _quoted(sentence: str) -> str:
    return sentence.replace("'", "''")


def _function(name: str, body: str) -> None:
    op.execute(
        f"CREATE FUNCTION package_hunter_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
    )


def _trigger(table: str, when: str, function: str, each: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_{function} {when} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION package_hunter_{function}()"
    )


def downgrade() -> None:
    """Drop them; what was proposed and approved is lost."""
    for table in ("governed_documents", "approvals", "proposal_edits", "proposals"):
        op.drop_table(table)
    op.execute("DROP VIEW account_persons")
    if op.get_bind().dialect.name == "postgresql":
        for name in (
            *("proposals_insert", "proposals_update", "proposal_edits_insert", "proposal_edits_update"),
            *("approvals_insert", "approvals_update", "governed_documents_update"),
            *("proposals_stay", "edit_drops"),
        ):
            op.execute(f"DROP FUNCTION package_hunter_{name}()")
