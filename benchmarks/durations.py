"""What waiting adds where jobs take as long as in public: ``python -m benchmarks.durations``.

Each draw is an account in which nothing ever ran: a run of one group, or ten, in each of which all
is made anew, then the first run of another group. The law's constants were chosen on other seeds
of the same sets. The waits are those of the functions themselves; beside them, on the same draws,
are the law of the AWS solution's retries, a fixed wait, and an oracle.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import mean
from typing import Any, Protocol

from benchmarks import former_waits
from benchmarks.drawn import SETS, Part, Took, draw, longest_chain
from benchmarks.waiting import CALL, STATE, Law, Ran, Run
from mpe.model.plan.waits import CREATED, expected, next_wait, remembered
from mpe.model.service.spec import SPECS

DRAWS = {3: 300, 10: 100}
"""Accounts that are drawn, by the number of solutions."""
RUNS = 10
"""Runs of the same group."""
LIVES = 34
"""In how many of the accounts there are so many, which makes 306 that are not the first; one in the
others."""
USED = 1
"""How many of the solutions have a campaign and a batch job."""
GROWN = {1: 200, 10: 60, 100: 10}
"""Accounts that are drawn where each of so many solutions has a campaign and a batch job."""
FRESH = 30_000
"""The first seed: the law's constants were chosen on lower ones."""
OTHERS_SEEDS = 10**6
"""By how much the seed of the other group is higher."""
ROUNDING = 1e-6
"""Seconds that outweigh what is lost by adding floats."""
SITUATIONS = ("first run", "2nd to 10th run", "another group")


class Account(Law, Protocol):
    """A law that keeps what it learns of one group apart from what it learns of another."""

    group: str
    solutions: int
    """How many the group has."""


@lru_cache(100_000)  # what nothing is known of is looked at at the same moments in every draw
def _wait(
    elapsed: float, noun: str, own: Sequence[float], others: Sequence[float], together: int
) -> int:
    return next_wait(elapsed, expected(SPECS[noun], CREATED, own, others), together=together)


@dataclass
class Ours:
    """Our law, with a ledger in memory."""

    group: str = ""
    states: int = 3
    solutions: int = 3
    used: int = USED
    known: dict[tuple[str, Part], tuple[float, ...]] = field(default_factory=dict)
    usual: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        own = self.known.get((self.group, part), ())
        others = () if own else self.usual.get(part[0], ())
        return _wait(elapsed, part[0], own, others, self.together(part))

    def together(self, part: Part) -> int:
        """Return how many must all be done before anything goes on, as the desired state tells."""
        noun, number = part
        if noun in {"Dataset", "DatasetImportJob"}:
            return 3
        return self.solutions if noun == "SolutionVersion" and number >= self.used else 1

    def learn(self, part: Part, took: float) -> None:
        mine = self.group, part
        self.known[mine] = remembered(self.known.get(mine, ()), took)
        self.usual[part[0]] = remembered(self.usual.get(part[0], ()), took)


@dataclass
class Former:
    """Our law before that, which kept one last duration."""

    group: str = ""
    solutions: int = 3
    states: int = 3
    known: dict[tuple[str, Part], float] = field(default_factory=dict)
    usual: dict[str, float] = field(default_factory=dict)

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        usual = self.usual.get(part[0], former_waits.TYPICAL[part[0]])
        known = self.known.get((self.group, part))
        return former_waits.next_wait(elapsed, usual=usual, known=known)

    def learn(self, part: Part, took: float) -> None:
        self.known[self.group, part] = self.usual[part[0]] = round(took, 1)


@dataclass
class Growing:
    """60 s, then 2 % more after each look, 100 s at most: the AWS solution's retries.

    After 5.2 hours of them it gives up. A retry is one state, and what is ready at once waits for
    nothing.
    """

    group: str = ""
    solutions: int = 3
    states: int = 1
    looks: dict[Part, int] = field(default_factory=lambda: defaultdict(int))
    patience = 5.2 * 3600

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        if elapsed > self.patience:
            return math.inf
        self.looks[part] += 1
        return min(60 * 1.02 ** (self.looks[part] - 1), 100) if took else 0

    def learn(self, part: Part, took: float) -> None:
        del self.looks[part]


