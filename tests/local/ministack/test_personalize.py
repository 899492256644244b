"""Amazon Personalize at MiniStack's endpoint, and who may call it."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from mpe.local.cloud import LocalCloud
from tests.local.ministack.conftest import Alone

pytestmark = pytest.mark.local


def test_personalize_answers_at_the_one_endpoint(cloud: LocalCloud) -> None:
    recipes = cloud.client("personalize").list_recipes(maxResults=100)["recipes"]
    assert "aws-user-personalization-v2" in {one["name"] for one in recipes}


def test_the_runtime_answers_at_the_same_endpoint(cloud: LocalCloud) -> None:
    runtime = cloud.client("personalize-runtime")
    with pytest.raises(runtime.exceptions.ResourceNotFoundException):
        runtime.get_recommendations(
            campaignArn="arn:aws:personalize:us-east-1:000000000000:campaign/none", userId="u"
        )


CALLS = {
    "personalize": ("list_recipes", {}),
    "personalize-runtime": (
        "get_recommendations",
        {"campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/none", "userId": "u"},
    ),
    "personalize-events": (
        "put_events",
        {"trackingId": "t", "sessionId": "s", "eventList": [{"eventType": "e", "sentAt": 1}]},
    ),
}


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize(
    ("secret", "code"),
    [
        pytest.param({}, "AccessDeniedException", id="a-user-who-may-nothing"),
        pytest.param(
            {"aws_secret_access_key": "wrong"}, "InvalidSignatureException", id="a-wrong-secret"
        ),
    ],
)
def test_each_of_the_services_knows_its_callers(
    cloud: LocalCloud, nobody: dict[str, str], service: str, secret: dict[str, str], code: str
) -> None:
    operation, parameters = CALLS[service]
    client = boto3.client(
        service, endpoint_url=cloud.endpoint, region_name=cloud.region, **{**nobody, **secret}
    )
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == code


def test_alone_there_is_no_personalize(alone: Alone) -> None:
    with pytest.raises((ClientError, ResponseParserError)):
        alone.client("personalize").list_recipes()
