"""The versions of solutions: what the ledger knows of them, and what only the service tells."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.models import Model, Models
from mpe.aws.personalize import Missing, Personalize
from mpe.model.gate.versions import Version
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, Ledger

NOWHERE = f"{PLACE}dataset-group/nowhere"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def models(client: Any, ledger: Ledger) -> Models:
    return Models(Personalize(client), ledger)  # type: ignore[arg-type]


@pytest.fixture
def films(build: Builder) -> str:
    group = build.group()
    build.imported(group)
    return group


class Failing:
    """A client to whom one call on one resource is refused."""

    def __init__(self, client: Any, operation: str, arn: str, code: str) -> None:
        self._client, self._operation, self._arn, self._code = client, operation, arn, code

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def called(**params: Any) -> Any:
            if name == self._operation and self._arn in params.values():
                raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, name)
            return call(**params)

        return called


def test_the_newest_version_of_each_solution_comes_first_with_where_it_is_live(
    build: Builder, ledger: Ledger, films: str
) -> None:
    solution = build.solution(films)
    old, new = build.version(solution), build.version(solution)
    for name, version in (("z", new), ("a", new), ("m", old)):
        build.campaign(version, name=name)
    build.version(build.solution(films, name="never-served"))
    found = list(models(build.client, ledger).of("films", films))
    assert [one.version.arn for one in found[:2]] == [new, old]
    assert [one.live for one in found] == [("a", "z"), ("m",), ()]
    assert {one.status for one in found} == {"ACTIVE"}


def test_one_solution_can_be_asked_for(build: Builder, ledger: Ledger, films: str) -> None:
    build.version(build.solution(films))
    wanted = build.version(build.solution(films, name="wanted"))
    found = models(build.client, ledger).of("films", films, "wanted")
    assert [one.version.arn for one in found] == [wanted]


def test_a_version_that_the_ledger_knows_is_told_as_it_was_weighed(
    build: Builder, ledger: Ledger, films: str
) -> None:
    arn = build.version(build.solution(films))
    ledger.weigh("films", Version(arn, {"coverage": 0.25}, rows=17))
    (found,) = models(build.client, ledger).of("films", films)
    assert (found.version.metrics, found.version.rows) == ({"coverage": 0.25}, 17)


def test_of_one_that_it_does_not_know_the_service_tells_metrics_mode_and_hours(
    build: Builder, ledger: Ledger, films: str
) -> None:
    arn = build.version(build.solution(films))
    (found,) = models(build.client, ledger).of("films", films)
    described = build.client.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
    metrics = build.client.get_solution_metrics(solutionVersionArn=arn)["metrics"]
    assert metrics
    assert found.version == Version(
        arn,
        metrics,
        mode="FULL",
        hours=described["trainingHours"],
        created=described["creationDateTime"].isoformat(),
    )


def test_an_update_training_is_told_as_that(build: Builder, ledger: Ledger, films: str) -> None:
    solution = build.solution(films, "user-personalization")
    build.version(solution)
    build.begin_import(f"{PLACE}dataset/films/INTERACTIONS", name="newer")
    build.wait(900)
    build.version(solution, trainingMode="UPDATE")
    found = models(build.client, ledger).of("films", films)
    assert [one.version.mode for one in found] == ["UPDATE", "FULL"]


def test_a_version_that_is_still_trained_has_no_metrics_yet(
    build: Builder, ledger: Ledger, films: str
) -> None:
    solution = build.solution(films)
    build.client.create_solution_version(solutionArn=solution)
    (found,) = models(build.client, ledger).of("films", films)
    assert (found.status, found.version.metrics) == ("CREATE PENDING", {})


def test_a_version_that_goes_meanwhile_is_told_as_it_was_listed(
    build: Builder, ledger: Ledger, films: str
) -> None:
    arn = build.version(build.solution(films))
    going = Failing(build.client, "describe_solution_version", arn, "ResourceNotFoundException")
    (found,) = models(going, ledger).of("films", films)
    assert (found.version.arn, found.version.metrics, found.version.mode) == (arn, {}, "FULL")
    assert found.version.hours is None
    assert datetime.fromisoformat(str(found.version.created)).tzinfo == UTC


def test_a_version_whose_metrics_are_refused_is_told_without_them(
    build: Builder, ledger: Ledger, films: str
) -> None:
    arn = build.version(build.solution(films))
    refusing = Failing(build.client, "get_solution_metrics", arn, "InvalidInputException")
    (found,) = models(refusing, ledger).of("films", films)
    assert (found.version.metrics, bool(found.version.hours)) == ({}, True)


def test_a_campaign_that_goes_meanwhile_serves_nothing_and_the_others_do(
    build: Builder, ledger: Ledger, films: str
) -> None:
    version = build.version(build.solution(films))
    campaigns = [build.campaign(version, name=name) for name in ("a", "b", "c")]
    told: list[tuple[str, ...]] = []
    for gone in campaigns:
        going = Failing(build.client, "describe_campaign", gone, "ResourceNotFoundException")
        found: list[Model] = list(models(going, ledger).of("films", films))
        told.append(found[0].live)
    assert told == [("b", "c"), ("a", "c"), ("a", "b")]


def test_a_group_that_is_not_there_is_missing_and_not_without_versions(
    build: Builder, ledger: Ledger
) -> None:
    with pytest.raises(Missing):
        list(models(build.client, ledger).of("nowhere", NOWHERE))
