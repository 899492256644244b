"""A run that was stopped makes nothing any more that another run makes as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mpe.assembly.synthesis import Assembly
from mpe.local.cloud import LocalCloud
from mpe.local.faults import Fault, Kind
from tests.conftest import BRIEF
from tests.local.campaign import Lab
from tests.local.conftest import CSV, User, small, wait_until

pytestmark = pytest.mark.local
SPEED = 100.0
"""A turn is given back a minute after its run was stopped, since a function may go on for as long,
at whatever speed. Who waits for it asks meanwhile, at the usual speed of tests dozens of times in
a second."""


@pytest.fixture(scope="module")
def cloud(assembly: Assembly) -> Iterator[LocalCloud]:
    with LocalCloud(speed=SPEED, assembly=assembly, durations=BRIEF) as running:
        yield running


def test_a_run_that_is_stopped_in_the_middle_of_a_training_leads_to_one_training(
    cloud: LocalCloud,
) -> None:
    user = User(cloud, "halted")
    fault = Fault("EnsureSolutionVersion", "personalize", "CreateSolutionVersion", 1, Kind.HELD)
    lab = Lab(cloud)
    lab.watch("halted", fault)
    user.put("interactions.csv", CSV)
    user.upload(small("halted"))
    wait_until(lambda: lab.report("halted")["hits"])
    (run,) = user.executions()
    cloud.client("stepfunctions").stop_execution(executionArn=run["executionArn"])
    user.upload(small("halted"))

    assert user.wait_for_run(2) == "SUCCEEDED", user.mail(2)[-1]["body"]
    versions = cloud.client("personalize").list_solution_versions(
        solutionArn=user.arn("solution/halted-popular")
    )["solutionVersions"]
    assert [one["status"] for one in versions] == ["ACTIVE"]
