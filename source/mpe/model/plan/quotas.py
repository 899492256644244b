"""Quotas: which of them waiting frees, and which only a deletion or a higher quota does.

The service has one error for all of them, ``LimitExceededException``, which its API reference
calls a limit of requests per second. Its words tell more: the guide's examples are "More than 5
resources with PENDING or IN_PROGRESS status." and "Cannot create a campaign. More than 5 resources
in ACTIVE state. Please delete some and try again."
(https://docs.aws.amazon.com/personalize/latest/dg/limits.html; the words are those of
https://docs.aws.amazon.com/personalize/latest/dg/error-messages.html).
"""

from __future__ import annotations

import re

from mpe.model.service.spec import ResourceSpec

LIMIT = "LimitExceededException"
COUNTED = re.compile(r"More than (\d+) ")
UNDER_WAY = re.compile(r"PENDING|IN_PROGRESS|IN PROGRESS")
DEFAULTS = {"DatasetGroup": 5, "Schema": 500, "Solution": 10, "Filter": 30, "Recommender": 5}
"""How many there may be where nobody asked for more: of an account and Region, or of a group."""
OF_ACCOUNT = frozenset({"DatasetGroup", "Schema"})
OTHER_WORDS = 10 * 60
"""Seconds for which a refusal in other words may be a rate of requests, of what is no job."""


def for_good(spec: ResourceSpec, code: str, message: str, waited: float) -> bool:
    """Tell whether a creation was refused for a quota that no waiting frees.

    Of jobs and versions so many may be at work, so that the turn of the next one comes, unless
    none may be. Words that are not known are waited for; where the type has no such quota, only
    as long as a rate of requests could matter.
    """
    if code != LIMIT:
        return False
    counted = COUNTED.search(message)
    if counted and UNDER_WAY.search(message):
        return int(counted[1]) == 0
    if counted or "delete some" in message:
        return not spec.repeatable or (counted is not None and int(counted[1]) == 0)
    return not spec.repeatable and waited >= OTHER_WORDS


def beyond(noun: str, there: int, made: int) -> str:
    """Say that so many more than there are may be too many; nothing where they are not."""
    most = DEFAULTS.get(noun)
    if most is None or there + made <= most:
        return ""
    where = "an account has in a Region" if noun in OF_ACCOUNT else "a dataset group has"
    return (
        f"{where} {most} of the type {noun} unless you asked for more, and there are {there} "
        f"beside the {made} that the config would make: delete some that are not needed, or ask "
        "for a higher quota in Service Quotas."
    )
