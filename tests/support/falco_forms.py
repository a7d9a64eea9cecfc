"""Odd rule files with Falco 0.43's answer to each, as a real Falco 0.43.1 gave it: what it refuses with the words that
our message has for the reason, and what it takes."""

from __future__ import annotations

RULE = "- rule: R\n  desc: d\n  condition: {condition}\n  output: {output}\n  priority: INFO\n"
LIST = "- list: l\n  items: [a, b]\n"
Form = tuple[str, ...]  # one file after another


def rule(condition: str = "evt.type = open", more: str = "", output: str = "o %proc.name") -> str:
    """A rule; ``more`` are further keys."""
    return RULE.format(condition=condition, output=output) + more


def quoted(condition: str) -> str:
    """A rule whose condition stands in double quotes in the file."""
    escaped = condition.replace("\\", "\\\\").replace('"', '\\"')
    return rule(f'"evt.type = open and {escaped}"')


def change(*lines: str) -> str:
    """An entry that changes the rule R."""
    return "- rule: R\n" + "".join(f"  {line}\n" for line in lines)


def exception(*lines: str) -> str:
    """The exceptions of a rule: one with these keys."""
    return "  exceptions:\n    - " + "\n      ".join(lines) + "\n"


EXCEPTED = rule(more=exception("name: e", "fields: [proc.name]", "values: [[q]]"))

