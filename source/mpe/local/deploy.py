"""Deploy a synthesized template through CloudFormation, as `cdk deploy` does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mpe.assembly.synthesis import Assembly
from mpe.assembly.zips import zipped
from mpe.local.errors import DeployError

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"
"""The version of the bootstrap stack that the asset bucket stands for."""
Template = dict[str, Any]
Clients = Callable[[str], Any]


def deploy(
    clients: Clients,
    assembly: Assembly,
    *,
    account: str,
    region: str,
    parameters: Mapping[str, str],
    edit: Callable[[Template], Template] | None = None,
) -> dict[str, str]:
    """Create the stack and return its outputs; raise DeployError with the reasons it failed.

    What `cdk bootstrap` leaves in an account is there only meanwhile, so that a user's own
    bootstrap finds none.
    """
    with _bootstrapped(clients, account, region) as bucket:
        _upload_assets(clients("s3"), assembly, account, region)
        return _create(clients, assembly, bucket, parameters, edit)


def _create(
    clients: Clients,
    assembly: Assembly,
    bucket: str,
    parameters: Mapping[str, str],
    edit: Callable[[Template], Template] | None,
) -> dict[str, str]:
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


@contextmanager
def _bootstrapped(clients: Clients, account: str, region: str) -> Iterator[str]:
    """Make the bucket and the parameter that a deployment needs, and remove both at the end."""
    bucket = f"cdk-hnb659fds-assets-{account}-{region}"
    clients("s3").create_bucket(Bucket=bucket)
    clients("ssm").put_parameter(
        Name=BOOTSTRAP_PARAMETER, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
    )
    try:
        yield bucket
    finally:
        clients("ssm").delete_parameter(Name=BOOTSTRAP_PARAMETER)
        for page in clients("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", ()):
                clients("s3").delete_object(Bucket=bucket, Key=one["Key"])
        clients("s3").delete_bucket(Bucket=bucket)


def _upload_assets(s3: Any, assembly: Assembly, account: str, region: str) -> None:
    for file in assembly.files().values():
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


def _created(cloudformation: Any, stack: str, seconds: float = 300) -> dict[str, str]:
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
