"""What a campaign answers: the three Get calls of Amazon Personalize's runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mpe.model.gate.smoke import UNANSWERED, Answer, Probe
from mpe.model.service.recipes import PERSONALIZED_ACTIONS, PERSONALIZED_RANKING

COUNT = 25
"""How long a list is asked for."""


@dataclass(frozen=True)
class Lists:
    """Ask a campaign through a boto3 ``personalize-runtime`` client."""

    client: Any
    pause: Callable[[float], None]
    """Waits so many seconds."""

    def ask(
        self, campaign: str, recipe: str, probes: Sequence[Probe], *, rate: float, within: float
    ) -> Iterator[Answer]:
        """Yield an answer to each probe, with at most ``rate`` of them a second.

        Those that have no time left ``within`` so many seconds are not asked.
        """
        for probe in probes[: max(1, int(rate * within))]:
            began = monotonic()
            try:
                items, error = self._one(campaign, recipe, probe), ""
            except ClientError as failed:
                items, error = (), str(failed.response["Error"].get("Code", "")) or "unknown"
            except BotoCoreError:
                items, error = (), UNANSWERED
            yield Answer(probe, items, error, monotonic() - began)
            self.pause(1 / rate)

    def _one(self, campaign: str, recipe: str, probe: Probe) -> tuple[str, ...]:
        by = {"filterArn": probe.filter} if probe.filter else {}
        if recipe == PERSONALIZED_RANKING:
            found = self.client.get_personalized_ranking(
                campaignArn=campaign, userId=probe.user, inputList=list(probe.ranked), **by
            )["personalizedRanking"]
        elif recipe == PERSONALIZED_ACTIONS:
            answer = self.client.get_action_recommendations(
                campaignArn=campaign, userId=probe.user, **by
            )
            return tuple(str(one["actionId"]) for one in answer["actionList"])
        else:
            of = {"userId": probe.user} if probe.user else {"itemId": probe.item}
            given = {"campaignArn": campaign, "numResults": COUNT, **of, **by}
            found = self.client.get_recommendations(**given)["itemList"]
        return tuple(str(one["itemId"]) for one in found)
