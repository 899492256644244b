"""What a fact is: who saw it where, and what shows whether the emulator does the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.facts.bench import Bench

Evidence = Literal["R", "D", "M"]
Trial = Callable[[Bench], None]
EVIDENCE = {
    "R": "seen in a real answer: a notebook's kept output, an error that somebody quotes, a "
    "config that AWS's own material deploys",
    "D": "the developer guide or the API reference says it",
    "M": "botocore's model of the service has it",
}
GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg/"
SAMPLES = "aws-samples/amazon-personalize-samples"
WORKSHOP = "aws-samples/amazon-personalize-immersion-day"
STORE = "aws-samples/retail-demo-store"


@dataclass(frozen=True)
class Fact:
    """One observable fact; ``tried`` asserts that the emulator does as it says."""

    id: str
    evidence: Evidence
    told: str
    source: str
    """A page of the guide, a model's member, or a file of a public repository."""
    tried: Trial
    wrong: str = ""
    """Why the emulator does otherwise, where it does."""

    @property
    def area(self) -> str:
        return self.id.rpartition("-")[0]


FACTS: list[Fact] = []
"""Every fact, in the order of the areas and of their numbers."""


@dataclass
class Area:
    """Gathers the facts of one area, which it numbers."""

    name: str
    count: int = 0

    def __call__(
        self, evidence: Evidence, told: str, source: str, *, wrong: str = ""
    ) -> Callable[[Trial], Trial]:
        """Return a decorator that records a trial as a fact."""

        def note(trial: Trial) -> Trial:
            self.count += 1
            number = f"{self.name}-{self.count}"
            FACTS.append(Fact(number, evidence, told, source, trial, wrong))
            return trial

        return note
