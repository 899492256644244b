"""A campaign that a person has moved is asked as well, once it serves the version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mpe.aws.personalize import Missing, Personalize
from mpe.handlers.smoking import Smoking
from mpe.model.gate.pointer import GATE, SERVICE, ModelPointer
from mpe.model.plan.desired import Desired
from mpe.model.service.spec import ACTIVE, FAILED, SPECS

CAMPAIGN_DOUBTED = "Personalize Campaign Doubted"


@dataclass(frozen=True)
class Approved:
    """Ask, and tell people where the answers are not as the gate asks; nothing is undone."""

    personalize: Personalize
    smoking: Smoking

    def __call__(
        self,
        group: str,
        campaign: Desired,
        pointer: ModelPointer,
        interactions: Desired | None,
        now: datetime,
    ) -> None:
        """Ask a campaign once for each version that a person has moved it to."""
        version = pointer.version
        if version is None or pointer.by in {GATE, SERVICE} or not campaign.gate:
            return
        known = self.smoking.ledger.smoked(group, campaign.id, version)
        if known or not self._serves(campaign, version):
            return
        moved = replace(campaign, params={**campaign.params, "solutionVersionArn": version})
        self.smoking.after(group, moved, None, interactions, now)

    def _serves(self, campaign: Desired, version: str) -> bool:
        """Tell whether it serves that version, and is not being updated any more."""
        try:
            found = self.personalize.described(SPECS["Campaign"], str(campaign.arn))
        except Missing:
            return False
        update = (found.get("latestCampaignUpdate") or {}).get("status", ACTIVE)
        settled = found["status"] == ACTIVE and update in {ACTIVE, *FAILED}
        return settled and found["solutionVersionArn"] == version
