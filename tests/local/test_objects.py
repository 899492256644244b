"""Import jobs read S3 in the name of a role: its policies and the bucket's decide together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from tests.conftest import interactions
from tests.emulator.conftest import avro
from tests.local.conftest import wait_until

pytestmark = pytest.mark.local

BUCKET = "someones-data"
READING = ["s3:GetObject", "s3:ListBucket"]
PLACES = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
DENIED = "Insufficient privileges"


def statement(effect: str, actions: list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Resource": PLACES, **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


LETS_SERVICE = statement("Allow", READING, Principal={"Service": "personalize.amazonaws.com"})
"""The guide's bucket policy
(https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html)."""


def trust(service: str) -> str:
    principal = {"Service": service}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def dataset(cloud: LocalCloud) -> str:
    """A dataset that is ready for imports, and a bucket with data for it."""
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    cloud.client("s3").put_object(Bucket=BUCKET, Key="data.csv", Body=interactions().encode())
    personalize = cloud.client("personalize")
    group = personalize.create_dataset_group(name="read-by-role")["datasetGroupArn"]
    schema = personalize.create_schema(name="read-by-role", schema=avro("Interactions"))
    wait_until(
        lambda: (
            personalize.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["status"]
            == "ACTIVE"
        )
    )
    arn: str = personalize.create_dataset(
        name="read-by-role",
        schemaArn=schema["schemaArn"],
        datasetGroupArn=group,
        datasetType="Interactions",
    )["datasetArn"]
    wait_until(
        lambda: personalize.describe_dataset(datasetArn=arn)["dataset"]["status"] == "ACTIVE"
    )
    return arn


@pytest.fixture
def role(cloud: LocalCloud, request: pytest.FixtureRequest) -> Iterator[str]:
    """A role that the service may assume, and that may do nothing yet; the bucket is open to it."""
    name = f"reader-{request.node.callspec.id if hasattr(request.node, 'callspec') else 'one'}"
    iam = cloud.client("iam")
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=trust("personalize.amazonaws.com")
    )
    cloud.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy(LETS_SERVICE))
    yield str(made["Role"]["Arn"])
    for attached in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=attached)
    iam.delete_role(RoleName=name)
    cloud.client("s3").delete_bucket_policy(Bucket=BUCKET)


def imported(
    cloud: LocalCloud, dataset: str, role: str, *, key: str = "data.csv", bucket: str = BUCKET
) -> str:
    """Import with a role; return the job's status, or why it was refused."""
    personalize = cloud.client("personalize")
    try:
        job = personalize.create_dataset_import_job(
            jobName=role.rsplit("/", 1)[-1],
            datasetArn=dataset,
            roleArn=role,
            dataSource={"dataLocation": f"s3://{bucket}/{key}"},
        )["datasetImportJobArn"]
    except personalize.exceptions.InvalidInputException as error:
        return str(error)

    def ended() -> str | None:
        found = personalize.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
        return found.get("failureReason") or ("ACTIVE" if found["status"] == "ACTIVE" else None)

    return str(wait_until(ended))


@pytest.mark.parametrize(
    ("granted", "on_the_bucket", "outcome"),
    [
        pytest.param(READING, None, "ACTIVE", id="the-role-may"),
        pytest.param([], None, DENIED, id="nobody-lets-it"),
        pytest.param(["s3:ListBucket"], None, DENIED, id="it-may-list-only"),
        pytest.param(READING, "Deny", DENIED, id="the-bucket-forbids-it"),
        pytest.param([], "Allow", "ACTIVE", id="the-bucket-lets-it"),
    ],
)
def test_the_role_and_the_bucket_decide(
    cloud: LocalCloud,
    dataset: str,
    role: str,
    granted: list[str],
    on_the_bucket: str | None,
    outcome: str,
) -> None:
    if granted:
        name, document = role.rsplit("/", 1)[-1], policy(statement("Allow", granted))
        cloud.client("iam").put_role_policy(
            RoleName=name, PolicyName="reading", PolicyDocument=document
        )
    if on_the_bucket:
        about_the_role = statement(on_the_bucket, READING, Principal={"AWS": role})
        document = policy(LETS_SERVICE, about_the_role)
        cloud.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=document)

    assert outcome in imported(cloud, dataset, role)


