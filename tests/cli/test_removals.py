"""What a config names no more goes where it says so, and only what a run of the stack has made."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mpe.aws.clock import Clock
from mpe.aws.personalize import Busy, Personalize
from mpe.aws.turns import Claim
from mpe.handlers.remove import LOOK, Remove
from mpe.model.config.parse import parse
from mpe.model.errors import TurnLost
from mpe.model.messages import message_for
from mpe.model.plan.desired import Place, desired_state
from mpe.model.plan.owner import KEY
from mpe.model.service.spec import ResourceSpec
from tests.cli.maintained import ACCOUNT, BUCKET, ROLE, STACK, Maintained, maintained
from tests.cli.test_remove import names
from tests.cli.test_stack import REGION
from tests.handlers.test_runs import NOW, Fixed
from tests.local.conftest import CSV, small

CONFIG = "train/films/config.json"
GROUP = f"arn:aws:personalize:us-east-1:{ACCOUNT}:dataset-group/films"
FILTER = {
    "serviceConfig": {
        "name": "films-unseen",
        "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
    }
}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        yield made


def removing(document: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a config that says that what it names no more goes."""
    made = {**copy.deepcopy(document), **more}
    made["datasetGroup"]["workflowConfig"] = {"onRemoval": "delete"}
    return made


def mail(told: dict[str, Any]) -> str:
    return message_for("Maintenance Run State Change", told, region="us-east-1").text


def test_what_is_not_named_any_more_goes_after_all_else_and_is_told_before_and_after(
    stack: Maintained,
) -> None:
    document = stack.maintain(
        filters=[FILTER], eventTracker={"serviceConfig": {"name": "films-clicks"}}
    )
    less = removing(document, solutions=[], filters=[])
    del less["eventTracker"]
    planned = stack.mpe("plan", stack.config(less))
    assert planned.exit_code == 2, planned.output
    lines = [line for line in planned.output.splitlines() if line.startswith("- ")]
    told = "not in the config, and removed at the end of the run"
    assert lines == [
        f"- Campaign films-live: {told}",
        f"- Solution films-popular: {told}",
        f"- EventTracker films-clicks: {told}",
        f"- Filter films-unseen: {told}",
    ]
    rows = json.loads(stack.mpe("plan", stack.config(less), "--output", "json").stdout)
    assert [one["name"] for one in rows if one["action"] == "delete"] == [
        "films-live", "films-popular", "films-clicks", "films-unseen",
    ]  # fmt: skip
    asked = stack.mpe("apply", stack.config(less))
    assert asked.exit_code == 1
    assert lines[0] in asked.output
    assert names(stack, "campaign") == ["films-live"]
    done = stack.upload(less, CONFIG)
    assert done["Status"] == "SUCCEEDED"
    removed = [one["Name"] for one in done["Changes"] if one["Did"] == "removed"]
    assert sorted(removed) == ["films-clicks", "films-live", "films-popular", "films-unseen"]
    assert "  removed Campaign films-live in" in mail(done)
    assert not stack.personalize.list_event_trackers()["eventTrackers"]
    for noun in ("campaign", "solution"):
        assert names(stack, noun) == []
    assert not stack.personalize.list_filters()["Filters"]
    again = stack.mpe("plan", stack.config(less))
    assert again.exit_code == 0, again.output
    shown = stack.mpe("runs", "show", done["Run"])
    assert "removed Campaign films-live" in shown.output
    assert "Campaign films-live: arn:" not in shown.output, "nobody can ask it any more"


def test_all_stays_where_nothing_is_said_and_each_plan_says_so(stack: Maintained) -> None:
    document = stack.maintain()
    planned = stack.mpe("plan", stack.config({**document, "solutions": []}))
    assert planned.exit_code == 2, planned.output
    assert "? Campaign films-live: not in the config, still billed" in planned.output
    assert "onRemoval is keep; `mpe remove films campaign/films-live` removes it" in planned.output
    assert stack.upload({**document, "solutions": []}, CONFIG)["Status"] == "SUCCEEDED"
    assert names(stack, "campaign") == ["films-live"]


