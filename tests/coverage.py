"""The page of what of the service is covered, made from the service's models and the tests.

``python -m tests.coverage`` writes docs/coverage.md. A parameter "has its effect" only where a
test of the emulator fails without it: tests/coverage.json names that test, and
tests/test_effects.py takes each parameter out to see it fail. With ``--search`` the tests are
sought anew, which takes some minutes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from mpe.model.service.operations import StructureShape, service_model
from mpe.model.service.spec import SPECS
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "coverage.md"
SERVICES = ("personalize", "personalize-runtime", "personalize-events")
EFFECT, KEPT = "has its effect", "kept only"
OPENED = frozenset(
    {"campaignConfig", "recommenderConfig", "solutionConfig", "solutionUpdateConfig"}
    | {"batchInferenceJobConfig", "metricsOutputConfig"}
)
"""Structures whose members have rows of their own."""

SHOWN = ROOT / "tests" / "coverage.json"
PROBES: dict[str, str] = json.loads(SHOWN.read_text())
"""For each parameter of an operation, the test that fails where it is left out or is another."""
KEPT_ONLY = frozenset(
    {
        "minProvisionedTPS",
        "performIncrementalUpdate",
        "recipeProvider",
        "context",
        "campaignConfig.rankingInfluence",
        "recommenderConfig.minRecommendationRequestsPerSecond",
        "recommenderConfig.itemExplorationConfig",
        "solutionConfig.algorithmHyperParameters",
        "solutionConfig.featureTransformationParameters",
        "solutionUpdateConfig.eventsConfig",
        "batchInferenceJobConfig.itemExplorationConfig",
        "batchInferenceJobConfig.rankingInfluence",
    }
)
"""What is checked, kept and described alone, though a test may notice that it is described."""


def operations() -> Iterator[tuple[str, str]]:
    """Yield every operation of the three models, with its service."""
    for service in SERVICES:
        for name in service_model(service).operation_names:
            yield name, service


def parameters(name: str, service: str) -> Iterator[str]:
    """Yield the parameters of an operation; of some structures, their members."""
    shape = service_model(service).operation_model(name).input_shape
    for key, member in shape.members.items() if shape else ():
        if key in OPENED and isinstance(member, StructureShape):
            yield from (f"{key}.{inner}" for inner in member.members)
        else:
            yield key


def status(operation: str, parameter: str) -> str:
    """Return what becomes of a parameter of an operation."""
    shown = f"{operation}.{parameter}" in PROBES and parameter not in KEPT_ONLY
    return EFFECT if shown else KEPT


def called() -> frozenset[str]:
    """Return the operations that the workflow calls."""
    found: set[str | None] = set()
    for spec in SPECS.values():
        found |= {spec.create, spec.describe, spec.update, spec.list_parts, *spec.switches.values()}
        found.add(spec.list if spec.listed else None)
        found.add("GetSolutionMetrics" if spec.measured else None)
    return frozenset(one for one in found if one)


def page() -> str:
    """Return the text of the page."""
    rows = list(operations())
    lines = [
        "# What of the service is covered",
        "",
        f"All {len(rows)} operations of Amazon Personalize's three models: whether the workflow "
        "calls them,",
        "and whether the emulator answers them. Then what becomes of each parameter in the "
        "emulator: it *has",
        "its effect*, and a test fails when it is taken out of the requests (or, where it must "
        "be there, is",
        "another); or it is *kept only*: checked, kept and described, without an effect that a "
        "test shows.",
        "This page is made by `python -m tests.coverage`; tests hold it to the models, and "
        "`tests/test_effects.py`",
        "takes each parameter out in turn.",
        "",
        "| operation | workflow | emulator |",
        "|---|---|---|",
        *(f"| {name} | {'yes' if name in called() else 'no'} | yes |" for name, _ in rows),
        "",
        "## Parameters",
        "",
        "| operation | has its effect | kept only |",
        "|---|---|---|",
        *(_row(name, service) for name, service in rows),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, service: str) -> str:
    every = list(parameters(name, service))
    cells = [
        ", ".join(f"`{one}`" for one in every if status(name, one) == wanted)
        for wanted in (EFFECT, KEPT)
    ]
    return f"| {name} | {' | '.join(cells)} |"


def search() -> None:
    """Find a test for each parameter, the tests that send the least first."""
    from tests.mutations import noticed, sent

    known = {f"{name}.{one}" for name, service in operations() for one in parameters(name, service)}
    trials = {test: sorted(known & set(every)) for test, every in sent().items()}
    order = sorted((test for test in trials if trials[test]), key=lambda test: len(trials[test]))
    found = noticed({test: trials[test] for test in order})
    PROBES.clear()
    PROBES.update(dict(sorted(found.items())))
    SHOWN.write_text(json.dumps(PROBES, indent=1) + "\n")


if __name__ == "__main__":
    if "--search" in sys.argv:
        search()
    PAGE.write_text(page())
