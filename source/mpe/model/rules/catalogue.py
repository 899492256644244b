"""All rules, by subject and by id."""

from __future__ import annotations

from types import ModuleType

from mpe.model.rules import (
    attribution,
    batch,
    data,
    files,
    filters,
    forms,
    gate,
    groups,
    names,
    parameters,
    places,
    recommenders,
    schedules,
    schemas,
    serving,
    solutions,
    tuning,
)
from mpe.model.rules.record import Rule

SUBJECTS: dict[str, ModuleType] = {
    "J": files,
    "P": parameters,
    "N": names,
    "G": groups,
    "A": schemas,
    "F": filters,
    "S": solutions,
    "C": serving,
    "B": batch,
    "R": recommenders,
    "T": schedules,
    "M": attribution,
    "O": places,
    "H": tuning,
    "W": forms,
    "Q": gate,
    "D": data,
}
"""The room of each subject's rules, by the letter of their ids."""
RETIRED: frozenset[str] = frozenset({"MPE-S002"})
"""Ids of rules that are no more: a config may name them still, and no other rule gets them."""


def rules_of(subject: ModuleType) -> list[Rule]:
    """Return the rules of a subject in the order of their ids."""
    found = (one for one in vars(subject).values() if isinstance(one, Rule))
    return sorted(found, key=lambda rule: rule.id)


ALL: dict[str, Rule] = {
    rule.id: rule for subject in SUBJECTS.values() for rule in rules_of(subject)
}