@dataclass
class Fixed:
    """Always two minutes, but for what is ready at once."""

    group: str = ""
    solutions: int = 3
    states: int = 3

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        return 120 if took else 0

    def learn(self, part: Part, took: float) -> None:
        """Learn nothing."""


@dataclass
class Oracle:
    """Looks once, when it is done."""

    group: str = ""
    solutions: int = 3
    states: int = 3

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        return max(0.0, took - elapsed - CALL - self.states * STATE + ROUNDING)

    def learn(self, part: Part, took: float) -> None:
        """Learn nothing."""


LAWS: Mapping[str, Callable[[], Account]] = {
    "ours": Ours,
    "ours before": Former,
    "60 s × 1.02ⁿ": Growing,
    "120 s": Fixed,
    "an oracle": Oracle,
}


def life(name: str, seed: int, solutions: int) -> Iterator[tuple[str, str, Took]]:
    """Yield the runs of one account: the situation, the group, and what its jobs take."""
    first = draw(
        name, FRESH + seed, runs=RUNS if seed < LIVES else 1, solutions=solutions, used=USED
    )
    for number, took in enumerate(first):
        yield SITUATIONS[min(number, 1)], "one", took
    (other,) = draw(name, FRESH + seed + OTHERS_SEEDS, runs=1, solutions=solutions, used=USED)
    yield SITUATIONS[2], "another", other


def lived(law: Account, name: str, seed: int, solutions: int) -> Iterator[tuple[str, Took, Ran]]:
    for situation, group, took in life(name, seed, solutions):
        law.group, law.solutions = group, solutions
        yield situation, took, Run(took, law)()


def of_law(make: Callable[[], Account], name: str, solutions: int, draws: int) -> dict[str, Any]:
    """Return the figures of a law by situation."""
    found: dict[str, list[tuple[Took, Ran]]] = {situation: [] for situation in SITUATIONS}
    for seed in range(draws):
        for situation, took, ran in lived(make(), name, seed, solutions):
            found[situation].append((took, ran))
    return {situation: _figures(runs) for situation, runs in found.items()}


def _figures(runs: Sequence[tuple[Took, Ran]]) -> dict[str, Any]:
    """Return the figures of many runs; what gave up adds no seconds, and is counted."""
    whole = [(took, ran) for took, ran in runs if not ran.gave_up]
    added = sorted(ran.seconds - longest_chain(took) for took, ran in whole)
    return {
        "mean_added_seconds": round(mean(added), 1),
        "p95_added_seconds": round(added[math.ceil(0.95 * len(added)) - 1], 1),
        "most_added_seconds": round(added[-1], 1),
        "looks": round(mean(ran.looks for _, ran in whole)),
        "state_transitions": round(mean(ran.transitions for _, ran in whole)),
        "runs": len(runs),
        "gave_up": len(runs) - len(whole),
    }


def measure(sets: Iterable[str] = SETS) -> dict[str, Any]:
    """Return the figures by set, number of solutions, law and situation."""
    return {
        name: {
            str(solutions): {
                law: of_law(make, name, solutions, draws) for law, make in LAWS.items()
            }
            for solutions, draws in DRAWS.items()
        }
        for name in sets
    }


def growth(sets: Iterable[str] = SETS) -> dict[str, Any]:
    """Return the figures of our law's first runs by set and number of solutions, all of them used.

    The service makes all at once here; its quotas are another matter.
    """
    return {
        name: {str(count): _grown(name, count, draws) for count, draws in GROWN.items()}
        for name in sets
    }


def _grown(name: str, solutions: int, draws: int) -> dict[str, Any]:
    runs = []
    for seed in range(FRESH, FRESH + draws):
        (took,) = draw(name, seed, runs=1, solutions=solutions, used=solutions)
        runs.append((took, Run(took, Ours(solutions=solutions, used=solutions))()))
    return _figures(runs)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=", ".join(SETS))
    print(json.dumps(measure(parser.parse_args(arguments).sets), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
