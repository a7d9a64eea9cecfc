"""The kinds of changes that need two people, one file each."""

from __future__ import annotations

from package_hunter.governance.proposals.kind import ChangeKind
from package_hunter.governance.proposals.kinds.approval_settings import ApprovalSettingsKind

_ALL: tuple[ChangeKind, ...] = (ApprovalSettingsKind(),)
KINDS: dict[str, ChangeKind] = {kind.name: kind for kind in _ALL}
