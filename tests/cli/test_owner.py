"""A dataset group bears the name of the stack that maintains it, and no other stack works on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from mpe.aws.objects import Pointer
from mpe.model.plan.owner import KEY
from tests.cli.maintained import ACCOUNT, BUCKET, Maintained, maintained
from tests.local.conftest import CSV, small

STACK = "PersonalizedExperiences"
GROUP = f"arn:aws:personalize:us-east-1:{ACCOUNT}:dataset-group/films"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        yield made


def owner(stack: Maintained) -> str | None:
    tags = stack.personalize.list_tags_for_resource(resourceArn=GROUP)["tags"]
    return {one["tagKey"]: one["tagValue"] for one in tags}.get(KEY)


def give_to(stack: Maintained, name: str | None) -> None:
    """Let another stack have marked the dataset group, or none."""
    if name is None:
        stack.personalize.untag_resource(resourceArn=GROUP, tagKeys=[KEY])
    else:
        tag = {"tagKey": KEY, "tagValue": name}
        stack.personalize.tag_resource(resourceArn=GROUP, tags=[tag])


def test_a_run_marks_the_group_that_it_makes(stack: Maintained) -> None:
    path = stack.config(stack.maintain(tags=[{"tagKey": "team", "tagValue": "red"}]))
    assert owner(stack) == STACK
    planned = stack.mpe("plan", path)
    assert planned.exit_code == 0, planned.output
    assert f"= DatasetGroup films (maintained by the stack {STACK})" in planned.output
    (row,) = (
        one
        for one in json.loads(stack.mpe("plan", path, "--output", "json").output)
        if one["resource"] == "DatasetGroup"
    )
    assert row["owner"] == STACK


def test_a_group_without_a_mark_is_ours_and_marked_at_the_next_run(stack: Maintained) -> None:
    document = stack.maintain()
    give_to(stack, None)
    planned = stack.mpe("plan", stack.config(document))
    assert planned.exit_code == 0, planned.output
    assert f"the next run marks it as maintained by the stack {STACK}" in planned.output
    assert stack.upload(document, "train/films/config.json")["Status"] == "SUCCEEDED"
    assert owner(stack) == STACK


def test_a_group_that_may_have_no_more_tags_is_maintained_without_a_mark(
    stack: Maintained,
) -> None:
    document = stack.maintain()
    give_to(stack, None)
    tags = [{"tagKey": f"key-{number}", "tagValue": ""} for number in range(50)]
    stack.personalize.tag_resource(resourceArn=GROUP, tags=tags)
    assert stack.upload(document, "train/films/config.json")["Status"] == "SUCCEEDED"
    assert owner(stack) is None


def test_plan_and_apply_refuse_a_group_of_another_stack_and_name_it(stack: Maintained) -> None:
    path = stack.config(stack.maintain())
    give_to(stack, "Other")
    planned = stack.mpe("plan", path)
    assert planned.exit_code == 1
    assert "! DatasetGroup films" in planned.output
    assert "maintained by the stack Other" in planned.output
    assert "mpe adopt films --take-over" in planned.output
    before = stack.s3.list_object_versions(Bucket=BUCKET)["Versions"]
    applied = stack.mpe("apply", path, "--yes")
    assert applied.exit_code == 1
    assert "the stack Other" in applied.output
    assert stack.s3.list_object_versions(Bucket=BUCKET)["Versions"] == before


def test_a_run_does_nothing_in_a_group_of_another_stack(stack: Maintained) -> None:
    document = stack.maintain()
    give_to(stack, "Other")
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 3
    told = stack.upload(document, "train/films/config.json")
    assert told["Status"] == "FAILED"
    (failure,) = told["Failures"]
    assert (failure["Resource"], failure["Error"]) == ("DatasetGroup", "OfAnotherStack")
    assert "the stack Other" in failure["Reason"]
    assert not told["Changes"]
    assert owner(stack) == "Other"


@pytest.mark.parametrize("older", [False, True], ids=["of-this-release", "of-an-older-release"])
def test_a_scheduled_task_does_nothing_in_a_group_of_another_stack(
    stack: Maintained, older: bool
) -> None:
    document = small("films")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": "rate(1 day)"}}
    stack.put("train/films/interactions.csv", CSV)
    assert stack.upload(document, "train/films/config.json")["Status"] == "SUCCEEDED"
    run = dict(list(stack.started.runs.values())[-1]["run"])
    if older:  # its state has no mark
        state = stack.objects.load_state(Pointer(**run["state"]))
        group = state.resources["datasetGroup"]
        bare = {key: value for key, value in group.params.items() if key != "tags"}
        resources = {**state.resources, "datasetGroup": replace(group, params=bare)}
        pointer = stack.objects.save_state(BUCKET, replace(state, resources=resources))
        run["state"] = asdict(pointer)
    run = {**run, "id": "20260801T120000-0123abcd", "task": "import"}
    assert stack.preflight(run) == {"refused": False}
    give_to(stack, "Other")
    assert stack.preflight(run) == {"refused": True}


def test_nobody_destroys_a_group_of_another_stack(stack: Maintained) -> None:
    stack.maintain()
    give_to(stack, "Other")
    result = stack.mpe("destroy", "films", "--confirm", "films")
    assert result.exit_code == 1
    assert "maintained by the stack Other" in result.output
    assert "--stack Other" in result.output
    assert stack.personalize.list_campaigns()["campaigns"]


def test_who_adopts_a_group_of_another_stack_must_say_so(stack: Maintained) -> None:
    stack.maintain()
    stack.turns.forget("films", stack.turns.newest_run("films"))
    give_to(stack, "Other")
    result = stack.mpe("adopt", "films", "--yes")
    assert result.exit_code == 1
    assert "maintained by the stack Other" in result.output
    assert owner(stack) == "Other"
    result = stack.mpe("adopt", "films", "--take-over", "--yes")
    assert result.exit_code == 0, result.output
    assert "the stack Other, which maintains it, is there (CREATE_COMPLETE)" in result.output
    assert f"maintained by the stack {STACK} and no longer by Other, whose" in result.output
    assert owner(stack) == STACK
    sent = stack.s3.get_object(Bucket=BUCKET, Key="train/films/config.json")["Body"].read()
    assert stack.upload(json.loads(sent), "train/films/config.json")["Status"] == "SUCCEEDED"


def test_a_stack_takes_back_what_another_took_over(stack: Maintained) -> None:
    stack.maintain()
    give_to(stack, "Other")
    result = stack.mpe("adopt", "films", "--take-over", "--yes")
    assert result.exit_code == 0, result.output
    assert owner(stack) == STACK


def test_who_takes_over_is_told_where_the_other_stack_is_gone(stack: Maintained) -> None:
    stack.maintain()
    give_to(stack, "Former")
    result = stack.mpe("adopt", "films", "--take-over")
    assert "the stack Former, which maintains it, is not there any more" in result.output
    assert owner(stack) == "Former", "it is told before anybody is asked"
    result = stack.mpe("adopt", "films", "--take-over", "--yes")
    assert "no longer by Former, which is not there any more." in result.output
    assert "mpe schedule list films --stack Former" not in result.output


def test_a_take_over_that_is_not_confirmed_changes_nothing(stack: Maintained) -> None:
    stack.maintain()
    give_to(stack, "Other")
    result = stack.mpe("adopt", "films", "--take-over")
    assert result.exit_code == 1
    assert owner(stack) == "Other"


def test_an_export_leaves_the_mark_out(stack: Maintained) -> None:
    stack.maintain(tags=[{"tagKey": "team", "tagValue": "red"}])
    exported = json.loads(stack.mpe("export", "films").output)
    assert exported["datasetGroup"]["serviceConfig"]["tags"] == [
        {"tagKey": "team", "tagValue": "red"}
    ]
    assert KEY not in json.dumps(exported)


def test_a_mark_in_a_config_is_not_believed(stack: Maintained) -> None:
    stack.maintain(tags=[{"tagKey": KEY, "tagValue": "Other"}])
    assert owner(stack) == STACK