def test_what_others_made_stays_with_what_it_uses(stack: Maintained) -> None:
    document = stack.maintain()
    (solution,) = stack.personalize.list_solutions()["solutions"]
    (version,) = stack.personalize.list_solution_versions(solutionArn=solution["solutionArn"])[
        "solutionVersions"
    ]
    stack.personalize.create_campaign(
        name="by-hand", solutionVersionArn=version["solutionVersionArn"], minProvisionedTPS=1
    )
    less = removing(document, solutions=[])
    planned = stack.mpe("plan", stack.config(less))
    assert "- Campaign films-live" in planned.output
    assert "? Campaign by-hand: not in the config, still billed" in planned.output
    assert "no run of this stack made it, so that onRemoval leaves it" in planned.output
    used = "the campaign by-hand uses it, which no run of this stack made"
    assert f"? Solution films-popular: not in the config, and stays: {used}" in planned.output
    done = stack.upload(less, CONFIG)
    assert done["Status"] == "SUCCEEDED"
    assert names(stack, "campaign") == ["by-hand"]
    assert names(stack, "solution") == ["films-popular"]
    assert f"Solution films-popular is not in the config, and it stays: {used}." in done["Notes"]


def test_another_of_the_same_name_that_somebody_made_stays(stack: Maintained) -> None:
    document = stack.maintain(filters=[FILTER])
    (made,) = stack.personalize.list_filters()["Filters"]
    assert stack.mpe("remove", "films", "filter/films-unseen", "--yes").exit_code == 0
    stack.personalize.create_filter(datasetGroupArn=GROUP, **FILTER["serviceConfig"])
    (other,) = stack.personalize.list_filters()["Filters"]
    assert other["filterArn"] == made["filterArn"]
    less = removing(document, filters=[])
    planned = stack.mpe("plan", stack.config(less))
    assert "? Filter films-unseen: not in the config, left as it is" in planned.output
    assert stack.upload(less, CONFIG)["Status"] == "SUCCEEDED"
    assert stack.personalize.list_filters()["Filters"]


