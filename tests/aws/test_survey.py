"""What a run would do, and what it would fail for, of a dataset group as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.objects import DataVersion
from mpe.aws.personalize import Personalize
from mpe.aws.survey import NO_NEW_ITEMS, UNKNOWN, Counts, Step, foresee, survey
from mpe.model.config.parse import parse
from mpe.model.gate.pointer import ModelPointer
from mpe.model.plan.desired import Data, Desired, DesiredState, Place, desired_state
from mpe.model.plan.reconcile import Create, Keep, Look, Reject, Skip, Update
from mpe.model.plan.tasks import Task
from tests.cli.test_configs import Empty, Nothing, Pointing, films, of_one_campaign
from tests.conftest import ROLE
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, Ticking

LIVE = f"{PLACE}campaign/live"
KEY = "arn:aws:kms:us-east-1:000000000000:key/mine"


@dataclass
class Seen:
    """A client that notes what is asked, and to which something is otherwise than it is."""

    client: Any
    bent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is said otherwise of a resource, by its ARN."""
    denied: Mapping[str, str] = field(default_factory=dict)
    """The code with which each of some calls is refused."""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def called(**params: Any) -> Any:
            self.asked.append((name, params))
            if name in self.denied:
                raise ClientError({"Error": {"Code": self.denied[name], "Message": "no"}}, name)
            answer = call(**params)
            for arn, more in self.bent.items():
                if name.startswith("describe_") and arn in params.values():
                    (key,) = (one for one in answer if one != "ResponseMetadata")
                    answer = {key: {**answer[key], **more}}
            return answer

        return called

    def told(self, name: str) -> list[dict[str, Any]]:
        return [params for one, params in self.asked if one == name]


class Full(Nothing):
    """A data bucket in which something lies everywhere, since a moment."""

    def __init__(self, modified: datetime) -> None:
        super().__init__()
        self.modified = modified

    def data(self, data: Data) -> DataVersion:
        return DataVersion(f"s3://{data.bucket}/{data.file}", self.modified)


def state_of(document: dict[str, Any], **place: Any) -> DesiredState:
    where = Place("us-east-1", "000000000000", "data", ROLE, **place)
    return desired_state(parse(json.dumps(document)), where, version="1")


def planned(
    build: Builder,
    document: dict[str, Any] | DesiredState,
    client: Any = None,
    modified: datetime | None = None,
    memory: Any = None,
) -> dict[str, Step]:
    """Return what a run would do of each resource."""
    state = document if isinstance(document, DesiredState) else state_of(document)
    objects, clock = Full(modified) if modified else Nothing(), Ticking(fake=build.emulated.clock)
    service = Personalize(client or build.client)
    steps = survey(state, service, objects, memory or Empty(), clock)
    return {step.desired.id: step for step in steps}


def refused(
    client: Any, document: dict[str, Any] | DesiredState, task: Task | None = None, **of: str
) -> list[str]:
    """Return the ids of what a run would fail for."""
    state = document if isinstance(document, DesiredState) else state_of(document)
    return [step.desired.id for step in foresee(state, Personalize(client), task, **of)]


@pytest.fixture
def whole(build: Builder) -> str:
    """Return a dataset group that is as :func:`films` asks for it."""
    group = build.group()
    build.imported(group)
    build.campaign(build.version(build.solution(group, "popularity-count")))
    return group


def with_tracker(name: str = "clicks") -> dict[str, Any]:
    return {**films(), "eventTracker": {"serviceConfig": {"name": name}}}


def with_batch() -> dict[str, Any]:
    document = films()
    document["solutions"][0]["batchInferenceJobs"] = [{"serviceConfig": {}}]
    return document


# What a run would do.


def test_newer_data_is_imported_and_data_of_before_is_not(build: Builder, whole: str) -> None:
    now = build.emulated.clock()
    for modified, action in ((now, Create("stale")), (now - timedelta(days=1), None)):
        step = planned(build, films(), modified=modified)["import.interactions"]
        assert step.action == (action or Keep(f"{PLACE}dataset-import-job/job"))


def test_what_follows_an_import_that_would_be_made_is_stale_with_it(
    build: Builder, whole: str
) -> None:
    """Its export of today would be of the data of before."""
    document = films()
    section = {"serviceConfig": {"ingestionMode": "ALL"}}
    document["datasets"]["interactions"]["export"] = section
    build.client.create_dataset_export_job(
        jobName="e",
        datasetArn=f"{PLACE}dataset/films/INTERACTIONS",
        roleArn=ROLE,
        ingestionMode="ALL",
        jobOutput={"s3DataDestination": {"path": "s3://data/export/films/interactions/"}},
    )
    build.wait(3600)
    export = next(id for id in state_of(document).resources if id.startswith("export"))
    later = build.emulated.clock()
    assert planned(build, document, modified=later)[export].action == Create("stale")
    before = later - timedelta(days=1)
    assert isinstance(planned(build, document, modified=before)[export].action, Keep)


