"""What lies in the data bucket: states, data and versions, and what is deleted of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.objects import (
    MOST_DELETED,
    MOST_DROPPED,
    MOST_HEADS,
    Completed,
    Objects,
    Unreadable,
    state_of,
)
from mpe.model.errors import StateGone
from mpe.model.plan.desired import Data, Desired, DesiredState
from mpe.model.service.csvs import HEAD, Head
from tests.aws.conftest import BUCKET

CSVS = Data.csvs(BUCKET, "train/films/items")


@pytest.fixture
def objects(s3: Any) -> Objects:
    return Objects(s3)


def put(s3: Any, *keys: str, body: str = "A\n") -> list[str]:
    """Put objects; return their versions."""
    return [s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())["VersionId"] for key in keys]


def keys(s3: Any) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return sorted(one["Key"] for one in found)


def test_the_very_version_of_an_object_is_read_that_is_asked_for(s3: Any, objects: Objects) -> None:
    (old,) = put(s3, "config.json", body="old")
    put(s3, "config.json", body="new")
    assert objects.read(BUCKET, "config.json") == b"new"
    assert objects.read(BUCKET, "config.json", old) == b"old"
    assert objects.read(BUCKET, "config.json", old, most=2) == b"ol"


# Where data lies.


def test_a_file_goes_before_a_folder_and_nothing_is_at_the_files_place(
    s3: Any, objects: Objects
) -> None:
    file, folder = f"s3://{BUCKET}/{CSVS.file}", f"s3://{BUCKET}/{CSVS.folder}"
    nothing = objects.data(CSVS)
    assert (nothing.location, nothing.modified, nothing.objects) == (file, None, frozenset())
    put(s3, f"{CSVS.folder}a.csv", f"{CSVS.folder}b.csv")
    found = objects.data(CSVS)
    assert (found.location, len(found.objects)) == (folder, 2)
    put(s3, CSVS.file)
    found = objects.data(CSVS)
    assert (found.location, len(found.objects)) == (file, 1)
    assert found.modified == s3.head_object(Bucket=BUCKET, Key=CSVS.file)["LastModified"]


def test_what_lies_beside_or_is_no_csv_is_no_data(s3: Any, objects: Objects) -> None:
    for key in (f"{CSVS.file}.bak", f"{CSVS.folder}notes.txt", f"{CSVS.folder}deep/a.csv"):
        put(s3, key)
    assert objects.data(CSVS).modified is None
    assert objects.data(Data(BUCKET, CSVS.file)).modified is None, "nor is there a folder"
    assert objects.data(replace(CSVS, nested=True)).location == f"s3://{BUCKET}/{CSVS.folder}"


def test_data_is_told_from_other_data_by_its_keys_and_its_content(
    s3: Any, objects: Objects
) -> None:
    put(s3, f"{CSVS.folder}a.csv", f"{CSVS.folder}b.csv", body="one")
    first = objects.data(CSVS).objects
    put(s3, f"{CSVS.folder}b.csv", body="one")
    assert objects.data(CSVS).objects == first, "the same again"
    put(s3, f"{CSVS.folder}b.csv", body="two")
    second = objects.data(CSVS).objects
    assert (len(second), len(first & second)) == (2, 1)
    assert {len(one) for one in first} == {12}, "short enough to be kept for every job"


def test_data_changed_when_the_newest_of_its_files_did() -> None:
    moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (2, 3, 1)]
    listed = [
        {"Key": f"{CSVS.folder}{number}.csv", "LastModified": moment, "ETag": "e"}
        for number, moment in enumerate(moments)
    ]
    found = Objects(Paged(listed)).data(CSVS)
    assert (found.modified, len(found.objects)) == (moments[1], 3)


def wanted(**more: Any) -> Desired:
    params = {"jobName": "j", "dataSource": {"dataLocation": ""}}
    return Desired("import.items", "DatasetImportJob", "items", "$.i", params, **more)


def test_a_job_is_told_where_its_data_lies_and_which_that_is(s3: Any, objects: Objects) -> None:
    put(s3, CSVS.file)
    completed = objects.completed(wanted(data=CSVS))
    location = f"s3://{BUCKET}/{CSVS.file}"
    assert completed.desired.params["dataSource"] == {"dataLocation": location}
    assert (completed.idle, len(completed.objects)) == (False, 1)
    moment = s3.head_object(Bucket=BUCKET, Key=CSVS.file)["LastModified"]
    assert completed.changed == moment
    assert completed.version == f"{moment:%Y-%m-%dT%H:%M:%S+00:00} {location}"


def test_what_reads_nothing_is_as_it_was(objects: Objects) -> None:
    assert objects.completed(wanted()) == Completed(wanted())
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert Completed(wanted(), moment).version is None
    assert Completed(wanted(data=CSVS)).version is None


def test_data_is_told_by_the_second_and_by_its_place_where_it_has_one() -> None:
    moment = datetime(2026, 1, 1, 8, 30, 15, 999, tzinfo=UTC)
    assert Completed(wanted(data=CSVS), moment).version == "2026-01-01T08:30:15+00:00"


def test_only_optional_data_that_is_not_there_leaves_nothing_to_do(
    s3: Any, objects: Objects
) -> None:
    optional = replace(CSVS, optional=True)
    assert objects.completed(wanted(data=optional)).idle
    assert not objects.completed(wanted(data=CSVS)).idle
    put(s3, CSVS.file)
    assert not objects.completed(wanted(data=optional)).idle


# What is read of it.


def test_the_first_files_of_a_folder_are_looked_at_and_no_others(s3: Any, objects: Objects) -> None:
    names = [f"{CSVS.folder}{number}.csv" for number in range(MOST_HEADS + 2)]
    put(s3, *names, f"{CSVS.folder}0.txt", f"{CSVS.folder}deep/0.csv", body="A,B\n")
    found = list(objects.heads(f"s3://{BUCKET}/{CSVS.folder}"))
    assert found == [Head(f"s3://{BUCKET}/{one}", b"A,B\n") for one in names[:MOST_HEADS]]


class Paged:
    """S3 that lists some objects, and notes what is deleted."""

    def __init__(self, listed: list[dict[str, Any]], refused: str = "") -> None:
        self.listed, self.refused = listed, refused
        self.batches: list[list[dict[str, str]]] = []

    def get_paginator(self, _: str) -> Paged:
        return self

    def paginate(self, Prefix: str, **_: Any) -> Iterator[dict[str, Any]]:
        yield {}
        yield {"Contents": [one for one in self.listed if one["Key"].startswith(Prefix)]}

    def delete_objects(self, Delete: Any, **_: Any) -> Any:
        assert Delete["Quiet"], "what was deleted need not be told"
        self.batches.append(Delete["Objects"])
        return {"Errors": [{"Key": self.refused, "Code": "InternalError"}]} if self.refused else {}


class Body:
    """A body of so many bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self) -> bytes:
        return self.content


