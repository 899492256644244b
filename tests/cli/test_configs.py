"""``mpe validate`` and what ``mpe plan`` is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mpe.aws.clock import Clock
from mpe.aws.objects import DataVersion, Objects
from mpe.aws.personalize import Personalize
from mpe.aws.survey import NO_NEW_ITEMS, UNKNOWN, UPDATED, survey
from mpe.cli.main import mpe
from mpe.cli.status import stays
from mpe.model.config.parse import parse
from mpe.model.gate.pointer import ModelPointer
from mpe.model.plan.desired import Data, Desired, DesiredState, Place, desired_state
from mpe.model.plan.reconcile import Change, Create, Keep, Reject, Skip, Update, Wait
from tests.conftest import MOVIELENS, ROLE, Emulated, config
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build


def run(*arguments: str) -> Result:
    return CliRunner().invoke(mpe, list(arguments))


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    document = config()
    document["eventTraker"] = {}
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(document))
    return path


def test_a_good_file_is_fine() -> None:
    result = run("validate", str(MOVIELENS / "config.json"))
    assert result.exit_code == 0
    assert "fine" in result.output


def test_every_file_is_checked_and_any_problem_is_exit_code_1(wrong: Path) -> None:
    result = run("validate", str(wrong), str(MOVIELENS / "config.json"))
    assert result.exit_code == 1
    assert "1 problem" in result.output
    assert "Did you mean 'eventTracker'?" in result.output
    assert "fine" in result.output


def test_problems_come_as_json_too(wrong: Path) -> None:
    result = run("validate", str(wrong), "--output", "json")
    (told,) = json.loads(result.output).values()
    assert [one["path"] for one in told["problems"]] == ["$.eventTraker"]


def test_what_is_no_problem_is_noted(tmp_path: Path) -> None:
    document = config()
    document["solutions"][0]["campaigns"][0]["workflowConfig"] = {"maxAge": "1 day"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document))
    result = run("validate", str(path))
    assert result.exit_code == 0
    assert "note: $.solutions[0].campaigns[0].workflowConfig.maxAge" in result.output


def test_a_file_that_is_not_there_is_wrong_usage() -> None:
    assert run("validate", "nowhere.json").exit_code == 2


def test_a_plan_of_a_wrong_file_tells_its_problems_without_asking_aws(wrong: Path) -> None:
    result = run("plan", str(wrong))
    assert result.exit_code == 1
    assert "$.eventTraker" in result.output


class Nothing(Objects):
    """A data bucket that is empty."""

    def __init__(self) -> None:
        super().__init__(None)

    def data(self, data: Data) -> DataVersion:
        return DataVersion(f"s3://{data.bucket}/{data.file}", None)


class Empty:
    """A ledger that knows nothing."""

    def seen(self, group: str, job: str) -> None:
        return None

    def pointer(self, group: str, campaign: str) -> None:
        return None


@dataclass
class Pointing(Empty):
    """A ledger that knows where campaigns are to be."""

    at: ModelPointer

    def pointer(self, group: str, campaign: str) -> ModelPointer:  # type: ignore[override]
        return self.at


def planned(emulated: Emulated, document: dict[str, Any]) -> dict[str, Any]:
    place = Place("us-east-1", "000000000000", "data", ROLE)
    state = desired_state(parse(json.dumps(document)), place, version="plan")
    steps = survey(state, Personalize(emulated.client), Nothing(), Empty(), Clock())
    return {step.desired.id: step.action for step in steps}


def films(recipe: str = "aws-popularity-count", tps: int = 1) -> dict[str, Any]:
    """Return a config of what the builder builds."""
    fields = [
        {"name": name, "type": kind}
        for name, kind in (
            ("USER_ID", "string"),
            ("ITEM_ID", "string"),
            ("EVENT_TYPE", "string"),
            ("EVENT_VALUE", "float"),
            ("TIMESTAMP", "long"),
        )
    ]
    schema = {
        "type": "record",
        "name": "Interactions",
        "version": "1.0",
        "fields": fields,
        "namespace": "com.amazonaws.personalize.schema",
    }
    return {
        "datasetGroup": {"serviceConfig": {"name": "films"}},
        "datasets": {
            "interactions": {
                "dataset": {"serviceConfig": {"name": "d"}},
                "schema": {"serviceConfig": {"name": "d-Interactions", "schema": schema}},
            }
        },
        "solutions": [
            {
                "serviceConfig": {
                    "name": "for-you",
                    "recipeArn": f"arn:aws:personalize:::recipe/{recipe}",
                },
                "campaigns": [{"serviceConfig": {"name": "live", "minProvisionedTPS": tps}}],
            }
        ],
    }


def of_one_campaign(group: str, solution: str, live: str) -> DesiredState:
    """Return what is wanted of a solution whose campaign follows a pointer."""
    params = {"name": live.rpartition("/")[2]}
    campaign = Desired(
        "campaign.s.live",
        "Campaign",
        params["name"],
        "$.c",
        params,
        arn=live,
        parent=solution,
        given=("solutionVersionArn",),
        pointer="campaign.s.live",
    )
    version = Desired(
        "version.s",
        "SolutionVersion",
        "s",
        "$.s",
        {"solutionArn": solution},
        parent=solution,
        gate={"refreshed": True},
    )
    name = group.rpartition("/")[2]
    whole = Desired("datasetGroup", "DatasetGroup", name, "$.g", {"name": name}, arn=group)
    return DesiredState("films", "1", {one.id: one for one in (whole, version, campaign)})


def test_a_campaign_of_an_update_training_is_told_to_get_no_new_items(
    emulated: Emulated, build: Builder
) -> None:
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group, "user-personalization")
    live = build.campaign(build.version(solution))
    state = of_one_campaign(group, solution, live)

    def shown(newest: str) -> str | None:
        follows = Pointing(ModelPointer(newest))
        (*_, last) = survey(state, Personalize(emulated.client), Nothing(), follows, Clock())
        return stays(last)

    build.begin_import(dataset, name="newer")
    build.wait(900)
    update = build.version(solution, trainingMode="UPDATE")
    emulated.client.update_campaign(campaignArn=live, solutionVersionArn=update)
    build.wait(600)
    assert shown(update) == UPDATED
    full = build.version(solution)
    emulated.client.update_campaign(campaignArn=live, solutionVersionArn=full)
    build.wait(600)
    assert shown(full) is None


def test_a_held_version_is_shown_with_its_reason_and_the_campaign_stays(
    emulated: Emulated, build: Builder
) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    old = build.version(solution)
    live = build.campaign(old)
    build.wait(60)
    new = build.version(solution)
    pointer = ModelPointer(old, held=new, reason="it is worse.")
    state = of_one_campaign(group, solution, live)
    memory = Pointing(pointer)
    steps = list(survey(state, Personalize(emulated.client), Nothing(), memory, Clock()))
    assert steps[-1].held == "it is worse."
    assert isinstance(steps[-1].action, Keep)
    assert steps[-1].note == NO_NEW_ITEMS
    assert stays(steps[-1]) == f"held: it is worse. {NO_NEW_ITEMS}"
    follows = Pointing(ModelPointer(new))
    last = list(survey(state, Personalize(emulated.client), Nothing(), follows, Clock()))[-1]
    assert (last.held, last.note) == ("", ""), "what is moved to the newest gets them"
    campaign = state.resources["campaign.s.live"]
    params = {**campaign.params, "solutionVersionArn": old}
    pinned = replace(campaign, given=(), pointer=None, params=params)
    state = replace(state, resources={**state.resources, campaign.id: pinned})
    last = list(survey(state, Personalize(emulated.client), Nothing(), memory, Clock()))[-1]
    assert (last.note, stays(last)) == (NO_NEW_ITEMS, NO_NEW_ITEMS)


def test_of_nothing_everything_would_be_created(emulated: Emulated) -> None:
    actions = planned(emulated, films())
    imports = actions.pop("import.interactions")
    assert imports == Skip(), "there is no CSV in this bucket"
    assert set(actions.values()) == {Create("absent")}
    assert emulated.client.list_dataset_groups()["datasetGroups"] == []


def test_of_what_is_as_desired_nothing_would_be_done(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    build.campaign(build.version(build.solution(group, "popularity-count")))
    actions = planned(build.emulated, films())
    assert {type(action) for action in actions.values()} == {Keep}


def test_a_plan_warns_of_a_campaign_that_a_template_has_as_well(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    campaign = build.campaign(build.version(build.solution(group, "popularity-count")))
    (world,) = build.emulated.service._worlds.values()  # users may write no such tag
    world.resources[campaign].tags["aws:cloudformation:stack-name"] = "website"
    place = Place("us-east-1", "000000000000", "data", ROLE)
    state = desired_state(parse(json.dumps(films())), place, version="plan")
    steps = survey(state, Personalize(build.client), Nothing(), Empty(), Clock())
    notes = {one.desired.noun: one.note for one in steps if one.note}
    assert list(notes) == ["Campaign"]
    assert "is of the CloudFormation stack website: its next update brings" in notes["Campaign"]


def test_a_plan_tells_updates_refusals_and_what_is_under_way(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group, "popularity-count")
    build.campaign(build.version(solution))
    actions = planned(build.emulated, films("aws-sims", tps=2))
    assert isinstance(actions["solution.for-you"], Reject)
    changed = actions["campaign.for-you.live"]
    assert isinstance(changed, Update)
    assert changed.changes == (Change("minProvisionedTPS", 1, 2),)
    build.client.update_campaign(campaignArn=f"{changed.arn}", minProvisionedTPS=2)
    assert isinstance(planned(build.emulated, films(tps=2))["campaign.for-you.live"], Wait)


def test_a_campaign_would_move_to_a_version_that_is_yet_to_be(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group, "popularity-count")
    version = build.version(solution)
    build.campaign(version)
    build.emulated.service._worlds["000000000000", "us-east-1"].resources.pop(version)
    action = planned(build.emulated, films())["campaign.for-you.live"]
    assert isinstance(action, Update)
    assert action.changes[0].new == UNKNOWN


def _items(*more: dict[str, Any], name: str = "d-items-Items") -> dict[str, Any]:
    """Return a config whose items have the builder's schema, or another."""
    document = films()
    fields = [{"name": "ITEM_ID", "type": "string"}, {"name": "PRICE", "type": "float"}, *more]
    schema = {**document["datasets"]["interactions"]["schema"]["serviceConfig"]["schema"]}
    schema.update(name="Items", fields=fields)
    document["datasets"]["items"] = {
        "dataset": {"serviceConfig": {"name": "d-items"}},
        "schema": {"serviceConfig": {"name": name, "schema": schema}},
    }
    return document


