"""The kinds of changes that need two people, one file each."""

from __future__ import annotations

from package_hunter.governance.proposals.kind import ChangeKind
from package_hunter.governance.proposals.kinds.approval_rights import ApprovalRightsKind
from package_hunter.governance.proposals.kinds.approval_settings import ApprovalSettingsKind
from package_hunter.governance.proposals.kinds.policy import PolicyKind
from package_hunter.governance.proposals.kinds.required_scan import RequiredScanKind
from package_hunter.governance.proposals.kinds.role_mappings import RoleMappingsKind
from package_hunter.governance.proposals.kinds.rule_set import RuleSetKind
from package_hunter.governance.proposals.kinds.waiver import WaiverKind

_ALL: tuple[ChangeKind, ...] = (
    *(PolicyKind(), WaiverKind(), RequiredScanKind()),
    *(RuleSetKind(), RoleMappingsKind(), ApprovalRightsKind(), ApprovalSettingsKind()),
)
KINDS: dict[str, ChangeKind] = {kind.name: kind for kind in _ALL}