class Long(Paged):
    """S3 with more objects before a folder than one answer has."""

    def list_objects_v2(self, Prefix: str = "", **_: Any) -> Any:
        (*_, page) = self.paginate(Prefix)
        return {"Contents": page["Contents"][:1000]}

    def get_object(self, **_: Any) -> Any:
        return {"Body": Body(b"A\n"), "ContentRange": "bytes 0-1/2"}


def test_a_folder_is_looked_into_whatever_lies_before_it() -> None:
    before = [{"Key": f"batch/{number}.csv"} for number in range(1001)]
    bucket = Long([*before, {"Key": f"{CSVS.folder}a.csv"}])
    (head,) = Objects(bucket).heads(f"s3://{BUCKET}/{CSVS.folder}")
    assert head == Head(f"s3://{BUCKET}/{CSVS.folder}a.csv", b"A\n")


@pytest.mark.parametrize(("size", "whole"), [(0, True), (1, True), (HEAD, True), (HEAD + 1, False)])
def test_of_a_file_as_much_is_looked_at_as_its_first_rows_take(
    s3: Any, objects: Objects, size: int, whole: bool
) -> None:
    put(s3, CSVS.file, body="x" * size)
    (head,) = objects.heads(f"s3://{BUCKET}/{CSVS.file}")
    assert (len(head.content), head.whole) == (min(size, HEAD), whole)


