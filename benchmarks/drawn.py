"""How long Amazon Personalize takes in public, and draws from it.

The medians are of durations in the kept outputs of public notebooks: of the times that Describe
answered there, in some 45 repositories, most of them with small data. Job by job, 56 of them:

=============  ===  ===============  ======
job            n    range, s         median
=============  ===  ===============  ======
dataset group  5    20 to 50         28
dataset        3    15 to 30         20
import         18   120 to 1,200     390
training       15   1,037 to 3,420   2,372
campaign       6    480 to 660       586
batch job      8    480 to 1,620     780
schema change  1    108              108
=============  ===  ===============  ======

The same resource varied from one time to the next by about 3 % in its training and by 15 to 20 %
in its batch jobs. Nothing was found of large data, of recommenders or of campaigns' updates, so
:data:`SETS` has a set that is as published, one of longer jobs as this project guessed them
before it knew better, and one of large data, which nobody has measured.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Lognormal:
    """A median in seconds, and standard deviations of the logarithm."""

    median: float
    between: float
    """From one resource to another."""
    within: float
    """From one time to the next of the same resource."""


def _set(**jobs: tuple[float, float, float]) -> dict[str, Lognormal]:
    return {noun: Lognormal(*figures) for noun, figures in jobs.items()}


SETS: Mapping[str, Mapping[str, Lognormal]] = {
    "samples": _set(
        DatasetGroup=(28, 0.2, 0.15),
        Dataset=(22, 0.3, 0.2),
        DatasetImportJob=(330, 0.45, 0.15),
        SolutionVersion=(2_250, 0.36, 0.06),
        Campaign=(600, 0.15, 0.06),
        BatchInferenceJob=(960, 0.33, 0.15),
    ),
    "guesses": _set(
        DatasetGroup=(30, 0.2, 0.15),
        Dataset=(60, 0.3, 0.2),
        DatasetImportJob=(900, 0.3, 0.15),
        SolutionVersion=(3_600, 0.36, 0.06),
        Campaign=(600, 0.15, 0.06),
        BatchInferenceJob=(1_200, 0.33, 0.15),
    ),
    "large": _set(
        DatasetGroup=(30, 0.2, 0.15),
        Dataset=(30, 0.3, 0.2),
        DatasetImportJob=(2_400, 0.4, 0.12),
        SolutionVersion=(9_000, 0.5, 0.06),
        Campaign=(700, 0.2, 0.08),
        BatchInferenceJob=(2_700, 0.4, 0.12),
    ),
}
"""Durations of new resources by set and noun."""
SOLUTION = 0.0
"""Seconds that a solution itself takes: it is ready at once, in the outputs within a second."""

Part = tuple[str, int]
"""A noun, and which of the group's resources of that type it is."""
Took = Mapping[Part, float]
"""Seconds that the service takes for each of a group's resources in one run."""


def parts(solutions: int, used: int) -> Iterator[Part]:
    """Yield everything of a group that takes its time: three datasets, and so many solutions."""
    yield "DatasetGroup", 0
    for number in range(3):
        yield "Dataset", number
        yield "DatasetImportJob", number
    for number in range(solutions):
        yield "Solution", number
        yield "SolutionVersion", number
        if number < used:
            yield "Campaign", number
            yield "BatchInferenceJob", number


def draw(name: str, seed: int, *, runs: int, solutions: int, used: int) -> list[Took]:
    """Return how long everything of one new group takes, in each of so many runs of it."""
    chance = random.Random(f"{name} {seed}")
    jobs = SETS[name]
    own = {part: _spread(chance, jobs, part) for part in parts(solutions, used)}
    return [{part: _once(chance, jobs, part, own[part]) for part in own} for _ in range(runs)]


def _spread(chance: random.Random, jobs: Mapping[str, Lognormal], part: Part) -> float:
    """Return what a resource takes at the median, a solution always the same."""
    job = jobs.get(part[0])
    return job.median * math.exp(chance.gauss(0, job.between)) if job else SOLUTION


def _once(chance: random.Random, jobs: Mapping[str, Lognormal], part: Part, median: float) -> float:
    job = jobs.get(part[0])
    return median * math.exp(chance.gauss(0, job.within)) if job else median


def longest_chain(took: Took) -> float:
    """Return what the service itself takes for what must come one after the other.

    No import begins before all datasets are there, which is so in the workflow, not in the service.
    """
    return _data_there(took) + _slowest(took, "DatasetImportJob") + _after_data(took)


def last_end(groups: Sequence[Took], at_once: int) -> float:
    """Return when the service is done with groups that begin together, and that nobody is late in.

    It makes so many imports at a time: next those of the group whose datasets have been there for
    longest, and everything else at once.
    """
    free, last = [0.0] * at_once, 0.0
    for took in sorted(groups, key=_data_there):
        imported = 0.0
        for seconds in _of(took, "DatasetImportJob").values():
            end = max(heapq.heappop(free), _data_there(took)) + seconds
            heapq.heappush(free, end)
            imported = max(imported, end)
        last = max(last, imported + _after_data(took))
    return last


def _data_there(took: Took) -> float:
    return _slowest(took, "DatasetGroup") + _slowest(took, "Dataset")


def _after_data(took: Took) -> float:
    trained = ("Solution", "SolutionVersion")
    uses = [noun for noun in ("Campaign", "BatchInferenceJob") if _of(took, noun)]
    alone = _slowest(took, *trained)
    return max((_slowest(took, *trained, use) for use in uses), default=alone)


def _slowest(took: Took, *chain: str) -> float:
    """Return the longest sum over the resources of the same number."""
    numbers = _of(took, chain[0])
    return max(sum(took.get((noun, number), 0.0) for noun in chain) for number in numbers)


def _of(took: Took, noun: str) -> dict[int, float]:
    return {number: seconds for (each, number), seconds in took.items() if each == noun}
