"""One local cloud for all tests that need one, and what a user does with it."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mpe.assembly.synthesis import Assembly
from mpe.emulator import Quotas
from mpe.local.cloud import LocalCloud
from tests.conftest import BRIEF, interactions

SPEED = 2000.0
NEVER = "cron(0 0 1 1 ? 2099)"
"""A schedule that does not fire by itself while a test runs, at however many times AWS's speed."""
FULL_SIZE = os.environ.get("MPE_FULL_SIZE") == "1"
PATIENCE = float(os.environ.get("MPE_TEST_PATIENCE", "3600" if FULL_SIZE else "1200"))
"""How many seconds to wait for what must happen: more on a machine that has much else to do."""


@pytest.fixture(scope="session")
def cloud(assembly: Assembly) -> Iterator[LocalCloud]:
    quotas = Quotas(dataset_groups=1000, importing=100, training=100, solutions=200, campaigns=200)
    with LocalCloud(speed=SPEED, assembly=assembly, quotas=quotas, durations=BRIEF) as running:
        yield running


@dataclass
class User:
    """Somebody who maintains one dataset group in a cloud."""

    cloud: LocalCloud
    group: str

    @property
    def bucket(self) -> str:
        return self.cloud.outputs["DataBucket"]

    def arn(self, resource: str) -> str:
        return f"arn:aws:personalize:{self.cloud.region}:{self.cloud.account}:{resource}"

    def put(self, name: str, body: str) -> str:
        """Upload a file beside the config and return its version."""
        key = f"train/{self.group}/{name}"
        answer = self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body.encode())
        return str(answer["VersionId"])

    def upload(self, document: dict[str, Any] | str) -> None:
        """Upload a config, which starts a run."""
        text = document if isinstance(document, str) else json.dumps(document)
        self.put("config.json", text)

    def lend_turn(self, holder: str) -> None:
        """Give the group's turn to an execution, for as long as it is not given back."""
        lease = {"group": self.group, "record": "LEASE", "run": "a-run", "holder": holder}
        self.cloud.client("dynamodb").put_item(
            TableName=self.cloud.outputs["TurnsTable"],
            Item={key: {"S": value} for key, value in {**lease, "until": "2999-01-01"}.items()},
        )

    def executions(self) -> list[dict[str, Any]]:
        """Return this group's runs, the newest first."""
        found = self.cloud.client("stepfunctions").list_executions(
            stateMachineArn=self.cloud.outputs["Workflow"], maxResults=1000
        )["executions"]
        return [one for one in found if one["name"].startswith(f"{self.group}-2")]

    def wait_for_run(self, count: int = 1) -> str:
        """Wait until there are that many runs and none is under way; return the last's status."""
        return wait_until(
            lambda: (
                runs[0]["status"]
                if len(runs := self.executions()) >= count
                and all(run["status"] != "RUNNING" for run in runs)
                else None
            )
        )

    def why(self) -> str:
        """Say how this group's newest run ended, which no mail need have told yet."""
        newest = self.executions()[0]["executionArn"]
        told = self.cloud.client("stepfunctions").describe_execution(executionArn=newest)
        return f"{told['status']}: {told.get('error')} {told.get('cause')}"

    def mail(self, count: int = 1) -> list[dict[str, str]]:
        """Wait for this group's mail: at least so many messages."""

        def mine() -> list[dict[str, str]] | None:
            found = [
                one
                for one in self.cloud.mail()
                if f"group {self.group} " in one["subject"] or f"/{self.group}/" in one["subject"]
            ]
            return found if len(found) >= count else None

        found: list[dict[str, str]] = wait_until(mine)
        return found


def wait_until(ask: Any) -> Any:
    """Ask until there is an answer: less often the longer it takes, for what is asked has work."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < PATIENCE:
        answer = ask()
        if answer:
            return answer
        time.sleep(min(max(0.1, waited / 5), 1))
    raise AssertionError(f"it did not happen within {PATIENCE:.0f} s")


def tend(cloud: LocalCloud) -> dict[str, int]:
    """Look after models, as a rule lets the function do every ten minutes of real time."""
    functions = cloud.client("lambda")
    names = functions.get_paginator("list_functions").paginate().search("Functions[].FunctionName")
    (name,) = (one for one in names if "-Tend" in one)
    answer = functions.invoke(FunctionName=name)
    told = answer["Payload"].read()
    assert "FunctionError" not in answer, told
    found: dict[str, int] = json.loads(told)
    return found


def role_for(cloud: Any, name: str, service: str, action: str) -> str:
    """Make a role of a service that may take one action on anything."""
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]
    document["Statement"] = [{"Effect": "Allow", "Action": action, "Resource": "*"}]
    iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(document))
    return str(arn["Arn"])


def packed(source: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), source)
    return body.getvalue()


def names(personalize: Any, kind: str) -> list[str]:
    """Return the names of all there are of ``datasetGroups`` or ``schemas``."""
    operation = {"datasetGroups": "list_dataset_groups", "schemas": "list_schemas"}[kind]
    return list(personalize.get_paginator(operation).paginate().search(f"{kind}[].name"))


def small(group: str, **sections: Any) -> dict[str, Any]:
    """Return a config with one dataset, one solution and one campaign."""
    fields = [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": "float"},
        {"name": "TIMESTAMP", "type": "long"},
    ]
    schema = {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": fields,
        "version": "1.0",
    }
    return {
        "datasetGroup": {"serviceConfig": {"name": group}},
        "datasets": {
            "interactions": {
                "dataset": {"serviceConfig": {"name": f"{group}-interactions"}},
                "schema": {"serviceConfig": {"name": f"{group}-interactions", "schema": schema}},
            }
        },
        "solutions": [
            {
                "serviceConfig": {
                    "name": f"{group}-popular",
                    "recipeArn": "arn:aws:personalize:::recipe/aws-popularity-count",
                },
                "campaigns": [{"serviceConfig": {"name": f"{group}-live"}}],
            }
        ],
        **sections,
    }


CSV = interactions()
