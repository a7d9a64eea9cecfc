"""Falco's side of the connection: the lines that falco.yaml and a rule file need."""

from __future__ import annotations

from package_hunter.model.observation import Alert
from package_hunter.sensor.falco.place import Http, Place, Rpc
from package_hunter.sensor.falco.watch import MARK, MARK_RULE

_ANCESTORS = range(1, 8)
FIELDS = (
    *("evt.type", "evt.num", "container.id", "container.name", "thread.cgroups"),
    *("proc.pid", "proc.pid.ts", "proc.ppid", "proc.vpid", "proc.name", "proc.exepath"),
    *("proc.cmdline", "proc.pcmdline", "proc.cwd", "user.uid", "fd.name", "fd.l4proto"),
    *(f"proc.apid[{n}]" for n in _ANCESTORS),
    *(f"proc.aname[{n}]" for n in _ANCESTORS),
    *(f"proc.acmdline[{n}]" for n in _ANCESTORS),
)

RULE = f"""\
- rule: {MARK_RULE}
  desc: A command by which Package Hunter sees that Falco watches its scans.
  condition: evt.type in (execve, execveat) and proc.args startswith {MARK}
  output: Package Hunter mark (mark=%proc.args container=%container.id since=%evt.reltime at=%evt.rawtime)
  priority: NOTICE
  source: syscall
  tags: [package-hunter]
"""


def missing(mark: Alert) -> list[str]:
    """What the alert of a mark should hold by ``falco_yaml`` and RULE, and does not."""
    wanted = ("container.id", "thread.cgroups", "proc.pid", "proc.cwd", "proc.apid[1]", "evt.reltime")
    return [name for name in wanted if name not in mark.output_fields]


def falco_yaml(where: Place) -> str:
    """What falco.yaml has to say for alerts to come from ``where``, whole and with what blame needs."""
    if isinstance(where, Http):
        output = f"http_output:\n  enabled: true\n  url: {where.url}\n"
    elif isinstance(where, Rpc):
        output = _grpc(where)
    else:
        output = f"file_output:\n  enabled: true\n  keep_alive: true\n  filename: {where.path}\n"
    fields = "".join(f"      - {name}\n" for name in FIELDS)
    return (
        "json_output: true\n"
        "json_include_output_property: true\n"
        "json_include_tags_property: true\n"
        "priority: debug\n"
        "rule_matching: all\n"
        "syscall_event_drops:\n"
        "  threshold: 0\n"
        "  actions: [log, alert]\n"
        "  rate: 1\n"
        "  max_burst: 1000\n"
        "append_output:\n"
        "  - suggested_output: true\n"
        "  - match:\n"
        "      source: syscall\n"
        "    extra_fields:\n"
        f"{fields}"
        f"{output}"
    )


def _grpc(where: Rpc) -> str:
    """The lines of a Falco up to 0.43."""
    if where.certificates is None:
        listening = f"  bind_address: {where.target}\n"
    else:
        port = where.target.rpartition(":")[2]
        keys = ("private_key: server.key", "cert_chain: server.crt", "root_certs: ca.crt")
        folder = "/etc/falco/certs"
        listening = f"  bind_address: 0.0.0.0:{port}\n" + "".join(
            f"  {key.replace(': ', f': {folder}/')}\n" for key in keys
        )
    return f"grpc:\n  enabled: true\n{listening}grpc_output:\n  enabled: true\n"
