"""A release in a local cloud that has nothing of ours: uploaded, installed from its URL, used."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from mpe.local.cloud import LocalCloud
from tests.conftest import BRIEF, ROOT
from tests.local.conftest import CSV, PATIENCE, SPEED, User, small

pytestmark = pytest.mark.local
STACK = "released"


@pytest.fixture(scope="module")
def bare() -> Iterator[LocalCloud]:
    with LocalCloud(speed=SPEED, empty=True, durations=BRIEF) as running:
        yield running


def release(cloud: LocalCloud, bucket: str, version: str = "v1.2.3") -> tuple[int, str]:
    """Run the command as its user does; return its exit code and all that it said."""
    done = subprocess.run(
        [
            *(str(ROOT / "deployment" / "build-s3-cdk-dist"), "deploy"),
            *("--source-bucket-name", bucket, "--solution-name", "personalize"),
            *("--version_code", version, "--cdk-app-path", "source"),
            *("--cdk-app-entrypoint", "app.py", "--region", cloud.region, "--sync"),
            *("--endpoint-url", cloud.endpoint, "--output-path", str(cloud.folder / bucket)),
        ],
        cwd=ROOT,
        env={**os.environ, **cloud.environment, "MPE_PACKAGE_TARGET": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def buckets(cloud: LocalCloud, name: str) -> None:
    for bucket in (name, f"{name}-{cloud.region}"):
        cloud.client("s3").create_bucket(Bucket=bucket)


@pytest.fixture(scope="module")
def told(bare: LocalCloud) -> str:
    """What the command said of the first release of a version."""
    buckets(bare, "films")
    code, told = release(bare, "films")
    assert code == 0, told
    return told


def test_a_stack_from_the_uploaded_template_provisions_what_is_uploaded(
    bare: LocalCloud, told: str
) -> None:
    (url,) = re.findall(r"TemplateURL: (\S+)", told)
    assert url == f"{bare.endpoint}/films/personalize/v1.2.3/PersonalizedExperiences.template"
    keys = {
        one["Key"]
        for bucket in ("films", f"films-{bare.region}")
        for one in bare.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    }
    assert len([key for key in keys if re.fullmatch(r"personalize/v1.2.3/\w{64}.zip", key)]) == 2

    cloudformation = bare.client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=url,
        Parameters=[{"ParameterKey": "Email", "ParameterValue": "you@example.com"}],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": int(PATIENCE)}
    )
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    bare.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    user = User(bare, "released")
    user.put("interactions.csv", CSV)
    user.upload(small("released"))
    assert user.wait_for_run() == "SUCCEEDED"
    assert "v1.2.3" in stack["Description"]


def test_the_same_release_again_uploads_nothing(bare: LocalCloud, told: str) -> None:
    assert told.count("uploaded  s3://") == 6
    before = written(bare, "films")

    code, again = release(bare, "films")

    assert (code, again.count("uploaded  s3://")) == (0, 0), again
    assert again.count("is there  s3://") == 6
    assert written(bare, "films") == before


def written(cloud: LocalCloud, name: str) -> dict[str, str]:
    s3 = cloud.client("s3")
    return {
        one["Key"]: f"{one['LastModified']} {one['ETag']}"
        for bucket in (name, f"{name}-{cloud.region}")
        for one in s3.list_objects_v2(Bucket=bucket)["Contents"]
    }


OTHER = "111111111111"


def somebody_else(cloud: LocalCloud) -> Any:
    """Return S3 as another account has it."""
    return boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name=cloud.region,
        aws_access_key_id=OTHER,
        aws_secret_access_key="test",
    )


def test_buckets_that_cannot_be_trusted_are_all_told_and_nothing_is_uploaded(
    bare: LocalCloud,
) -> None:
    """One name is taken by another account, which lets everybody in; the other is free."""
    other = somebody_else(bare)
    other.create_bucket(Bucket="taken")
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::taken", "arn:aws:s3:::taken/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [everybody]}
    other.delete_public_access_block(Bucket="taken")
    other.put_bucket_policy(Bucket="taken", Policy=json.dumps(policy))
    bare.client("s3").put_object(Bucket="taken", Key="let-in", Body=b"")

    code, told = release(bare, "taken")

    assert code == 1
    assert "nothing was uploaded" in told
    assert f"  taken belongs to another account than {bare.account}" in told
    assert f"  taken-{bare.region} does not exist" in told
    keys = [one["Key"] for one in other.list_objects_v2(Bucket="taken")["Contents"]]
    assert keys == ["let-in"]


def test_code_in_a_bucket_of_another_region_is_refused(bare: LocalCloud) -> None:
    s3 = bare.client("s3")
    s3.create_bucket(Bucket="abroad")
    s3.create_bucket(
        Bucket=f"abroad-{bare.region}",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    code, told = release(bare, "abroad")
    assert code == 1
    assert f"abroad-{bare.region} is in eu-west-1" in told
