"""What waiting adds where jobs take as long as in public: ``python -m benchmarks.durations``.

Each draw is an account in which nothing ever ran: ten runs of one group, in each of which all is
made anew, then the first run of another group. Nothing was tuned to these seeds. The waits are
those of the functions themselves; beside them, on the same draws, are the law of the AWS
solution's retries, a fixed wait, and an oracle.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, Protocol

from benchmarks.drawn import SETS, Part, Took, draw, longest_chain
from benchmarks.waiting import CALL, STATE, Law, Ran, Run
from mpe.model.plan.waits import CREATED, next_wait, typical
from mpe.model.service.spec import SPECS

DRAWS = 300
SOLUTIONS = (3, 10)
RUNS = 10
"""Runs of the same group."""
OTHERS_SEEDS = 10**6
"""By how much the seed of the other group is higher."""
ROUNDING = 1e-6
"""Seconds that outweigh what is lost by adding floats."""
SITUATIONS = ("first run", "2nd to 10th run", "another group")


class Account(Law, Protocol):
    """A law that keeps what it learns of one group apart from what it learns of another."""

    group: str


@dataclass
class Ours:
    """Our law, with a ledger in memory."""

    group: str = ""
    states: int = 3
    known: dict[tuple[str, Part], float] = field(default_factory=dict)
    usual: dict[str, float] = field(default_factory=dict)

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        known = self.known.get((self.group, part))
        usual = self.usual.get(part[0], typical(SPECS[part[0]], CREATED))
        return next_wait(elapsed, usual=usual, known=known)

    def learn(self, part: Part, took: float) -> None:
        self.known[self.group, part] = self.usual[part[0]] = round(took, 1)


@dataclass
class Growing:
    """60 s, then 2 % more after each look, 100 s at most: the AWS solution's retries.

    After 5.2 hours of them it gives up. A retry is one state, and what is ready at once waits for
    nothing.
    """

    group: str = ""
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
    states: int = 3

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        return 120 if took else 0

    def learn(self, part: Part, took: float) -> None:
        """Learn nothing."""


@dataclass
class Oracle:
    """Looks once, when it is done."""

    group: str = ""
    states: int = 3

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        return max(0.0, took - elapsed - CALL - self.states * STATE + ROUNDING)

    def learn(self, part: Part, took: float) -> None:
        """Learn nothing."""


LAWS: Mapping[str, Callable[[], Account]] = {
    "ours": Ours,
    "60 s × 1.02ⁿ": Growing,
    "120 s": Fixed,
    "an oracle": Oracle,
}


def life(name: str, seed: int, solutions: int) -> Iterator[tuple[str, str, Took]]:
    """Yield the runs of one account: the situation, the group, and what its jobs take."""
    first = draw(name, seed, runs=RUNS, solutions=solutions, used=1)
    for number, took in enumerate(first):
        yield SITUATIONS[min(number, 1)], "one", took
    (other,) = draw(name, seed + OTHERS_SEEDS, runs=1, solutions=solutions, used=1)
    yield SITUATIONS[2], "another", other


def lived(law: Account, name: str, seed: int, solutions: int) -> Iterator[tuple[str, Took, Ran]]:
    for situation, group, took in life(name, seed, solutions):
        law.group = group
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


def measure(draws: int = DRAWS) -> dict[str, Any]:
    """Return the figures by set, number of solutions, law and situation."""
    return {
        name: {
            str(solutions): {
                law: of_law(make, name, solutions, draws) for law, make in LAWS.items()
            }
            for solutions in SOLUTIONS
        }
        for name in SETS
    }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    given = parser.parse_args(arguments)
    print(json.dumps(measure(given.draws), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