# what our ordinary loading refuses too
REFUSED: dict[str, tuple[Form, str]] = {
    "enabled is no switch": (
        (rule(more="  enabled: maybe\n"),),
        "'enabled' of the rule 'R' is true or false",
    ),
    "enabled is empty": ((rule(more="  enabled:\n"),), "'enabled' of the rule 'R' is empty"),
    "a condition is a list": ((rule("[a]"),), "'condition' of the rule 'R' is a single value"),
    "a condition is a mapping": ((rule("{a: b}"),), "is a single value, not a list or mapping"),
    "tags are no list": ((rule(more="  tags: network\n"),), "'tags' of the rule 'R' is a list"),
    "tags hold a list": ((rule(more="  tags: [[a]]\n"),), "is a list of single values"),
    "a source is a list": ((rule(more="  source: [a]\n"),), "'source' of the rule 'R' is a single value"),
    "a source is empty": ((rule(more="  source:\n"),), "'source' of the rule 'R' is empty"),
    "a duration is no number": ((rule(more="  capture_duration: 1.5\n"),), "is a whole number, not '1.5'"),
    "exceptions are a mapping": (
        (rule(more="  exceptions: {a: b}\n"),),
        "'exceptions' of the rule 'R' is a list",
    ),
    "an exception is a word": ((rule(more="  exceptions: [a]\n"),), "is a list of mappings"),
    "append is no switch": (
        (rule(), change("append: often", "condition: and proc.pid=1")),
        "is true or false",
    ),
    "items are a word": (("- list: l\n  items: a\n",), "'items' of the list 'l' is a list"),
    "items are missing": (("- list: l\n",), "The list 'l' lacks items"),
    "an item is nothing": (("- list: l\n  items: [a, ~]\n",), "none of them a list, a mapping or nothing"),
    "a macro without condition": (("- macro: m\n",), "The macro 'm' lacks condition"),
    "a name is a list": (("- macro: [m]\n  condition: proc.pid=1\n",), "This macro has no name"),
    "another source": (
        (rule(), rule(more="  source: k8s_audit\n")),
        "is for events of syscall; it cannot become",
    ),
    "no source again": ((rule(more="  source: k8s_audit\n"), rule()), "is for events of k8s_audit"),
    "appended to another source": (
        (rule(), change("append: true", "source: k8s_audit", "condition: and proc.pid=1")),
        "it cannot become one of k8s_audit",
    ),
    "source overridden": (
        (rule(), change("source: syscall", "override: {source: replace}")),
        "cannot be overridden",
    ),
    "exception appended with fields": (
        (EXCEPTED, change("append: true") + exception("name: e", "fields: [fd.name]", "values: [[a]]")),
        "only values can be appended to it, not fields",
    ),
    "exception appended with comps": (
        (EXCEPTED, change("append: true") + exception("name: e", "comps: [=]", "values: [[a]]")),
        "only values can be appended to it, not comps",
    ),
    "new exception appended bare": (
        (rule(), change("append: true") + exception("name: e", "fields: [proc.name]")),
        "is new, so it needs values",
    ),
    "new exception without fields": (
        (rule(), change("append: true") + exception("name: e", "values: [[a]]")),
        "has no fields",
    ),
    "exception with a strange operator": (
        (rule(more=exception("name: e", "fields: [proc.name]", "comps: [like]")),),
        "has 'like' for an operator",
    ),
    "exception with too few comps": (
        (rule(more=exception("name: e", "fields: [proc.name, fd.name]", "comps: [=]")),),
        "as many comps as fields",
    ),
    "exception with an empty value": (
        (rule(more=exception("name: e", "fields: proc.name", "values: ['']")),),
        "with an empty text",
    ),
    "exception's unknown field, skipped or not": (
        (rule(more="  skip-if-unknown-filter: true\n" + exception("name: e", "fields: no.field")),),
        "There is no field no.field",
    ),
    "append and override": (
        (rule(), change("append: true", "condition: and proc.pid=1", "override: {condition: append}")),
        "exclude each other",
    ),
    "enabled of no rule": ((change("enabled: false"),), "There is no rule 'R' to change"),
    "an unknown event argument": ((quoted("evt.arg.nosuch = a"),), "No event has an argument 'nosuch'"),
    "an unknown raw argument": ((quoted("evt.rawarg.nosuch = 1"),), "No event has an argument 'nosuch'"),
    "an unknown argument shown": ((rule(output="'%evt.arg.nosuch'"),), "no event has an argument 'nosuch'"),
    "an unknown type asked": ((quoted("evt.type.is.nosuch = 1"),), "There is no event type 'nosuch'"),
    "a number contains": ((quoted("proc.pid contains 1"),), "cannot be compared with contains"),
    "a list is equal": ((quoted("fd.types[0] = file"),), "cannot be compared with ="),
    "an address starts with": ((quoted("fd.sip startswith 10"),), "cannot be compared with startswith"),
    "bytes match a pattern": ((quoted("evt.buffer regex 'a'"),), "cannot be compared with regex"),
    "bytes in lower case": ((quoted("tolower(evt.buffer) = a"),), "does not work on a field of type bytes"),
    "a decimal number as text": ((quoted("proc.fdusage contains a"),), "cannot be compared with contains"),
    "ancestors with a field": ((quoted("proc.aname = val(proc.name)"),), "takes no field on its right side"),
    "a scoped address": ((quoted("fd.sip = fe80::1%eth0"),), "is no IP address"),
    "a transformer that does not fit, shown": (
        (rule(output="'%len(proc.pid)'"),),
        "does not work on a field",
    ),
    "a field that lacks its argument, shown": ((rule(output="'%container.label'"),), "needs an argument"),
    "an output of nothing": ((rule(output="'%container.info'"),), "The output of 'R' is empty"),
    "a second document of another kind": ((rule() + "---\nfoo: bar\n",), "A rule file is a list"),
    "a version of no number": (("- required_engine_version: 0.15\n",), "is no engine version"),
    "a plugin without version": (
        ("- required_plugin_versions: [{name: container}]\n",),
        "has a version that is empty",
    ),
    "a plugin named twice": (
        (
            "- required_plugin_versions: [{name: a, version: 0.1.0, alternatives: [{name: a, version: 0.2.0}]}]\n",
        ),
        "is named more than once",
    ),
}

