"""Objects as they are read from S3, also over connections that break."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ResponseStreamingError

from mpe.aws.objects import CHUNK, LONGEST_LINE, Objects, Pointer, Unreadable, _lines
from mpe.model.errors import StateGone
from mpe.model.remedies import Where, remedy
from tests.conftest import served

WHOLE = b'{"datasetGroup": {}}'


class Storage(BaseHTTPRequestHandler):
    """S3 with one object, of which it sends so many bytes before it breaks off."""

    sent = len(WHOLE)

    def do_GET(self) -> None:
        last = self.headers.get("Range", "").removeprefix("bytes=0-")
        body = WHOLE[: int(last) + 1] if last else WHOLE
        self.send_response(206 if last else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Range", f"bytes 0-{len(body) - 1}/{len(WHOLE)}")
        self.end_headers()
        self.wfile.write(body[: self.sent])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def client(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )


class Refusing(Storage):
    """S3 that may not delete one of two objects, and says so as it does: with HTTP 200.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    """

    LISTED = (
        "<ListBucketResult><IsTruncated>false</IsTruncated>"
        "<Contents><Key>train/a.csv</Key></Contents><Contents><Key>train/b.csv</Key></Contents>"
        "</ListBucketResult>"
    )
    DELETED = (
        "<DeleteResult><Error><Key>train/b.csv</Key><Code>AccessDenied</Code>"
        "<Message>Access Denied</Message></Error></DeleteResult>"
    )

    def do_GET(self) -> None:
        self._answer(self.LISTED)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.DELETED)

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


def test_what_s3_refuses_to_delete_is_told_though_its_answer_is_http_200() -> None:
    with served(Refusing) as endpoint:
        refused = Objects(client(endpoint)).delete_below("data", "train/")
    assert refused == ["train/b.csv: AccessDenied: Access Denied"]


class Gone(Storage):
    """S3 without the object; it tells so only whom it lets list, and denies the others.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """

    status, code = 404, "NoSuchKey"

    def do_GET(self) -> None:
        body = f"<Error><Code>{self.code}</Code><Message>no</Message></Error>".encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


STATE = Pointer("data", "state/films/20260101T000000-0123abcd.json")


@pytest.mark.parametrize(("status", "code"), [(404, "NoSuchKey"), (403, "AccessDenied")])
def test_a_state_that_is_gone_is_told_as_that_and_blames_neither_config_nor_data(
    status: int, code: str
) -> None:
    storage = type("Ours", (Gone,), {"status": status, "code": code})
    with served(storage) as endpoint, pytest.raises(StateGone) as gone:
        Objects(client(endpoint)).state_of_run(STATE)
    assert f"s3://data/{STATE.key}" in str(gone.value)
    assert "Nothing is wrong with the config, nor with the data" in str(gone.value)
    told = remedy("Campaign", "StateGone", str(gone.value), Where(group="films"))
    assert "Upload the config again" in told
    assert "CSV" not in told


def test_another_refusal_to_read_a_state_is_no_state_that_is_gone() -> None:
    storage = type("Ours", (Gone,), {"status": 400, "code": "InvalidRequest"})
    with served(storage) as endpoint, pytest.raises(ClientError, match="InvalidRequest"):
        Objects(client(endpoint)).state_of_run(STATE)


@pytest.fixture
def storage() -> type[Storage]:
    return type("Ours", (Storage,), {})


@pytest.fixture
def objects(storage: type[Storage]) -> Iterator[Objects]:
    with served(storage) as endpoint:
        yield Objects(client(endpoint))


@pytest.mark.parametrize("most", [None, len(WHOLE), len(WHOLE) + 1])
def test_an_object_that_is_no_longer_is_read_whole(objects: Objects, most: int | None) -> None:
    assert objects.read("data", "config.json", most=most) == WHOLE


def test_of_a_longer_object_only_the_first_bytes_are_read(objects: Objects) -> None:
    assert objects.read("data", "config.json", most=5) == WHOLE[:5]


@pytest.mark.parametrize("most", [None, len(WHOLE), len(WHOLE) + 1])
def test_what_came_before_a_connection_broke_is_not_taken_for_the_whole(
    objects: Objects, storage: Any, most: int | None
) -> None:
    storage.sent = 1
    with pytest.raises(ResponseStreamingError):
        objects.read("data", "config.json", most=most)


def test_lines_are_whole_however_they_are_cut_and_one_without_an_end_is_not_kept() -> None:
    """A function would be killed for its memory, and the import fail that could have begun."""
    assert list(_lines([b"\xef\xbb\xbfA\n\xc3", b"\xa4b", b"\nlast"])) == [
        "A\n",
        "\u00e4b\n",
        "last",
    ]
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * CHUNK

    with pytest.raises(Unreadable, match="more than 16,777,216 characters"):
        list(_lines(endless()))
    assert taken == LONGEST_LINE // CHUNK + 1


def test_what_is_no_utf_8_is_replaced_in_lines_also_at_their_end() -> None:
    """That it is none, the checks of the first rows tell."""
    assert list(_lines([b"a\xffb\n", b"last\xc3"])) == ["a\ufffdb\n", "last\ufffd"]
