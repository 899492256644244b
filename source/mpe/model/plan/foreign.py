"""What in a config belongs to somebody else: another account or region.

The config names almost no resource by its ARN: the workflow fills in the bucket, the role and
what belongs together. What is left is found by the service's own model of each Create
operation, so that a parameter that the service adds is not overlooked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mpe.model.config.sections import Config
from mpe.model.errors import Problem
from mpe.model.plan.desired import Place
from mpe.model.rules import places as rules
from mpe.model.service.operations import ListShape, MapShape, Shape, StructureShape, operation
from mpe.model.service.recipes import partition_of
from mpe.model.service.shapes import member, shown
from mpe.model.service.spec import SPECS

ARN = "Arn"
"""The shape of every ARN of Amazon Personalize in its model; roles and keys have their own."""
_OWN = re.compile(r"arn:([a-z0-9-]+):personalize:([a-z0-9-]+):([0-9]{12}):[A-Za-z0-9_/$-]+")


def foreign(config: Config, place: Place) -> Iterator[Problem]:
    """Yield each ARN in a config that is not of a place's account and region.

    A recipe is the service's own and of no account, named in this partition or as the guide names
    it. The key of a dataset group may be another
    account's, since KMS lets it be shared; the role is the stack's own whatever the config says.
    """
    for noun, section in config.sections():
        shape = operation(SPECS[noun].create).input_shape
        for path, arn in arns(shape, section.params, f"{section.path}.serviceConfig"):
            partition = partition_of(arn)
            if partition and partition not in {"aws", place.partition}:
                yield rules.PARTITION.problem(
                    path,
                    f"{shown(arn)} is of another partition.",
                    f"Begin it with arn:{place.partition}: instead.",
                )
            elif not partition and not _in(arn, place):
                yield rules.FOREIGN.problem(
                    path,
                    f"{shown(arn)} is not of this account and region.",
                    f"Name a resource of the account {place.account} in {place.region}.",
                )


def _in(arn: str, place: Place) -> bool:
    found = _OWN.fullmatch(arn)
    return found is not None and found.groups() == (place.partition, place.region, place.account)


def arns(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the ARNs of the service in a value of a shape, each with its path."""
    match shape:
        case StructureShape() if isinstance(value, Mapping):
            for name in shape.members.keys() & value.keys():
                yield from arns(shape.members[name], value[name], member(path, name))
        case MapShape() if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from arns(shape.value, inner, member(path, str(key)))
        case ListShape() if isinstance(value, list | tuple):
            for index, inner in enumerate(value):
                yield from arns(shape.member, inner, f"{path}[{index}]")
        case _ if shape.name == ARN and isinstance(value, str):
            yield path, value