def _fields(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    section = document["datasets"][kind]["schema"]["serviceConfig"]
    found: list[dict[str, Any]] = section["schema"]["fields"]
    return found


def _with_fields(document: dict[str, Any], kind: str, fields: list[dict[str, Any]]) -> None:
    section = document["datasets"][kind]["schema"]["serviceConfig"]
    section["schema"] = {**section["schema"], "fields": fields}
    section["name"] += "-2"


AGED = {"name": "AGE", "type": "int"}
LATER = {"name": "AGE", "type": ["null", "int"]}


@pytest.mark.parametrize(
    ("kind", "bend", "told"),
    [
        ("items", lambda old: [old[0], LATER], "PRICE is dropped"),
        ("items", lambda old: [*old, AGED], "AGE is new and must allow null"),
        (
            "items",
            lambda old: [old[0], {**old[1], "type": "double"}],
            "PRICE is changed",
        ),
        ("interactions", lambda old: [*old, LATER], "the schema of interactions cannot be changed"),
    ],
)
def test_a_new_schema_that_the_service_would_refuse_is_refused_by_field(
    build: Builder, kind: str, bend: Any, told: str
) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/updating-dataset-schema.html"""
    group = build.group()
    build.dataset(group)
    build.dataset(group, "Items", "d-items")
    document = _items()
    _with_fields(document, kind, bend(_fields(document, kind)))
    action = planned(build.emulated, document)[f"dataset.{kind}"]
    assert isinstance(action, Reject)
    assert told in action.message


def test_a_new_column_that_may_be_null_is_an_update_and_what_does_not_train_on_it_is_told(
    build: Builder,
) -> None:
    group = build.group()
    build.dataset(group)
    build.dataset(group, "Items", "d-items")
    document = _items(LATER, name="d-items-Items-2")
    place = Place("us-east-1", "000000000000", "data", ROLE)
    state = desired_state(parse(json.dumps(document)), place, version="plan")
    steps = survey(state, Personalize(build.client), Nothing(), Empty(), Clock())
    (step,) = (one for one in steps if one.desired.id == "dataset.items")
    assert isinstance(step.action, Update)
    assert "do not train on AGE" in step.note
