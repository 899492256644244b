"""Look after what is held and what is served, every few minutes, between runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.cloudwatch import CloudWatch
from mpe.aws.events import Events, EventSink
from mpe.aws.ledger import Ledger
from mpe.aws.lists import Lists
from mpe.aws.objects import Objects, state_of
from mpe.aws.personalize import Personalize
from mpe.aws.turns import Turns
from mpe.handlers.approved import CAMPAIGN_DOUBTED, Approved
from mpe.handlers.gauges import Emf, Gauges
from mpe.handlers.holding import Holding
from mpe.handlers.recommending import Recommended, Recommending
from mpe.handlers.settings import LOGGER, setting
from mpe.handlers.smoking import Smoking
from mpe.handlers.watching import Watching
from mpe.model.errors import NewerForm
from mpe.model.gate.holding import LONG, too_old
from mpe.model.gate.pointer import ModelPointer
from mpe.model.plan.desired import INTERACTIONS_IMPORT, Desired, DesiredState


class Newest(Protocol):
    def newest_run(self, group: str) -> str | None: ...


@dataclass(frozen=True)
class Tend:
    """The adapters that it looks through."""

    turns: Newest
    objects: Objects
    ledger: Ledger
    events: EventSink
    gauges: Gauges
    clock: Clock
    bucket: str
    stack: str
    """The name of the stack, which people are told."""
    approved: Approved | None = None
    """What asks campaigns that people have moved, where they may be asked."""
    watching: Watching | None = None
    """What watches campaigns that have moved, where they may be watched."""
    recommended: Recommended | None = None
    """What looks at recommenders, where it may."""

    def __call__(self) -> dict[str, int]:
        """End the holds that are due; publish and return what waits long and what is old.

        A dataset group that is gone, or that only a newer release can read, is passed over.
        """
        waits = old = 0
        for group in self.ledger.gated():
            try:
                state = self._state(group)
                if state is None:
                    continue
                self._recommenders(state)
                for version, pointers in self._followed(state):
                    long, stale = self._solution(group, state, version, pointers)
                    waits, old = waits + long, old + stale
            except NewerForm as error:
                LOGGER.warning("not looked after", extra={"group": group, "error": str(error)})
        self.gauges.tended(waits, old)
        return {"waits": waits, "old": old}

    def _state(self, group: str) -> DesiredState | None:
        run = self.turns.newest_run(group)
        return self.objects.load_state(state_of(self.bucket, group, run)) if run else None

    def _recommenders(self, state: DesiredState) -> None:
        for one in state.resources.values():
            if self.recommended and one.noun == "Recommender":
                self.recommended(state.group, one)

    def _followed(self, state: DesiredState) -> list[tuple[Desired, dict[str, ModelPointer]]]:
        """Return each solution's version with the pointers that its campaigns follow."""
        known = dict(self.ledger.all_pointers(state.group))
        found = []
        for one in state.resources.values():
            ids = [each["id"] for each in one.campaigns if not each["pinned"]]
            pointers = {id: known[id] for id in ids if id in known}
            if pointers:
                found.append((one, pointers))
        return found

    def _solution(
        self, group: str, state: DesiredState, version: Desired, pointers: dict[str, ModelPointer]
    ) -> tuple[int, int]:
        """Look after one solution; return how many of its campaigns wait long, and are old."""
        holding = Holding(self.ledger, self.events, self.clock, self.stack)
        holding.expire(group, version.gate, pointers)
        for id, pointer in pointers.items():
            campaign = state.resources.get(id)
            if campaign is None or campaign.noun != "Campaign":
                continue
            if self.approved:
                read = state.resources.get(INTERACTIONS_IMPORT)
                self.approved(group, campaign, pointer, read, self.clock.now())
            if self.watching:
                self.watching(group, campaign, pointer)
        waited = (holding.waits(group, one) or 0 for one in pointers.values())
        old = (self._old(group, state, version, one) for one in pointers.values())
        return sum(seconds > LONG for seconds in waited), sum(old)

    def _old(
        self, group: str, state: DesiredState, version: Desired, pointer: ModelPointer
    ) -> bool:
        """Tell whether what a campaign serves is older than twice its schedule of trainings."""
        name = version.id.partition(".")[2]
        tasks = (state.tasks.get(f"{kind}.{name}") for kind in ("full", "update"))
        task = next((one for one in tasks if one), None)
        live = self.ledger.weighed(group, pointer.version) if task and pointer.version else None
        if task is None or live is None or live.created is None:
            return False
        created = datetime.fromisoformat(live.created)
        return too_old(created, self.clock.since(created), task.expression, task.zone)


made_in_init("cloudwatch", "dynamodb", "events", "personalize", "personalize-runtime", "s3")


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answer the rule that starts it with what it found."""
    objects, clock = Objects(client("s3")), Clock.from_environment()
    ledger = Ledger(table(setting("LEDGER_TABLE")))
    events, gauges = Events(client("events"), setting("EVENT_BUS")), Emf(setting("STACK"))
    lists = Lists(client("personalize-runtime"), clock.rests)
    told = {"doubted": CAMPAIGN_DOUBTED, "stack": setting("STACK")}
    smoking = Smoking(lists, objects, ledger, events, gauges, **told)
    personalize, measured = Personalize(client("personalize")), CloudWatch(client("cloudwatch"))
    around = (ledger, events, gauges, clock, setting("STACK"))
    tend = Tend(
        Turns(table(setting("TURNS_TABLE"))),
        objects,
        ledger,
        events,
        gauges,
        clock,
        setting("DATA_BUCKET"),
        setting("STACK"),
        Approved(personalize, smoking),
        Watching(personalize, measured, *around),
        Recommended(personalize, Recommending(ledger, events, gauges, clock)),
    )
    found = tend()
    LOGGER.info("tended", extra=found)
    return found
