"""Avro schemas."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"
_SCHEMAS = f"{_GUIDE}/custom-datasets-and-schemas.html"
_AVRO = "https://avro.apache.org/docs/1.11.1/specification"

JSON = Rule(
    "MPE-A001",
    "A schema is JSON",
    "Avro schemas are, and the service reads no other.",
    _AVRO,
)
OBJECT = Rule(
    "MPE-A002",
    "A schema is an object",
    "A dataset's row is an Avro record, which is written as an object.",
    _AVRO,
)
RECORD = Rule(
    "MPE-A003",
    "A schema is of the type record",
    "A dataset's row is an Avro record.",
    _SCHEMAS,
)
NAME = Rule(
    "MPE-A004",
    "A schema has the name of its dataset's type",
    "The service knows by it which type of dataset the schema is for.",
    _SCHEMAS,
)
FIELDS = Rule(
    "MPE-A005",
    "A schema has a list of fields",
    "They are the columns of the data.",
    _AVRO,
)
FIELD = Rule(
    "MPE-A006",
    "A field is an object",
    "It has at least a name and a type.",
    _AVRO,
)
FIELD_NAME = Rule(
    "MPE-A007",
    "A field has a name that Avro and the service take",
    "Names of fields are letters, digits and _, begin with no digit and have an end.",
    f"{_GUIDE}/limits.html",
)
FLAG = Rule(
    "MPE-A008",
    "categorical and textual are true or false",
    "They tell the service how to train on a text.",
    _SCHEMAS,
)
TYPE = Rule(
    "MPE-A009",
    "A field's type is one that the service reads",
    "Avro has more types than Amazon Personalize takes.",
    _SCHEMAS,
)
UNION = Rule(
    "MPE-A010",
    "A field has one type, or one and null",
    "A column holds values of one type; null says that they may be missing.",
    _SCHEMAS,
)
COLLISION = Rule(
    "MPE-A011",
    "Two fields differ in more than their signs",
    "The service compares names by their letters and digits alone.",
    _SCHEMAS,
)
LACKS = Rule(
    "MPE-A012",
    "A schema has the fields that its dataset requires",
    "The service refuses a schema without them; a domain requires some more.",
    _SCHEMAS,
)
RESERVED_TYPE = Rule(
    "MPE-A013",
    "A reserved field has the type that the service gives it",
    "The service reads such fields itself, and refuses them as another type.",
    _SCHEMAS,
)
NOT_CATEGORICAL = Rule(
    "MPE-A014",
    "A reserved field is not categorical",
    "Ids, times and event types are not metadata.",
    _SCHEMAS,
)
CATEGORICAL = Rule(
    "MPE-A015",
    "GENRES and CATEGORY_L1 are categorical",
    "The use cases of the domains train on them as categories.",
    f"{_GUIDE}/domain-datasets-and-schemas.html",
)
NO_METADATA = Rule(
    "MPE-A016",
    "Users, items and actions have metadata to train on",
    "The service requires one field beside the key: a number, or a text that is categorical or "
    "textual.",
    _SCHEMAS,
)
METADATA = Rule(
    "MPE-A017",
    "A dataset has so many metadata fields as the service takes",
    "The quotas differ by the type of the dataset.",
    f"{_GUIDE}/limits.html",
)
TEXTUAL = Rule(
    "MPE-A018",
    "Only items have a textual field, one, and of text",
    "The service reads meaning from one text of each item.",
    f"{_GUIDE}/items-datasets.html",
)
KEYWORD_TYPE = Rule(
    "MPE-A019",
    "A keyword of a domain has the type that the domain gives it",
    "The use cases read it, and the service refuses it as another type.",
    f"{_GUIDE}/domain-datasets-and-schemas.html",
)
KEYWORD_FLAG = Rule(
    "MPE-A020",
    "A keyword of a domain is categorical or textual where the domain says so",
    "The use cases train on it as that.",
    f"{_GUIDE}/domain-datasets-and-schemas.html",
)
