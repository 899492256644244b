"""Where a config lies: its key in S3 is of the uploader's choice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.aws.objects import Objects, Pointer
from mpe.aws.turns import MOST_TOLD
from mpe.handlers.configure import Upload
from mpe.model.messages import message_for
from mpe.model.service.limits import SIZE_LIMIT
from tests import clients
from tests.conftest import config
from tests.handlers.test_runs import BUCKET, NOW, Account, account

__all__ = ["account"]

GOOD = json.dumps(config())
HOSTILE = [
    pytest.param("train//config.json", id="empty-folder"),
    pytest.param("config.json", id="top"),
    pytest.param("state/movielens/config.json", id="another-top-folder"),
    pytest.param("train/../movielens/config.json", id="up"),
    pytest.param("train/./movielens/config.json", id="here"),
    pytest.param("train/a/../../b.json", id="out"),
    pytest.param("train/movielens/../other/config.json", id="sideways"),
    pytest.param("/train/movielens/config.json", id="absolute"),
    pytest.param("train/movielens\\other/config.json", id="backslash"),
    pytest.param("train/movie lens/config.json", id="space"),
    pytest.param("train/movielens /config.json", id="space-after"),
    pytest.param("train/movie+lens/config.json", id="plus"),
    pytest.param("train/movielens%2Fother/config.json", id="encoded-slash"),
    pytest.param("train/%6dovielens/config.json", id="encoded-letter"),
    pytest.param("train/movie\u0301lens/config.json", id="decomposed"),
    pytest.param("train/mov\u0131elens/config.json", id="dotless-i"),
    pytest.param("train/\uff4dovielens/config.json", id="full-width"),
    pytest.param("train/movielens\u200b/config.json", id="zero-width"),
    pytest.param("train/movielens\n/config.json", id="newline-in-the-folder"),
    pytest.param("train/movielens/config\n.json", id="newline-in-the-file"),
    pytest.param("train/movielens/\u202enosj.json", id="turned-round"),
    pytest.param("train/movielens/\x1b[2J.json", id="escape"),
    pytest.param("train/movielens/config.json\n", id="newline-after"),
    pytest.param(f"train/{'m' * 900}/config.json", id="long"),
]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_file_elsewhere_is_refused_with_one_event_and_not_read(
    account: Account, key: str
) -> None:
    """Nothing lies at these keys here: to read one would be an error."""
    assert account.deliver("no-such-version", key=key) == {"rejected": 1}
    ((_, detail),) = account.events.put_
    (problem,) = detail["Problems"]
    assert "train/<name of the dataset group>/config.json" in problem["remedy"]
    assert (detail["Key"], detail["DatasetGroup"]) == (key, "")
    message = message_for("Configuration Rejected", detail, region="us-east-1")
    assert all(line.isprintable() for line in message.text.split("\n"))
    assert len(message.text.split("\n")) == 13
    assert message.subject.isprintable()
    assert account.executions.started == {}
    assert list(account.turns.rejected()) == [], "it is no dataset group's"


@pytest.mark.parametrize(
    "name",
    ["config.json", "my config.json", "a+b.json", "конфиг.json", "100%25.json"],
)
def test_a_file_in_the_groups_folder_may_have_any_printable_name(
    account: Account, name: str
) -> None:
    assert "started" in account.upload(GOOD, key=f"train/movielens/{name}")


@pytest.mark.parametrize(
    "folder", ["train/", "train/spring/", "train/movielens/2026/", "train/eu/shop-1/v2.0/"]
)
def test_a_config_may_lie_at_any_depth_with_its_data_beside_it(
    account: Account, folder: str
) -> None:
    """As with the AWS solution, whose public deployments lie so."""
    assert "started" in account.upload(GOOD, key=f"{folder}params.json")
    (started,) = account.executions.started.values()
    state = Objects(account.s3).load_state(Pointer(**started["run"]["state"]))
    data = state.resources["import.interactions"].data
    assert data
    assert (data.file, data.folder) == (f"{folder}interactions.csv", f"{folder}interactions/")


def test_a_config_in_another_groups_folder_is_refused(account: Account) -> None:
    other = config()
    other["datasetGroup"]["serviceConfig"]["name"] = "other"
    assert "started" in account.upload(json.dumps(other), key="train/other/config.json")
    assert account.upload(GOOD, key="train/other/sub/films.json") == {"rejected": 1}
    ((_, detail),) = account.events.put_
    assert detail["Problems"][0]["path"] == "$.datasetGroup.serviceConfig.name"
    assert "another dataset group's folder" in detail["Problems"][0]["message"]


def test_one_group_is_maintained_from_one_folder_and_its_own_may_take_over(
    account: Account,
) -> None:
    assert "started" in account.upload(GOOD, key="train/spring/params.json")
    assert account.upload(GOOD, key="train/copy/params.json", sequencer="02") == {"rejected": 1}
    ((_, detail),) = account.events.put_
    (problem,) = detail["Problems"]
    assert "is maintained from train/spring/, and not from train/copy/" in problem["message"]
    assert "started" in account.upload(GOOD, key="train/spring/params.json", sequencer="03")
    assert "started" in account.upload(GOOD, key="train/movielens/config.json", sequencer="04")
    assert account.upload(GOOD, key="train/spring/params.json", sequencer="05") == {"rejected": 1}


def test_a_second_config_in_the_folder_of_one_that_lies_there_is_told(account: Account) -> None:
    assert "started" in account.upload(GOOD, key="train/movielens/config.json", sequencer="09")
    second = "train/movielens/copy.json"
    for sequencer in ("05", "12"):  # of two keys it says nothing
        assert account.upload(GOOD, key=second, sequencer=sequencer) == {"rejected": 1}
    _, (_, detail) = account.events.put_
    (problem,) = detail["Problems"]
    assert problem["rule"] == "MPE-O005"
    assert "is maintained from train/movielens/config.json" in problem["message"]
    assert "started" in account.upload(GOOD, key="train/movielens/config.json", sequencer="10")


def test_a_config_takes_the_place_of_one_that_was_deleted_whatever_the_sequencers(
    account: Account,
) -> None:
    assert "started" in account.upload(GOOD, key="train/movielens/config.json", sequencer="09")
    account.s3.delete_object(Bucket=BUCKET, Key="train/movielens/config.json")
    renamed = "train/movielens/renamed.json"
    assert "started" in account.upload(GOOD, key=renamed, sequencer="05")
    assert account.turns.key("movielens") == renamed
    assert "started" in account.upload(GOOD, key=renamed, sequencer="06")
    assert account.turns.key("movielens") == renamed


def test_names_differ_by_case(account: Account) -> None:
    assert "started" in account.upload(GOOD, key="train/movielens/config.json")
    assert account.upload(GOOD, key="train/MovieLens/config.json", sequencer="02") == {
        "rejected": 1
    }


def test_of_a_huge_file_only_the_beginning_is_read(account: Account) -> None:
    asked: list[str] = []
    account.s3 = clients.own("s3")
    account.s3.meta.events.register(
        "before-call.s3.GetObject", lambda params, **_: asked.append(params["headers"]["Range"])
    )
    assert account.upload(GOOD + " " * 5 * SIZE_LIMIT) == {"rejected": 1}
    ((_, detail),) = account.events.put_
    assert "larger than" in detail["Problems"][0]["message"]
    assert asked == [f"bytes=0-{SIZE_LIMIT}"], "one byte more than there may be"


def test_each_version_of_a_file_is_a_run_of_its_own_or_each_upload_where_there_are_none() -> None:
    def run(version: str, sequencer: str) -> str:
        return Upload(BUCKET, "train/films/config.json", version, sequencer, NOW).run

    assert run("a", "01") != run("b", "01")
    assert run("a", "01") == run("a", "02")
    assert run("", "01") != run("", "02")


def test_what_is_another_accounts_is_refused(account: Account) -> None:
    document = config()
    solution = document["solutions"][0]
    name = solution["serviceConfig"]["name"]
    theirs = f"arn:aws:personalize:us-east-1:999999999999:solution/{name}/1"
    solution["campaigns"][0]["serviceConfig"]["solutionVersionArn"] = theirs
    assert account.upload(json.dumps(document)) == {"rejected": 1}
    ((_, detail),) = account.events.put_
    assert "not of this account" in detail["Problems"][0]["message"]
    assert account.executions.started == {}


def test_of_thousands_of_files_that_lie_wrong_some_are_told_a_day(account: Account) -> None:
    for n in range(30):
        account.upload(GOOD, key=f"train/a b/{n}.json")
    assert len(account.events.put_) == MOST_TOLD
    *_, (kind, detail) = account.events.put_
    told = message_for(kind, detail, region="us-east-1").text
    assert "Of more files that are not accepted there nothing is told until tomorrow" in told
    account.upload(GOOD, key="train/a b/0.json")
    assert len(account.events.put_) == MOST_TOLD + 1, "one that was told is told as often"
    account.deliver("", key="train/a b/31.json", time=NOW + timedelta(days=1))
    assert len(account.events.put_) == MOST_TOLD + 2


def test_of_thousands_of_files_beside_a_config_some_are_told_and_other_folders_are_not_kept_quiet(
    account: Account,
) -> None:
    for n in range(30):
        account.upload("[]", key=f"train/movielens/part-{n}.json")
    account.upload("[]", key="train/other/config.json")
    assert len(account.events.put_) == MOST_TOLD + 1
    assert account.measured.problems == [1] * 31, "all are counted"


@given(st.text(max_size=40).map("train/{}".format))
def test_the_folder_is_a_name_or_nothing(key: str) -> None:
    upload = Upload("data", key, "1", "01", datetime(2026, 1, 1, tzinfo=UTC))
    folder = upload.folder
    assert folder == "" or (key.startswith(folder) and folder.isascii())
    assert ".." not in folder.split("/")
    assert len(upload.run) == 24
