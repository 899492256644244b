"""Recommenders."""

from mpe.model.rules.record import Rule

_SOURCE = "https://docs.aws.amazon.com/personalize/latest/dg/domain-use-cases.html"

USE_CASE = Rule(
    "MPE-R001",
    "A recommender's recipe is a use case",
    "Recommenders are made of use cases, and solutions of the other recipes.",
    _SOURCE,
)
DOMAIN = Rule(
    "MPE-R002",
    "A recommender's use case is of its group's domain",
    "Each domain has use cases of its own.",
    _SOURCE,
)
