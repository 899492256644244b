"""What the commands make of a dataset group that is maintained, wherever its config lies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.maintained import BUCKET, Maintained, maintained
from tests.local.conftest import CSV, small


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        yield made


def keys(stack: Maintained) -> set[str]:
    """Return what lies in the bucket, but for the states."""
    found = stack.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return {one["Key"] for one in found if not one["Key"].startswith("state/")}


def elsewhere(stack: Maintained, key: str = "train/shop/eu/my-films.json") -> dict[str, Any]:
    """Maintain a group whose config and data lie in another folder than that of its name."""
    document = small("films")
    stack.put(f"{key.rpartition('/')[0]}/interactions.csv", CSV)
    told = stack.upload(document, key)
    assert told["Status"] == "SUCCEEDED", told
    return document


def rows(result: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


def test_a_plan_looks_for_data_where_the_group_is_maintained_from(stack: Maintained) -> None:
    path = stack.config(elsewhere(stack))
    planned = stack.mpe("plan", path, "--output", "json")
    assert planned.exit_code == 0, planned.output
    assert {one["action"] for one in rows(planned)} == {"keep"}
    stack.put("train/shop/eu/interactions.csv", f"{CSV}u1,i1,view,1,1800000000\n")
    planned = stack.mpe("plan", path, "--output", "json")
    assert planned.exit_code == 2
    changed = [one for one in rows(planned) if one["action"] != "keep"]
    assert [(one["resource"], one["action"]) for one in changed] == [("DatasetImportJob", "create")]


def test_what_is_applied_goes_where_the_group_is_maintained_from(stack: Maintained) -> None:
    document = elsewhere(stack)
    before = keys(stack)
    data = stack.folder / "data"
    data.mkdir()
    (data / "interactions.csv").write_text(f"{CSV}u1,i1,view,1,1800000000\n")
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    applied = stack.mpe("apply", stack.config(document), "--data", str(data), "--yes")
    assert applied.exit_code == 0, applied.output
    assert keys(stack) == before
    told = stack.s3.get_object(Bucket=BUCKET, Key="train/shop/eu/my-films.json")["Body"].read()
    assert json.loads(told) == document
    assert "+ DatasetImportJob films-interactions" in applied.output


def test_what_is_destroyed_with_its_data_lies_where_the_group_is_maintained_from(
    stack: Maintained,
) -> None:
    elsewhere(stack)
    stack.put("train/shop/eu/of-somebody-else.csv", "x")
    result = stack.mpe("destroy", "films", "--data", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert keys(stack) == {"train/shop/eu/of-somebody-else.csv"}


def test_data_that_another_group_reads_as_well_is_left(stack: Maintained) -> None:
    elsewhere(stack)
    told = stack.upload(small("series"), "train/shop/eu/series.json")
    assert told["Status"] == "SUCCEEDED", told
    result = stack.mpe("destroy", "films", "--data", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert "which the dataset group series reads as well" in result.output
    assert keys(stack) == {"train/shop/eu/series.json", "train/shop/eu/interactions.csv"}
