"""What to do about each kind of problem in a rule file, where its message does not say so itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from package_hunter.model.fields import field_catalogue
from package_hunter.rules.evttypes import event_names
from package_hunter.rules.exception_forms import KEYS as EXCEPTION_KEYS
from package_hunter.rules.keys import KNOWN
from package_hunter.rules.operands import argument_names

KEYS = sorted({*EXCEPTION_KEYS, *(key for keys in KNOWN.values() for key in keys)})

ADVICE = {
    "unreadable": "Give the path of a file that may be read.",
    "yaml": "Mend the YAML: a rule file is a list of entries such as '- rule: name'.",
    "unknown_item": "Entries begin with rule, macro, list, required_engine_version or required_plugin_versions.",
    "name": "Give it a name behind the colon.",
    "deprecated_append": "Write override: {condition: append}.",
    "unknown_target": "Define it before, in this file or one that is loaded earlier.",
    "append": "Give a condition, exceptions or items to append.",
    "override": "Write override: {KEY: append} or {KEY: replace}, and give each KEY in the same entry.",
    "engine_version": "Use rules made for this version of the language, or update.",
    "plugin_versions": "Write required_plugin_versions: [{name: NAME, version: 1.2.3}].",
    "key_kind": "Write the value that the key takes; docs/rules.md shows the forms.",
    "unknown_key": "Leave it out, or look for the key that is meant in docs/rules.md.",
    "other_source": "Give the rule another name, or leave `source` as it is.",
    "no_values": "Write values: [...]; without them the exception does nothing.",
    "exception_twice": "Join the two, or give each its own name.",
    "deprecated_output": "Leave it out; name the fields that are wanted, such as %container.id.",
    "unknown_argument": "Use an argument of the event, such as evt.arg.flags; docs/rules.md tells more.",
    "too_large": "Split it into several.",
    "condition": "Write condition: a comparison such as evt.type = openat.",
    "syntax": "Mend the condition there; docs/rules.md shows the forms.",
    "loop": "Let one of the two do without the other.",
    "unknown_macro": "Define the macro, or write a comparison if a field is meant.",
    "unknown_field": "See the table of fields in docs/rules.md.",
    "unknown_event_type": "Use a system call's name such as openat, execve or connect.",
    "field_argument": "See the table of fields in docs/rules.md for the field's argument.",
    "transformer": "See docs/rules.md for what each transformer takes.",
    "value": "Compare the field with a value of its type; docs/rules.md has the types.",
    "val": "Compare it with a plain value, or with a field of the same type.",
    "event_type": "Compare it with names: evt.type in (open, openat).",
    "exceptions": "Write {name: N, fields: [a, b], comps: [=, in], values: [[x, [y, z]]]}.",
    "missing": "Give them: a rule needs condition, output, desc and priority, a macro condition, a list items.",
    "source": "Leave the rule out, or set source: syscall.",
    "priority": "Use EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFORMATIONAL or DEBUG.",
    "output": "Write fields as %proc.name or %evt.arg[name]; leave out any other per cent sign.",
    "skipped": "Nothing, if the rule is for another version; else mend the field.",
    "unsupported_field": "Use another field; docs/rules.md says which are supported.",
    "never_true": "Look for values that cannot hold together, empty lists and unknown hosts.",
    "shadowed": "Put it before that rule, or except it there.",
    "no_event_types": "Add evt.type in (...): a rule that is tried on every event costs time.",
    "unused_macro": "Leave it out, or use it.",
    "unused_list": "Leave it out, or use it.",
    "deprecated_field": "Use the field that replaced it, or leave the comparison out.",
    "falco_differs": "Say what is meant in another way, if the rule is to mean the same in both.",
    "unknown_host": "Write the address, or add the name to /etc/hosts.",
}


def advise(code: str, text: str, macros: Iterable[str] = ()) -> str:
    """What to do: the nearest name where one is misspelt, else what helps with this kind of problem."""
    known: Iterable[str] = ()
    if code == "unknown_field":
        known, text = field_catalogue(), text.partition("[")[0]
    elif code == "unknown_event_type":
        known = event_names()
    elif code == "unknown_macro":
        known = macros
    elif code == "unknown_argument":
        known = argument_names()
    elif code == "unknown_key":
        known = KEYS
    near = get_close_matches(text, list(known), 1, 0.75)
    return f"Did you mean {near[0]}?" if near else ADVICE.get(code, "")


def offending(message: str, raw: str) -> str:
    """The text that a problem is about: what its message quotes, else the value as the file has it."""
    quoted = re.findall(r"'([^']+)'|`([^`]+)`", message)
    return next((a or b for a, b in quoted), raw.strip())[:500]
