"""Filters."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"
_RULES = f"{_GUIDE}/filter-expression-guidelines-requirements.html"

SYNTAX = Rule(
    "MPE-F001",
    "A filter's expression can be read",
    "The service refuses an expression that is not of its language.",
    f"{_GUIDE}/filter-expressions.html",
)
DATASET = Rule(
    "MPE-F002",
    "An expression names datasets that the service has",
    "It knows Interactions, Items, Users, Actions, Action_Interactions and, after IF, CurrentUser.",
    f"{_GUIDE}/filter-expressions.html",
)
ANY = Rule(
    "MPE-F003",
    "* stands for all event types, and for nothing else",
    "It is a value of EVENT_TYPE only.",
    _RULES,
)
ONE_DATASET = Rule(
    "MPE-F004",
    "An expression reads one dataset",
    "Two datasets take two expressions, which | joins.",
    _RULES,
)
CURRENT_USER = Rule(
    "MPE-F005",
    "CurrentUser stands after IF",
    "The user's own fields decide whether the expression applies, and choose no items.",
    _RULES,
)
IF = Rule(
    "MPE-F006",
    "IF asks for the user's fields only",
    "The condition is about the user whom recommendations are for.",
    _RULES,
)
IF_AND = Rule(
    "MPE-F007",
    "Conditions after IF are joined by AND",
    "The service refuses OR there.",
    _RULES,
)
NO_DATASET = Rule(
    "MPE-F008",
    "An expression reads datasets of this config",
    "The service refuses a filter on data that the group does not have.",
    f"{_GUIDE}/API_CreateFilter.html",
)
NO_FIELD = Rule(
    "MPE-F009",
    "An expression reads fields of the schema",
    "The service refuses a filter on a field that the schema does not have.",
    f"{_GUIDE}/API_CreateFilter.html",
)
FIELD_TYPE = Rule(
    "MPE-F010",
    "An expression reads no textual and no boolean field",
    "The service cannot compare them.",
    _RULES,
)
FIELDS = Rule(
    "MPE-F011",
    "An expression reads so many fields as the service takes",
    "The service refuses a filter on more.",
    f"{_GUIDE}/limits.html",
)
FIELDS_OF_GROUP = Rule(
    "MPE-F012",
    "The filters of a dataset group read so many fields together as the service takes",
    "The quota counts the distinct fields of all filters of a dataset group.",
    f"{_GUIDE}/limits.html",
)
ORDER = Rule(
    "MPE-F013",
    "Only numbers are compared by <, <=, > and >=",
    "The operators are for numbers; texts are the same, or among some, or not.",
    _RULES,
)
CURRENT_ITEM = Rule(
    "MPE-F014",
    "CurrentItem stands where a value does",
    "The item that recommendations are asked for is what others are compared with.",
    f"{_GUIDE}/item-recommendation-filter-examples.html",
)
EVENTS = Rule(
    "MPE-F015",
    "Interactions are filtered by their event type alone",
    "The service refuses other columns of interactions.",
    _RULES,
)
PLACEHOLDER = Rule(
    "MPE-F016",
    "No placeholder follows NOT IN",
    "The service refuses it: the other verb with IN says the same.",
    _RULES,
)
