"""Which stack maintains a dataset group: its name, in a tag on the group.

Names of resources are an account's, so that two stacks can mean the same dataset group. Nothing
but the service knows of both. A group without a mark is nobody's, and whoever maintains it marks
it. A tag is of up to 256 letters, digits and some signs, as a stack's name is
(https://docs.aws.amazon.com/personalize/latest/dg/API_Tag.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

KEY = "mpe:stack"
RESERVED = "aws:"
"""What the keys of AWS's own tags begin with
(https://docs.aws.amazon.com/personalize/latest/dg/tagging-resources.html)."""
CLOUDFORMATION = "aws:cloudformation:stack-name"
"""The tag that CloudFormation puts on what a template has
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html)."""


def owner_of(tags: Iterable[Mapping[str, str]]) -> str | None:
    """Return the stack that a dataset group's tags name."""
    return next((one["tagValue"] for one in tags if one["tagKey"] == KEY), None)


def marked(tags: Iterable[Mapping[str, str]], stack: str) -> list[Mapping[str, str]]:
    """Return tags with the mark of a stack, in the place of any other."""
    return [*unmarked(tags), {"tagKey": KEY, "tagValue": stack}]


def unmarked(tags: Iterable[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
    """Return the tags that are the user's own."""
    return [one for one in tags if one["tagKey"] != KEY and not one["tagKey"].startswith(RESERVED)]


def told_template(noun: str, name: str, tags: Iterable[Mapping[str, str]]) -> str:
    """Warn of what a CloudFormation template has as well; nothing where none has it."""
    stacks = [one["tagValue"] for one in tags if one["tagKey"] == CLOUDFORMATION]
    if not stacks:
        return ""
    return (
        f"{noun} {name} is of the CloudFormation stack {stacks[0]}: its next update brings it back "
        "to what the template says, whatever a run or a gate has moved it to, and its deletion "
        "deletes it. Take it out of the template, with DeletionPolicy: Retain."
    )


def maintained_by(group: str, owner: str) -> str:
    """Say whose a dataset group is."""
    return f"the dataset group {group} is maintained by the stack {owner}"
