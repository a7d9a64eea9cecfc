"""Falco rules that people proposed."""

from __future__ import annotations

NARROW = {
    "name": "data-team",
    "rules": """\
- rule: Git settings read by a package
  desc: A package's own code reads the user's git settings, which name him and his hosts.
  condition: >
    evt.type in (open, openat, openat2) and fd.name = /home/dev/.gitconfig and not installer
  output: Git settings were read (command=%proc.cmdline file=%fd.name)
  priority: WARNING
  tags: [suspicious, T1083]
""",
}
BROAD = {
    "name": "web-team",
    "rules": """\
- rule: Any connection
  desc: Anything connects to anywhere.
  condition: evt.type = connect
  output: A connection (command=%proc.cmdline to=%fd.name)
  priority: CRITICAL
  tags: [suspicious, T1071]
""",
}