def test_it_is_told_where_nothing_lies_that_would_be_read(build: Builder, whole: str) -> None:
    nothing = planned(build, films())
    assert nothing["import.interactions"].unread == "", "what was imported is kept"
    other = {**films(), "datasetGroup": {"serviceConfig": {"name": "series"}}}
    skipped = planned(build, other)["import.interactions"]
    assert isinstance(skipped.action, Skip)
    assert skipped.unread == "s3://data/train/series/interactions.csv"
    found = planned(build, other, modified=build.emulated.clock())["import.interactions"]
    assert (found.action, found.unread) == (Create("absent"), "")
    assert planned(build, other)["datasetGroup"].unread == ""


def test_a_status_that_nobody_knows_is_looked_at_again_by_the_run(
    build: Builder, whole: str
) -> None:
    client = Seen(build.client, {LIVE: {"status": "SOMETHING NEW"}})
    assert isinstance(planned(build, films(), client)["campaign.for-you.live"].action, Look)
    assert refused(client, films()) == []


def test_what_would_be_listed_by_what_is_yet_to_be_is_not_looked_for(build: Builder) -> None:
    client = Seen(build.client)
    document = {**with_batch(), "eventTracker": with_tracker()["eventTracker"]}
    actions = planned(build, document, client)
    assert isinstance(actions["eventTracker"].action, Create)
    for name in ("list_event_trackers", "list_solution_versions", "list_batch_inference_jobs"):
        assert client.told(name) == [], name
    refused(client, document)
    assert client.told("list_event_trackers") == []


def test_what_is_listed_by_what_is_there_is_found(build: Builder, whole: str) -> None:
    build.tracker(whole)
    client = Seen(build.client)
    assert isinstance(planned(build, with_tracker("t"), client)["eventTracker"].action, Keep)
    assert isinstance(planned(build, with_tracker(), client)["eventTracker"].action, Reject)
    assert {"datasetGroupArn": whole} in client.told("list_event_trackers")


def test_jobs_of_a_version_that_would_be_trained_are_not_looked_for(
    build: Builder, whole: str
) -> None:
    """A version that is older than it may be is followed by one of which nothing is known."""
    state = state_of(with_batch())
    build.wait(86_400)
    (version,) = (one for one in state.resources.values() if one.noun == "SolutionVersion")
    for max_age, asked in ((3600, 0), (None, 1)):
        wanted = replace(version, max_age=max_age)
        of_age = replace(state, resources={**state.resources, version.id: wanted})
        client = Seen(build.client)
        steps = planned(build, of_age, client)
        arn = steps["campaign.for-you.live"].desired.params["solutionVersionArn"]
        assert (arn == UNKNOWN) is bool(max_age)
        assert len(client.told("list_batch_inference_jobs")) == asked


@pytest.mark.parametrize(
    ("pointer", "newest", "held"),
    [
        (ModelPointer(f"{PLACE}solution/for-you/old"), True, ""),
        (ModelPointer(None, reason="none may be served"), True, ""),
        (ModelPointer("there", held="here", reason="it is worse."), True, ""),
    ],
    ids=["of-another", "at-none", "holding-another"],
)
def test_a_pointer_that_knows_nothing_of_the_newest_version_does_not_hold_it(
    build: Builder, pointer: ModelPointer, newest: bool, held: str
) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    live = build.campaign(build.version(solution))
    build.wait(60)
    new = build.version(solution)
    step = planned(build, of_one_campaign(group, solution, live), memory=Pointing(pointer))
    last = step["campaign.s.live"]
    assert (last.desired.params["solutionVersionArn"], last.held) == (new, held)
    assert isinstance(last.action, Update)


def test_a_campaign_that_would_be_moved_to_an_older_version_is_not_told_that_it_stays(
    build: Builder,
) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    versions = [build.version(solution) for _ in range(3)]
    live = build.campaign(versions[0])
    state = of_one_campaign(group, solution, live)
    campaign = state.resources["campaign.s.live"]
    for pinned, note in ((versions[0], NO_NEW_ITEMS), (versions[1], "")):
        params = {**campaign.params, "solutionVersionArn": pinned}
        wanted = replace(campaign, given=(), pointer=None, params=params)
        of = replace(state, resources={**state.resources, campaign.id: wanted})
        assert planned(build, of)["campaign.s.live"].note == note


