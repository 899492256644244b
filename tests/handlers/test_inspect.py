"""The look at the first rows before an import."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mpe.aws.clients import client
from mpe.aws.objects import MOST_HEADS, Objects, Unreadable
from mpe.model.plan.desired import Data, Desired
from mpe.model.service.csvs import HEAD
from tests.conftest import interactions
from tests.emulator.conftest import Builder, avro
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import World, imported
from tests.handlers.test_ensure import world as world

FILE = "s3://data/train/films/interactions.csv"


def wanted(build: Builder) -> Desired:
    return replace(imported(build.dataset(build.group())), schema=avro("Interactions"))


def put(world: World, build: Builder, body: str) -> None:
    build.emulated.objects.objects[FILE] = body
    world.bucket.modified = build.emulated.clock()


def jobs(build: Builder) -> list[Any]:
    found: list[Any] = build.client.list_dataset_import_jobs()["datasetImportJobs"]
    return found


def test_wrong_first_rows_fail_at_once_and_nothing_is_created(world: World, build: Builder) -> None:
    body = interactions().replace("TIMESTAMP", "WHEN", 1)
    desired = wanted(build)
    put(world, build, body)
    outcome = world.step(desired)
    assert outcome.failed
    assert outcome.failed.error == "DataError"
    assert "Input CSV is missing the following columns:[TIMESTAMP]" in outcome.failed.reason
    assert f"{FILE}, line 1" in outcome.failed.reason
    assert outcome.wait is None
    assert jobs(build) == []


def test_a_wrong_cell_is_told_with_file_line_column_and_remedy(
    world: World, build: Builder
) -> None:
    desired = wanted(build)
    put(world, build, interactions().replace(",1700000000\n", ",1700000000000\n", 1))
    failed = world.step(desired).failed
    assert failed
    assert f"{FILE}, line 2: TIMESTAMP is not in seconds" in failed.reason
    assert "mpe init" in failed.reason


def test_right_rows_are_imported(world: World, build: Builder) -> None:
    desired = wanted(build)
    put(world, build, interactions())
    assert world.follow(desired).did == "created"


def test_warnings_stop_nothing(world: World, build: Builder) -> None:
    desired = wanted(build)
    text = interactions().splitlines()
    put(world, build, "\n".join(f"{line},{'x' if i else 'MORE'}" for i, line in enumerate(text)))
    assert world.follow(desired).did == "created"


def test_what_may_not_be_read_is_left_to_the_service(world: World, build: Builder) -> None:
    desired = wanted(build)
    put(world, build, interactions())
    world.bucket.denied = True
    assert world.follow(desired).did == "created"


def test_where_nothing_lies_the_service_says_so(world: World, build: Builder) -> None:
    failed = world.step(wanted(build)).failed
    assert failed
    assert failed.error == "InvalidInputException"


def answers(*given: Any) -> Objects:
    """Return the adapter on an S3 that gives these answers, at the wire."""
    from botocore.awsrequest import AWSResponse

    s3 = client("s3")
    left = list(given)

    class Raw:
        def __init__(self, body: bytes) -> None:
            self.body = body

        def stream(self, **_: Any) -> Any:
            yield self.body

        def read(self, amount: int | None = None) -> bytes:
            body, self.body = self.body, b""
            return body

    def answer(request: Any, **_: Any) -> AWSResponse:
        status, headers, body = left.pop(0)
        return AWSResponse(request.url, status, headers, Raw(body))

    s3.meta.events.register("before-send.s3", answer)
    return Objects(s3)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client.cache_clear()


def listing(*keys: str) -> tuple[int, dict[str, str], bytes]:
    contents = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    return 200, {}, f"<ListBucketResult>{contents}</ListBucketResult>".encode()


def versions(*keys: str) -> tuple[int, dict[str, str], bytes]:
    contents = "".join(
        f"<Contents><Key>{key}</Key><ETag>{key}</ETag>"
        "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
        for key in keys
    )
    return 200, {}, f"<ListBucketResult>{contents}</ListBucketResult>".encode()


NOTHING = versions()
FOLDER = "train/g/items/"


@pytest.mark.parametrize(
    ("nested", "keys", "count"),
    [
        (False, ["a.csv", "2026/b.csv", "note.txt"], 1),
        (True, ["a.csv", "2026/b.csv", "note.txt"], 2),
        (False, ["2026/b.csv"], 0),
    ],
)
def test_an_import_takes_no_files_from_folders_of_its_folder(
    nested: bool, keys: list[str], count: int
) -> None:
    bucket = answers(NOTHING, versions(*(FOLDER + key for key in keys)))
    found = bucket.data(Data.csvs("b", "train/g/items", nested=nested))
    assert len(found.objects) == count
    assert (found.location == f"s3://b/{FOLDER}") == bool(count)


def test_only_files_that_are_imported_are_looked_at() -> None:
    one = (206, {"Content-Range": "bytes 0-2/3"}, b"abc")
    heads = answers(listing(f"{FOLDER}x/b.csv", f"{FOLDER}a.csv"), one).heads(f"s3://b/{FOLDER}")
    assert [head.file for head in heads] == [f"s3://b/{FOLDER}a.csv"]


def test_a_long_file_is_read_in_part() -> None:
    part = (206, {"Content-Range": f"bytes 0-{HEAD - 1}/{HEAD * 9}"}, b"a" * HEAD)
    (head,) = answers(part).heads("s3://b/train/g/items.csv")
    assert (head.file, len(head.content), head.whole) == ("s3://b/train/g/items.csv", HEAD, False)


def test_a_short_file_is_read_whole() -> None:
    (head,) = answers((206, {"Content-Range": "bytes 0-2/3"}, b"abc")).heads("s3://b/k.csv")
    assert (head.content, head.whole) == (b"abc", True)


def test_an_empty_file_is_empty() -> None:
    refusal = b"<Error><Code>InvalidRange</Code></Error>"
    (head,) = answers((416, {}, refusal)).heads("s3://b/k.csv")
    assert (head.content, head.whole) == (b"", True)


def test_some_csvs_of_a_folder_are_read() -> None:
    keys = ["t/readme.txt", *(f"t/{n}.csv" for n in range(9))]
    one = (206, {"Content-Range": "bytes 0-0/1"}, b"a")
    heads = list(answers(listing(*keys), *[one] * 9).heads("s3://b/t/"))
    assert [head.file for head in heads] == [f"s3://b/t/{n}.csv" for n in range(MOST_HEADS)]


def test_a_refusal_of_s3_is_told() -> None:
    refusal = b"<Error><Code>AccessDenied</Code><Message>No</Message></Error>"
    with pytest.raises(Unreadable, match="AccessDenied"):
        list(answers((403, {}, refusal)).heads("s3://b/k.csv"))
