"""What goes with the stack and what stays, each with its reason.

CloudFormation deletes what the template says nothing of
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html);
where CDK or we say something, it is listed here.
"""

from __future__ import annotations

import re
from typing import Any

Template = dict[str, Any]

DELETION, REPLACED = "DeletionPolicy", "UpdateReplacePolicy"
DATA = "users' data, and the only record of what was done to it"
FOR_GOOD = "encrypted dataset groups use their key through it for good"
STAYS = {
    "Data": DATA,
    "DataAccessLogs": "who read and wrote the data, which is asked when the stack may be gone",
    "Turns": DATA,
    "Ledger": DATA,
    "SchedulesTasks": DATA,
    "ServiceRole": FOR_GOOD,
    "ServiceRoleDefaultPolicy": FOR_GOOD,
    "ServiceRoleUseKey": FOR_GOOD,
}
GOES = {
    r"\w*Logs": "logs of what is gone; a year's retention else",
    r"Provisioning(Solution)?Machine|ScheduledTasksMachine": "a workflow can be made anew",
    "Undelivered": "its events are of no use to a stack that is gone",
    "NotificationsKey": "it encrypts messages on their way, and a topic keeps none",
    "SchedulesGroup": "its schedules go with it, and would else fire for ever at nothing",
}


def policies(template: Template) -> dict[str, tuple[str | None, str | None]]:
    """Return the policies of each resource that has one, without the digest in its name."""
    return {
        re.sub(r"[0-9A-F]{8}$", "", name): (one.get(DELETION), one.get(REPLACED))
        for name, one in template["Resources"].items()
        if DELETION in one or REPLACED in one
    }


def test_what_stays_is_what_has_a_reason_to(template: Template) -> None:
    found = policies(template)
    stays = {name for name, said in found.items() if "Retain" in said}
    assert stays == STAYS.keys()
    assert {found[name] for name in stays} == {("Retain", "Retain")}


def test_what_goes_is_what_has_a_reason_to(template: Template) -> None:
    for name, said in policies(template).items():
        if name not in STAYS:
            assert said == ("Delete", "Delete"), name
            assert [one for one in GOES if re.fullmatch(one, name)], name


def test_no_policy_of_a_role_that_stays_goes(template: Template) -> None:
    """A role that stays without what it may do is of no use."""
    for name, one in template["Resources"].items():
        if one["Type"] == "AWS::IAM::Policy" and "ServiceRole" in str(one["Properties"]["Roles"]):
            assert one["DeletionPolicy"] == "Retain", name
