"""The file: JSON, of the shape that the config has."""

from mpe.model.rules.record import Rule

_JSON = "https://www.rfc-editor.org/rfc/rfc8259"
_SHAPE = "source/mpe/model/config/config.schema.json"

SIZE = Rule(
    "MPE-J001",
    "The file is small enough to be checked",
    "The function that reads an upload has little memory and little time.",
    "ours: a config with a hundred solutions is far smaller",
)
JSON = Rule(
    "MPE-J002",
    "The file is JSON",
    "Nothing of it can be read otherwise.",
    f"{_JSON}#section-2",
)
ENCODING = Rule(
    "MPE-J003",
    "The file is UTF-8",
    "JSON that systems exchange is UTF-8; another encoding would turn names into others.",
    f"{_JSON}#section-8.1",
)
KEY_TWICE = Rule(
    "MPE-J004",
    "An object has each key once",
    "Readers of JSON differ in which of the two they take, and all take only one.",
    f"{_JSON}#section-4",
)
DEPTH = Rule(
    "MPE-J005",
    "Objects and lists are not nested without end",
    "A document of a million brackets would need more stack than there is.",
    "ours: the deepest parameter of the service needs about ten levels",
)
VALUES = Rule(
    "MPE-J006",
    "The file holds so many values as can be checked",
    "Checking must end before the function's time does.",
    "ours: a hundred solutions, each with a campaign, need about 1,500",
)
MANY_PROBLEMS = Rule(
    "MPE-J007",
    "So many problems are told as somebody reads",
    "Where one mistake is made thousands of times, the search for more ends.",
    "ours: the mail that tells them has a size that it may not exceed",
)
NUMBER = Rule(
    "MPE-J008",
    "A number is one that JSON has and a computer holds",
    "NaN and infinity are not in JSON, and what is beyond 64 bits comes out as another number.",
    f"{_JSON}#section-6",
)
KEY = Rule(
    "MPE-J009",
    "Each key of a section is known",
    "A key that is misspelt would be passed over, and what it was meant to do would not be done.",
    _SHAPE,
)
REQUIRED = Rule(
    "MPE-J010",
    "Each section has what it cannot do without",
    "There is no value that would be right for everybody.",
    _SHAPE,
)
TYPE = Rule(
    "MPE-J011",
    "Each value of a section has the type that it should",
    "A list in the place of an object says nothing that could be done.",
    _SHAPE,
)
SHAPE = Rule(
    "MPE-J012",
    "The file has the shape of a config",
    "The published schema, by which editors complete and check the file, says what it may hold.",
    _SHAPE,
)
IGNORED_UNKNOWN = Rule(
    "MPE-J013",
    "What is ignored is a rule",
    "An id that is misspelt would switch off nothing, and readers would believe that it did.",
    "docs/rules.md",
)
IGNORED_ERROR = Rule(
    "MPE-J014",
    "What is ignored is a warning",
    "What an error tells would fail in the service, mostly after hours, or cost money for nothing.",
    "ours: a config cannot be right and wrong at once",
)
UNUSED = Rule(
    "MPE-J015",
    "A key that means nothing here is told, where no known one is like it",
    "Files of the AWS solution have keys of other tools, which it passes over, and so does this.",
    "ours: a key that may be a known one misspelt is an error instead (MPE-J009)",
    "warning",
)
