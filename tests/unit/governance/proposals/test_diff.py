"""What a change changes, for people."""

from __future__ import annotations

from package_hunter.governance.proposals.diff import MAX_DIFF, MAX_LINES, diff, readable


def test_values_stand_with_their_way_and_texts_line_by_line() -> None:
    document = {
        "rule": [{"kind": "git_hook", "decision": "block"}],
        "rules": "a\nb",
        "none": None,
        "empty": [],
    }
    assert readable(document) == [
        "empty: []",
        "none: null",
        'rule[1].decision: "block"',
        'rule[1].kind: "git_hook"',
        "rules:",
        "    a",
        "    b",
    ]


def test_what_is_new_gone_and_changed() -> None:
    said = diff({"a": 1, "b": 2}, {"b": 3, "c": "x"}).splitlines()
    assert said[2:] == ["@@ -1,2 +1,2 @@", "-a: 1", "-b: 2", "+b: 3", '+c: "x"']
    assert "+a: 1" in diff(None, {"a": 1})
    assert "-a: 1" in diff({"a": 1}, None)
    assert diff({"a": 1}, {"a": 1}) == ""


def test_what_is_long_is_cut_and_says_so() -> None:
    long = diff(None, {"a": "x" * (MAX_DIFF * 2)})
    assert len(long) < MAX_DIFF + 100
    assert long.endswith("(cut: the whole is in the document)")
    many = diff({"a": "x\n" * MAX_LINES}, {"a": "y\n"})
    assert "too many to compare" in many


def test_no_key_or_text_can_look_like_another_line() -> None:
    forged = {"rule\n-decision": "block", "a.b": 1, "a": {"b": 2}, "": 3}
    assert readable(forged) == ['"": 3', "a.b: 2", '"a.b": 1', '"rule\\n-decision": "block"']
    texts = {"turned": "x\u202ey", "returns": "a\rb\nc\u2028d\te"}
    assert readable(texts) == ["returns:", "    a\\x0db", "    c\\u2028d\te", 'turned: "x\\u202ey"']


def test_what_differs_only_in_what_nobody_sees_is_told() -> None:
    assert "-    a\\x0d" in diff({"t": "a\r\nb"}, {"t": "a\nb"})
    assert '+n: "a\\u200bb"' in diff({"n": "ab"}, {"n": "a\u200bb"})
    assert diff({"t": "a\nb\n"}, {"t": "a\nb"}) != ""
