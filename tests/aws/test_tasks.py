"""A task's row changes only as it is and where it is, and each fire of it counts once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.tasks import MOST_FIRED, Tasks
from mpe.model.plan.forms import MARK, TASK
from tests.aws.conftest import Behind

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NEWER = {MARK: {"version": TASK.version + 1, "needs": TASK.version + 1, "release": "9.9.9"}}


@pytest.fixture
def tasks(behind: Behind) -> Tasks:
    """Two tasks of a group, and one of another."""
    made = Tasks(behind)
    made.write("films", "full", expression="rate(1 day)")
    made.write("films", "import", expression="rate(2 days)")
    made.write("shop", "full", expression="rate(3 days)")
    return made


def run(name: str) -> dict[str, str]:
    return {"execution": name, "status": "RUNNING"}


def test_what_is_written_leaves_the_rest_of_the_row_and_all_of_it_is_told(tasks: Tasks) -> None:
    assert tasks.set("films", "full", disabled="user")
    row = tasks.write("films", "full", expression="rate(9 days)")
    assert (row["expression"], row["disabled"]) == ("rate(9 days)", "user")
    assert row[MARK] == TASK.mark
    assert tasks.get("films", "full") == row


def test_of_a_task_that_is_gone_nothing_is_written(tasks: Tasks) -> None:
    tasks.delete("films", "full")
    tasks.delete("films", "full")
    assert not tasks.set("films", "full", disabled="user")
    assert not tasks.enable("films", "full")
    assert not tasks.claim("films", "full", run("one"), seen=None)
    tasks.skip("films", "full", NOW, "moment")
    assert tasks.get("films", "full") is None
    assert list(tasks.ids("films")) == ["import"]


def test_a_task_is_enabled_unless_it_is_disabled_for_another_reason(tasks: Tasks) -> None:
    assert tasks.enable("films", "full", only="gone")
    tasks.set("films", "full", disabled="user")
    assert not tasks.enable("films", "full", only="gone")
    assert (tasks.get("films", "full") or {})["disabled"] == "user"
    assert tasks.enable("films", "full", only="user")
    assert "disabled" not in (tasks.get("films", "full") or {})
    tasks.set("films", "full", disabled="user")
    assert tasks.enable("films", "full")
    assert "disabled" not in (tasks.get("films", "full") or {})


def test_a_run_is_a_tasks_last_where_the_one_before_it_is_the_one_that_was_seen(
    tasks: Tasks,
) -> None:
    assert tasks.claim("films", "full", run("one"), seen=None)
    assert tasks.claim("films", "full", run("one"), seen=None), "its own claim, once more"
    assert not tasks.claim("films", "full", run("two"), seen=None)
    assert not tasks.claim("films", "full", run("two"), seen="zero")
    assert tasks.claim("films", "full", run("two"), seen="one")
    assert (tasks.get("films", "full") or {})["last"] == run("two")


def test_a_fire_is_of_one_moment_and_comes_once(tasks: Tasks) -> None:
    assert tasks.claim("films", "full", run("one"), seen=None, scheduled="a")
    assert not tasks.claim("films", "full", run("two"), seen="one", scheduled="a")
    assert tasks.claim("films", "full", run("two"), seen="one", scheduled="b")
    tasks.skip("films", "full", NOW, "c")
    assert not tasks.claim("films", "full", run("three"), seen="two", scheduled="c")
    tasks.skip("films", "full", NOW + timedelta(1), None)
    row = tasks.get("films", "full") or {}
    assert row["skipped"] == (NOW + timedelta(1)).isoformat()
    assert row["fired"] == {"a", "b", "c"}
    assert row["last"] == run("two")


@pytest.mark.parametrize(("before", "kept"), [(2, 2), (2 * MOST_FIRED, MOST_FIRED)])
def test_the_newest_fires_stay_known_and_others_go_once_they_are_twice_as_many(
    tasks: Tasks, before: int, kept: int
) -> None:
    fires = [f"{number:04}" for number in range(before)]
    tasks.set("films", "full", fired={*fires[:-1]})
    assert tasks.claim("films", "full", run("one"), seen=None, scheduled=fires[-1])
    assert (tasks.get("films", "full") or {})["fired"] == {*fires}
    assert tasks.claim("films", "full", run("two"), seen="one", scheduled="9999")
    found = (tasks.get("films", "full") or {})["fired"]
    assert found == ({*fires, "9999"} if before == kept else {*fires[-kept + 1 :], "9999"})


def test_the_tasks_of_a_group_and_of_all_groups_are_told(tasks: Tasks, behind: Behind) -> None:
    assert [one["record"] for one in tasks.of("films")] == ["full", "import"]
    assert sorted(one["expression"] for one in tasks.all()) == [
        "rate(1 day)",
        "rate(2 days)",
        "rate(3 days)",
    ]
    behind.put_item(Item={"group": "films", "record": "oracle", **NEWER})
    assert [one["record"] for one in tasks.readable("films")] == ["full", "import"]
    assert list(tasks.ids("films")) == ["full", "import", "oracle"]


class Full:
    """A table that takes no writes at the moment."""

    def update_item(self, **asked: Any) -> Any:
        code = "ProvisionedThroughputExceededException"
        raise ClientError({"Error": {"Code": code}}, "UpdateItem")


def test_what_dynamodb_refuses_for_another_reason_is_an_error() -> None:
    with pytest.raises(ClientError, match="ProvisionedThroughput"):
        Tasks(Full()).set("films", "full", disabled="user")
