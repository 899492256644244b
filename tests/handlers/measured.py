"""Measurements in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Measured:
    """What was published."""

    models: dict[str, dict[str, float]] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)
    runs: list[tuple[str, bool, float]] = field(default_factory=list)
    problems: list[int] = field(default_factory=list)
    recommenders: list[tuple[str, bool]] = field(default_factory=list)
    rollbacks: list[str] = field(default_factory=list)
    tended_: list[tuple[int, int]] = field(default_factory=list)

    def model(self, group: str, solution: str, metrics: Mapping[str, float]) -> None:
        self.models[f"{group}/{solution}"] = dict(metrics)

    def recommender(
        self, group: str, name: str, metrics: Mapping[str, float], *, doubted: bool
    ) -> None:
        self.recommenders.append((name, doubted))

    def took(self, group: str, noun: str, seconds: float) -> None:
        self.durations[noun] = seconds

    def waited(self, group: str, noun: str, seconds: float) -> None:
        self.waits[noun] = seconds

    def run(self, group: str, *, failed: bool, seconds: float) -> None:
        self.runs.append((group, failed, seconds))

    def rolled_back(self, group: str, campaign: str) -> None:
        self.rollbacks.append(campaign)

    def tended(self, waits: int, old: int) -> None:
        self.tended_.append((waits, old))

    def rejected(self, problems: int) -> None:
        self.problems.append(problems)
