"""MiniStack alone, with nothing made good, and a user who may do nothing."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from mpe.assembly.processes import end_group
from mpe.local.cloud import ACCOUNT, KEY, REGION, SECRET, LocalCloud
from mpe.local.ministack import process
from mpe.local.ports import free_port
from tests.local.conftest import SPEED, packed, role_for, wait_until

AT_ONCE = 0.01
"""Seconds until an asynchronous invocation is tried again, by MiniStack's own setting."""

START_IN_TIME = 50
"""Seconds that a function may take, of which Lambda's own three are few for the start of a process
on a machine that is busy."""


@dataclass(frozen=True)
class Alone:
    """MiniStack as it is, with the settings that the local cloud gives it."""

    endpoint: str
    region: str = REGION
    account: str = ACCOUNT

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    def client(self, service: str, **key: str) -> Any:
        root = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=self.region, **{**root, **key}
        )

    def page(self, path: str) -> str:
        with urllib.request.urlopen(self.endpoint + path) as answer:
            return str(answer.read().decode())

    def healthy(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.page("/_ministack/health"))
        return False


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """MiniStack without anything made good: what it does as AWS needs no module of ours."""
    with served(tmp_path_factory.mktemp("alone")) as ministack:
        yield ministack


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Alone]:
    """Run MiniStack alone, with a folder for its log and its functions."""
    port = free_port()
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=settings(port, folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    ministack = Alone(f"http://127.0.0.1:{port}")
    try:
        wait_until(ministack.healthy)
        yield ministack
    finally:
        end_group(server.pid, server.poll)


def settings(port: int, folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **own,
        **process.environment(port, SPEED),
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(AT_ONCE),
        "TMPDIR": str(folder),
    }


def user_who_may(cloud: LocalCloud | Alone, name: str, policy: str = "") -> dict[str, str]:
    """Make a user with a policy, or with none; return the access key as a client takes it."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName="it", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def function_in(cloud: LocalCloud | Alone, name: str, source: str, **more: Any) -> str:
    """Make a function whose role may do nothing, and return its ARN."""
    made = cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.14",
        Handler="index.handler",
        Role=role_for(cloud, f"{name}-role", "lambda.amazonaws.com", "sqs:SendMessage"),
        Code={"ZipFile": packed(source)},
        **{"Timeout": START_IN_TIME, **more},
    )
    return str(made["FunctionArn"])


@pytest.fixture(scope="module")
def nobody(cloud: LocalCloud) -> Iterator[dict[str, str]]:
    """The access key of a user who may do nothing."""
    key = user_who_may(cloud, "nobody")
    yield key
    iam = cloud.client("iam")
    iam.delete_access_key(UserName="nobody", AccessKeyId=key["aws_access_key_id"])
    iam.delete_user(UserName="nobody")
