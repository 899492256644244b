"""A run is looked at before it begins: what it would fail for is noted, and it makes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from mpe.aws.objects import Pointer
from mpe.aws.personalize import Personalize
from mpe.handlers.preflight import NEXT_LOOK, Preflight
from mpe.model.plan.desired import Desired, DesiredState
from mpe.model.plan.owner import marked
from mpe.model.plan.removals import Made
from mpe.model.plan.tasks import Task
from mpe.model.plan.waits import VISIBLE_WITHIN
from tests.attached import attach
from tests.conftest import Emulated
from tests.emulator.conftest import Builder, avro
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, RUN, Ticking, group, schema
from tests.handlers.test_functions import Log
from tests.handlers.test_functions import log as log
from tests.handlers.test_runs import Account
from tests.handlers.test_runs import account as account

TASK = "full.for-you"
GROUP = f"{PLACE}dataset-group/films"
STATE = {"bucket": "data", "key": "state/films/1.json"}


def solution(recipe: str = "user-personalization-v2") -> Desired:
    params = {"name": "for-you", "datasetGroupArn": GROUP,
              "recipeArn": f"arn:aws:personalize:::recipe/aws-{recipe}"}  # fmt: skip
    return Desired("solution", "Solution", "for-you", "$.s", params, arn=f"{PLACE}solution/for-you")


def a_solution(build: Builder, recipe: str = "user-personalization-v2") -> str:
    """Make a dataset group with a solution, and return that."""
    arn = build.group()
    build.dataset(arn)
    return build.solution(arn, recipe)


@dataclass
class Looking:
    """A stack, its ledger in a table of moto, and its dataset group in the emulated service."""

    account: Account
    emulated: Emulated

    def look(self, *resources: Desired, task: tuple[str, ...] | None = None) -> dict[str, Any]:
        """Look at a run of a config of these resources, or of its task that has some of them."""
        found = {one.id: one for one in resources}
        work = {"solutions": list(task or ())}
        tasks = {TASK: Task(TASK, "full", "$", "rate(7 days)", "UTC", work)} if task else {}
        state = DesiredState("films", "1", found, {"datasetGroup": "datasetGroup"}, tasks)
        preflight = Preflight(
            Personalize(self.emulated.client),
            States(state),
            self.account.ledger,
            Ticking(fake=self.emulated.clock),
            "Films",
        )
        return preflight({"id": RUN, "state": STATE, **({"task": TASK} if task else {})})

    def noted(self) -> list[dict[str, Any]]:
        """Return what is noted of the run, for its last step to tell."""
        return list(self.account.ledger.outcomes("films", RUN))

    def made(self, noun: str, name: str, ago: float | None) -> None:
        """Let a run have made something so long ago, or nobody know when."""
        at = self.emulated.clock() - timedelta(seconds=ago or 0)
        arn = f"{PLACE}{noun.lower()}/{name}"
        created = at.isoformat() if ago is not None else ""
        self.account.ledger.note_made("films", Made(noun, name, arn, created))


@dataclass(frozen=True)
class States:
    """The bucket, as far as it has a desired state."""

    state: DesiredState

    def load_state(self, pointer: Pointer) -> DesiredState:
        assert pointer == Pointer(**STATE)
        return self.state


@pytest.fixture
def looking(account: Account, emulated: Emulated) -> Looking:
    attach(emulated.service, emulated.client)
    return Looking(account, emulated)


def test_where_nothing_is_there_yet_nothing_is_refused(looking: Looking) -> None:
    assert looking.look(group(), schema(avro("Users")), solution()) == {"refused": False}
    assert looking.noted() == []


def test_all_that_a_run_would_fail_for_is_noted_with_what_is_there_of_it(
    looking: Looking, build: Builder
) -> None:
    made = a_solution(build, "popularity-count")
    build.client.create_schema(name="s", schema=avro("Items"))
    assert looking.look(group(), schema(avro("Users")), solution()) == {"refused": True}
    found = {one["noun"]: one for one in looking.noted()}
    assert set(found) == {"Schema", "Solution"}
    told = found["Solution"]
    assert (told["arn"], told["status"], told["name"]) == (made, "ACTIVE", "for-you")
    assert told["failed"]["error"] == "DriftError"
    assert "recipeArn" in told["failed"]["reason"]


def test_a_group_of_another_stack_is_refused(looking: Looking, build: Builder) -> None:
    arn = build.group()
    build.client.tag_resource(resourceArn=arn, tags=marked((), "Other"))
    assert looking.look(group()) == {"refused": True}
    (told,) = looking.noted()
    assert (told["noun"], told["failed"]["error"]) == ("DatasetGroup", "OfAnotherStack")


def test_a_service_that_is_busy_is_asked_again_and_nothing_is_noted(
    looking: Looking, log: Log
) -> None:
    looking.emulated.service.faults.throttle("DescribeDatasetGroup")
    assert looking.look(group()) == {"refused": False, "wait": NEXT_LOOK}
    assert looking.noted() == []
    assert log.line("busy")["error"] == "Rate exceeded"


def test_what_the_service_does_not_allow_is_told_of_the_dataset_group(looking: Looking) -> None:
    faults = looking.emulated.service.faults
    faults.error("DescribeSolution", "AccessDeniedException", "not for you")
    assert looking.look(group(), solution()) == {"refused": True}
    (told,) = looking.noted()
    assert (told["noun"], told["failed"]) == (
        "DatasetGroup", {"error": "AccessDeniedException", "reason": "not for you"},
    )  # fmt: skip


def test_a_task_is_refused_for_its_own_work_alone(looking: Looking, build: Builder) -> None:
    a_solution(build)
    gone = replace(solution(), id="gone", name="gone", arn=f"{PLACE}solution/gone")
    assert looking.look(group(), solution(), gone, task=("solution",)) == {"refused": False}
    assert looking.look(group(), solution(), gone, task=("solution", "gone")) == {"refused": True}
    (told,) = looking.noted()
    assert (told["name"], told["failed"]["error"]) == ("gone", "ResourceMissing")
    assert (told["status"], "arn" in told) == ("ABSENT", False)


@pytest.mark.parametrize(
    ("ago", "name", "waits"),
    [
        (VISIBLE_WITHIN - 1, "for-you", True),
        (VISIBLE_WITHIN, "for-you", False),
        (None, "for-you", False),
        (1, "another", False),
    ],
    ids=["lately", "long-ago", "nobody-knows-when", "something-else"],
)
def test_what_a_task_misses_is_looked_for_again_where_it_was_made_lately(
    looking: Looking, build: Builder, ago: float | None, name: str, waits: bool
) -> None:
    build.group()
    looking.made("Solution", name, ago)
    answer = looking.look(group(), solution(), task=("solution",))
    assert answer == ({"refused": False, "wait": NEXT_LOOK} if waits else {"refused": True})
    assert bool(looking.noted()) != waits


def test_what_is_there_and_differs_is_refused_however_lately_it_was_made(
    looking: Looking, build: Builder
) -> None:
    a_solution(build, "popularity-count")
    looking.made("Solution", "for-you", 1)
    assert looking.look(group(), solution(), task=("solution",)) == {"refused": True}


def test_of_several_that_a_task_misses_one_that_was_made_lately_is_enough_to_wait(
    looking: Looking, build: Builder
) -> None:
    build.group()
    gone = replace(solution(), id="gone", name="gone", arn=f"{PLACE}solution/gone")
    looking.made("Solution", "gone", VISIBLE_WITHIN)
    looking.made("Solution", "for-you", 1)
    answer = looking.look(group(), solution(), gone, task=("solution", "gone"))
    assert answer == {"refused": False, "wait": NEXT_LOOK}
