"""Every error that a user may meet: a sentence that says what happened, and one that says what to do.

The exit codes are the contract of the command line (docs/cli.md). An error that is not one of these is our
own failure (exit code 70).
"""

from __future__ import annotations


class HunterError(Exception):
    """A failure with a sentence for the user.

    ``message`` says what happened and where; ``advice`` says what to do about it. ``exit_code`` is what the
    command line ends with. ``again``: the failure is ours and not the target's, and the same may go well another
    time, so a worker tries it again.
    """

    exit_code = 70
    again = False

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class UsageError(HunterError):
    """The command line, a setting or a rule file is wrong."""

    exit_code = 2


class RuleFileError(UsageError):
    """A rule file cannot be loaded; ``message`` holds file, line and column."""


class NothingToScanError(HunterError):
    """The target holds nothing to install: bad archive, no manifest, unknown package."""

    exit_code = 3


class BadArchiveError(NothingToScanError):
    """The archive is not one, is broken, or breaks a limit or a safety rule."""


class IncompleteScanError(HunterError):
    """The scan could not see all of what it should have seen."""

    exit_code = 4


class UnreachableError(HunterError):
    """A server or registry did not answer."""

    exit_code = 69


class HostError(HunterError):
    """This host lacks something that a scan needs (root, BTF, runc, disk, time); ``advice`` names the remedy. Never the
    target's fault: a worker tries the scan again, and another may be able to."""

    exit_code = 70
    again = True


class SandboxError(HostError):
    """The sandbox could not be built or run."""


class HelperDiedError(SandboxError):
    """A process of ours (gateway, event reader, unpacker, planner) ended in the middle: killed, or out of memory."""


class BoxKilledError(HelperDiedError):
    """The box's first process was killed by somebody who is not in the box."""


class SensorError(HostError):
    """The probe could not be loaded or read."""


class StoreError(HostError):
    """The store (database or artefacts) cannot be read or written just now. ``told`` is what strangers are told:
    ``message`` may quote what failed, and with it the name of a host or a path."""

    def __init__(self, message: str, advice: str = "", told: str = "") -> None:
        super().__init__(message, advice)
        self.told = told or message


class DiskFullError(StoreError):
    """No room for what should be stored."""