def test_data_stays_whatever_is_said(stack: Maintained) -> None:
    document = small("films")
    fields = [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": ["null", "int"]}]
    users = {"type": "record", "name": "Users", "namespace": "com.amazonaws.personalize.schema",
             "fields": fields, "version": "1.0"}  # fmt: skip
    document["datasets"]["users"] = {
        "dataset": {
            "serviceConfig": {"name": "films-users"},
            "workflowConfig": {"dataOptional": True},
        },
        "schema": {"serviceConfig": {"name": "films-users", "schema": users}},
    }
    stack.maintain(**document)
    less = removing(document)
    del less["datasets"]["users"]
    planned = stack.mpe("plan", stack.config(less))
    assert "? Dataset films-users: not in the config, left as it is" in planned.output
    assert "what holds data stays whatever onRemoval says" in planned.output
    assert stack.upload(less, CONFIG)["Status"] == "SUCCEEDED"
    assert len(stack.personalize.list_datasets(datasetGroupArn=GROUP)["datasets"]) == 2


def test_a_run_that_fails_or_is_of_another_stack_removes_nothing(stack: Maintained) -> None:
    document = stack.maintain(filters=[FILTER])
    less = removing(document, filters=[])
    tag = {"tagKey": KEY, "tagValue": "Other"}
    stack.personalize.tag_resource(resourceArn=GROUP, tags=[tag])
    assert stack.upload(less, CONFIG)["Status"] == "FAILED"
    assert len(stack.personalize.list_filters()["Filters"]) == 1


def test_tasks_and_the_owner_are_in_the_mail_in_the_words_of_the_plan(stack: Maintained) -> None:
    document = small("films")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": "rate(1 day)"}}
    stack.maintain(**document)
    created = stack.bus.told[-1][1]
    assert "  created Task import: rate(1 day) (UTC)" in mail(created)
    document["datasetGroup"]["workflowConfig"]["schedules"]["import"] = "rate(2 days)"
    stack.personalize.untag_resource(resourceArn=GROUP, tagKeys=[KEY])
    planned = stack.mpe("plan", stack.config(document)).output
    assert "~ Task import: rate(2 days) (UTC)" in planned
    told = mail(stack.upload(document, CONFIG))
    assert "  updated Task import: rate(2 days) (UTC)" in told
    owner = "maintained by the stack PersonalizedExperiences"
    assert owner in planned
    assert f"  marked DatasetGroup films: {owner}" in told
    del document["datasetGroup"]["workflowConfig"]
    done = stack.upload(document, CONFIG)
    assert "  removed Task import: rate(2 days) (UTC)" in mail(done)
    shown = stack.mpe("runs", "show", done["Run"]).output
    assert "removed Task import: rate(2 days) (UTC)" in shown


def removal(stack: Maintained, less: dict[str, Any], clock: Clock) -> tuple[Remove, dict[str, Any]]:
    """Return what removes for a run of a config that has its turn, and the run."""
    state = desired_state(
        parse(json.dumps(less)), Place(REGION, ACCOUNT, BUCKET, ROLE, stack=STACK), version="run"
    )
    run = {"id": "run", "group": "films", "sequencer": f"{9:032X}", "config": {"key": CONFIG}}
    run["state"] = asdict(stack.objects.save_state(BUCKET, state))
    claim = Claim("films", "run", "execution-run", run["sequencer"])
    assert stack.turns.take(claim, stack.clock.now()) is None
    service = Personalize(stack.personalize)
    return Remove(service, stack.objects, stack.ledger, stack.turns, clock, STACK), run


def test_a_run_that_has_lost_its_turn_or_is_overtaken_removes_nothing(stack: Maintained) -> None:
    less = removing(stack.maintain(filters=[FILTER]), filters=[])
    remove, run = removal(stack, less, stack.clock)
    stack.turns.announce("films", "newer", f"{10:032X}", CONFIG)
    assert remove(run) == {"failed": False}
    stack.turns.give_back("films", "execution-run")
    assert remove(run) == {"failed": True}
    (lost,) = stack.ledger.outcomes("films", "run")
    assert lost["failed"]["error"] == "TurnLost"
    with pytest.raises(TurnLost):
        remove(run, redriven=1)
    assert len(stack.personalize.list_filters()["Filters"]) == 1


class InUse(Personalize):
    """A service in which something uses what is to be deleted."""

    def delete(self, spec: ResourceSpec, arn: str) -> None:
        raise Busy("ResourceInUseException", f"{spec.noun} {arn} is in use")


def test_what_stays_in_use_is_waited_for_an_hour_and_then_told(stack: Maintained) -> None:
    less = removing(stack.maintain(filters=[FILTER]), filters=[])
    answers = []
    for minutes in (0, 30, 61):
        clock = Fixed(moment=NOW + timedelta(minutes=minutes))
        remove, run = removal(stack, less, clock)
        answers.append(replace(remove, personalize=InUse(stack.personalize))(run))
    assert answers == [{"failed": False, "wait": LOOK}] * 2 + [{"failed": True}]
    (left,) = stack.ledger.outcomes("films", "run")
    assert left["failed"]["error"] == "ResourceInUseException"
    assert left["name"] == "films-unseen"


def test_the_mail_has_what_is_made_and_changed_in_the_words_of_the_plan(stack: Maintained) -> None:
    document = small("films")
    stack.put("train/films/interactions.csv", CSV)
    planned = stack.mpe("plan", stack.config(document)).output
    told = mail(stack.upload(document, "train/films/config.json"))
    words = re.findall(r"^    (\w+: .+)$", planned, re.MULTILINE)
    assert any(one.startswith("recipeArn: ") for one in words)
    assert "minProvisionedTPS: 1" in words
    made = "\n".join(line for line in told.splitlines() if line.startswith("  created "))
    assert [one for one in words if one not in made and not one.startswith("note")] == []
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    planned = stack.mpe("plan", stack.config(document)).output
    told = mail(stack.upload(document, "train/films/config.json"))
    assert "    minProvisionedTPS: 1 -> 2" in planned
    assert "  updated Campaign films-live: minProvisionedTPS: 1 -> 2 in " in told
