"""Gates: that they can be kept, and what holding a version costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mpe.model.config.sections import Config, ResourceConfig, SolutionConfig, inner
from mpe.model.errors import Problem
from mpe.model.gate.terms import AUTO, knows, share
from mpe.model.gate.watch import LONGEST
from mpe.model.rules import gate as rules
from mpe.model.service.schedules import seconds
from mpe.model.service.shapes import shown

HOLDING = frozenset({"hold", "approve"})
MOST_PROBES = 100
"""How many requests a smoke test makes at the most: they have a quarter of a minute."""
_COUNTED = "hit"
"""Metrics with this in their name are counts; all others are from 0 to 1."""


def problems(config: SolutionConfig, whole: Config) -> Iterator[Problem]:
    """Find gates that nothing could pass or break, or that something else goes around."""
    yield from _gate(config.solution, [config], whole)
    if config is whole.solutions[0]:
        yield from _gate(whole.group, whole.solutions, whole)
    for section in config.campaigns:
        if _mode(section, config, whole) in HOLDING and _syncs(section):
            yield rules.SYNC.problem(
                _sync_of(section),
                "the service would move the campaign to every new version, whatever the gate says.",
                'Remove it, or set the mode "observe".',
            )
    looked_for = "judge" in config.solution.workflow.get("schedules", {})
    if _holds(config, whole) and _trained_by_service(config) and not looked_for:
        yield rules.TRAINED_BY_SERVICE.problem(
            f"{config.solution.path}.serviceConfig.performAutoTraining",
            "the service trains versions outside our runs, which nobody would judge.",
            "Set it to false, or give the solution a schedule, or have schedules.judge look for "
            'them, or set the mode "observe".',
        )


def data_problems(whole: Config) -> Iterator[Problem]:
    """Find limits of imports, and of what trainings use, that nothing could keep or break."""
    for section in (whole.group, *(one.solution for one in whole.solutions)):
        place = f"{section.path}.workflowConfig.gate.data"
        yield from _data(inner(_own(section), "data"), place)


def _data(given: Mapping[str, Any], place: str) -> Iterator[Problem]:
    for key in ("rows", "users", "items"):
        found = share(given[key]) if key in given else 0
        if found is None or not -1 <= found <= 0:
            told = f"{shown(given[key])} is no limit of a loss."
            yield rules.LIMIT.problem(f"{place}.{key}", told, 'Write it as "-20%".')
    for key in ("unknownItems", "itemShift"):
        if not 0 <= given.get(key, 0) <= 1:
            told = f"{shown(given[key])} can never be kept or broken: it is from 0 to 1."
            yield rules.LIMIT.problem(f"{place}.{key}", told)
    if "newest" in given and not seconds(given["newest"]):
        told = f"{shown(given['newest'])} is no duration."
        yield rules.LIMIT.problem(f"{place}.newest", told, 'Write it as "3 days".')


def _gate(
    section: ResourceConfig, solutions: Sequence[SolutionConfig], whole: Config
) -> Iterator[Problem]:
    """Check one gate against the solutions that it is for: a metric is one of any of them."""
    given, place = _own(section), f"{section.path}.workflowConfig.gate"
    recipes = [one.recipe for one in solutions if one.recipe is not None]
    for metric, limits in inner(given, "metrics").items():
        where = f"{place}.metrics.{metric}"
        if recipes and not any(knows(recipe, metric) for recipe in recipes):
            of = " or ".join(sorted({recipe.name for recipe in recipes}))
            told = f"{shown(metric)} is no metric of {of}."
            yield rules.METRIC.problem(where, told, "See GetSolutionMetrics of a version.")
        yield from _limits(metric, limits, where)
    baseline = inner(given, "baseline")
    if baseline:
        own = _name_of(solutions[0]) if section is not whole.group else None
        yield from _baseline(baseline, own, whole, f"{place}.baseline")
    yield from _smoke(inner(given, "smoke"), f"{place}.smoke")
    yield from _watch(inner(given, "watch"), f"{place}.watch")
    expires = inner(given, "hold").get("expires")
    if expires is not None and not seconds(expires):
        told = f"{shown(expires)} is no duration."
        yield rules.LIMIT.problem(f"{place}.hold.expires", told, 'Write it as "3 days".')


def _smoke(given: Mapping[str, Any], place: str) -> Iterator[Problem]:
    """Find limits of a smoke test that nothing could keep or break."""
    for key in ("empty", "alike", "overlap"):
        if not 0 <= given.get(key, 0) <= 1:
            told = f"{shown(given[key])} can never be kept or broken: it is from 0 to 1."
            yield rules.LIMIT.problem(f"{place}.{key}", told)
    if not 1 <= given.get("probes", 1) <= MOST_PROBES:
        told = f"{shown(given['probes'])} probes cannot be: from 1 to {MOST_PROBES} can."
        yield rules.LIMIT.problem(f"{place}.probes", told)
    if "latency" in given and not seconds(given["latency"]):
        told = f"{shown(given['latency'])} is no duration."
        yield rules.LIMIT.problem(f"{place}.latency", told, 'Write it as "1 second".')


def _watch(given: Mapping[str, Any], place: str) -> Iterator[Problem]:
    """Find terms of a watch that nothing could keep or break."""
    if not 0 <= given.get("errors5xx", 0) < 1:
        told = f"{shown(given['errors5xx'])} can never be kept or broken: it is from 0 to below 1."
        yield rules.LIMIT.problem(f"{place}.errors5xx", told)
    for key, example in (("for", "2 hours"), ("latency", "1 second")):
        if key in given and not seconds(given[key]):
            told = f"{shown(given[key])} is no duration."
            yield rules.LIMIT.problem(f"{place}.{key}", told, f'Write it as "{example}".')
    if (seconds(given.get("for", "")) or 0) > LONGEST:
        told = f"{shown(given['for'])} is longer than seven days."
        yield rules.LIMIT.problem(f"{place}.for", told, 'Write it as "2 hours".')


def notes(config: SolutionConfig, whole: Config) -> Iterator[Problem]:
    """Tell what it costs that a version other than the newest is served."""
    follow = [one for one in config.campaigns if "solutionVersionArn" not in one.params]
    refreshed = config.recipe is not None and config.recipe.refreshed
    if refreshed:
        yield from _without_new_items(config, whole)
        yield from _updates(config)
    for section in config.campaigns:
        if _syncs(section) and _mode(section, config, whole) == "observe":
            told = "the service moves it to every new version, and the gate only tells of it."
            yield rules.SYNCED.problem(_sync_of(section), told)
    schedules = config.solution.trained_by_schedule
    if config.campaigns and not follow and (schedules or config.solution.max_age is not None):
        yield rules.TRAINED_FOR_NOBODY.problem(
            config.solution.path,
            "is trained again and billed for it, but each of its campaigns stays at a version.",
        )


def unheld(whole: Config) -> Iterator[Problem]:
    """Tell that a gate for all holds nothing of recommenders."""
    if _own(whole.group).get("mode") not in HOLDING:
        return
    for section in whole.recommenders:
        yield rules.UNHELD.problem(
            section.path,
            "is served as the service trains it: it has no versions that the gate could hold.",
        )


def _without_new_items(config: SolutionConfig, whole: Config) -> Iterator[Problem]:
    told = "the service brings new items, every two hours, into the newest version alone"
    for section in config.campaigns:
        if "solutionVersionArn" in section.params:
            place = f"{section.path}.serviceConfig.solutionVersionArn"
            yield rules.NO_NEW_ITEMS.problem(
                place, f"{told}: once there is a newer one, this campaign gets none."
            )
        elif _mode(section, config, whole) in HOLDING:
            path = f"{section.path}.workflowConfig.gate.mode"
            yield rules.NO_NEW_ITEMS.problem(
                path, f"{told}: while that is held, this campaign gets none."
            )


def _updates(config: SolutionConfig) -> Iterator[Problem]:
    """Tell what an UPDATE training costs.

    https://docs.aws.amazon.com/personalize/latest/dg/API_CreateSolutionVersion.html
    """
    places = []
    if "update" in config.solution.workflow.get("schedules", {}):
        places.append(f"{config.solution.path}.workflowConfig.schedules.update")
    if config.version and config.version.params.get("trainingMode") == "UPDATE":
        places.append(f"{config.version.path}.serviceConfig.trainingMode")
    told = (
        "an UPDATE training ends the updates with new items that the service makes by itself, "
        "every two hours, until a version of a FULL one is served."
    )
    yield from (rules.NO_NEW_ITEMS.problem(place, told) for place in places)


def _name_of(config: SolutionConfig) -> str:
    return str(config.solution.params.get("name"))


def _own(section: ResourceConfig) -> Mapping[str, Any]:
    return inner(section.workflow, "gate")


def _mode(section: ResourceConfig, config: SolutionConfig, whole: Config) -> str:
    """Return the mode of a campaign: its own, its solution's or the group's."""
    places = (section, config.solution, whole.group)
    modes = (_own(one).get("mode") for one in places)
    return str(next((mode for mode in modes if mode), "observe"))


def _holds(config: SolutionConfig, whole: Config) -> bool:
    sections = config.campaigns or (config.solution,)
    return any(_mode(one, config, whole) in HOLDING for one in sections)


def _sync_of(section: ResourceConfig) -> str:
    return f"{section.path}.serviceConfig.campaignConfig.syncWithLatestSolutionVersion"


def _syncs(section: ResourceConfig) -> bool:
    return bool(inner(section.params, "campaignConfig").get("syncWithLatestSolutionVersion"))


def _trained_by_service(config: SolutionConfig) -> bool:
    """Tell whether the service trains it: it does unless it is told not to, or we have a schedule.

    https://docs.aws.amazon.com/personalize/latest/dg/API_CreateSolution.html
    """
    usual = not config.solution.trained_by_schedule
    return bool(config.solution.params.get("performAutoTraining", usual))


def _limits(metric: str, limits: Mapping[str, Any], place: str) -> Iterator[Problem]:
    least = limits.get("atLeast")
    if least is not None and (least < 0 or (least > 1 and _COUNTED not in metric)):
        told = f"{shown(least)} can never be kept or broken: the metric is from 0 to 1."
        yield rules.LIMIT.problem(f"{place}.atLeast", told)
    for key, wanted in (("notBelow", -1), ("notAbove", 1)):
        text = limits.get(key)
        if text is None or (key == "notBelow" and text == AUTO):
            continue
        found = share(text)
        if found is None or found * wanted < 0 or found <= -1:
            example = '"-20%" or "auto"' if key == "notBelow" else '"+100%"'
            told = f"{shown(text)} is no limit of a change."
            yield rules.LIMIT.problem(f"{place}.{key}", told, f"Write it as {example}.")


def _baseline(
    given: Mapping[str, Any], own: str | None, whole: Config, place: str
) -> Iterator[Problem]:
    others = {_name_of(one) for one in whole.solutions} - {own}
    if given.get("solution") not in others:
        told = f"{shown(given.get('solution'))} is not another solution of this config."
        yield rules.BASELINE_SOLUTION.problem(f"{place}.solution", told)
    if not 0 < given.get("lift", 1) <= 100:
        told = f"{shown(given['lift'])} can never be kept or broken."
        yield rules.LIMIT.problem(f"{place}.lift", told, "Write 1.1 for a tenth better.")
