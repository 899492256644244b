"""The CDK's own command line against the local cloud that `mpe local up` starts.

It is given what docs/local-cloud.md says, and nothing else: the variables that `mpe local status`
prints, and the Python of this project. It deploys, upgrades and destroys.

IAM is enforced: the command line assumes the roles that its bootstrap made, as in AWS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mpe.assembly.synthesis import Assembly
from mpe.local.cloud import LocalCloud
from mpe.model.plan.owner import marked, owner_of
from tests.conftest import BRIEF, ROOT
from tests.local.conftest import CSV, NEVER, User, small, wait_until

pytestmark = pytest.mark.local
SPEED = 1000.0
"""So that a run may wait for its turn for as long as a deployment takes, of 48 hours."""
STACK, OTHER = "PersonalizedExperiences", "Other"
MEMORY = 640
RELEASE, NEWER = "0.1.0", "99.0.0"
CHANGES = (
    (f'RELEASE = "{RELEASE}"', f'RELEASE = "{NEWER}"'),
    ("return len(self.steps)", "return len(self.steps) + 1"),
    ("return {**values, MARK: self.mark}", 'return {**values, "later": "0", MARK: self.mark}'),
)
"""What the code of a newer release has otherwise: each form a version and a field more."""
STEP, NEWER_STEP = "Keep schedules", "Keep all schedules"
"""A state of a workflow, and what the newer release calls it."""


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
def up(assembly: Assembly) -> Iterator[LocalCloud]:
    """A local cloud with the stack deployed in it, as `mpe local up` leaves it."""
    with LocalCloud(speed=SPEED, durations=BRIEF, assembly=assembly) as running:
        yield running


@pytest.fixture(scope="module")
def cdk(up: LocalCloud, assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Cdk:
    """The command line, after its bootstrap, for which the app need not be synthesized again."""
    command = Cdk(up, tmp_path_factory.mktemp("cdk"))
    command("bootstrap", "--app", str(assembly.folder))
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


def test_an_upgrade_and_a_rollback_keep_data_and_what_is_under_way_goes_on(
    deployed: LocalCloud, cdk: Cdk, tmp_path: Path
) -> None:
    """The newer release writes newer forms, in code and with a workflow of its own."""
    older, newer = tmp_path / "older", tmp_path / "newer"
    shutil.copytree(cdk.folder / "cdk.out", older)
    make_newer(shutil.copytree(older, newer))
    user = User(deployed, "kept")
    user.put("interactions.csv", CSV)
    user.upload(scheduled("kept"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.mail()
    before, planned = kept(deployed), schedules(deployed)
    (schedule,) = planned

    outputs = cdk.deploy("--app", str(newer), "--parameters", "Email=two@example.com")

    assert outputs == deployed.outputs
    assert (kept(deployed), schedules(deployed)) == (before, planned)
    assert _memory(deployed) == {MEMORY}
    with held(user):
        user.upload(scheduled("kept"))
        task = start(deployed, schedule, "2099-01-01T00:00:00Z")
        under_way = wait_until(lambda: _under_way(deployed, 2))  # with what 99.0.0 handed on

        assert cdk.deploy("--app", str(older)) == deployed.outputs

        assert _under_way(deployed, 2) == under_way
    assert ended(deployed, task) == "SUCCEEDED"
    assert user.wait_for_run(2) == "SUCCEEDED"
    assert _memory(deployed) != {MEMORY}
    with held(user):
        user.upload(scheduled("kept"))
        task = start(deployed, schedule, "2099-01-02T00:00:00Z")
        under_way = wait_until(lambda: _under_way(deployed, 2))
        assert cdk.deploy("--app", str(newer)) == deployed.outputs
        assert _under_way(deployed, 2) == under_way
    assert ended(deployed, task) == "SUCCEEDED"
    assert user.wait_for_run(3) == "SUCCEEDED"
    told = user.mail(3)
    assert all("Nothing needed to change" in one["body"] for one in told[1:])
    assert told[-1]["to"] == "two@example.com"
    written = {one["form"]["M"]["release"]["S"] for one in _runs(deployed, "kept")}
    assert written == {RELEASE, NEWER}, "each run has the mark of who wrote it last"


def make_newer(folder: Path) -> None:
    """Make what a newer release synthesizes of an assembly: other code, workflows, hashes."""
    assembly = Assembly.read(folder)
    names = [assembly.template, assembly.assets, folder / "manifest.json"]
    for hash, file in assembly.files().items():
        path = folder / file["source"]["path"]
        forms = path / "mpe" / "model" / "plan" / "forms.py"
        if not (forms.exists() or path == assembly.template):
            continue
        if forms.exists():
            text = forms.read_text()
            for old, new in CHANGES:
                assert old in text
                text = text.replace(old, new)
            forms.write_text(text)
            for compiled in path.rglob("forms*.pyc"):
                compiled.unlink()
        for one in names:
            one.write_text(one.read_text().replace(hash, f"{NEWER}-{hash}"))
        path.rename(path.with_name(path.name.replace(hash, f"{NEWER}-{hash}")))
    template = assembly.template.read_text()
    assert STEP in template
    document = json.loads(template.replace(STEP, NEWER_STEP))
    (begin,) = (
        one
        for name, one in document["Resources"].items()
        if re.match("Begin[0-9A-F]{8}", name) and one["Type"] == "AWS::Lambda::Function"
    )
    begin["Properties"]["MemorySize"] = MEMORY
    assembly.template.write_text(json.dumps(document))


@contextmanager
def held(user: User) -> Iterator[None]:
    """Hold a group's turn meanwhile, as somebody at a terminal does."""
    user.lend_turn("somebody")
    yield
    user.cloud.client("dynamodb").delete_item(
        TableName=user.cloud.outputs["TurnsTable"],
        Key={"group": {"S": user.group}, "record": {"S": "LEASE"}},
    )


def start(cloud: LocalCloud, schedule: dict[str, Any], at: str) -> str:
    """Start what a schedule starts at a moment, with what it gives; return the execution."""
    target = schedule["Target"]
    arn: str = cloud.client("stepfunctions").start_execution(
        stateMachineArn=target["Arn"],
        input=target["Input"].replace("<aws.scheduler.scheduled-time>", at),
    )["executionArn"]
    return arn


def ended(cloud: LocalCloud, execution: str) -> str:
    """Wait for the end of an execution and return its status."""
    client = cloud.client("stepfunctions")

    def status() -> str | None:
        found = str(client.describe_execution(executionArn=execution)["status"])
        return found if found != "RUNNING" else None

    return str(wait_until(status))


def _under_way(cloud: LocalCloud, many: int) -> set[str] | None:
    """Return the runs under way of configs and tasks, where there are so many."""
    found = cloud.client("stepfunctions").list_executions(
        stateMachineArn=cloud.outputs["Workflow"], statusFilter="RUNNING"
    )["executions"]
    return {one["executionArn"] for one in found} if len(found) == many else None


def _memory(cloud: LocalCloud) -> set[int]:
    found = cloud.client("lambda").list_functions(MaxItems=1000)["Functions"]
    return {one["MemorySize"] for one in found if one["FunctionName"].startswith(f"{STACK}-Begin")}


def _runs(cloud: LocalCloud, group: str) -> list[dict[str, Any]]:
    rows = cloud.client("dynamodb").scan(TableName=cloud.outputs["TurnsTable"])["Items"]
    mine = [one for one in rows if one["group"]["S"] == group]
    return [one for one in mine if one["record"]["S"].startswith("RUN#")]


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

    cdk("destroy", "--force", "--app", str(cdk.folder / "cdk.out"))

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
