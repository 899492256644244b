"""Hyperparameters."""

from mpe.model.rules.record import Rule

_RECIPES = "https://docs.aws.amazon.com/personalize/latest/dg/customizing-solution-config-hpo.html"

UNUSED = Rule(
    "MPE-H001",
    "A hyperparameter is one that the recipe has",
    "The service refuses one that the algorithm does not use.",
    _RECIPES,
)
VALUE = Rule(
    "MPE-H002",
    "A hyperparameter's value is within its range",
    "The page of each recipe gives the values that its hyperparameters take.",
    _RECIPES,
)
KIND = Rule(
    "MPE-H003",
    "A range stands in the list of its kind",
    "Whole numbers, numbers and categories are searched differently.",
    _RECIPES,
)
ENDS = Rule(
    "MPE-H004",
    "A range begins before it ends",
    "There is nothing to search in otherwise.",
    _RECIPES,
)
JOBS = Rule(
    "MPE-H005",
    "As many tuning jobs run as the service lets",
    "The numbers of jobs are texts in the model, with limits in the guide only.",
    _RECIPES,
)
