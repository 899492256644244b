"""What a config names no more is removed in the service's order, by a run that still may."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mpe.aws.objects import Pointer
from mpe.aws.personalize import Busy, Personalize, ServiceError
from mpe.aws.turns import Claim
from mpe.handlers.remove import LOOK, PATIENCE, Remove
from mpe.model.errors import TurnLost
from mpe.model.plan.desired import DELETE, DesiredState
from mpe.model.plan.owner import marked
from mpe.model.plan.removals import Made
from mpe.model.service.spec import SPECS, ResourceSpec
from tests.attached import attach
from tests.conftest import ROLE, Emulated
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, RUN, Ticking, group
from tests.handlers.test_runs import Account
from tests.handlers.test_runs import account as account

UNSEEN = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
STATE = {"bucket": "data", "key": "state/films/2.json"}


@dataclass(frozen=True)
class States:
    """The bucket, as far as it has a desired state, which names a dataset group alone."""

    on_removal: str = DELETE

    def state_of_run(self, pointer: Pointer) -> DesiredState:
        assert pointer == Pointer(**STATE)
        return DesiredState("films", "2", {"datasetGroup": group()}, on_removal=self.on_removal)


@dataclass
class Service(Personalize):
    """The service, with something that it says of a resource, or answers instead of removing it."""

    client: Any
    says: dict[str, str] = field(default_factory=dict)
    fails: Exception | None = None
    deaf: Exception | None = None

    def __post_init__(self) -> None:
        super().__init__(self.client)

    def described(self, spec: ResourceSpec, arn: str, *, with_parts: bool = True) -> Any:
        if self.deaf:
            raise self.deaf
        return {**super().described(spec, arn, with_parts=with_parts), **self.says}

    def delete(self, spec: ResourceSpec, arn: str) -> None:
        if self.fails:
            raise self.fails
        super().delete(spec, arn)


@dataclass
class Removing:
    """A run that has its turn in a dataset group, and what it removes there."""

    account: Account
    build: Builder
    service: Service
    states: States = field(default_factory=States)
    run: dict[str, Any] = field(
        default_factory=lambda: {"id": RUN, "group": "films", "sequencer": "02", "state": STATE}
    )

    def __post_init__(self) -> None:
        claim = Claim("films", RUN, "execution-2", "02")
        assert self.account.turns.take(claim, self.build.emulated.clock()) is None

    def look(self, after: float = 0, redriven: int = 0) -> dict[str, Any]:
        """Let the run look, some time later."""
        self.build.wait(after)
        remove = Remove(
            self.service,
            self.states,
            self.account.ledger,
            self.account.turns,
            Ticking(fake=self.build.emulated.clock),
            "Films",
        )
        return remove(self.run, redriven)

    def end(self) -> dict[str, Any]:
        """Look as often as the answers say, and return the last."""
        answer = self.look()
        while "wait" in answer:
            answer = self.look(answer["wait"])
        return answer

    def filter(self, name: str = "f") -> Made:
        arn = self.build.filter(f"{PLACE}dataset-group/films", UNSEEN, name)
        return self.made("Filter", name, arn)

    def made(self, noun: str, name: str, arn: str, **more: Any) -> Made:
        """Note that a run of the stack has made what is there."""
        found = Personalize(self.build.client).described(SPECS[noun], arn)
        one = replace(Made.of(noun, name, arn, found), **more)
        self.account.ledger.note_made("films", one)
        return one

    def told(self) -> dict[str, dict[str, Any]]:
        """Return what the run has noted, by name."""
        return {one["name"]: one for one in self.account.ledger.outcomes("films", RUN)}

    def known(self) -> list[Made]:
        return list(self.account.ledger.made("films"))

    def filters(self) -> list[str]:
        return [one["name"] for one in self.build.client.list_filters()["Filters"]]


@pytest.fixture
def removing(account: Account, build: Builder, emulated: Emulated) -> Removing:
    attach(emulated.service, emulated.client)
    build.imported(build.group())
    return Removing(account, build, Service(emulated.client))


@pytest.fixture
def served(removing: Removing) -> Removing:
    """Have a solution and its campaign, which runs of the stack have made, and a filter."""
    build = removing.build
    solution = build.solution(f"{PLACE}dataset-group/films")
    campaign = build.campaign(build.version(solution))
    removing.made("Solution", "for-you", solution)
    removing.made("Campaign", "live", campaign)
    removing.filter()
    return removing


def there(removing: Removing) -> tuple[int, int, int]:
    client = removing.build.client
    return (
        len(client.list_campaigns()["campaigns"]),
        len(client.list_solutions()["solutions"]),
        len(removing.filters()),
    )


def test_a_stage_goes_when_that_before_it_is_gone_and_each_removal_is_noted(
    served: Removing,
) -> None:
    assert served.look() == {"failed": False, "wait": LOOK}
    assert there(served) == (1, 1, 1)
    seen = [there(served)]
    while "wait" in served.look(LOOK):
        seen.append(there(served))
    assert list(dict.fromkeys(seen)) == [(1, 1, 1), (0, 1, 1), (0, 0, 1)]
    assert there(served) == (0, 0, 0)
    told = served.told()
    assert set(told) == {"live", "for-you", "f"}
    assert {(one["did"], one["status"]) for one in told.values()} == {("removed", "DELETED")}
    assert told["f"]["path"] == "$.datasetGroup.workflowConfig.onRemoval"
    assert (told["f"]["noun"], told["f"]["resource"]) == ("Filter", "removed.filter.f")
    assert told["f"]["arn"] == f"{PLACE}filter/f"
    assert served.known() == []


def test_where_the_config_says_nothing_nothing_is_removed(removing: Removing) -> None:
    removing.filter()
    removing.states = States("keep")
    assert removing.look() == {"failed": False}
    assert removing.filters() == ["f"]


def test_how_long_a_removal_took_counts_from_when_this_run_asked_for_it(
    removing: Removing,
) -> None:
    one = removing.filter()
    former = (removing.build.emulated.clock() - timedelta(days=1)).isoformat()
    removing.account.ledger.note_made("films", replace(one, removing="former", since=former))
    removing.look()
    removing.build.wait(3600.26)
    assert removing.look() == {"failed": False}
    assert float(removing.told()["f"]["seconds"]) == 3600.3


def test_what_somebody_else_has_removed_is_forgotten_and_not_told(removing: Removing) -> None:
    one, other = removing.filter(), removing.filter("g")
    at = removing.build.emulated.clock().isoformat()
    removing.account.ledger.note_made("films", replace(one, removing="former", since=at))
    removing.account.ledger.note_made("films", replace(other, removing=RUN))
    for each in (one, other):
        removing.build.client.delete_filter(filterArn=each.arn)
    removing.build.wait()
    assert removing.look() == {"failed": False}
    assert (removing.told(), removing.known()) == ({}, [])


def test_another_of_the_same_name_stays_and_is_no_more_known_as_made_by_the_stack(
    removing: Removing,
) -> None:
    one = removing.filter()
    removing.account.ledger.note_made("films", replace(one, created="2020-01-01T00:00:00+00:00"))
    assert removing.look() == {"failed": False}
    assert (removing.filters(), removing.told(), removing.known()) == (["f"], {}, [])


def test_a_run_without_its_turn_removes_nothing_and_fails(removing: Removing) -> None:
    removing.filter()
    removing.account.turns.give_back("films", "execution-2")
    assert removing.look() == {"failed": True}
    (told,) = removing.told().values()
    assert told["failed"] == {"error": "TurnLost", "reason": str(TurnLost("films", RUN))}
    assert removing.filters() == ["f"]


def test_a_run_that_is_redriven_goes_on_in_its_turn_or_not_at_all(removing: Removing) -> None:
    removing.filter()
    with pytest.raises(TurnLost):
        removing.look(redriven=1)
    row = {"status": "FAILED", "execution": "execution-2"}
    removing.account.turns.record("films", RUN, row)
    removing.account.turns.give_back("films", "execution-2")
    assert removing.look(redriven=1) == {"failed": False, "wait": LOOK}


@pytest.mark.parametrize(("newest", "left"), [("03", ["f"]), ("01", [])])
def test_what_a_newer_config_may_name_again_stays(
    removing: Removing, newest: str, left: list[str]
) -> None:
    removing.filter()
    removing.account.turns.announce("films", "other", newest)
    assert removing.end() == {"failed": False}
    assert removing.filters() == left


@pytest.mark.parametrize(("owner", "goes"), [("Other", False), ("Films", True)])
def test_nothing_goes_of_a_group_that_another_stack_maintains(
    removing: Removing, owner: str, goes: bool
) -> None:
    removing.filter()
    arn = f"{PLACE}dataset-group/films"
    removing.build.client.tag_resource(resourceArn=arn, tags=marked((), owner))
    assert removing.end() == {"failed": not goes}
    told = removing.told()["f"]
    assert bool(removing.filters()) != goes
    if not goes:
        reason = "the dataset group films is maintained by the stack Other: nothing is removed"
        assert told["failed"] == {"error": "OfAnotherStack", "reason": reason}


def test_a_solution_that_a_campaign_of_others_serves_stays_and_that_is_no_failure(
    served: Removing,
) -> None:
    live = served.build.client.describe_campaign(campaignArn=f"{PLACE}campaign/live")["campaign"]
    served.build.campaign(live["solutionVersionArn"], name="by-hand")
    assert served.end() == {"failed": False}
    assert there(served) == (1, 1, 0)
    told = served.told()["for-you"]
    assert (told["did"], told["told"]) == (
        "skipped", "it stays: the campaign by-hand uses it, which no run of this stack made.",
    )  # fmt: skip


def test_a_removal_that_failed_is_told_and_what_comes_after_stays(served: Removing) -> None:
    served.service.says["status"] = "DELETE FAILED"
    assert served.look() == {"failed": True}
    (told,) = served.told().values()
    assert told["name"] == "live"
    failed = {"error": "ResourceFailed", "reason": "its status is DELETE FAILED"}
    assert (told["failed"], told["status"]) == (failed, "DELETE FAILED")


def test_what_failed_to_be_made_is_removed(removing: Removing) -> None:
    removing.filter()
    removing.service.says["status"] = "CREATE FAILED"
    assert removing.look() == {"failed": False, "wait": LOOK}
    del removing.service.says["status"]
    removing.end()
    assert removing.filters() == []


PENDING = "it is DELETE IN_PROGRESS for more than an hour"


def test_a_removal_that_does_not_end_is_told_after_an_hour(removing: Removing) -> None:
    removing.filter()
    removing.service.says["status"] = "DELETE IN_PROGRESS"
    assert removing.look() == {"failed": False, "wait": LOOK}
    assert removing.look(PATIENCE) == {"failed": False, "wait": LOOK}
    assert removing.told() == {}
    assert removing.look(1) == {"failed": True}
    assert removing.told()["f"]["failed"] == {"error": "ResourceFailed", "reason": PENDING}


@pytest.mark.parametrize("where", ["describing", "deleting"])
def test_what_is_in_use_is_asked_for_again_for_an_hour(removing: Removing, where: str) -> None:
    removing.filter()
    busy = Busy("ResourceInUseException", "it is in use")
    if where == "describing":
        removing.service.deaf = busy
    else:
        removing.service.fails = busy
    assert removing.look() == {"failed": False, "wait": LOOK}
    assert removing.look(PATIENCE) == {"failed": False, "wait": LOOK}
    assert removing.look(1) == {"failed": True}
    failed = {"error": "ResourceInUseException", "reason": "it is in use"}
    assert removing.told()["f"]["failed"] == failed


class Killed(Service):
    """The service, whose answer to a removal nobody lives to hear."""

    def delete(self, spec: ResourceSpec, arn: str) -> None:
        super().delete(spec, arn)
        raise KeyboardInterrupt


def test_who_is_killed_while_it_asks_for_a_removal_tells_of_it_all_the_same(
    removing: Removing,
) -> None:
    removing.filter()
    service, removing.service = removing.service, Killed(removing.build.client)
    with pytest.raises(KeyboardInterrupt):
        removing.look()
    removing.service = service
    assert removing.look(3600) == {"failed": False}
    told = removing.told()["f"]
    assert (told["did"], float(told["seconds"])) == ("removed", 3600)


def test_what_the_service_refuses_is_told_at_once(removing: Removing) -> None:
    removing.filter()
    removing.service.fails = ServiceError("AccessDeniedException", "not you")
    assert removing.look() == {"failed": True}
    failed = {"error": "AccessDeniedException", "reason": "not you"}
    assert removing.told()["f"]["failed"] == failed


def test_a_metric_attribution_goes_unread_since_nobody_lets_its_metrics_be_listed(
    removing: Removing,
) -> None:
    build = removing.build
    views = {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"}
    arn = build.client.create_metric_attribution(
        name="m",
        datasetGroupArn=f"{PLACE}dataset-group/films",
        metrics=[views],
        metricsOutputConfig={"roleArn": ROLE},
    )["metricAttributionArn"]
    build.wait()
    removing.made("MetricAttribution", "m", arn)
    faults = removing.build.emulated.service.faults
    faults.error("ListMetricAttributionMetrics", "AccessDeniedException", "not you", times=9)
    assert removing.end() == {"failed": False}
    assert build.client.list_metric_attributions()["metricAttributions"] == []


def test_of_one_stage_all_are_asked_for_at_once(removing: Removing) -> None:
    for name in ("f", "g"):
        removing.filter(name)
    removing.look()
    begun = [datetime.fromisoformat(str(one.since)) for one in removing.known()]
    assert begun == [removing.build.emulated.clock()] * 2
