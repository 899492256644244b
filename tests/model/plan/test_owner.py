"""Whose a dataset group is, by the tags that AWS's guide shows."""

from __future__ import annotations

from mpe.model.plan.owner import KEY, marked, owner_of, told_template, unmarked

OWN = {"tagKey": "team", "tagValue": "films"}
MARK = {"tagKey": KEY, "tagValue": "Films"}
TEMPLATE = {"tagKey": "aws:cloudformation:stack-name", "tagValue": "Network"}
"""As CloudFormation puts it on what a template has
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html)."""


def test_the_mark_names_the_stack_and_no_other_tag_does() -> None:
    assert owner_of([OWN, MARK, TEMPLATE]) == "Films"
    assert owner_of([OWN, TEMPLATE]) is None


def test_a_users_own_tags_are_neither_the_mark_nor_awss() -> None:
    assert list(unmarked([OWN, MARK, TEMPLATE])) == [OWN]
    assert marked([OWN, MARK, TEMPLATE], "Music") == [OWN, {"tagKey": KEY, "tagValue": "Music"}]


def test_what_a_template_has_is_told_with_the_name_of_its_stack() -> None:
    assert told_template("Campaign", "live", [OWN, MARK]) == ""
    told = told_template("Campaign", "live", [OWN, TEMPLATE])
    assert told.startswith("Campaign live is of the CloudFormation stack Network:")
