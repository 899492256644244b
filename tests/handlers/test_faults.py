"""Whatever fails on the way, a dataset group ends the same, with nothing made twice.

A run's steps are taken in its own order through the real handler against the emulator.
Calls fail before they take effect, or take effect and lose their answer; functions die half
way and are called again, as Step Functions would. What a run gives up on, a new upload mends.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpe.aws.personalize import Personalize
from mpe.emulator import Request, Response
from mpe.handlers.ensure import Ensure, Step
from mpe.local.faults import Lagging, without_newest
from mpe.model.config.parse import parse
from mpe.model.plan.desired import Desired, DesiredState, Place, desired_state
from mpe.model.plan.outcome import Outcome
from tests.conftest import BRIEF, ROLE, Emulated, examples
from tests.everything import everything, files
from tests.faults.oracle import Resources
from tests.handlers.measured import Measured
from tests.handlers.test_ensure import Bucket, Heard, Ledger, Ticking, Turn

MOST_RUNS = 3
RETRIES = 5
LAG = 60
"""Seconds for which a read may not see what was made."""


@dataclass
class Faulty(Emulated):
    """An emulated service some of whose calls fail, by their number."""

    faults: dict[int, str] = field(default_factory=dict)
    calls: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        answer = self.service.handle

        def handle(request: Request) -> Response:
            self.calls += 1
            fault = self.faults.get(self.calls)
            if fault is None:
                return answer(request)
            if fault == "lost":
                answer(request)
            if fault == "unseen":
                return self._unseen(request, answer(request))
            code = "ThrottlingException" if fault == "throttled" else "InternalFailure"
            kind = {"Content-Type": "application/x-amz-json-1.1"}
            return Response(500, kind, json.dumps({"__type": code, "message": code}).encode())

        self.service.handle = handle  # type: ignore[method-assign]

    def _unseen(self, request: Request, response: Response) -> Response:
        """Answer as if the newest of what was made were not there yet, as a lagging read does."""
        since = self.clock().timestamp() - LAG
        if request.operation.startswith("List") and response.status == 200:
            return replace(response, body=without_newest(response.body, after=since).encode())
        if request.operation.startswith("Describe") and response.status == 200:
            (described,) = json.loads(response.body).values()
            if described["creationDateTime"] >= since:
                code = "ResourceNotFoundException"
                return Response(400, response.headers, json.dumps({"__type": code}).encode())
        return response


@pytest.mark.parametrize(("after", "seen"), [(150.0, ["old"]), (250.0, ["old", "new"])])
def test_a_list_lags_only_behind_what_was_made_since_it_is_watched(
    after: float, seen: list[str]
) -> None:
    sent: list[dict[str, Any]] = []

    async def keep(message: dict[str, Any]) -> None:
        sent.append(message)

    async def answered() -> None:
        lagging = Lagging(keep, after=after)
        rows = [{"name": "old", "creationDateTime": 100}, {"name": "new", "creationDateTime": 200}]
        body = json.dumps({"datasets": rows}).encode()
        await lagging({"type": "http.response.start", "status": 200, "headers": []})
        await lagging({"type": "http.response.body", "body": body})

    asyncio.run(answered())
    assert [one["name"] for one in json.loads(sent[-1]["body"])["datasets"]] == seen


@dataclass
class Seen:
    """An emulated service, as the oracle looks at a cloud."""

    emulated: Emulated
    outputs: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    account: str = "000000000000"

    def client(self, service: str) -> Any:
        assert service == "personalize"
        return self.emulated.client


class Killed(Exception):
    """The function died."""


@dataclass
class Mortal(Ledger):
    """A ledger at which the function dies now and then."""

    deaths: set[int] = field(default_factory=set)
    calls: int = 0

    def durations(self, group: str, resource: str, kind: str) -> tuple[float, ...]:
        self._maybe_die()
        return super().durations(group, resource, kind)

    def record(self, *args: Any) -> None:
        self._maybe_die()
        super().record(*args)

    def _maybe_die(self) -> None:
        self.calls += 1
        if self.calls in self.deaths:
            raise Killed


class Provisioning:
    """A dataset group, provisioned by as many runs as it takes."""

    def __init__(self, faults: dict[int, str], deaths: set[int]) -> None:
        self.emulated = Faulty(faults=faults, durations=BRIEF)
        self.emulated.objects.objects = {f"s3://data/{key}": body for key, body in files().items()}
        bucket = Bucket(self.emulated.objects)
        bucket.modified = self.emulated.clock()
        self.turn = Turn()
        self.ledger = Mortal(deaths=deaths)
        self.ensure = Ensure(
            Personalize(self.emulated.client),
            bucket,
            self.ledger,  # type: ignore[arg-type]
            self.turn,
            Heard(),
            Measured(),
            Ticking(fake=self.emulated.clock),
        )
        place = Place("us-east-1", "000000000000", "data", ROLE)
        self.state = desired_state(parse(json.dumps(everything())), place, version="1")

    def provision(self) -> int:
        """Run until all is as desired, and return how many runs it took."""
        for count in range(1, MOST_RUNS + 1):
            began = self.emulated.clock()
            self.turn.began_ = began
            if self._run(f"{began:%Y%m%dT%H%M%S}-0000000{count}", self.state):
                return count
            self.emulated.clock.advance(LAG + 1)  # nobody uploads again within a minute
        raise AssertionError("it did not converge")

    def _run(self, run: str, state: DesiredState) -> bool:
        version = None
        for desired in state.resources.values():
            params = {**desired.params}
            if desired.given:
                params["solutionVersionArn"] = version
            outcome = self._follow(run, _with(desired, params))
            if outcome.failed:
                return False
            version = outcome.arn if desired.noun == "SolutionVersion" else version
        return True

    def _follow(self, run: str, desired: Desired) -> Outcome:
        outcome = Outcome.of(desired)
        while True:
            outcome = self._call(Step(run, self.state.group, desired, outcome))
            if outcome.wait is None:
                return outcome
            self.emulated.clock.advance(outcome.wait)

    def _call(self, step: Step) -> Outcome:
        """Call the function, and again where it died, with the same input."""
        for _ in range(RETRIES):
            try:
                return Outcome.from_dict(self.ensure(step).as_dict())
            except Killed:
                continue
        raise AssertionError("the function died every time")

    def made(self) -> dict[str, Any]:
        """Return all there is, without what runs are named, and what it is made of."""
        self.emulated.faults = {}
        groups = self.emulated.client.list_dataset_groups()["datasetGroups"]
        told = Resources(Seen(self.emulated), self.state.group).told()
        return {**told, "groups": [[one["name"], one["status"]] for one in groups]}


def _with(desired: Desired, params: dict[str, Any]) -> Desired:
    return Desired(**{**vars(desired), "params": params})


def clean() -> tuple[int, int, dict[str, Any]]:
    """Return how often an undisturbed run calls the service and its ledger, and what is made."""
    undisturbed = Provisioning({}, set())
    assert undisturbed.provision() == 1
    return undisturbed.emulated.calls, undisturbed.ledger.calls, undisturbed.made()


CALLS, NOTES, CLEAN = clean()
FAULTS = st.dictionaries(
    st.integers(1, CALLS), st.sampled_from(["lost", "refused", "throttled", "unseen"]), max_size=12
)


@settings(max_examples=examples(40))
@given(FAULTS, st.sets(st.integers(1, NOTES), max_size=4))
def test_a_dataset_group_ends_the_same_whatever_fails(
    faults: dict[int, str], deaths: set[int]
) -> None:
    disturbed = Provisioning(dict(faults), deaths)
    disturbed.provision()
    assert disturbed.made() == CLEAN


def test_the_undisturbed_run_makes_one_of_each() -> None:
    made_of = CLEAN["made of"]
    made = {kind: found for kind, found in CLEAN.items() if kind != "made of" and found}
    assert {kind: len(found) for kind, found in made.items()} == {
        "groups": 1,
        "schemas": 5,
        "datasets": 5,
        "imports": 5,
        "trackers": 1,
        "filters": 1,
        "solutions": 3,
        "versions": 3,
        "campaigns": 1,
        "attributions": 1,
        "deletions": 1,
        "exports": 1,
        "batch jobs": 3,
        "segment jobs": 1,
    }
    assert {len(made_of[kind]) for kind in ("campaigns", "filters")} == {1}
    assert len(made_of["imports"]) == 5
    del made["schemas"]  # which have no status
    assert all({"ACTIVE", "COMPLETED"} & set(one) for found in made.values() for one in found)