# what loads here and Falco refuses: --for falco says so
ONLY_FALCO: dict[str, tuple[Form, str]] = {
    "in with a list's name": ((LIST + quoted("proc.name in l"),), "`in l` lacks brackets"),
    "pmatch with a list's name": ((LIST + quoted("fd.name pmatch l"),), "`pmatch l` lacks brackets"),
    "a macro named like a list": (
        (LIST + "- macro: l\n  condition: proc.name = a\n" + rule("evt.type = open and l"),),
        "'l' is a list and a macro",
    ),
    "a macro named like a short list": (
        (
            "- list: l\n  items: [a]\n- macro: l\n  condition: proc.name = a\n"
            + rule("evt.type = open and l"),
        ),
        "reads a macro 'a' that does not exist",
    ),
    "an item that is no bare word": (
        ("- list: l\n  items: ['a=b']\n" + quoted("proc.name in (l)"),),
        "expects , or )",
    ),
    "a list's name where none is meant": (
        ("- list: evt.type\n  items: [a, b]\n" + rule(),),
        "expects `and`, `or` or the end",
    ),
    "an exception that is no bare word": (
        (rule(more=exception("name: e", "fields: [proc.name]", "values: [['a,b']]")),),
        "expects )",
    ),
    "exceptions replaced without comps": (
        (
            rule(),
            change("override: {exceptions: replace}")
            + exception("name: e", "fields: proc.name", "values: [a]"),
        ),
        "in an override only with comps",
    ),
    "or and a bracket, then and": (
        (rule("evt.type = open or(proc.pid = 1) and proc.pid = 2"),),
        "expects `and`, `or` or the end",
    ),
    "an address with dots in IPv6": (
        (quoted("fd.snet = ::ffff:127.0.0.0/104"),),
        "no IPv6 address with a dot",
    ),
    "an argument by name in brackets": ((quoted("evt.arg[name] = a"),), "write evt.arg.name"),
    "an argument by name in brackets, shown": ((rule(output="'%evt.arg[name]'"),), "write %evt.arg.name"),
    "a raw argument by number": ((quoted("evt.rawarg[0] = 1"),), "takes its argument behind a dot"),
    "a raw argument that nothing compares": (
        (quoted("evt.rawarg.addr = 1"),),
        "compares no argument of type sockaddr",
    ),
    "several at once": ((quoted("proc.name contains oneof (a, b)"),), "Falco expects"),
    "join": ((quoted("join(',', (proc.name, proc.pname)) = a"),), "Falco expects"),
    "concat": ((quoted("concat(proc.name, proc.pname) = a"),), "Falco expects"),
    "an escape of two digits": ((quoted('proc.name = "a\\x41"'),), "knows no escape \\x"),
    "fields of two widths": ((quoted("user.uid = val(evt.num)"),), "with none of type uint"),
    "a length with a signed number": ((quoted("len(proc.name) > val(proc.pid)"),), "with none of type int"),
    "a long value": ((quoted(f"proc.name = {'a' * 256}"),), "is 256 bytes long"),
    "a long pattern": ((quoted(f"proc.name regex {'a' * 256}"),), "is 256 bytes long"),
    "a plugin that is not there": (
        ("- required_plugin_versions: [{name: k8saudit, version: 0.1.0}]\n",),
        "loads no plugin k8saudit",
    ),
    "a plugin that is too old": (
        ("- required_plugin_versions: [{name: container, version: 9.0.0}]\n",),
        "Falco 0.43 comes with 0.6.4",
    ),
}

