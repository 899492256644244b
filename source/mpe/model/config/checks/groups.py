"""What the sections of a dataset group ask of each other."""

from __future__ import annotations

from collections.abc import Iterator

from mpe.model.config.sections import Config
from mpe.model.errors import Problem
from mpe.model.rules import groups as rules
from mpe.model.service.shapes import shown

QUOTAS = {"Solution": 10, "Campaign": 5, "Recommender": 5, "Filter": 30}
"""How many of a type a dataset group may have, unless the account's quota was raised."""


def problems(config: Config) -> Iterator[Problem]:
    """Find sections that the dataset group cannot hold, or that lack another."""
    yield from _domains(config)
    for dataset in config.datasets:
        if config.domain and dataset.kind in {"actions", "actionInteractions"}:
            yield rules.ACTIONS.problem(
                f"$.datasets.{dataset.kind}",
                f"a {config.domain} dataset group cannot hold it.",
                "Actions are for custom dataset groups, without a domain.",
            )
    if config.recommenders and not config.domain:
        yield rules.DOMAIN.problem(
            "$.recommenders",
            "recommenders need a domain dataset group.",
            "Set $.datasetGroup.serviceConfig.domain, or use solutions with campaigns.",
        )


def _domains(config: Config) -> Iterator[Problem]:
    """Hold the domain of a schema, which the AWS solution asks for, to the dataset group's."""
    for dataset in config.datasets:
        own = dataset.schema.params.get("domain", config.domain)
        if own != config.domain:
            yield rules.SCHEMA_DOMAIN.problem(
                f"{dataset.schema.path}.serviceConfig.domain",
                f"is {shown(own)}, and the domain of the dataset group is {shown(config.domain)}.",
                "Make them the same, or remove it: the schema gets the dataset group's.",
            )


def notes(config: Config) -> Iterator[Problem]:
    """Find what is not used, and what may be above a quota."""
    yield from _role(config)
    if config.event_tracker and not config.has("interactions"):
        told = "an event tracker records interactions, of which there is no dataset."
        yield rules.TRACKER.problem("$.eventTracker", told)
    yield from _published(config)
    yield from _above_quota(config)


def _above_quota(config: Config) -> Iterator[Problem]:
    for noun, most in QUOTAS.items():
        found = [section for name, section in config.sections() if name == noun]
        if len(found) > most:
            yield rules.QUOTA.problem(
                found[most].path,
                f"the config has {len(found)} of type {noun}; a dataset group may have {most} "
                "unless the account's quota was raised.",
            )


def _role(config: Config) -> Iterator[Problem]:
    if "roleArn" in config.group.params:
        path = f"{config.group.path}.serviceConfig.roleArn"
        yield rules.ROLE.problem(path, "the stack's own role is used instead.")


def _published(config: Config) -> Iterator[Problem]:
    if config.imports.params.get("publishAttributionMetricsToS3") and not config.metric_attribution:
        yield rules.PUBLISHED.problem(
            f"{config.imports.path}.serviceConfig.publishAttributionMetricsToS3",
            "has an effect only with a metric attribution, which this config does not have.",
        )
