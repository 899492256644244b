"""The campaign's oracle tells two worlds apart that differ in anything that matters."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.faults.oracle import differences, found_done, ledger, mails, snapshot

RUN = "20260101T000000-abcdef12"
SOLUTION = "arn:aws:personalize:us-east-1:000000000000:solution/films-popular"
OLD, NEW = f"{SOLUTION}/11111111", f"{SOLUTION}/22222222"
NTH = {OLD: 0, NEW: 1}
CAMPAIGN = "campaign.films-popular.films-live"
LIVE = {"campaign": CAMPAIGN, "version": NEW, "by": "gate", "at": "2026-01-01T00:00:00+00:00"}
ROWS: dict[str, dict[str, Any]] = {
    f"RUN#{RUN}#{CAMPAIGN}": {"resource": CAMPAIGN, "did": "created", "at": "1"},
    f"POINTER#{CAMPAIGN}": LIVE,
    f"MOVE#{CAMPAIGN}#2026#2": LIVE,
    f"JUDGED#VERSION#films-popular/2#{CAMPAIGN}": {**LIVE, "word": "pass", "mode": "observe"},
    "VERSION#films-popular/2": {"arn": NEW, "metrics": {"coverage": "0.2"}},
    "MADE#campaign/films-live": {"noun": "Campaign", "name": "films-live"},
    "DATA#import.interactions": {"word": "pass", "data": "2026 s3://b/train/films/a.csv"},
    f"PROFILE#import.interactions#films-{RUN}": {"imported": True, "profile": "{}"},
    f"SEEN#dataset-import-job/films-{RUN}": {"objects": ["aa"]},
    "DURATION#created#datasetGroup": {"seconds": "40"},
}


@pytest.mark.parametrize("record", ROWS)
def test_a_row_that_is_not_written_is_missed(record: str) -> None:
    less = {key: row for key, row in ROWS.items() if key != record}
    assert differences(ledger(less, NTH), ledger(ROWS, NTH))


@pytest.mark.parametrize(
    ("prefix", "change"),
    [
        pytest.param("POINTER", {"version": OLD}, id="pointer-to-the-old-model"),
        pytest.param("MOVE", {"version": OLD}, id="move-to-the-old-model"),
        pytest.param("JUDGED", {"word": "hold"}, id="another-verdict"),
        pytest.param("VERSION", {"metrics": {}}, id="a-version-without-numbers"),
        pytest.param("MADE", {"name": "other"}, id="another-resource-was-made"),
        pytest.param("DATA", {"word": "refuse"}, id="another-verdict-of-data"),
        pytest.param("PROFILE", {"imported": False}, id="an-import-that-is-not-counted"),
        pytest.param("SEEN", {"objects": []}, id="other-objects"),
        pytest.param("RUN", {"did": "updated"}, id="another-deed"),
        pytest.param("RUN", {"failed": {"error": "E"}}, id="a-failure"),
    ],
)
def test_a_row_that_says_something_else_is_told(prefix: str, change: dict[str, Any]) -> None:
    other = {key: row | change if key.startswith(prefix) else row for key, row in ROWS.items()}
    assert differences(ledger(other, NTH), ledger(ROWS, NTH))


def test_a_resource_that_two_runs_made_is_told() -> None:
    twice = {**ROWS, f"RUN#20260102T000000-abcdef12#{CAMPAIGN}": ROWS[f"RUN#{RUN}#{CAMPAIGN}"]}
    assert differences(ledger(twice, NTH), ledger(ROWS, NTH))


def test_what_a_run_kept_and_what_times_it_had_are_no_difference() -> None:
    kept = {"resource": CAMPAIGN, "did": "kept", "at": "2"}
    later = {key: row | {"expires": "9"} for key, row in ROWS.items()}
    later |= {f"RUN#20260102T000000-abcdef12#{CAMPAIGN}": kept}
    assert not differences(ledger(later, NTH), ledger(ROWS, NTH))


CHANGE = {"Did": "created", "Resource": "Campaign", "Name": "films-live"}
MAIL = {"Run": RUN, "Status": "SUCCEEDED", "Changes": [CHANGE]}
ENDED = {RUN: {"status": "SUCCEEDED"}}
TOLD = mails([MAIL], ENDED)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([], id="no-mail"),
        pytest.param([MAIL | {"Status": "FAILED"}], id="a-mail-with-another-outcome"),
        pytest.param([MAIL | {"Changes": []}], id="a-change-that-is-not-told"),
        pytest.param([MAIL | {"Changes": [CHANGE, CHANGE | {"Name": "b"}]}], id="one-too-many"),
        pytest.param([MAIL | {"Changes": [CHANGE | {"Did": "updated"}]}], id="another-change"),
        pytest.param([MAIL, MAIL | {"Run": "another"}], id="two-runs-that-made-the-same"),
    ],
)
def test_mails_that_tell_something_else_are_told(told: list[dict[str, Any]]) -> None:
    assert differences(mails(told, ENDED), TOLD)


def test_the_same_mail_again_and_what_was_kept_are_no_difference() -> None:
    kept = MAIL | {"Run": "another", "Changes": [CHANGE | {"Did": "kept"}]}
    assert not differences(mails([MAIL, MAIL, kept], ENDED), TOLD)


def test_of_a_run_that_failed_only_the_note_of_what_it_began_may_be_missing() -> None:
    less = {key: row for key, row in ROWS.items() if not key.startswith(("RUN", "DURATION"))}
    missing = differences({"ledger": ledger(less, NTH)}, {"ledger": ledger(ROWS, NTH)})
    assert missing
    assert all(found_done(path, one) for path, one in missing.items())
    more = differences({"ledger": ledger(ROWS, NTH)}, {"ledger": ledger(less, NTH)})
    assert not any(found_done(path, one) for path, one in more.items())
    unmade = {key: row for key, row in ROWS.items() if not key.startswith(("MADE", "POINTER"))}
    lost = differences({"ledger": ledger(unmade, NTH)}, {"ledger": ledger(ROWS, NTH)})
    assert not any(found_done(path, one) for path, one in lost.items())
    unnoted = [found_done(path, one, unwritten=True) for path, one in lost.items()]
    assert sorted(unnoted) == [False, True], "only what the ledger could not take"


@dataclass
class Still:
    """A cloud whose tables and schedules stand still, with the emulated service."""

    personalize: Any
    rows: dict[str, list[dict[str, Any]]]
    schedule: dict[str, Any]
    outputs: dict[str, str] = field(
        default_factory=lambda: {
            name: name for name in ("TurnsTable", "TasksTable", "LedgerTable", "ScheduleGroup")
        }
    )
    region: str = "us-east-1"
    account: str = "000000000000"

    def client(self, service: str) -> Any:
        return self.personalize if service == "personalize" else self

    def query(self, TableName: str, **_: Any) -> dict[str, Any]:
        return {"Items": [_typed(row) for row in self.rows.get(TableName, ())]}

    def list_schedules(self, **_: Any) -> dict[str, Any]:
        return {"Schedules": [self.schedule] if self.schedule else []}

    def get_schedule(self, **_: Any) -> dict[str, Any]:
        return self.schedule


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    return {key: {"S": value} for key, value in row.items()}


SCHEDULE = {
    "Name": "films-5e1670e872c2718c",
    "State": "ENABLED",
    "ScheduleExpression": "rate(1 day)",
    "ScheduleExpressionTimezone": "UTC",
    "Target": {"Input": '{"task": "import"}'},
}
TABLES = {
    "TurnsTable": [{"record": f"RUN#{RUN}", "status": "SUCCEEDED"}],
    "TasksTable": [
        {"record": "import", "schedule": "films-5e1670e872c2718c", "expression": "rate(1 day)"}
    ],
}


@pytest.fixture
def still(build: Builder) -> Still:
    """A group with two versions of its model, the newer of which is live, and a filter."""
    group = build.group()
    build.imported(group)
    build.filter(group, 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")')
    solution = build.solution(group)
    build.version(solution)
    build.campaign(build.version(solution))
    return Still(build.client, copy.deepcopy(TABLES), dict(SCHEDULE))


Change = Callable[[Still, Builder], None]


def _back(cloud: Still, build: Builder) -> None:
    client = cloud.personalize
    (live,) = client.list_campaigns()["campaigns"]
    every = client.list_solution_versions()["solutionVersions"]
    oldest = min(every, key=lambda one: one["creationDateTime"])
    client.update_campaign(
        campaignArn=live["campaignArn"], solutionVersionArn=oldest["solutionVersionArn"]
    )


def _other_filter(cloud: Still, build: Builder) -> None:
    client = cloud.personalize
    (one,) = client.list_filters()["Filters"]
    described = client.describe_filter(filterArn=one["filterArn"])["filter"]
    client.delete_filter(filterArn=one["filterArn"])
    build.wait(60)
    client.create_filter(
        name=described["name"],
        datasetGroupArn=described["datasetGroupArn"],
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
    )


def _untold(cloud: Still, build: Builder) -> None:
    cloud.rows["TurnsTable"].append({"record": "RUN#another", "status": "SUCCEEDED"})


def _of_schedule(**change: Any) -> Change:
    return lambda cloud, _: cloud.schedule.update(change)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        pytest.param(_back, "made of.campaigns", id="a-campaign-left-on-the-old-model"),
        pytest.param(_other_filter, "made of.filters", id="a-filter-of-something-else"),
        pytest.param(
            _of_schedule(Target={"Input": "{}"}), "schedules", id="a-schedule-with-another-input"
        ),
        pytest.param(
            _of_schedule(ScheduleExpressionTimezone="Asia/Tokyo"),
            "schedules",
            id="a-schedule-in-another-zone",
        ),
        pytest.param(_of_schedule(State="DISABLED"), "schedules", id="a-schedule-that-is-off"),
        pytest.param(lambda cloud, _: cloud.schedule.clear(), "schedules", id="no-schedule"),
        pytest.param(_untold, "mails.untrue", id="a-run-that-nobody-was-told-of"),
        pytest.param(
            lambda cloud, _: cloud.rows["TurnsTable"].append({"record": "LEASE"}),
            "lease",
            id="a-lease-that-is-left",
        ),
    ],
)
def test_a_world_that_differs_is_told_by_what_differs(
    still: Still, build: Builder, change: Change, where: str
) -> None:
    told = [{"Run": RUN, "Status": "SUCCEEDED", "Changes": []}]
    before = snapshot(still, "films", told)
    change(still, build)
    build.wait()
    assert where in differences(snapshot(still, "films", told), before)


def test_what_a_job_was_to_be_made_of_that_was_refused_is_no_difference(still: Still) -> None:
    (job,) = still.personalize.list_dataset_import_jobs()["datasetImportJobs"]
    there = job["datasetImportJobArn"].rpartition(":")[2]
    before = snapshot(still, "films", [])
    seen = still.rows["LedgerTable"] = [
        {"record": "SEEN#dataset-import-job/refused", "objects": ""}
    ]
    assert not differences(snapshot(still, "films", []), before)
    seen.append({"record": f"SEEN#{there}", "objects": ""})
    assert differences(snapshot(still, "films", []), before)


def test_a_world_that_stands_still_does_not_differ(still: Still, build: Builder) -> None:
    told = [{"Run": RUN, "Status": "SUCCEEDED", "Changes": []}]
    before = snapshot(still, "films", told)
    build.wait()
    assert not differences(snapshot(still, "films", told), before)
