"""What a config asks for, resource by resource: names, places, and what makes each stale."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mpe.model.config.parse import parse
from mpe.model.config.sections import ResourceConfig
from mpe.model.errors import NewerForm
from mpe.model.plan.desired import (
    Data,
    Desired,
    DesiredState,
    complete,
    config_of,
    desired_state,
    value_at,
    with_value,
)
from tests.everything import everything
from tests.handlers.test_runs import PLACE

GROUP = PLACE.arn("dataset-group/films")
ROLE = PLACE.role_arn
KINDS = ["INTERACTIONS", "USERS", "ITEMS", "ACTIONS", "ACTION_INTERACTIONS"]
KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def state(document: dict[str, Any] | None = None, **more: Any) -> DesiredState:
    config = parse(json.dumps(document or everything("films")))
    return desired_state(config, more.pop("place", PLACE), version="one", **more)


def of(noun: str, found: DesiredState | None = None) -> list[Desired]:
    return [one for one in (found or state()).resources.values() if one.noun == noun]


def test_a_datasets_import_reads_beside_the_config_and_is_as_old_as_the_group_says() -> None:
    imports = of("DatasetImportJob")
    assert [one.params["datasetArn"].rpartition("/")[2] for one in imports] == KINDS
    for one in imports:
        assert one.params["roleArn"] == ROLE
        assert one.params["importMode"] == "INCREMENTAL"
        assert one.parent == one.params["datasetArn"]
        assert one.max_age == 365 * 24 * 60 * 60
        assert one.schema
    data = [one.data for one in of("DatasetImportJob", state(folder="elsewhere/"))]
    assert data[0] == Data(
        "data", "elsewhere/interactions.csv", "elsewhere/interactions/", optional=True
    )
    assert imports[0].data == Data(
        "data", "train/films/interactions.csv", "train/films/interactions/", optional=True
    )
    assert config_of("films") == "train/films/config.json"


def test_users_are_deleted_from_all_datasets_after_any_import_and_folders_are_read_deeply() -> None:
    (deletion,) = of("DataDeletionJob")
    assert deletion.params == {
        "datasetGroupArn": GROUP,
        "roleArn": ROLE,
        "tags": [{"tagKey": "project", "tagValue": "films"}],
    }
    assert deletion.after == tuple(PLACE.arn(f"dataset/films/{kind}") for kind in KINDS)
    assert deletion.parent == GROUP
    place = "train/films/deletions"
    assert deletion.data == Data("data", f"{place}.csv", f"{place}/", optional=True, nested=True)


def test_an_export_follows_its_datasets_import_and_writes_below_the_groups_folder() -> None:
    document = everything("films")
    document["datasets"]["interactions"]["export"]["workflowConfig"] = {"maxAge": "30 days"}
    (export,) = of("DatasetExportJob", state(document))
    dataset = PLACE.arn("dataset/films/INTERACTIONS")
    assert (export.parent, export.after) == (dataset, (dataset,))
    assert export.params["datasetArn"] == dataset
    assert export.output == "s3://data/export/films/interactions/"
    assert export.max_age == 30 * 24 * 60 * 60


def test_a_dataset_has_its_schema_and_a_schema_the_domain_of_its_group() -> None:
    document = everything("films")
    for dataset, schema in zip(of("Dataset"), of("Schema"), strict=True):
        assert dataset.params["schemaArn"] == schema.arn == PLACE.arn(f"schema/{schema.name}")
        assert (dataset.parent, dataset.params["datasetGroupArn"]) == (GROUP, GROUP)
        assert dataset.arn == PLACE.arn(f"dataset/films/{dataset.params['datasetType']}")
        assert dataset.params["name"] == dataset.name
        assert schema.params.keys() == {"name", "schema"}
    config = parse(json.dumps(document))
    group = replace(config.group, params={**config.group.params, "domain": "ECOMMERCE"})
    found = desired_state(replace(config, group=group), PLACE, version="one")
    assert {one.params["domain"] for one in of("Schema", found)} == {"ECOMMERCE"}


def test_a_metric_attribution_reports_to_the_data_bucket() -> None:
    (one,) = of("MetricAttribution")
    path = "s3://data/metric-attribution/films/"
    output = {"s3DataDestination": {"path": path}, "roleArn": ROLE}
    assert one.params["metricsOutputConfig"] == output
    assert one.params["datasetGroupArn"] == one.parent == GROUP
    assert len(one.params["metrics"]) == 2
    assert "tags" not in one.params, "the service knows none of it"


@pytest.mark.parametrize(
    ("stacks", "own", "params", "initial"),
    [
        ("", "", {}, {}),
        (KEY, "", {}, {"kmsKeyArn": KEY, "roleArn": ROLE}),
        ("", KEY, {"kmsKeyArn": KEY, "roleArn": ROLE}, {}),
        (f"{KEY}2", KEY, {"kmsKeyArn": KEY, "roleArn": ROLE}, {}),
    ],
    ids=["none", "the stack's", "its own", "both"],
)
def test_a_group_has_the_key_of_its_config_or_is_made_with_the_stacks(
    stacks: str, own: str, params: dict[str, str], initial: dict[str, str]
) -> None:
    document = everything("films")
    del document["tags"]
    document["datasetGroup"]["serviceConfig"] |= {"kmsKeyArn": own, "roleArn": "x"} if own else {}
    config = parse(json.dumps(everything("films")))
    group = replace(config.group, params=document["datasetGroup"]["serviceConfig"])
    place = replace(PLACE, kms_key_arn=stacks)
    found = desired_state(replace(config, group=group, tags=()), place, version="one")
    (one,) = of("DatasetGroup", found)
    assert one.params == {"name": "films", **params}
    assert (one.initial, one.arn) == (initial, GROUP)
    assert one.as_made_by("run") == {"name": "films", **params, **initial}


def test_what_a_group_has_one_of_has_no_name_in_its_id() -> None:
    document = everything("films")
    document["tags"] = []
    document["filters"][0]["serviceConfig"]["tags"] = [{"tagKey": "team", "tagValue": "a"}]
    found = state(document)
    (tracker,), (filter_,) = of("EventTracker", found), of("Filter", found)
    assert (tracker.id, tracker.arn, tracker.parent) == ("eventTracker", None, GROUP)
    assert tracker.params == {"name": "films-tracker", "datasetGroupArn": GROUP}
    assert (filter_.id, filter_.arn) == ("filter.films-genre", PLACE.arn("filter/films-genre"))
    assert filter_.params["tags"] == [{"tagKey": "team", "tagValue": "a"}]


def test_the_group_bears_the_mark_of_its_stack_and_nothing_else_does() -> None:
    found = state(place=replace(PLACE, stack="maintained"))
    owners = {one.noun: one.owner for one in found.resources.values() if one.owner}
    assert owners == {"DatasetGroup": "maintained"}
    assert {one.owner for one in state().resources.values()} == {None}


@pytest.mark.parametrize(
    ("gate", "judged"),
    [
        ({}, {"mode": "observe"}),
        ({"mode": "off"}, {}),
        ({"mode": "hold", "metrics": {"a": 1}}, {"mode": "observe", "metrics": {"a": 1}}),
    ],
)
def test_a_recommender_is_judged_and_never_held(
    gate: dict[str, Any], judged: dict[str, Any]
) -> None:
    config = parse(json.dumps(everything("films")))
    workflow = {**config.group.workflow, **({"gate": gate} if gate else {})}
    shop = ResourceConfig("$.recommenders[0]", {"name": "shop"}, {})
    config = replace(
        config,
        group=replace(config.group, workflow=workflow),
        own={**config.own, "Recommender": (shop,)},
    )
    found = desired_state(config, PLACE, version="one")
    (one,) = of("Recommender", found)
    assert (one.id, one.gate, one.parent) == ("recommender.shop", judged, GROUP)
    assert {each.gate["mode"] for each in of("DatasetImportJob", found)} == {
        gate.get("mode", "observe")
    }
    assert found.trained_with("recommender.shop") == one.params


def test_a_job_and_a_version_bear_the_name_of_their_run() -> None:
    run = "20270101T000000-bfcebc31"
    (export,) = of("DatasetExportJob")
    made = export.as_made_by(run)
    assert made["jobName"] == f"films-interactions-{run}"
    place = f"s3://data/export/films/interactions/films-interactions-{run}/"
    assert value_at(made, export.spec.writes) == place
    assert "jobOutput" not in replace(export, output=None).as_made_by(run)
    (version, *_) = of("SolutionVersion")
    assert version.as_made_by(run)["name"] == run
    first, *_ = of("DatasetImportJob")
    assert first.as_made_by(run)["importMode"] == "INCREMENTAL"
    assert first.as_made_by(run, first=True)["importMode"] == "FULL"


def test_a_value_lies_at_a_dotted_path() -> None:
    params = {"a": {"b": "c", "d": 1}}
    assert value_at(params, "a.b") == "c"
    assert value_at(params, "a.d") == value_at(params, "a.b.c") == value_at(params, "x.y") == ""
    assert value_at(params, None) == value_at(params, "") == ""
    assert with_value(params, "a.b", 2) == {"a": {"b": 2, "d": 1}}
    assert with_value(params, "x.y", 2) == {**params, "x": {"y": 2}}
    assert params == {"a": {"b": "c", "d": 1}}


def test_a_state_is_read_as_it_was_kept_also_one_of_a_former_release() -> None:
    found = state()
    assert DesiredState.from_json(found.to_json()) == found
    removing = replace(found, on_removal="delete")
    assert DesiredState.from_json(removing.to_json()) == removing
    former = json.loads(found.to_json())
    del former["onRemoval"], former["tasks"]
    assert DesiredState.from_json(json.dumps(former)) == found


def test_a_type_that_only_a_newer_release_knows_is_told_with_its_place() -> None:
    kept = json.loads(state().to_json())["resources"]["filter.films-genre"]
    with pytest.raises(NewerForm) as caught:
        Desired.from_dict({**kept, "noun": "Oracle"})
    assert "$.filters[0] is of a type that this release" in str(caught.value)
    assert "Oracle" in str(caught.value)


def test_work_of_a_former_release_has_nothing_in_the_stages_that_it_did_not_know() -> None:
    made = complete({"datasetGroup": "datasetGroup", "solutions": [{"name": "best"}]})
    assert made["imports"] == made["filters"] == made["datasets"] == []
    (solution,) = made["solutions"]
    assert solution["name"] == "best"
    assert solution["campaigns"] == solution["batchSegmentJobs"] == []
    assert complete({})["solutions"] == []
    whole = state().work
    assert complete(whole) == whole


UNSEEN = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'


def gated(gate: dict[str, Any], **campaign: Any) -> DesiredState:
    """Return what is wanted where the first solution has a gate, and its campaign a part of it."""
    document = everything("films")
    document["filters"].append({"serviceConfig": {"name": "unseen", "filterExpression": UNSEEN}})
    (used, *_) = document["solutions"]
    used["workflowConfig"] = {"maxAge": "10 days", "gate": gate}
    used["serviceConfig"]["performAutoTraining"] = False
    used["campaigns"][0].update(campaign)
    return state(document)


def test_a_version_is_judged_by_its_solutions_gate_and_ages_with_it() -> None:
    found = gated({"mode": "hold", "smoke": {"probes": 5}})
    version = found.resources["version.films-for-you"]
    solution = found.resources["solution.films-for-you"]
    assert version.parent == version.params["solutionArn"] == solution.arn
    assert solution.arn == PLACE.arn("solution/films-for-you")
    assert version.max_age == 10 * 24 * 60 * 60
    assert version.gate == {"mode": "hold", "smoke": {"probes": 5}, "refreshed": True}
    assert found.resources["version.films-fans"].gate == {"refreshed": False}


def test_of_a_recipe_that_nobody_knows_no_version_is_refreshed_and_no_campaign_is_asked() -> None:
    config = parse(json.dumps(everything("films")))
    (used, *rest) = config.solutions
    params = {**used.solution.params, "recipeArn": "another"}
    workflow = {"gate": {"mode": "hold"}}
    unknown = replace(used, solution=replace(used.solution, params=params, workflow=workflow))
    found = desired_state(replace(config, solutions=(unknown, *rest)), PLACE, version="one")
    assert found.resources["version.films-for-you"].gate == {"mode": "hold", "refreshed": False}
    assert found.resources["campaign.films-for-you.films-live"].gate == {}


@pytest.mark.parametrize(
    ("gate", "own", "asked"),
    [
        ({}, {}, {}),
        ({"mode": "observe", "smoke": {"probes": 5}}, {}, {"smoke": {"probes": 5}}),
        ({"mode": "observe", "watch": {}}, {}, {"watch": {}}),
        ({"mode": "hold"}, {}, {"smoke": {}, "watch": {}}),
        ({"mode": "observe"}, {"gate": {"mode": "hold"}}, {"smoke": {}, "watch": {}}),
        ({"mode": "hold"}, {"gate": {"mode": "off"}}, {}),
        ({"mode": "off", "smoke": {"probes": 5}}, {}, {}),
    ],
)
def test_a_campaign_is_asked_where_a_gate_holds_or_says_so(
    gate: dict[str, Any], own: dict[str, Any], asked: dict[str, Any]
) -> None:
    found = gated(gate, workflowConfig=own) if own else gated(gate)
    campaign = found.resources["campaign.films-for-you.films-live"]
    mode = own.get("gate", gate).get("mode")
    about = {
        "mode": mode,
        "recipe": "USER_PERSONALIZATION",
        "probes": "smoke/films/films-for-you.csv",
        "filters": [PLACE.arn("filter/unseen")],
    }
    assert campaign.gate == ({**about, **asked} if asked else {})
    judged = found.resources["version.films-for-you"].campaigns
    assert [one["mode"] for one in judged] == ([mode or "observe"] if mode != "off" else [])


def test_a_campaign_that_follows_by_itself_has_no_pointer_and_is_judged_by_nobody() -> None:
    synced = {"name": "films-live", "campaignConfig": {"syncWithLatestSolutionVersion": True}}
    found = gated({"mode": "observe", "smoke": {}}, serviceConfig=synced)
    campaign = found.resources["campaign.films-for-you.films-live"]
    solution = PLACE.arn("solution/films-for-you")
    assert campaign.params["solutionVersionArn"] == f"{solution}/$LATEST"
    assert (campaign.given, campaign.pointer, campaign.gate) == ((), None, {})
    assert (campaign.parent, campaign.group) == (solution, GROUP)
    assert campaign.arn == PLACE.arn("campaign/films-live")
    assert found.resources["version.films-for-you"].campaigns == ()


def test_a_batch_job_reads_and_writes_in_the_folder_of_its_solution() -> None:
    found = state()
    first, second, themes = of("BatchInferenceJob", found)
    (segments,) = of("BatchSegmentJob", found)
    place = "batch/films/films-for-you/"
    for job in (first, second):
        assert job.data == Data("data", f"{place}job_config.json")
        assert job.output == f"s3://data/{place}"
        assert job.parent == PLACE.arn("solution/films-for-you")
        assert job.given == ("solutionVersionArn",)
        assert job.pointer == "campaign.films-for-you.films-live"
        assert job.params["roleArn"] == ROLE
        assert "jobName" not in job.params
    assert (first.name, second.name) == ("films-for-you", "films-by-genre")
    assert (first.max_age, second.max_age) == (None, 30 * 24 * 60 * 60)
    for job, name in ((themes, "films-similar"), (segments, "films-fans")):
        assert job.pointer == f"version.{name}", "it has no campaign"
        version = found.resources[f"version.{name}"]
        pointed = {"id": version.id, "mode": "observe", "pinned": False}
        assert version.campaigns == (pointed,)


def test_each_dataset_with_an_export_has_one() -> None:
    document = everything("films")
    document["datasets"]["items"]["export"] = document["datasets"]["interactions"].pop("export")
    assert [one.id for one in of("DatasetExportJob", state(document))] == ["export.items"]
    assert state(document).work["exports"] == ["export.items"]
