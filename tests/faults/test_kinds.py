"""Each kind has its cases, and each strike does to a call what it says, without a cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from benchmarks.simulation import Raw
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError

from mpe.local.faults import Kind
from tests.faults.commands import KIND, Killed
from tests.faults.commands import cases_of as commands_of
from tests.faults.kinds import (
    KINDS,
    Robbed,
    StaleRows,
    StaleService,
    cases_of,
    denied,
    lost,
    partly,
    timed_out_after,
    timed_out_before,
)
from tests.faults.virtual import At, Died, Life, Made, Spot
from tests.local.campaign import Site
from tests.local.campaign import cases_of as calls_of_sites

MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
CALLS = {
    phase: [
        Spot("Configure", "s3", "PutObject", 1),
        Spot("EnsureCampaign", "personalize", "DescribeCampaign", 1),
        Spot("EnsureCampaign", "personalize", "CreateCampaign", 1),
        Spot("EnsureCampaign", "dynamodb", "PutItem", 1),
        Spot("Finish", "dynamodb", "Query", 1),
        Spot("Finish", "events", "PutEvents", 1),
    ]
    for phase in ("provision", "task", "change")
}


@dataclass
class Clock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class Quiet:
    """A cloud of which a strike needs only the time, and a table without rows."""

    time: Clock = field(default_factory=lambda: Clock(MADE_AT + timedelta(seconds=30)))
    outputs: Mapping[str, str] = field(default_factory=lambda: {"TurnsTable": "turns"})

    def outside(self) -> Any:
        import contextlib

        return contextlib.nullcontext()

    def client(self, service: str) -> Any:
        return self

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {}


class Made200:
    """A call that the service answers with a document, and whether it came there."""

    def __init__(self, spot: Spot, document: Any, asked: Any = None) -> None:
        self.reached = 0
        request = AWSRequest("POST", "https://aws", data=json.dumps(asked or {}).encode())
        self.made = Made(spot, "invocation", request.prepare(), lambda: self._go(document))

    def _go(self, document: Any) -> Any:
        self.reached += 1
        return AWSResponse("https://aws", 200, {}, Raw(json.dumps(document).encode()))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_cases_that_a_seed_makes_the_same_again(kind: str) -> None:
    found = [str(one) for one in cases_of(kind, CALLS, seed=1)]
    assert found
    assert found == [str(one) for one in cases_of(kind, CALLS, seed=1)]
    assert {one.kind for one in cases_of(kind, CALLS)} == {kind}


def test_a_commands_calls_go_wrong_and_it_is_killed_at_them() -> None:
    spots = [Spot("mpe apply", "s3", "PutObject", 1), Spot("mpe apply", "s3", "HeadObject", 2)]
    words = {one.word for one in commands_of({"apply": spots})}
    assert {"throttled", "denied", "killed before", "killed after", "answer lost"} <= words
    assert KIND not in KINDS


def test_what_is_killed_makes_no_call_any_more() -> None:
    first, later = (Spot("mpe apply", "s3", name, 1) for name in ("PutObject", "HeadObject"))
    killed = Killed(first, denied, command="mpe apply", after=True)
    one, other = Made200(first, {}), Made200(later, {})
    assert not killed.meets(other.made)
    for call, reached in ((one, 1), (other, 0)):
        assert killed.meets(call.made)
        with pytest.raises(Died):
            killed.answer(Quiet(), call.made)  # type: ignore[arg-type]
        assert call.reached == reached


@pytest.mark.parametrize(
    ("service", "status"), [("s3", 403), ("sns", 403), ("dynamodb", 400), ("personalize", 400)]
)
def test_a_denied_call_does_not_come_to_the_service(service: str, status: int) -> None:
    call = Made200(Spot("F", service, "PutThing", 1), {})
    answer = denied(Quiet(), call.made)  # type: ignore[arg-type]
    assert (answer.status_code, call.reached) == (status, 0)
    assert b"is not authorized to perform" in answer.content


def test_a_lost_answer_and_a_timeout_after_it_have_their_effect() -> None:
    spot = Spot("F", "dynamodb", "PutItem", 1)
    for act, error, reached in (
        (lost, ConnectionClosedError, 1),
        (timed_out_after, Died, 1),
        (timed_out_before, Died, 0),
    ):
        call = Made200(spot, {})
        with pytest.raises(error):
            act(Quiet(), call.made)  # type: ignore[arg-type]
        assert call.reached == reached


def test_of_events_that_are_not_taken_all_are_told() -> None:
    spot = Spot("F", "events", "PutEvents", 1)
    call = Made200(spot, {}, {"Entries": [{}, {}]})
    answer = partly("InternalFailure", Quiet(), call.made)  # type: ignore[arg-type]
    told = json.loads(answer.content)
    assert (answer.status_code, told["FailedEntryCount"], call.reached) == (200, 2, 0)


@pytest.mark.parametrize(("lag", "seen"), [(60.0, False), (20.0, True)])
def test_a_read_does_not_see_what_was_made_within_its_lag(lag: float, seen: bool) -> None:
    one = {"creationDateTime": MADE_AT.timestamp(), "name": "a"}
    described = Made200(Spot("F", "personalize", "DescribeFilter", 1), {"filter": one})
    listed = Made200(Spot("F", "personalize", "ListFilters", 1), {"Filters": [one]})
    stale = StaleService(lag)
    assert stale.meets(described.made)
    assert (stale.answer(Quiet(), described.made).status_code == 200) is seen  # type: ignore[arg-type]
    (found,) = json.loads(stale.answer(Quiet(), listed.made).content).values()  # type: ignore[arg-type]
    assert bool(found) is seen
    assert bool(stale.hits) is not seen


@pytest.mark.parametrize(("consistent", "seen"), [(True, True), (False, False)])
def test_only_a_consistent_read_sees_a_row_that_was_just_written(
    consistent: bool, seen: bool
) -> None:
    row = {"group": {"S": "films"}, "record": {"S": "LEASE"}}
    stale, table = StaleRows(10.0), {"TableName": "T"}
    put = Made200(Spot("F", "dynamodb", "PutItem", 1), {}, {**table, "Item": row})
    asked = {**table, "ConsistentRead": consistent}
    get = Made200(Spot("F", "dynamodb", "GetItem", 1), {"Item": row}, {**asked, "Key": row})
    query = Made200(Spot("F", "dynamodb", "Query", 1), {"Items": [row]}, asked)
    stale.answer(Quiet(), put.made)  # type: ignore[arg-type]
    got, queried = (
        json.loads(stale.answer(Quiet(), one.made).content)  # type: ignore[arg-type]
        for one in (get, query)
    )
    assert bool(got.get("Item")) is seen
    assert bool(queried["Items"]) is seen


def test_changes_that_a_run_makes_after_its_lease_was_lost_are_kept_for_the_verdict() -> None:
    spot = Spot("EnsureCampaign", "personalize", "CreateCampaign", 1)
    strike = Robbed(spot, None)  # type: ignore[arg-type]
    strike.hits, strike._invocation = 1, "another"
    late = Made200(Spot("EnsureFilter", "personalize", "CreateFilter", 1), {})
    read = Made200(Spot("EnsureFilter", "personalize", "DescribeFilter", 1), {})
    assert not strike.meets(read.made)
    assert strike.meets(late.made)
    strike.answer(Quiet(), late.made)  # type: ignore[arg-type]
    assert strike.changed == ["EnsureFilter CreateFilter #1"]


def test_who_has_no_lease_loses_none_and_the_case_was_not_reached() -> None:
    begun = Made200(Spot("FireTask", "dynamodb", "GetItem", 1), {})
    life = Life(Quiet(), "films")  # type: ignore[arg-type]
    Robbed(begun.made.spot, life).answer(Quiet(), begun.made)  # type: ignore[arg-type]
    assert (begun.reached, life.undone) == (1, 1)


def test_a_strike_meets_its_call_or_with_lasting_all_later_ones() -> None:
    spot, later = (Spot("F", "s3", "GetObject", nth) for nth in (1, 2))
    assert not At(spot, denied).meets(Made200(later, {}).made)
    assert At(spot, denied, lasting=True).meets(Made200(later, {}).made)
    assert not At(spot, denied, once=True, hits=1).meets(Made200(spot, {}).made)


def test_only_what_its_function_has_made_in_that_phase_is_not_visible_yet() -> None:
    sites = [
        Site("provision", "EnsureDataset", "personalize", "CreateDataset", 1),
        Site("provision", "EnsureDataset", "personalize", "DescribeDataset", 2),
        Site("change", "EnsureDataset", "personalize", "DescribeDataset", 2),
    ]
    cases = [case for each in calls_of_sites(sites, 0, 0).values() for case in each]
    unseen = [case.site for case in cases if case.fault.kind == Kind.UNSEEN]
    assert unseen == [sites[1]]
