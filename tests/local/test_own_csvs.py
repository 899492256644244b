"""From a user's own strange CSVs to a campaign that recommends, end to end."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mpe.local.cloud import LocalCloud
from tests.conftest import ROOT, interactions
from tests.local.conftest import User, small

pytestmark = pytest.mark.local
GROUP = "corner-shop"


def generate(folder: Path) -> Path:
    """Run the example's script."""
    place = ROOT / "examples" / "02-your-own-csvs" / "generate.py"
    spec = importlib.util.spec_from_file_location("own_csvs", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Path = module.generate(folder)
    return made


def mpe(cloud: LocalCloud, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mpe.cli.main", *map(str, arguments)],
        env={**os.environ, **cloud.environment, "PYTHONPATH": str(ROOT / "source")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_strange_csvs_become_a_campaign_that_recommends(cloud: LocalCloud, tmp_path: Path) -> None:
    given, out = generate(tmp_path / "given"), tmp_path / "out"
    files = ("--interactions", given / "orders.csv", "--items", given / "products.csv")
    made = mpe(cloud, "init", *files, "--name", GROUP, "--out", out)
    assert made.returncode == 0, made.stderr
    checked = mpe(cloud, "check-data", out / "config.json")
    assert checked.returncode == 0, checked.stdout

    user = User(cloud, GROUP)
    for name in ("interactions.csv", "items.csv"):
        user.put(name, (out / name).read_text())
    place = f"s3://{user.bucket}/train/{GROUP}"
    options = ("--path", place, "--endpoint-url", cloud.endpoint)
    there = mpe(cloud, "check-data", out / "config.json", *options)
    assert there.returncode == 0, there.stdout + there.stderr
    user.upload((out / "config.json").read_text())

    assert user.wait_for_run() == "SUCCEEDED"

    campaign = cloud.client("personalize").describe_campaign(
        campaignArn=user.arn(f"campaign/{GROUP}-for-you")
    )["campaign"]
    assert campaign["status"] == "ACTIVE"
    items = cloud.client("personalize-runtime").get_recommendations(
        campaignArn=campaign["campaignArn"],
        userId="C-0001",
        numResults=5,
        filterArn=user.arn(f"filter/{GROUP}-by-tags"),
        filterValues={"TAGS": '"kitchen"'},
    )["itemList"]
    assert len(items) == 5
    assert all(int(one["itemId"].removeprefix("SKU")) % 3 == 1 for one in items)


def test_findings_in_s3_are_told_by_the_names_there(cloud: LocalCloud, tmp_path: Path) -> None:
    user = User(cloud, "elsewhere")
    user.put("interactions/one.csv", interactions())
    user.put("interactions/two.csv", interactions(seed=3).replace(",1700000000\n", ",soon\n"))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(small("elsewhere")))
    place = f"s3://{user.bucket}/train/elsewhere/"
    options = ("--path", place, "--endpoint-url", cloud.endpoint, "--output", "json")
    told = mpe(cloud, "check-data", config, *options)
    assert told.returncode == 1, told.stderr
    (error,) = (one for one in json.loads(told.stdout) if one["severity"] == "error")
    assert error["file"] == f"{place}interactions/two.csv"
    assert (error["column"], error["lines"]) == ("TIMESTAMP", [2])


def test_a_place_in_s3_that_is_not_there_is_told(cloud: LocalCloud, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(small("nowhere")))
    told = mpe(
        cloud, "check-data", config, "--path", "s3://no-such-bucket-at-all/x",
        "--endpoint-url", cloud.endpoint,
    )  # fmt: skip
    assert told.returncode == 1
    assert "NoSuchBucket" in told.stderr
    assert "Traceback" not in told.stderr


def test_wrong_first_rows_fail_within_seconds_and_no_import_is_begun(cloud: LocalCloud) -> None:
    user = User(cloud, "impatient")
    user.put("interactions.csv", interactions().replace(",1700000000\n", ",1700000000000\n"))
    user.upload(small("impatient"))

    assert user.wait_for_run() == "FAILED"

    (mail,) = user.mail()
    assert "DatasetImportJob impatient-interactions failed (DataError)" in mail["body"]
    file = f"s3://{user.bucket}/train/impatient/interactions.csv"
    assert f"{file}, line 2: TIMESTAMP is not in seconds" in mail["body"]
    dataset = user.arn("dataset/impatient/INTERACTIONS")
    jobs = cloud.client("personalize").list_dataset_import_jobs(datasetArn=dataset)
    assert jobs["datasetImportJobs"] == []