def test_a_new_column_is_no_loss_where_nothing_is_trained(build: Builder) -> None:
    group = build.group()
    build.dataset(group)
    document = {**films(), "solutions": []}
    fields = document["datasets"]["interactions"]["schema"]["serviceConfig"]["schema"]["fields"]
    section = document["datasets"].pop("interactions")
    items = [one for one in fields if one["name"] == "ITEM_ID"]
    build.dataset(group, "Items", "d-items")
    price = {"name": "PRICE", "type": "float"}
    schema = {**section["schema"]["serviceConfig"]["schema"], "name": "Items"}
    added = [*items, price, {"name": "AGE", "type": ["null", "int"]}]
    document["datasets"]["items"] = {
        "dataset": {"serviceConfig": {"name": "d-items"}},
        "schema": {"serviceConfig": {"name": "new", "schema": {**schema, "fields": added}}},
    }
    document["datasets"]["interactions"] = section
    step = planned(build, document)["dataset.items"]
    assert isinstance(step.action, Update)
    assert step.note == ""


def test_who_may_not_see_tags_plans_all_the_same(build: Builder, whole: str) -> None:
    step = planned(build, films(), Tagless(build.client, LIVE))["campaign.for-you.live"]
    assert (step.action, step.note) == (Keep(LIVE), "")


class Tagless(Seen):
    """A client that may not see the tags of one resource."""

    def __init__(self, client: Any, arn: str) -> None:
        super().__init__(client)
        self.arn = arn

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)

        def called(**params: Any) -> Any:
            if name == "list_tags_for_resource" and self.arn in params.values():
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)
            return call(**params)

        return called


def test_a_group_without_the_key_that_the_stack_has_for_new_ones_is_noted(
    build: Builder, whole: str
) -> None:
    state = state_of(films(), kms_key_arn=KEY)
    steps = planned(build, state)
    assert f"is not encrypted with the stack's key {KEY}" in steps["datasetGroup"].note
    assert [one.desired.id for one in steps.values() if one.note] == ["datasetGroup"]
    client = Seen(build.client, {whole: {"kmsKeyArn": KEY}})
    assert planned(build, state, client)["datasetGroup"].note == ""
    assert planned(build, state_of(films()))["datasetGroup"].note == ""
    assert planned(build, state_of(films()), client)["datasetGroup"].note == "", "its own will do"
    other = {**films(), "datasetGroup": {"serviceConfig": {"name": "series"}}}
    new = planned(build, state_of(other, kms_key_arn=KEY))["datasetGroup"]
    assert (new.action, new.note) == (Create("absent"), ""), "what is made gets the key"


def test_of_a_group_that_is_not_there_nothing_counts_against_a_quota(build: Builder) -> None:
    gone = Seen(build.client, denied={"list_filters": "ResourceNotFoundException"})
    counts = Counts(Personalize(gone), f"{PLACE}dataset-group/gone")
    filter_ = Step(Desired("f", "Filter", "f", "$.f", {}), Create("absent"), note="first.")
    notes = [counts.noted(filter_).note for _ in range(31)]
    assert notes[:30] == ["first."] * 30
    assert "there are 0 beside the 31 that" in notes[30]
    assert len(gone.told("list_filters")) == 1


# What a run would fail for.


def test_of_what_is_as_it_should_be_nothing_is_refused(build: Builder, whole: str) -> None:
    assert refused(build.client, films()) == []
    assert refused(build.client, with_tracker("t")) == []


def test_what_a_run_would_fail_for_is_told_of_all_that_it_works_on(
    build: Builder, whole: str
) -> None:
    build.tracker(whole)
    document = {**films("aws-sims"), "eventTracker": with_tracker()["eventTracker"]}
    assert sorted(refused(build.client, document)) == ["eventTracker", "solution.for-you"]
    work = {"datasetGroup": "datasetGroup", "eventTrackers": ["eventTracker"]}
    task = Task("t", "import", "$.t", "rate(1 day)", "UTC", work)
    assert refused(build.client, document, task) == ["eventTracker"]


def test_what_a_task_is_about_must_be_there_and_a_whole_run_makes_it(build: Builder) -> None:
    build.group()
    document = films()
    assert refused(build.client, document) == []
    work = {"datasetGroup": "datasetGroup", "solutions": [{"solution": "solution.for-you"}]}
    task = Task("t", "full", "$.t", "rate(1 day)", "UTC", work)
    assert refused(build.client, document, task) == ["solution.for-you"]


def test_a_group_of_another_stack_is_refused(build: Builder, whole: str) -> None:
    tags = [{"tagKey": "mpe:stack", "tagValue": "Other"}]
    build.client.tag_resource(resourceArn=whole, tags=tags)
    assert refused(build.client, films(), stack="Mine") == ["datasetGroup"]
    assert refused(build.client, films(), stack="Other") == []
    assert refused(build.client, films()) == []
    assert refused(build.client, state_of(films(), stack="Mine")) == ["datasetGroup"]