def test_the_lines_of_each_csv_are_read(s3: Any, objects: Objects) -> None:
    for name, body in (("a.csv", "A\n1\n"), ("b.csv", "A\n2"), ("c.txt", "no"), ("d/e.csv", "no")):
        put(s3, f"{CSVS.folder}{name}", body=body)
    found = [list(one) for one in objects.lines(f"s3://{BUCKET}/{CSVS.folder}")]
    assert found == [["A\n", "1\n"], ["A\n", "2"]]
    (lines,) = objects.lines(f"s3://{BUCKET}/{CSVS.folder}b.csv")
    assert list(lines) == ["A\n", "2"]


def test_what_cannot_be_read_is_told_in_s3s_own_words(objects: Objects) -> None:
    for read in (objects.heads, objects.lines):
        for place in (f"{BUCKET}/{CSVS.file}", f"elsewhere/{CSVS.folder}"):
            with pytest.raises(Unreadable, match=r"NoSuch(Key|Bucket)"):
                list(read(f"s3://{place}"))


# States.


def state(day: int, *schemas: str, group: str = "films") -> DesiredState:
    """Return the state of a day that names some schemas."""
    made = [Desired(one, "Schema", one, "$", {}, arn=f"schema/{one}") for one in schemas]
    began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return DesiredState(group, f"{began:%Y%m%dT%H%M%S}-0123abcd", {one.id: one for one in made})


def test_a_state_is_kept_where_its_version_says_and_read_as_it_was(
    s3: Any, objects: Objects
) -> None:
    kept = objects.save_state(BUCKET, state(1, "views"))
    assert kept == state_of(BUCKET, "films", state(1).version)
    assert objects.load_state(kept) == objects.state_of_run(kept) == state(1, "views")
    head = s3.head_object(Bucket=BUCKET, Key=kept.key)
    assert head["ContentType"] == "application/json"
    with pytest.raises(StateGone):
        objects.state_of_run(replace(kept, key="state/films/gone.json"))


def test_states_are_read_as_far_as_they_can_be(s3: Any, objects: Objects) -> None:
    for one in (state(1), state(2), state(3, group="series")):
        objects.save_state(BUCKET, one)
    put(s3, "state/films/19990101T000000-0.json", body="no JSON")
    put(s3, "state/films/20010101T000000-0.json", body='{"form": 1}')
    assert list(objects.states(BUCKET, "films")) == [state(1), state(2)]


def test_old_states_go_that_tell_nothing_which_a_newer_one_does_not(
    s3: Any, objects: Objects
) -> None:
    for day, schemas in ((1, "a"), (2, "b"), (3, "ab"), (4, "b"), (97, "a"), (101, "a")):
        objects.save_state(BUCKET, state(day, *schemas))
    objects.save_state(BUCKET, state(1, "a", group="series"))
    put(s3, "state/films/notes.txt", body="{}")
    newest = state(100, "a")
    objects.save_state(BUCKET, newest)
    assert objects.drop_superseded(BUCKET, newest) == []
    left = [state_of(BUCKET, "films", state(day).version).key for day in (4, 97, 100, 101)]
    series = state_of(BUCKET, "series", state(1).version).key
    assert keys(s3) == [*left, "state/films/notes.txt", series]
    assert objects.versions(BUCKET, "state/films/") == 7 + 3 + 1, "the versions stay"