TAKEN: dict[str, Form] = {
    "an output with what a switch of Falco's fills in": (rule(output="'o %container.info'"),),
    "an output with the old direction": (rule(output="'o %evt.dir %evt.rawarg.res'"),),
    "an output with a name and its argument apart": (rule(output="'%proc.name[1] %user.name[x]'"),),
    "an output with widths and stars": (rule(output="'*%10proc.name %evt.timex'"),),
    "nothing": ("",),
    "two documents": (LIST + "---\n" + rule("evt.type = open and proc.name in (l)"),),
    "documents of nothing": ("---\n---\n" + rule() + "...\n---\n",),
    "an entry of nothing": ("- ~\n" + rule(),),
    "an entry of other keys": ("- {x: y}\n",),
    "a switch in quotes": (rule(more="  enabled: 'false'\n"),),
    "a switch as y": (rule(more="  enabled: Y\n"),),
    "exceptions of nothing": (rule(more="  exceptions:\n"),),
    "items that look like switches": ("- list: l\n  items: [yes, off, 1.5]\n" + quoted("proc.name in (l)"),),
    "container.info": (rule(output="'a %container.info b'"),),
    "an unknown field shown, skipped": (rule(output="'%no.field'", more="  skip-if-unknown-filter: true\n"),),
    "an unknown field, skipped": (
        rule("evt.type = open and no.field = 1", "  skip-if-unknown-filter: true\n"),
    ),
    "an unknown event type, skipped": (rule("evt.type = nosuch", "  skip-if-unknown-filter: true\n"),),
    "a bad argument, skipped": (
        rule("evt.type = open and proc.name[1] = a", "  skip-if-unknown-filter: true\n"),
    ),
    "text right behind a field": (rule(output="'%proc.name.x %proc.pid. %evt.arg.flagsx'"),),
    "arguments behind a dot": (quoted("thread.cgroup.cpuset = / and evt.abspath.src = /a"),),
    "arguments behind a dot, shown": (
        rule(output="'%thread.cgroup.cpuset %evt.abspath.src %evt.type.is.open'"),
    ),
    "a field's transformer excepted": (
        rule(more=exception("name: e", "fields: ['tolower(proc.name)']", "values: [[a]]")),
    ),
    "a switch beside other keys": (rule(), change("enabled: false", "tags: [a]")),
    "append of false": (
        rule(),
        change("append: false", "condition: and proc.pid=1", "override: {condition: append}"),
    ),
    "an output beside append": (rule(), change("append: true", "condition: and proc.pid=1", "output: [x]")),
    "unknown keys beside override": (rule(), change("foo: bar", "tags: [a]", "override: {tags: append}")),
    "a macro replaced that is new": (
        "- macro: m\n  condition: proc.pid=1\n  override: {condition: replace}\n",
    ),
    "a list replaced that is new": ("- list: l\n  items: [a]\n  override: {items: replace}\n",),
    "a macro that nobody needs": ("- macro: m\n  condition: proc.pid = abc\n" + rule(),),
    "a macro named like a list that nobody needs": (
        "- list: l\n  items: [a, b]\n- macro: l\n  condition: proc.name = a\n" + rule(),
    ),
    "a list in brackets": (LIST + quoted("proc.name in (l, c)"),),
    "a decimal number for a text": (quoted("proc.name > 1.5"),),
    "a blank before a number": (quoted("proc.pid = ' 5'"),),
    "an IPv6 network without dots": (quoted("fd.snet in (::ffff:7f00:0/104, 10.0.0.0/8)"),),
    "bytes that intersect": (quoted("evt.buffer intersects (abc)"),),
    "fields of one type": (quoted("fd.name = val(proc.exepath) and proc.pid = val(fd.num)"),),
    "the longest value": (quoted(f"proc.name = {'a' * 255}"),),
    "an octal engine": ("- required_engine_version: 017\n",),
    "an engine with a tail": ("- required_engine_version: 0.15.0-rc1\n",),
    "another plugin does": (
        "- required_plugin_versions: [{name: k8saudit, version: 0.1.0, "
        "alternatives: [{name: container, version: 0.2.0}]}]\n",
    ),
    "a rule of another source": (rule(more="  source: k8s_audit\n"),),
    "and with a bracket": (rule("evt.type = open and(proc.pid = 1)"),),
    "not with a bracket": (rule("evt.type = open and not(proc.pid = 1)"),),
}

# deliberate: Falco takes these and does something else than they say (docs/falco-differences.md)
ON_PURPOSE: dict[str, Form] = {
    "a number that wraps": (quoted("fd.sport = 70000"),),
    "a pattern that never matches": (quoted("proc.name regex '['"),),
    "an operator that ends Falco": (quoted("fd.sip.name contains a"),),
    "an override that is not checked": (
        rule(),
        change("override: {exceptions: replace}") + exception("name: e", "fields: no.field"),
    ),
}
