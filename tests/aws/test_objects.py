"""Objects as they are read from S3, also over connections that break."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import boto3
import pytest
from botocore.exceptions import ResponseStreamingError

from mpe.aws.objects import Objects
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


@pytest.fixture
def storage() -> type[Storage]:
    return type("Ours", (Storage,), {})


@pytest.fixture
def objects(storage: type[Storage]) -> Iterator[Objects]:
    with served(storage) as endpoint:
        yield Objects(
            boto3.client(
                "s3",
                region_name="us-east-1",
                endpoint_url=endpoint,
                aws_access_key_id="none",
                aws_secret_access_key="none",
            )
        )


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
