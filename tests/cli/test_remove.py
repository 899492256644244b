"""`mpe remove` takes one resource away, in a turn of its own; `mpe destroy` leaves no schema."""

from __future__ import annotations

import copy
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from mpe.aws.turns import Claim
from mpe.cli.account import Account
from mpe.cli.deletions import SHORT_LEASE, Deletions
from mpe.cli.destroy import Removal
from tests.cli.maintained import Maintained, maintained
from tests.local.conftest import CSV, small


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        yield made


def names(stack: Maintained, noun: str) -> list[str]:
    found = getattr(stack.personalize, f"list_{noun}s")()
    return [one["name"] for one in next(value for key, value in found.items() if noun[1:] in key)]


def free(stack: Maintained) -> bool:
    return stack.turns.holder("films") is None


def test_a_campaign_is_removed_and_all_else_stays(stack: Maintained) -> None:
    stack.maintain()
    result = stack.mpe("remove", "films", "campaign/films-live", "--yes")
    assert result.exit_code == 0, result.output
    assert "  - Campaign films-live (billed until it is gone)" in result.output
    assert "the config names Campaign films-live: its next run makes it anew" in result.output
    assert names(stack, "campaign") == []
    assert names(stack, "solution") == ["films-popular"]
    assert free(stack)


def test_what_others_use_is_refused_and_then_removed_after_them(stack: Maintained) -> None:
    stack.maintain()
    refused = stack.mpe("remove", "films", "films-popular", "--yes")
    assert refused.exit_code == 1
    assert "Solution films-popular is used by Campaign films-live" in refused.output
    assert names(stack, "solution") == ["films-popular"]
    done = stack.mpe(
        "remove", "films", "films-popular", "--with-users", "--yes", "--output", "json"
    )
    assert done.exit_code == 0, done.output
    removed = json.loads(done.stdout)["removed"]
    assert [one["resource"] for one in removed] == ["Campaign", "Solution"]
    assert names(stack, "solution") == []


def test_every_type_can_be_removed_alone(stack: Maintained) -> None:
    document = small("films")
    document["eventTracker"] = {"serviceConfig": {"name": "films-clicks"}}
    document["filters"] = [
        {
            "serviceConfig": {
                "name": "films-unseen",
                "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
            }
        }
    ]
    stack.maintain(**document)
    for resource in ("filter/films-unseen", "event-tracker/films-clicks"):
        result = stack.mpe("remove", "films", resource, "--yes")
        assert result.exit_code == 0, result.output
    assert not stack.personalize.list_filters()["Filters"]
    assert not stack.personalize.list_event_trackers()["eventTrackers"]


def test_a_dataset_goes_after_the_tracker_that_writes_to_it(stack: Maintained) -> None:
    stack.maintain(eventTracker={"serviceConfig": {"name": "films-clicks"}})
    refused = stack.mpe("remove", "films", "dataset/films-interactions", "--yes")
    assert refused.exit_code == 1
    assert "is used by EventTracker films-clicks" in refused.output


def test_what_is_not_there_is_told_with_what_is(stack: Maintained) -> None:
    stack.maintain()
    result = stack.mpe("remove", "films", "films-dead", "--yes")
    assert result.exit_code == 1
    assert "there is no 'films-dead'. There are:" in result.output
    assert "campaign/films-live" in result.output
    result = stack.mpe("remove", "films", "films", "--yes")
    assert "mpe destroy films" in result.output
    assert "there is no dataset group 'other'" in stack.mpe("remove", "other", "x").output


def test_nothing_is_removed_unasked_or_while_a_run_works(stack: Maintained) -> None:
    stack.maintain()
    unasked = stack.mpe("remove", "films", "films-live")
    assert unasked.exit_code == 1
    assert "say so with --yes" in unasked.output
    claim = Claim("films", "destroy", "destroy:films", "")
    assert stack.turns.take(claim, datetime.now(UTC)) is None
    held = stack.mpe("remove", "films", "films-live", "--yes")
    assert held.exit_code == 1
    assert "a run works on films" in held.output
    assert names(stack, "campaign") == ["films-live"]


