"""Whatever call goes wrong, a run ends the same or tells so: a sample of the fault campaign."""

from __future__ import annotations

import pytest

from mpe.assembly.synthesis import Assembly
from mpe.local.faults import Fault, Kind
from tests.local.campaign import Campaign, Case, Lab, Life, Site, calls_of, cases_of, judge, lab

pytestmark = pytest.mark.local

SAMPLE, SEED = 20, 2026


def test_a_sample_of_all_faults_leads_to_the_same_end(assembly: Assembly) -> None:
    """``make faults`` tries all of them."""
    with lab(assembly) as running:
        sites, clean = calls_of(Life(running, "clean"))
        assert {site.service for site in sites} == {
            "personalize",
            "s3",
            "dynamodb",
            "states",
            "scheduler",
            "events",
            "sns",
        }
        waiting = cases_of(sites, SAMPLE, SEED)
        verdicts = Campaign(running, clean, waiting).run(at_once=8)
        assert not [one for one in verdicts if one.violation]
        assert len(verdicts) == SAMPLE
        _a_violation_is_seen(running, clean)


def _a_violation_is_seen(running: Lab, clean: dict[str, dict[str, object]]) -> None:
    """What a life should not end like is told: here, with one schedule too many."""
    life = Life(running, "spoilt")
    site = Site("provision", "Configure", "states", "StartExecution", 1)
    name = {"Name": "spoilt-besides", "GroupName": running.cloud.outputs["ScheduleGroup"]}
    running.client("scheduler").create_schedule(
        **name,
        ScheduleExpression="rate(365 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": running.cloud.outputs["TaskWorkflow"], "RoleArn": "arn:aws:iam::0:role/r"},
    )
    fault = Fault("Configure", "states", "StartExecution", 1, Kind.KILLED_AFTER)
    verdict = judge(life, Case(site, fault), clean)
    running.client("scheduler").delete_schedule(**name)
    assert verdict.violation
    assert "spoilt" not in verdict.outcome
    assert "GROUP-besides" in verdict.outcome