ELSEWHERE = {"StringEquals": {"aws:SourceAccount": "111111111111"}}


@pytest.mark.parametrize(
    "on_the_bucket",
    [
        pytest.param(None, id="no-policy"),
        pytest.param(
            statement("Allow", READING, Principal={"Service": "ec2.amazonaws.com"}),
            id="for-another-service",
        ),
        pytest.param({**LETS_SERVICE, "Action": "s3:ListBucket"}, id="service-may-not-read"),
        pytest.param({**LETS_SERVICE, "Action": "s3:GetObject"}, id="service-may-not-list"),
        pytest.param({**LETS_SERVICE, "Condition": ELSEWHERE}, id="for-another-account"),
        pytest.param({**LETS_SERVICE, "Effect": "Deny"}, id="service-is-denied"),
    ],
)
def test_the_bucket_must_let_in_the_service_beside_the_role(
    cloud: LocalCloud, dataset: str, role: str, on_the_bucket: dict[str, Any] | None
) -> None:
    name, document = role.rsplit("/", 1)[-1], policy(statement("Allow", READING))
    cloud.client("iam").put_role_policy(
        RoleName=name, PolicyName="reading", PolicyDocument=document
    )
    s3 = cloud.client("s3")
    s3.delete_bucket_policy(Bucket=BUCKET)
    if on_the_bucket:
        s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(on_the_bucket))

    assert DENIED in imported(cloud, dataset, role)


@pytest.mark.parametrize(
    ("key", "bucket"),
    [
        pytest.param("none.csv", BUCKET, id="no-object"),
        pytest.param("data.csv", "nobodys-data", id="no-bucket"),
    ],
)
def test_what_is_not_there_is_an_invalid_location(
    cloud: LocalCloud, dataset: str, role: str, key: str, bucket: str
) -> None:
    name = role.rsplit("/", 1)[-1]
    everything = policy(statement("Allow", READING)).replace(BUCKET, "*")
    cloud.client("iam").put_role_policy(
        RoleName=name, PolicyName="reading", PolicyDocument=everything
    )
    assert "Invalid Data location" in imported(cloud, dataset, role, key=key, bucket=bucket)


def test_a_role_for_another_service_is_refused(cloud: LocalCloud, dataset: str, role: str) -> None:
    name = role.rsplit("/", 1)[-1]
    iam = cloud.client("iam")
    iam.put_role_policy(
        RoleName=name, PolicyName="reading", PolicyDocument=policy(statement("Allow", READING))
    )
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust("ec2.amazonaws.com"))
    assert "cannot assume" in imported(cloud, dataset, role)


def test_a_metric_attribution_needs_a_role_that_may_publish_metrics(
    cloud: LocalCloud, dataset: str, role: str
) -> None:
    personalize, iam = cloud.client("personalize"), cloud.client("iam")
    made = {
        "name": "by-role",
        "datasetGroupArn": personalize.describe_dataset(datasetArn=dataset)["dataset"][
            "datasetGroupArn"
        ],
        "metrics": [{"eventType": "buy", "metricName": "m", "expression": "SAMPLECOUNT()"}],
        "metricsOutputConfig": {"roleArn": role},
    }

    def attributed() -> dict[str, Any]:
        """Make the attribution and remove it; return what became of it."""
        arn = personalize.create_metric_attribution(**made)["metricAttributionArn"]

        def settled() -> dict[str, Any] | None:
            answer = personalize.describe_metric_attribution(metricAttributionArn=arn)
            found: dict[str, Any] = answer["metricAttribution"]
            return found if found["status"] in {"ACTIVE", "CREATE FAILED"} else None

        found: dict[str, Any] = wait_until(settled)
        personalize.delete_metric_attribution(metricAttributionArn=arn)
        group = made["datasetGroupArn"]
        wait_until(
            lambda: (
                not personalize.list_metric_attributions(datasetGroupArn=group)[
                    "metricAttributions"
                ]
            )
        )
        return found

    failed = attributed()
    assert failed["status"] == "CREATE FAILED"
    assert "cloudwatch:PutMetricData" in failed["failureReason"]
    allow = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}
    iam.put_role_policy(
        RoleName=role.rsplit("/", 1)[-1],
        PolicyName="publishing",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    assert attributed()["status"] == "ACTIVE"
