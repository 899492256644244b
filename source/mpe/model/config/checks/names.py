"""The names that a config gives, and those that jobs will have."""

from __future__ import annotations

from collections.abc import Iterator

from mpe.model.config.sections import Config, SolutionConfig
from mpe.model.errors import Problem
from mpe.model.rules import names as rules
from mpe.model.service.names import BASE_LIMIT, NAME_LIMIT

LOCATION_LIMIT = 256
"""Characters of a place in S3."""
BUCKET_LIMIT = 63


def problems(config: Config) -> Iterator[Problem]:
    """Find names that the service would refuse, now or in a run."""
    yield from _duplicates(config)
    for solution in config.solutions:
        yield from _job_names(solution, config)


def _duplicates(config: Config) -> Iterator[Problem]:
    """Find names used twice: they are unique in an account, not just in a dataset group."""
    seen: dict[tuple[str, str], str] = {}
    for noun, name, place in _names(config):
        if (noun, name) in seen:
            first = seen[noun, name]
            told = f"{name!r} is already used by {first}."
            yield rules.TWICE.problem(place, told, "Choose another name.")
        seen.setdefault((noun, name), place)


def _names(config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield the noun, the name and the path of everything that the config names."""
    for noun, section in config.sections():
        name = section.params.get("name")
        if isinstance(name, str):
            yield noun, name, f"{section.path}.serviceConfig.name"
    for solution in config.solutions:
        for jobs, noun in (
            (solution.jobs("BatchInferenceJob"), "BatchInferenceJob"),
            (solution.jobs("BatchSegmentJob"), "BatchSegmentJob"),
        ):
            for base, section in jobs:
                yield noun, base, f"{section.path}.serviceConfig.jobName"


def _job_names(solution: SolutionConfig, config: Config) -> Iterator[Problem]:
    """Find names of jobs, and of the places they write to, that would come out too long."""
    jobs = (*solution.batch_inference_jobs, *solution.batch_segment_jobs)
    for section in jobs:
        name = section.params.get("jobName")
        if isinstance(name, str) and len(name) > BASE_LIMIT:
            yield rules.JOB.problem(
                f"{section.path}.serviceConfig.jobName",
                f"has {len(name)} characters; with the run's name the job's would have more than "
                f"{NAME_LIMIT}.",
                f"The most is {BASE_LIMIT}.",
            )
    group, own = config.group.params.get("name"), solution.solution.params.get("name")
    if jobs and isinstance(group, str) and isinstance(own, str):
        longest = f"s3://{'b' * BUCKET_LIMIT}/batch/{group}/{own}/{'j' * NAME_LIMIT}/"
        over = len(longest) - LOCATION_LIMIT
        if over > 0:
            yield rules.OUTPUT.problem(
                f"{solution.solution.path}.serviceConfig.name",
                "with the dataset group's name it makes the place of its batch output longer than "
                f"{LOCATION_LIMIT} characters.",
                f"Shorten one of the two names by {over}.",
            )
