"""Synthesize the app and deploy its template through CloudFormation, as `cdk deploy` does."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpe.local.errors import DeployError
from mpe.local.processes import end_group

ROOT = Path(__file__).parents[3]
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"
"""The version of the bootstrap stack that the asset bucket stands for."""
EPOCH = (1980, 1, 1, 0, 0, 0)
Template = dict[str, Any]
Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Assembly:
    """What synthesis wrote: one stack, its template and its assets."""

    folder: Path
    stack: str
    template: Path
    assets: Path

    @classmethod
    def read(cls, folder: Path) -> Assembly:
        """Find the stack in a cloud assembly (``cdk.out``)."""
        manifest = json.loads((folder / "manifest.json").read_text())["artifacts"]
        for name, artifact in manifest.items():
            if artifact["type"] == "aws:cloudformation:stack":
                template = folder / artifact["properties"]["templateFile"]
                stack = artifact["properties"].get("stackName", name)
                return cls(folder, stack, template, folder / f"{name}.assets.json")
        raise DeployError(f"{folder} has no stack")


def synthesize(folder: Path, app: Sequence[str] = ("source/app.py",)) -> Assembly:
    """Run the CDK app, without the CDK CLI, and return what it wrote."""
    if not os.environ.get("JSII_NODE") and not shutil.which("node"):
        raise DeployError("Node.js is needed, since the AWS CDK runs on it: https://nodejs.org")
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "MPE_PACKAGE_TARGET": "local",
        "PYTHONPATH": str(ROOT / "source"),
    }
    with tempfile.TemporaryDirectory(prefix="mpe-synth-", ignore_cleanup_errors=True) as temporary:
        code, errors = _run([sys.executable, *app], {**environment, "TMPDIR": temporary})
    if code:
        raise DeployError(f"the app could not be synthesized:\n{_last(errors, 15)}")
    return Assembly.read(folder)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command to its end, or end it with all that it started; return what it said.

    The CDK starts Node.js, which would outlive an interrupted app for a while and leave its
    files in the temporary directory.
    """
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _, errors = process.communicate()
        finally:
            end_group(process.pid, process.poll)
    return process.returncode, errors


def deploy(
    clients: Clients,
    assembly: Assembly,
    *,
    account: str,
    region: str,
    parameters: Mapping[str, str],
    edit: Callable[[Template], Template] | None = None,
) -> dict[str, str]:
    """Create the stack and return its outputs; raise DeployError with the reasons it failed."""
    bucket = _bootstrap(clients, account, region)
    _upload_assets(clients("s3"), assembly, account, region)
    template = json.loads(assembly.template.read_text())
    body = json.dumps(edit(template) if edit else template)
    clients("s3").put_object(Bucket=bucket, Key="template.json", Body=body.encode())
    clients("cloudformation").create_stack(
        StackName=assembly.stack,
        TemplateURL=f"{clients('s3').meta.endpoint_url}/{bucket}/template.json",
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    return _created(clients("cloudformation"), assembly.stack)


def _bootstrap(clients: Clients, account: str, region: str) -> str:
    """Make what `cdk bootstrap` leaves in an account, as far as a deployment needs it."""
    bucket = f"cdk-hnb659fds-assets-{account}-{region}"
    clients("s3").create_bucket(Bucket=bucket)
    clients("ssm").put_parameter(
        Name=BOOTSTRAP_PARAMETER, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
    )
    return bucket


def _upload_assets(s3: Any, assembly: Assembly, account: str, region: str) -> None:
    files = json.loads(assembly.assets.read_text())["files"]
    for file in files.values():
        path = assembly.folder / file["source"]["path"]
        body = zipped(path) if file["source"].get("packaging") == "zip" else path.read_bytes()
        for place in file["destinations"].values():
            s3.put_object(
                Bucket=_filled(place["bucketName"], account, region),
                Key=_filled(place["objectKey"], account, region),
                Body=body,
            )


def _filled(text: str, account: str, region: str) -> str:
    return text.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)


def zipped(folder: Path) -> bytes:
    """Return a folder as a zip: the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, file.read_bytes(), compresslevel=1)
    return buffer.getvalue()


def _created(cloudformation: Any, stack: str, seconds: float = 120) -> dict[str, str]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if found["StackStatus"] == "CREATE_COMPLETE":
            return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
        if not found["StackStatus"].endswith("IN_PROGRESS"):
            reasons = "\n".join(_reasons(cloudformation, stack))
            raise DeployError(f"the stack is {found['StackStatus']}:\n{reasons}")
        time.sleep(0.2)
    raise DeployError(f"the stack was not created within {seconds:.0f} s")


def _reasons(cloudformation: Any, stack: str) -> Iterator[str]:
    for event in cloudformation.describe_stack_events(StackName=stack)["StackEvents"]:
        if event["ResourceStatus"].endswith("FAILED"):
            reason = event.get("ResourceStatusReason", "")
            yield f"  {event['LogicalResourceId']} ({event['ResourceType']}): {reason}"


def _last(text: str, lines: int) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
