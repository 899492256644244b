"""Objects as they are read from S3, also over connections that break."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ResponseStreamingError

from mpe.aws.objects import Objects

WHOLE = b'{"datasetGroup": {}}'


class Storage(BaseHTTPRequestHandler):
    """S3 with one object, of which it sends so many bytes before it breaks off."""

    sent = len(WHOLE)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(WHOLE)))
        self.end_headers()
        self.wfile.write(WHOLE[: self.sent])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def storage() -> type[Storage]:
    return type("Ours", (Storage,), {})


@pytest.fixture
def objects(storage: type[Storage]) -> Iterator[Objects]:
    server = HTTPServer(("127.0.0.1", 0), storage)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield Objects(
        boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
    )
    server.shutdown()
    thread.join()
    server.server_close()


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