def test_a_removal_that_is_killed_keeps_runs_out_for_minutes(stack: Maintained) -> None:
    """Of SIGKILL nobody hears; what can be heard gives the turn back."""
    account = Account("PersonalizedExperiences")
    began = datetime.now(UTC)
    Deletions(account, "films", "remove", SHORT_LEASE).take_turn()
    claim = Claim("films", "run", "execution", "")
    assert stack.turns.take(claim, began + timedelta(minutes=5)) == "remove:films"
    assert stack.turns.take(claim, began + timedelta(minutes=11)) is None


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_removal_whose_terminal_is_closed_gives_its_turn_back(
    stack: Maintained, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.maintain()
    number = getattr(signal, name)
    before = signal.getsignal(number)
    monkeypatch.setattr("time.sleep", lambda _: os.kill(os.getpid(), number))
    result = stack.mpe("remove", "films", "films-live", "--yes")
    assert result.exit_code == 130, result.output
    assert "Interrupted: start it again to go on." in result.output
    assert free(stack)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_group_whose_removal_is_stopped_keeps_runs_out_until_it_goes_on(
    stack: Maintained, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run would make anew what is gone."""
    stack.maintain()
    with monkeypatch.context() as stopped:
        stopped.setattr("time.sleep", lambda _: os.kill(os.getpid(), getattr(signal, name)))
        result = stack.mpe("destroy", "films", "--confirm", "films")
    assert result.exit_code == 130, result.output
    assert "Interrupted: start it again to go on. No run works there for an hour" in result.output
    assert not free(stack)
    result = stack.mpe("destroy", "films", "--confirm", "films")
    assert "The dataset group films is gone." in result.output
    assert free(stack)


def test_a_group_of_another_stack_is_refused(stack: Maintained) -> None:
    stack.maintain()
    arn = stack.personalize.list_dataset_groups()["datasetGroups"][0]["datasetGroupArn"]
    tag = {"tagKey": "mpe:stack", "tagValue": "Other"}
    stack.personalize.tag_resource(resourceArn=arn, tags=[tag])
    result = stack.mpe("remove", "films", "films-live", "--yes")
    assert result.exit_code == 1
    assert "maintained by the stack Other" in result.output
    assert names(stack, "campaign") == ["films-live"]


def test_destroy_removes_the_schemas_that_the_datasets_had(stack: Maintained) -> None:
    document = small("films")
    items = {
        "dataset": {"serviceConfig": {"name": "films-items"}},
        "schema": {
            "serviceConfig": {
                "name": "films-items-1",
                "schema": {
                    "type": "record",
                    "name": "Items",
                    "namespace": "com.amazonaws.personalize.schema",
                    "fields": [
                        {"name": "ITEM_ID", "type": "string"},
                        {"name": "GENRES", "type": ["null", "string"], "categorical": True},
                    ],
                    "version": "1.0",
                },
            }
        },
    }
    document["datasets"]["items"] = items
    stack.maintain(**document)
    newer = copy.deepcopy(document)
    schema = newer["datasets"]["items"]["schema"]["serviceConfig"]
    schema["name"] = "films-items-2"
    schema["schema"]["fields"].append({"name": "PRICE", "type": ["null", "float"]})
    assert stack.upload(newer, "train/films/config.json")["Status"] == "SUCCEEDED"
    assert {"films-items-1", "films-items-2"} <= set(names(stack, "schema"))
    result = stack.mpe("destroy", "films", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert "  - Schema films-items-1" in result.output
    assert names(stack, "schema") == []


def test_destroy_leaves_a_former_schema_that_another_group_has_now(stack: Maintained) -> None:
    document = stack.maintain()
    other = json.loads(json.dumps(document).replace("films", "series"))
    other["datasets"]["interactions"]["schema"]["serviceConfig"]["name"] = document["datasets"][
        "interactions"
    ]["schema"]["serviceConfig"]["name"]
    stack.put("train/series/interactions.csv", CSV)
    assert stack.upload(other, "train/series/config.json")["Status"] == "SUCCEEDED"
    before = names(stack, "schema")
    result = stack.mpe("destroy", "films", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert names(stack, "schema") == before


def destroyed_but_for_its_schemas(stack: Maintained) -> None:
    """Destroy the group where nobody may delete schemas, as who is killed then leaves it."""
    stack.service.faults.error("DeleteSchema", "AccessDeniedException")
    refused = stack.mpe("destroy", "films", "--confirm", "films")
    assert refused.exit_code == 1, refused.output
    assert "start it again to go on" in refused.output
    assert not stack.personalize.list_dataset_groups()["datasetGroups"]
    assert names(stack, "schema")


def test_a_destroy_that_goes_on_removes_the_schemas_of_a_group_that_is_gone(
    stack: Maintained,
) -> None:
    stack.maintain()
    destroyed_but_for_its_schemas(stack)
    result = stack.mpe("destroy", "films", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert "  - Schema films-" in result.output
    assert names(stack, "schema") == []
    assert "nor a rest of one" in stack.mpe("destroy", "films", "--confirm", "films").output


def test_a_destroy_that_goes_on_removes_the_schemas_that_no_config_ever_named(
    stack: Maintained,
) -> None:
    by_hand(stack)
    destroyed_but_for_its_schemas(stack)
    result = stack.mpe("destroy", "films", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert names(stack, "schema") == []


def test_the_rest_of_a_group_has_no_schema_that_another_uses_since(stack: Maintained) -> None:
    by_hand(stack)
    destroyed_but_for_its_schemas(stack)
    by_hand(stack, "series")
    result = stack.mpe("destroy", "films", "--confirm", "films")
    assert "nor a rest of one" in result.output
    assert names(stack, "schema") == ["plays"]


def test_schemas_that_were_kept_on_purpose_are_no_rest_of_a_group(stack: Maintained) -> None:
    stack.maintain()
    kept = stack.mpe("destroy", "films", "--keep-schemas", "--confirm", "films")
    assert kept.exit_code == 0, kept.output
    result = stack.mpe("destroy", "films", "--data", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert names(stack, "schema") == ["films-interactions"]


def test_the_rest_of_a_group_is_left_where_that_is_asked_for(stack: Maintained) -> None:
    by_hand(stack)
    destroyed_but_for_its_schemas(stack)
    stack.put("train/films/interactions.csv", CSV)
    words = ("destroy", "films", "--data", "--keep-schemas", "--confirm", "films")
    result = stack.mpe(*words)
    assert result.exit_code == 0, result.output
    assert "  = Schema plays" in result.output
    assert names(stack, "schema") == ["plays"]


def test_schemas_that_stay_in_use_are_told_and_found_again(
    stack: Maintained, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.maintain()
    stack.service.faults.error("DeleteSchema", "ResourceInUseException", "in use", times=1000)
    monkeypatch.setattr("time.sleep", lambda _: None)
    result = stack.mpe("destroy", "films", "--confirm", "films")
    assert result.exit_code == 1
    assert "of the schemas films-interactions not all could be removed" in result.output
    assert len(stack.turns.going("films")) == 1


def test_a_group_that_was_made_while_somebody_was_asked_stays(stack: Maintained) -> None:
    by_hand(stack)
    destroyed_but_for_its_schemas(stack)
    removal = Removal(Account("PersonalizedExperiences"), "films")
    found = removal.found()
    by_hand(stack)
    with pytest.raises(click.ClickException, match="was made anew meanwhile: nothing was removed"):
        removal(found)
    assert names(stack, "schema") == ["plays"]
    assert free(stack)


def by_hand(stack: Maintained, group: str = "films") -> None:
    """Make a dataset group in the console, with a dataset of a schema."""
    client = stack.personalize
    fields = small(group)["datasets"]["interactions"]["schema"]["serviceConfig"]["schema"]
    known = {one["name"]: one["schemaArn"] for one in client.list_schemas()["schemas"]}
    schema = (
        known.get("plays")
        or client.create_schema(name="plays", schema=json.dumps(fields))["schemaArn"]
    )
    arn = client.create_dataset_group(name=group)["datasetGroupArn"]
    settled(lambda: client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"])
    made = client.create_dataset(
        name=group, datasetGroupArn=arn, datasetType="Interactions", schemaArn=schema
    )["datasetArn"]
    settled(lambda: client.describe_dataset(datasetArn=made)["dataset"])


def settled(described: Callable[[], dict[str, Any]]) -> None:
    while described()["status"] != "ACTIVE":
        time.sleep(0.01)
