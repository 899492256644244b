"""What a client can be pointed at."""

from __future__ import annotations

import boto3
import pytest

from mpe.model.endpoints import is_endpoint


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4566",
        "http://127.0.0.1:4566/",
        "https://films.example.com/aws",
        "HTTP://localhost:65535",
        "http://[::1]:4566",
    ],
)
def test_an_endpoint_is_one_that_the_sdk_takes(url: str) -> None:
    assert is_endpoint(url)
    boto3.client("s3", region_name="us-east-1", endpoint_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "foo",
        "127.0.0.1:4566",
        "http://",
        "http://foo bar",
        "http://a_b",
        "http://localhost:x",
        "http://localhost:99999",
        "http://[::1",
        "http://a\n",
        " http://a",
        "ftp://a",
        "http://a?b",
    ],
)
def test_what_has_no_scheme_or_no_host_is_none(url: str) -> None:
    assert not is_endpoint(url)
