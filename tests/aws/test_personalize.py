"""Amazon Personalize through its client: what updates must say, and what errors mean."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from mpe.aws.personalize import Busy, Missing, Personalize, Refused, ServiceError
from mpe.emulator import FakeClock
from mpe.model.plan.desired import Desired
from mpe.model.service.spec import SPECS
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, World
from tests.handlers.test_ensure import world as world


def following(version: str, group: str, **config: Any) -> Desired:
    """Return a campaign that follows its solution."""
    solution = version.rsplit("/", 1)[0]
    params = {
        "name": "live",
        "solutionVersionArn": f"{solution}/$LATEST",
        "campaignConfig": {"syncWithLatestSolutionVersion": True, **config},
    }
    arn = f"{PLACE}campaign/live"
    return Desired("c", "Campaign", "live", "$.c", params, arn=arn, parent=solution, group=group)


def test_a_campaign_is_switched_to_follow_its_solution(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    version = build.version(build.solution(group))
    build.campaign(version, name="live")
    assert world.follow(following(version, group)).did == "updated"
    found = build.client.describe_campaign(campaignArn=f"{PLACE}campaign/live")["campaign"]
    assert found["campaignConfig"]["syncWithLatestSolutionVersion"]
    assert found["solutionVersionArn"].endswith("/$LATEST")
    assert world.follow(following(version, group)).did == "kept"


def test_a_campaign_that_follows_is_changed_otherwise(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    version = build.version(build.solution(group))
    assert world.follow(following(version, group)).did == "created"
    changed = following(version, group, enableMetadataWithRecommendations=True)
    assert world.follow(changed).did == "updated"


@dataclass
class Answering:
    """A client of Amazon Personalize whose every call is answered so."""

    status: int
    body: bytes

    @property
    def client(self) -> Any:
        client = boto3.client(
            "personalize",
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
            config=Config(retries={"max_attempts": 0}),
        )
        client.meta.events.register("before-send", self._answer)
        return client

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        return Raw(request.url, self.status, {}, self.body)


class Raw(AWSResponse):
    """An answer that has been read."""

    def __init__(self, url: str, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(url, status, headers, None)
        self._body = body

    @property
    def content(self) -> bytes:
        return self._body


def told(status: int, body: bytes) -> ServiceError:
    """Return what is made of an answer."""
    with pytest.raises(ServiceError) as raised:
        Personalize(Answering(status, body).client).described(SPECS["Schema"], PLACE)
    return raised.value


def coded(code: str) -> bytes:
    """Return the body of an error with a code."""
    return json.dumps({"__type": code, "message": "x"}).encode()


PAGE = b"<html><body><h1>503 Service Unavailable</h1></body></html>"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(503, PAGE, Busy, id="a-page"),
        pytest.param(500, b"", Busy, id="nothing"),
        pytest.param(502, b"", Busy, id="a-bad-gateway"),
        pytest.param(500, coded("InternalServerException"), Busy, id="internal"),
        pytest.param(503, coded("ServiceUnavailableException"), Busy, id="unavailable"),
        pytest.param(500, coded("UnheardOfException"), Busy, id="a-code-that-is-not-known"),
        pytest.param(400, coded("ThrottlingException"), Busy, id="a-throttle"),
        pytest.param(400, coded("InvalidInputException"), Refused, id="a-wrong-call"),
        pytest.param(400, coded("ResourceNotFoundException"), Missing, id="nothing-there"),
        pytest.param(501, coded("NotImplementedException"), Refused, id="not-implemented"),
    ],
)
def test_an_error_of_the_service_passes_and_one_of_the_call_does_not(
    status: int, body: bytes, kind: type[ServiceError]
) -> None:
    assert type(told(status, body)) is kind


class Unavailable:
    """A service that answers with a page for a while."""

    def __init__(self, client: Any, clock: FakeClock, seconds: float) -> None:
        self._client, self._clock = client, clock
        self._until = clock().timestamp() + seconds

    def __getattr__(self, name: str) -> Any:
        if self._clock().timestamp() >= self._until:
            return getattr(self._client, name)

        def refuse(**_: Any) -> None:
            broken = {"Error": {"Code": "503", "Message": "Service Unavailable"}}
            raise ClientError({**broken, "ResponseMetadata": {"HTTPStatusCode": 503}}, name)

        return refuse


def test_a_service_that_is_unavailable_for_a_while_fails_nothing(
    world: World, build: Builder
) -> None:
    asked = Unavailable(world.emulated.client, world.emulated.clock, 600)
    world.ensure = replace(world.ensure, personalize=Personalize(asked))
    group = Desired(
        "g",
        "DatasetGroup",
        "films",
        "$.g",
        {"name": "films"},
        arn=f"{PLACE}dataset-group/films",
    )
    outcome = world.follow(group)
    assert (outcome.did, outcome.failed) == ("created", None)


class Unseen:
    """A client to whom the service does not yet describe one resource, which it lists."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client, self._arn = client, arn

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if not name.startswith("describe"):
            return call

        def described(**params: Any) -> Any:
            if self._arn in params.values():
                error = {"Code": "ResourceNotFoundException", "Message": "not there"}
                raise ClientError({"Error": error}, name)
            return call(**params)

        return described


def test_a_version_that_is_listed_and_not_described_yet_is_waited_for(build: Builder) -> None:
    """Found by the fault campaign: the run went on with the older model, and told nobody."""
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    older, newer = build.version(solution), build.version(solution)
    desired = Desired("v", "SolutionVersion", "", "$.v", {}, parent=solution, group=group)
    found = Personalize(build.client).observe(desired)
    assert found is not None
    assert found.arn == newer
    with pytest.raises(Busy, match="is listed, but not found yet"):
        Personalize(Unseen(build.client, newer)).observe(desired)
    found = Personalize(Unseen(build.client, older)).observe(desired)
    assert found is not None
    assert found.arn == newer
