"""The CDK's own command line against the local cloud that `mpe local up` starts.

It is given what docs/local-cloud.md says, and nothing else: the variables that `mpe local status`
prints, and the Python of this project. It deploys, upgrades and destroys.

IAM is enforced: the command line assumes the roles that its bootstrap made, as in AWS.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from mpe.model.plan.owner import marked, owner_of
from tests.conftest import ROOT
from tests.local.conftest import CSV, NEVER, SPEED, User, small

pytestmark = pytest.mark.local
STACK, OTHER = "PersonalizedExperiences", "Other"
MEMORY = 640
CHANGED_APP = f"""
import sys

sys.path.insert(0, {str(ROOT / "source")!r})
from aws_cdk import App
from mpe.infrastructure.stack import FEATURE_FLAGS, PersonalizedExperiences

app = App(context=FEATURE_FLAGS)
stack = PersonalizedExperiences(app, "{STACK}")
stack.node.find_child("Begin").node.default_child.memory_size = {MEMORY}
app.synth()
"""


@dataclass
class Cdk:
    """The command line as somebody would use it, in a home of its own."""

    cloud: LocalCloud
    folder: Path

    def __call__(self, *words: str) -> str:
        """Run a command to its end; fail with what it said where it fails."""
        command = ROOT / "node_modules" / ".bin" / "cdk"
        assert command.exists(), "the CDK's command line is not installed: run `npm ci`"
        done = subprocess.run(
            [command, "--no-notices", "--output", self.folder / "cdk.out", *words],
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        told = done.stdout + done.stderr
        assert done.returncode == 0, told
        return told

    def deploy(self, *words: str, stack: str = STACK) -> dict[str, str]:
        """Deploy a stack and return its outputs."""
        outputs = self.folder / "outputs.json"
        self("deploy", "--require-approval", "never", "--outputs-file", str(outputs), *words)
        found: dict[str, str] = json.loads(outputs.read_text())[stack]
        return found

    def _environment(self) -> dict[str, str]:
        own = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **own,
            **self.cloud.environment,
            "HOME": str(self.folder),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), own["PATH"]]),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
        }


@pytest.fixture(scope="module")
def up() -> Iterator[LocalCloud]:
    """A local cloud with the stack deployed in it, as `mpe local up` leaves it."""
    with LocalCloud(speed=SPEED) as running:
        yield running


@pytest.fixture(scope="module")
def cdk(up: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Cdk:
    """The command line, after its bootstrap."""
    command = Cdk(up, tmp_path_factory.mktemp("cdk"))
    command("bootstrap")
    return command


@pytest.fixture(scope="module")
def deployed(cdk: Cdk) -> LocalCloud:
    """The cloud with the stack that the command line has deployed."""
    cdk.cloud.outputs = cdk.deploy("--parameters", "Email=one@example.com")
    return cdk.cloud


def scheduled(group: str) -> dict[str, Any]:
    document = small(group)
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": NEVER}}
    return document


def kept(cloud: LocalCloud) -> dict[str, Any]:
    """Return the data that must survive: objects with their versions, and rows."""
    listed = cloud.client("s3").list_object_versions(Bucket=cloud.outputs["DataBucket"])
    found = {"objects": sorted((one["Key"], one["VersionId"]) for one in listed["Versions"])}
    for name in ("TurnsTable", "LedgerTable", "TasksTable"):
        rows = cloud.client("dynamodb").scan(TableName=cloud.outputs[name])["Items"]
        found[name] = sorted(json.dumps(row, sort_keys=True) for row in rows)
    assert all(found.values())
    return found


def schedules(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Return the schedules of a stack, with all that they start."""
    client, group = cloud.client("scheduler"), cloud.outputs["ScheduleGroup"]
    found = client.list_schedules(GroupName=group)["Schedules"]
    told = [client.get_schedule(GroupName=group, Name=one["Name"]) for one in found]
    return [{**one, "ResponseMetadata": None} for one in told]


def test_the_bootstraps_roles_deploy_it_and_a_config_is_provisioned(deployed: LocalCloud) -> None:
    user = User(deployed, "deployed")
    user.put("interactions.csv", CSV)
    user.upload(small("deployed"))
    assert user.wait_for_run() == "SUCCEEDED"
    (mail,) = user.mail()
    assert mail["to"] == "one@example.com"
    assert "created Campaign deployed-live" in mail["body"]