def test_so_many_old_states_are_looked_at_and_the_newest_of_them_first() -> None:
    """None of a run's time is left for more; the next run looks at those that are left."""
    days = MOST_DROPPED + 2
    bucket = Kept(
        {state_of(BUCKET, "films", state(day).version).key: state(day) for day in range(days)}
    )
    Objects(bucket).drop_superseded(BUCKET, state(days + 10))
    oldest = [state_of(BUCKET, "films", state(day).version).key for day in range(2)]
    assert sorted(bucket.states) == oldest


class Kept(Paged):
    """S3 with some states."""

    def __init__(self, states: dict[str, DesiredState]) -> None:
        super().__init__([{"Key": key} for key in states])
        self.states = states

    def get_object(self, Key: str, **_: Any) -> Any:
        return {"Body": Body(self.states[Key].to_json().encode())}

    def delete_objects(self, Delete: Any, **_: Any) -> Any:
        for one in Delete["Objects"]:
            del self.states[one["Key"]]
        return {}


# What is deleted.


def test_objects_below_a_prefix_are_counted_and_deleted_and_no_others(
    s3: Any, objects: Objects
) -> None:
    below, others = ["train/films/a.csv", "train/films/b.csv"], ["train/films-2.csv", "train/x"]
    put(s3, *below, *others)
    assert objects.count(BUCKET, "train/films/") == 2
    assert objects.count(BUCKET, "train/films") == 0, "a key is no prefix"
    assert objects.count(BUCKET, "train/x") == 1
    assert objects.count(BUCKET, "") == 4
    assert objects.delete_below(BUCKET, "train/films/") == []
    assert keys(s3) == others
    assert objects.versions(BUCKET, "train/films/") == 2 + 2, "each has its mark"
    assert objects.versions(BUCKET, "train/films/", marks=False) == 2


def test_versions_and_marks_are_deleted_where_that_is_asked_for(s3: Any, objects: Objects) -> None:
    put(s3, "train/a.csv", "train/a.csv", "train/b.csv", "train-2.csv")
    s3.delete_object(Bucket=BUCKET, Key="train/b.csv")
    assert objects.versions(BUCKET, "train/") == 4
    assert objects.delete_below(BUCKET, "train/", versions=True) == []
    assert objects.versions(BUCKET, "train/") == 0
    assert objects.versions(BUCKET, "") == 1
    assert objects.versions(BUCKET, "train") == 0
    assert objects.delete_below(BUCKET, "nothing/") == []


def test_a_key_that_begins_others_has_all_its_own_versions_and_marks(
    s3: Any, objects: Objects
) -> None:
    put(s3, "train/a", "train/ab", "train/abc")
    s3.delete_object(Bucket=BUCKET, Key="train/a")
    assert objects.versions(BUCKET, "train/a") == 2
    assert objects.delete_below(BUCKET, "train/a", versions=True) == []
    assert (objects.versions(BUCKET, "train/a"), objects.versions(BUCKET, "train/")) == (0, 2)


def test_as_many_are_deleted_at_a_time_as_one_call_may() -> None:
    listed = [{"Key": f"train/{number}"} for number in range(MOST_DELETED + 1)]
    bucket = Paged(listed)
    assert Objects(bucket).delete_below(BUCKET, "train/") == []
    assert [len(one) for one in bucket.batches] == [MOST_DELETED, 1]
    assert [one for some in bucket.batches for one in some] == listed


def test_what_is_refused_is_told_of_every_batch() -> None:
    listed = [{"Key": f"train/{number}"} for number in range(MOST_DELETED + 1)]
    refused = Objects(Paged(listed, refused="train/1")).delete_below(BUCKET, "train/")
    assert refused == ["train/1: InternalError: "] * 2


def test_an_error_of_a_head_that_is_no_empty_file_is_an_error(s3: Any, objects: Objects) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        objects.read(BUCKET, "gone", most=5)
