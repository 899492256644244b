"""Solutions: recipes, and what they are trained on."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"
_RECIPES = f"{_GUIDE}/working-with-predefined-recipes.html"

RECIPE = Rule(
    "MPE-S001",
    "A solution has a recipe",
    "The service needs one, or performAutoML to choose it.",
    f"{_GUIDE}/API_CreateSolution.html",
)
UNKNOWN_RECIPE = Rule(
    "MPE-S003",
    "A solution's recipe is one of the service's",
    "Recipes are the service's own; nobody can add one.",
    _RECIPES,
)
DOMAIN_RECIPE = Rule(
    "MPE-S004",
    "A solution's recipe is not a use case of a domain",
    "Use cases are for recommenders, and the service refuses solutions with them.",
    f"{_GUIDE}/domain-use-cases.html",
)
DATA = Rule(
    "MPE-S005",
    "The datasets that a recipe or a use case trains on are there",
    "Training fails without them.",
    _RECIPES,
)
UNSUPPORTED = Rule(
    "MPE-S006",
    "An option is one that the recipe has",
    "Optimization of hyperparameters, incremental updates and objectives are of some recipes only.",
    _RECIPES,
)
AUTOTRAIN = Rule(
    "MPE-S007",
    "AUTOTRAIN is the service's",
    "It marks the versions that the service trains by itself.",
    f"{_GUIDE}/API_SolutionVersion.html",
)
UPDATE = Rule(
    "MPE-S008",
    "Only some recipes are trained by update",
    "An update brings new items into a model of User-Personalization or of HRNN-Coldstart; other "
    "recipes are trained in full.",
    f"{_GUIDE}/API_CreateSolutionVersion.html",
)
NO_DATASET = Rule(
    "MPE-S009",
    "Columns are left out of, or taken from, a dataset that there is",
    "The service refuses the name of a dataset that the group does not have.",
    f"{_GUIDE}/API_TrainingDataConfig.html",
)
NO_COLUMN = Rule(
    "MPE-S010",
    "Columns that are left out or taken are fields of the schema",
    "The service refuses the name of a column that the dataset does not have.",
    f"{_GUIDE}/API_TrainingDataConfig.html",
)
EVENTS = Rule(
    "MPE-S011",
    "A solution that tells events apart has event types",
    "eventType and eventsConfig compare the field EVENT_TYPE of the interactions.",
    f"{_GUIDE}/event-values-types.html",
)
OBJECTIVE = Rule(
    "MPE-S012",
    "An objective is a column of numbers of the items",
    "Training weighs items by it, beside their relevance.",
    f"{_GUIDE}/optimizing-solution-for-objective.html",
)
EVENT_TYPE = Rule(
    "MPE-S014",
    "EVENT_TYPE is not left out of a training",
    "The guide has it as the one column that cannot be excluded.",
    f"{_GUIDE}/custom-config-columns.html",
)
AUTOML = Rule(
    "MPE-S013",
    "A solution names its recipe, rather than have it chosen",
    "The service has deprecated performAutoML, and the recipes that it chooses from.",
    f"{_GUIDE}/API_CreateSolution.html",
    "warning",
)