def test_an_upgrade_keeps_data_tables_and_schedules(
    deployed: LocalCloud, cdk: Cdk, tmp_path: Path
) -> None:
    user = User(deployed, "kept")
    user.put("interactions.csv", CSV)
    user.upload(scheduled("kept"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.mail()
    before, planned = kept(deployed), schedules(deployed)
    assert planned
    app = tmp_path / "app.py"
    app.write_text(CHANGED_APP)

    outputs = cdk.deploy("--app", f"python3 {app}", "--parameters", "Email=two@example.com")

    assert outputs == deployed.outputs
    assert (kept(deployed), schedules(deployed)) == (before, planned)
    memory = {
        one["MemorySize"]
        for one in deployed.client("lambda").list_functions(MaxItems=1000)["Functions"]
        if one["FunctionName"].startswith(f"{STACK}-Begin")
    }
    assert memory == {MEMORY}
    user.upload(scheduled("kept"))
    assert user.wait_for_run(2) == "SUCCEEDED"
    newest = user.mail(2)[-1]
    assert "Nothing needed to change" in newest["body"]
    assert newest["to"] == "two@example.com"


def test_two_stacks_do_not_collide_and_a_destroyed_one_leaves_its_data(
    deployed: LocalCloud, cdk: Cdk
) -> None:
    other = another_view(deployed)
    other.outputs = cdk.deploy("--context", f"stack={OTHER}", stack=OTHER)
    shared = {name for name in other.outputs if other.outputs[name] == deployed.outputs[name]}
    assert shared == set()
    first, second = User(deployed, "apart"), User(other, "apart")
    second.put("interactions.csv", CSV)
    second.upload(scheduled("apart"))
    assert second.wait_for_run() == "SUCCEEDED"
    assert first.executions() == []
    before = kept(other)

    cdk("destroy", "--force", "--context", f"stack={OTHER}")

    assert kept(other) == before
    assert not _machines(other, OTHER)
    assert _machines(deployed, STACK)
    groups = other.client("scheduler").list_schedule_groups()["ScheduleGroups"]
    left = {one["Name"] for one in groups}
    assert other.outputs["ScheduleGroup"] not in left, "its schedules would fire for ever"
    assert deployed.outputs["ScheduleGroup"] in left
    assert _may_read_data(other), "encrypted dataset groups keep using the role"
    assert not _vended_logs(other, OTHER)
    assert len(_vended_logs(deployed, STACK)) == 3
    assert owner_of(_tags(deployed, first)) == OTHER, "what is left is still said to be its own"
    deployed.client("personalize").tag_resource(
        resourceArn=first.arn("dataset-group/apart"), tags=marked((), STACK)
    )
    first.put("interactions.csv", CSV)
    first.upload(small("apart"))
    assert first.wait_for_run() == "SUCCEEDED"


def _tags(cloud: LocalCloud, user: User) -> list[dict[str, str]]:
    arn, client = user.arn(f"dataset-group/{user.group}"), cloud.client("personalize")
    found: list[dict[str, str]] = client.list_tags_for_resource(resourceArn=arn)["tags"]
    return found


def _may_read_data(cloud: LocalCloud) -> bool:
    """Tell whether the service role is there, with what it may do."""
    iam, role = cloud.client("iam"), cloud.outputs["PersonalizeRole"].rpartition("/")[2]
    policies = iam.list_role_policies(RoleName=role)["PolicyNames"]
    found = [iam.get_role_policy(RoleName=role, PolicyName=one) for one in policies]
    return any("s3:GetObject" in json.dumps(one["PolicyDocument"]) for one in found)


def _vended_logs(cloud: LocalCloud, stack: str) -> list[str]:
    prefix = f"/aws/vendedlogs/states/{stack}-"
    found = cloud.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    return [one["logGroupName"] for one in found]


def another_view(cloud: LocalCloud) -> LocalCloud:
    """Return the same cloud, to be given the outputs of another stack."""
    view = LocalCloud(port=cloud.port)
    view.secret = cloud.secret
    view.stop()  # it has started nothing, and its folder is not needed
    return view


def _machines(cloud: LocalCloud, stack: str) -> list[str]:
    found = cloud.client("stepfunctions").list_state_machines(maxResults=1000)["stateMachines"]
    return [one["name"] for one in found if one["name"].startswith(f"{stack}-")]
