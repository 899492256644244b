"""Schedules and ages, and that one of two trains."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mpe.model.config.sections import Config, SolutionConfig, inner
from mpe.model.errors import Problem
from mpe.model.rules import schedules as rules
from mpe.model.service import schedules
from mpe.model.service.shapes import shown


def problems(config: Config) -> Iterator[Problem]:
    """Find schedules and ages that mean nothing, and solutions that two would train."""
    yield from _expressions(config)
    yield from _zone(config)
    for solution in config.solutions:
        yield from _one_trainer(solution)
        yield from _automatic_rate(solution)


def notes(config: Config) -> Iterator[Problem]:
    """Find what is done beside the schedules, and ages without effect."""
    for solution in config.solutions:
        yield from _beside_updates(solution)
    yield from _ages_without_effect(config)


def _expressions(config: Config) -> Iterator[Problem]:
    for _, section in config.sections():
        for path, expression in section.schedules.items():
            wrong = schedules.problem(expression)
            if wrong:
                yield rules.EXPRESSION.problem(
                    path, f"{shown(expression)} is not a schedule: {wrong}."
                )
        age = section.workflow.get("maxAge")
        if age is not None and section.max_age is None:
            path = f"{section.path}.workflowConfig.maxAge"
            told = f"{shown(age)} is not understood."
            yield rules.AGE.problem(path, told, 'Write it as "365 days".')


def _zone(config: Config) -> Iterator[Problem]:
    name = config.group.workflow.get("timeZone")
    if name is not None:
        try:
            schedules.zone(name)
        except schedules.ScheduleError as error:
            yield rules.ZONE.problem(f"{config.group.path}.workflowConfig.timeZone", f"{error}.")


def _one_trainer(config: SolutionConfig) -> Iterator[Problem]:
    """Refuse that both a schedule and the service train a solution in full."""
    full = config.solution.workflow.get("schedules", {}).get("full")
    if not full or not _automatic(config) or schedules.problem(full):
        return
    ours = schedules.per_month(schedules.parse(full))
    rate = inner(inner(config.solution.params, "solutionConfig"), "autoTrainingConfig")
    expression = str(rate.get("schedulingExpression", "rate(7 days)"))
    theirs = schedules.per_month(schedules.parse(expression)) if _is_rate(expression) else 4
    yield rules.TWO_TRAINERS.problem(
        f"{config.solution.path}.serviceConfig.performAutoTraining",
        f"the service would train about {theirs} times a month beside the schedule's {ours}, and "
        "each training is billed.",
        "Remove it, or remove workflowConfig.schedules.full.",
    )


def _is_rate(expression: str) -> bool:
    return schedules.problem(expression) is None


def _automatic_rate(solution: SolutionConfig) -> Iterator[Problem]:
    """Check how often the service may train by itself.

    https://docs.aws.amazon.com/personalize/latest/dg/solution-config-auto-training.html
    """
    params, place = solution.solution.params, f"{solution.solution.path}.serviceConfig"
    rate = inner(inner(params, "solutionConfig"), "autoTrainingConfig")
    expression = rate.get("schedulingExpression")
    found = re.fullmatch(r"rate\((\d+) days?\)", str(expression))
    if found and not 1 <= int(found[1]) <= 30:
        yield rules.AUTOMATIC_RATE.problem(
            f"{place}.solutionConfig.autoTrainingConfig.schedulingExpression",
            f"{shown(expression)} is not from rate(1 day) to rate(30 days).",
        )


def _ages_without_effect(config: Config) -> Iterator[Problem]:
    aged = {"DatasetGroup", "Solution", "DatasetExportJob", "BatchInferenceJob", "BatchSegmentJob"}
    for noun, section in config.sections():
        if "maxAge" in section.workflow and noun not in aged:
            path = f"{section.path}.workflowConfig.maxAge"
            told = f"has no effect: a {noun} is not made again for its age."
            yield rules.NO_AGE.problem(path, told)


def _automatic(config: SolutionConfig) -> bool:
    """Tell whether the config asks for automatic training in so many words."""
    return config.solution.params.get("performAutoTraining") is True


def _beside_updates(config: SolutionConfig) -> Iterator[Problem]:
    if _automatic(config) and "update" in config.solution.workflow.get("schedules", {}):
        yield rules.TRAINED_BESIDE.problem(
            f"{config.solution.path}.serviceConfig.performAutoTraining",
            "the service's own full trainings are billed beside the scheduled updates.",
        )
