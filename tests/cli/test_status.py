"""One line for each dataset group, which a pager can trust: the worst of all that is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.maintained import Maintained, maintained
from tests.local.conftest import CSV, small

YEARLY = "cron(0 0 1 1 ? 2099)"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        made.put("train/films/interactions.csv", CSV)
        document = small("films")
        document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": YEARLY}}
        assert made.upload(document, "train/films/config.json")["Status"] == "SUCCEEDED"
        yield made


def line(stack: Maintained, group: str = "films") -> dict[str, Any]:
    result = stack.mpe("status", "--output", "json")
    assert result.exit_code == 0, result.output
    (found,) = (one for one in json.loads(result.stdout) if one["group"] == group)
    return dict(found)


def test_a_group_that_is_well_is_ok(stack: Maintained) -> None:
    assert (line(stack)["health"], line(stack)["why"]) == ("OK", "")
    assert stack.mpe("status", "--exit-code").exit_code == 0


def test_a_dead_training_is_not_hidden_by_a_good_import(stack: Maintained) -> None:
    failed = {"status": "FAILED", "run": "20260801T1-ab", "started": "2026-08-01T03:00:00+00:00"}
    stack.tasks.write("films", "full.films-popular", kind="full", last=failed)
    stack.turns.record("films", "20990101T000000-zz", {"status": "SUCCEEDED", "task": "import"})
    found = line(stack)
    assert found["health"] == "FAILED"
    assert "mpe runs show 20260801T1-ab" in found["why"]
    assert stack.mpe("status", "--exit-code").exit_code == 2


def test_a_task_that_is_disabled_is_told(stack: Maintained) -> None:
    stack.tasks.set("films", "import", disabled="user")
    assert line(stack)["health"] == "DISABLED"


def test_an_upload_that_was_rejected_is_told_until_the_next_that_is_not(stack: Maintained) -> None:
    document = small("films")
    told = stack.upload({**document, "eventTraker": {}}, "train/films/config.json")
    assert told["Total"] == 1
    assert line(stack)["health"] == "REJECTED"
    assert "1 problem" in line(stack)["why"]


def test_what_is_not_in_the_config_any_more_is_told_as_billed(stack: Maintained) -> None:
    document = small("films")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": YEARLY}}
    document["solutions"][0]["campaigns"] = []
    assert stack.upload(document, "train/films/config.json")["Status"] == "SUCCEEDED"
    found = line(stack)
    assert found["health"] == "ORPHANS"
    assert "not in the config, still billed: Campaign films-live" in found["why"]
    rows = json.loads(stack.mpe("status", "films", "--output", "json").stdout)
    assert ("films-live", "not in the config, still billed") in [
        (one["name"], one["differs"]) for one in rows
    ]


def test_what_differs_from_the_config_is_told(stack: Maintained) -> None:
    (campaign,) = stack.personalize.list_campaigns()["campaigns"]
    document = small("films")
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 1
    assert stack.upload(document, "train/films/config.json")["Status"] == "SUCCEEDED"
    stack.personalize.update_campaign(campaignArn=campaign["campaignArn"], minProvisionedTPS=3)
    for _ in range(20):  # the update takes the service a moment
        found = line(stack)
        if found["health"] == "DIFFERS":
            break
    assert found["health"] == "DIFFERS"
    assert "Campaign films-live" in found["why"]


def test_a_group_that_is_there_again_without_a_config_is_listed(stack: Maintained) -> None:
    stack.turns.forget("films", stack.turns.newest_run("films"))
    found = line(stack)
    assert found["health"] == "ORPHANS"
    assert "still billed" in found["why"]


def test_of_a_group_that_was_removed_no_empty_table_is_shown(stack: Maintained) -> None:
    assert stack.mpe("destroy", "films", "--confirm", "films").exit_code == 0
    result = stack.mpe("status", "films")
    assert result.exit_code == 1
    assert "nothing of 'films' is there: it was removed" in result.output
    told = json.loads(stack.mpe("status", "films", "--output", "json").stdout)
    assert (told["exit_code"], "mpe runs films" in told["error"]) == (1, True)
    assert stack.mpe("status", "none").exit_code == 1


def test_of_a_group_whose_only_config_was_rejected_that_is_told(stack: Maintained) -> None:
    stack.upload({**small("shop"), "eventTraker": {}}, "train/shop/config.json")
    result = stack.mpe("status", "shop")
    assert result.exit_code == 1
    assert "was rejected: 1 problem" in result.output
