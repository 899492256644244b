"""Uploads in parts: resumed, skipped where unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.uploads import PART, LocalFile, Uploads
from tests.aws.conftest import BUCKET


@pytest.fixture
def large(tmp_path: Path) -> LocalFile:
    """A file of two whole parts and a bit."""
    path = tmp_path / "interactions.csv"
    path.write_bytes(b"".join(bytes([number]) * PART for number in (1, 2)) + b"end")
    return LocalFile(path, "train/films/interactions.csv")


class Sent:
    """Count the parts that are sent, and break the connection at one of them."""

    def __init__(self, client: Any, broken: int = 0) -> None:
        self.parts: list[int] = []
        self.broken = broken
        client.meta.events.register("before-call.s3.UploadPart", self)

    def __call__(self, params: Any, **_: Any) -> None:
        number = int(params["query_string"]["partNumber"])
        if number == self.broken:
            raise ConnectionError("the line is down")
        self.parts.append(number)


def body(s3: Any, key: str) -> bytes:
    found: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return found


@pytest.mark.parametrize("size", [0, 5, PART - 1, PART, PART + 1])
def test_a_file_arrives_whole_and_is_unchanged_afterwards(
    s3: Any, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    file, uploads = LocalFile(path, "some/key"), Uploads(s3, BUCKET)
    assert not uploads.unchanged(file)
    told: list[int] = []
    assert uploads.put(file, told.append)
    assert body(s3, "some/key") == path.read_bytes()
    assert sum(told) == size
    assert uploads.unchanged(LocalFile(path, "some/key"))


def test_what_does_not_arrive_is_not_told_as_progress(s3: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    told: list[int] = []
    with pytest.raises(ClientError, match="NoSuchBucket"):
        Uploads(s3, "elsewhere").put(LocalFile(path, "some/key"), told.append)
    assert told == []


def test_another_file_of_the_same_size_is_a_change(s3: Any, large: LocalFile) -> None:
    uploads = Uploads(s3, BUCKET)
    uploads.put(large)
    large.path.write_bytes(large.path.read_bytes()[:-3] + b"END")
    assert not uploads.unchanged(LocalFile(large.path, large.key))


def test_what_broke_off_is_gone_on_with(s3: Any, large: LocalFile) -> None:
    uploads, sent = Uploads(s3, BUCKET), Sent(s3, broken=3)
    with pytest.raises(ConnectionError):
        uploads.put(large)
    assert sorted(sent.parts) == [1, 2]
    sent.parts.clear()
    sent.broken = 0
    uploads.put(large)
    assert sent.parts == [3]
    assert body(s3, large.key) == large.path.read_bytes()


def test_parts_of_another_version_of_the_file_are_sent_anew(s3: Any, large: LocalFile) -> None:
    uploads, sent = Uploads(s3, BUCKET), Sent(s3, broken=3)
    with pytest.raises(ConnectionError):
        uploads.put(large)
    sent.parts.clear()
    sent.broken = 0
    large.path.write_bytes(b"9" + large.path.read_bytes()[1:])
    uploads.put(LocalFile(large.path, large.key))
    assert sorted(sent.parts) == [1, 3]
    assert body(s3, large.key) == large.path.read_bytes()


def sparse(path: Path, size: int) -> LocalFile:
    """Return a file that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)
    return LocalFile(path, "key")


def test_the_parts_of_a_huge_file_are_larger(tmp_path: Path) -> None:
    most = PART * 10_000
    sizes = {more: sparse(tmp_path / "huge", most + more).part for more in (0, 1, most, most + 1)}
    assert sizes == {0: PART, 1: 2 * PART, most: 2 * PART, most + 1: 4 * PART}


def test_what_is_as_large_as_a_part_goes_up_in_parts_as_the_aws_cli_has_it(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/cli/latest/topic/s3-config.html#multipart-threshold"""
    assert sparse(tmp_path / "small", PART - 1).whole
    file = sparse(tmp_path / "large", PART)
    assert not file.whole
    assert file.etag.endswith("-1")
