"""Random conditions and events over a small world of fields, for property tests and the fuzz target."""

from __future__ import annotations

from hypothesis import strategies as st

TEXT_FIELDS = [
    "proc.name",
    "proc.pname",
    "fd.name",
    "proc.cmdline",
    "evt.arg.flags",
    "proc.aname[2]",
    "proc.aname",
]
WORDS = ["cat", "sh", "/etc/passwd", "/etc", "/usr/bin/sh", "a b", "", "x*", "O_CREAT", "<NA>", "etc"]
NUMBER_FIELDS = ["proc.pid", "evt.rawres", "user.uid", "fd.sport", "fd.port"]
TYPES = ["openat", "execve", "connect", "close"]
PLAIN = st.sampled_from([w for w in WORDS if w and " " not in w])


def _quoted(word: str) -> str:
    return '"' + word + '"'


def _list(words: list[str]) -> str:
    return "(" + ", ".join(words) + ")"


word = st.one_of(PLAIN, st.sampled_from(WORDS).map(_quoted))
words = st.lists(word, max_size=4).map(_list)
number = st.integers(0, 90).map(str)
text_check = st.one_of(
    st.tuples(
        st.sampled_from(TEXT_FIELDS),
        st.sampled_from(["=", "!=", "contains", "startswith", "endswith", "icontains", "glob"]),
        word,
    ),
    st.tuples(st.sampled_from(TEXT_FIELDS), st.sampled_from(["in", "intersects", "pmatch"]), words),
    st.tuples(st.sampled_from(TEXT_FIELDS), st.just("exists"), st.just("")),
    st.tuples(
        st.sampled_from(TEXT_FIELDS),
        st.just("regex"),
        st.sampled_from([".*", "ca?t", "/etc/.*", '"(a|c).*"']),
    ),
    st.tuples(
        st.sampled_from(TEXT_FIELDS),
        st.sampled_from(["contains oneof", "startswith anyof", "= allof", "!= allof"]),
        st.lists(word, min_size=1, max_size=3).map(_list),
    ),
    st.tuples(st.sampled_from(["proc.name", "fd.name"]), st.just("="), st.just("val(proc.pname)")),
    st.tuples(st.sampled_from(["tolower(proc.name)", "basename(fd.name)"]), st.just("="), word),
)
number_check = st.one_of(
    st.tuples(st.sampled_from(NUMBER_FIELDS), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), number),
    st.tuples(st.sampled_from(NUMBER_FIELDS), st.just("in"), st.lists(number, max_size=3).map(_list)),
    st.tuples(st.just("len(proc.name)"), st.sampled_from(["=", "<"]), number),
)
type_check = st.one_of(
    st.tuples(st.just("evt.type"), st.sampled_from(["=", "!="]), st.sampled_from(TYPES)),
    st.tuples(st.just("evt.type"), st.just("in"), st.lists(st.sampled_from(TYPES), max_size=3).map(_list)),
)
bool_check = st.tuples(st.just("evt.is_open_read"), st.just("="), st.sampled_from(["true", "false"]))
net_check = st.one_of(
    st.tuples(
        st.sampled_from(["fd.ip", "fd.sip"]),
        st.sampled_from(["=", "!="]),
        st.sampled_from(["10.0.0.1", "10.0.0.2"]),
    ),
    st.tuples(
        st.sampled_from(["fd.net", "fd.snet"]),
        st.sampled_from(["=", "!="]),
        st.sampled_from(["10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0"]),
    ),
)
check = st.one_of(text_check, number_check, type_check, bool_check, net_check).map(" ".join)
condition = st.recursive(
    check,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda c: f"not ({c})"),
    ),
    max_leaves=12,
)
event = st.fixed_dictionaries(
    {"evt.type": st.sampled_from(TYPES)},
    optional={
        **{name: st.sampled_from(WORDS) for name in TEXT_FIELDS if name != "proc.aname"},
        **{name: st.integers(-3, 90) for name in ("proc.pid", "evt.rawres", "user.uid", "fd.sport")},
        "evt.is_open_read": st.booleans(),
        "fd.sip": st.sampled_from(["10.0.0.1", "10.0.0.2", "192.0.2.1"]),
        "fd.type": st.sampled_from(["file", "ipv4"]),
        "fd.name": st.sampled_from(["10.0.0.1:5->10.0.0.2:80", "/etc/passwd", "0.0.0.0:80", ""]),
    },
)
