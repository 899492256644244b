"""What a deletion of users must not run beside, whoever began it."""

from __future__ import annotations

import pytest

from mpe.aws.exclusion import Exclusion
from mpe.aws.personalize import Busy, Personalize
from mpe.model.plan.desired import Desired
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.emulator.test_jobs import INPUT, job, lines

DELETION = Desired("deletion", "DataDeletionJob", "d", "$.d", {})


def check(build: Builder, group: str, desired: Desired = DELETION) -> None:
    Exclusion(Personalize(build.client)).check(desired, group)


def version_of(build: Builder, name: str) -> tuple[str, str]:
    """Return a dataset group and a trained version in it."""
    group = build.group(name)
    build.begin_import(build.dataset(group, name=name), name=name)
    build.wait(900)
    return group, build.version(build.solution(group, "item-affinity", name=name))


@pytest.fixture
def films(build: Builder) -> tuple[str, str]:
    return version_of(build, "films")


def test_where_all_is_done_nothing_is_in_the_way(build: Builder, films: tuple[str, str]) -> None:
    check(build, films[0])


def test_a_training_is_in_the_way(build: Builder, films: tuple[str, str]) -> None:
    group, version = films
    build.client.create_solution_version(solutionArn=version.rpartition("/")[0])
    with pytest.raises(Busy, match=r"^the SolutionVersion films/\w+ is CREATE PENDING, and a "):
        check(build, group)


def test_an_import_is_in_the_way(build: Builder, films: tuple[str, str]) -> None:
    build.begin_import(f"{films[0].replace('dataset-group', 'dataset')}/INTERACTIONS", name="next")
    with pytest.raises(Busy, match="the DatasetImportJob next is CREATE PENDING"):
        check(build, films[0])


def test_a_batch_job_is_in_the_way_in_its_own_group_alone(
    build: Builder, films: tuple[str, str]
) -> None:
    """A job's summary names its version, which is of a solution of the group."""
    other, _ = version_of(build, "series")
    build.emulated.objects.objects[INPUT] = lines({"itemId": "i1"})
    build.client.create_batch_segment_job(**job(films[1]))
    with pytest.raises(Busy, match="the BatchSegmentJob job is CREATE PENDING"):
        check(build, films[0])
    check(build, other)
    build.wait(3600)
    check(build, films[0])


def test_where_there_is_no_group_nothing_is_in_the_way(build: Builder) -> None:
    check(build, "arn:aws:personalize:us-east-1:000000000000:dataset-group/none")


def test_what_need_not_be_apart_is_not_looked_for(build: Builder, films: tuple[str, str]) -> None:
    build.client.create_solution_version(solutionArn=films[1].rpartition("/")[0])
    check(build, films[0], Desired("c", "Campaign", "c", "$.c", {}))
