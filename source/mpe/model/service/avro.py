"""The rules that Amazon Personalize has for the Avro schema of a dataset.

https://docs.aws.amazon.com/personalize/latest/dg/custom-datasets-and-schemas.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mpe.model.errors import Problem
from mpe.model.rules import files, parameters, schemas
from mpe.model.service.limits import TOO_DEEP, excesses, too_deep
from mpe.model.service.shapes import member, shown

TYPES = ("string", "long", "int", "float", "double", "boolean", "null")
NUMBERS = frozenset({"long", "int", "float", "double"})
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
FIELD_NAME_LIMIT = 150
CHANGEABLE = ("items", "users")
"""The kinds of datasets whose schema can be replaced."""
LONGEST = 20_000
"""Characters of a schema."""


@dataclass(frozen=True)
class Field:
    """One column of a dataset."""

    name: str
    types: tuple[str, ...]
    categorical: bool = False
    textual: bool = False

    @property
    def nullable(self) -> bool:
        return "null" in self.types

    @property
    def type(self) -> str:
        """The type of a value that is there."""
        return next((one for one in self.types if one != "null"), "null")


@dataclass(frozen=True)
class Rules:
    """What the schema of one type of dataset must and may have.

    ``required`` and ``optional`` map reserved field names to the types that they may have;
    everything else is the user's own metadata.
    """

    record: str
    required: Mapping[str, tuple[str, ...]]
    optional: Mapping[str, tuple[str, ...]]
    metadata: tuple[int, int]
    """The least and the most metadata fields."""
    textual: int = 0
    """The most textual fields."""


_TEXT, _TIME, _OPTIONAL_TEXT = ("string",), ("long",), ("string", "null")
_ACTION = {
    "CREATION_TIMESTAMP": ("long", "null"),
    "VALUE": ("long", "int", "null"),
    "REPEAT_FREQUENCY": ("long", "int", "null"),
    "TYPE": _OPTIONAL_TEXT,
    "EXPIRATION_TIMESTAMP": ("long", "null"),
    "ACTION_EXPIRATION_TIMESTAMP": ("long", "null"),
}
RULES: dict[str, Rules] = {
    "interactions": Rules(
        "Interactions",
        {"USER_ID": _TEXT, "ITEM_ID": _TEXT, "TIMESTAMP": _TIME},
        {
            "EVENT_TYPE": _OPTIONAL_TEXT,
            "EVENT_VALUE": ("float", "double", "int", "long", "null"),
            "IMPRESSION": _OPTIONAL_TEXT,
            "RECOMMENDATION_ID": _OPTIONAL_TEXT,
            "EVENT_ATTRIBUTION_SOURCE": _OPTIONAL_TEXT,
        },
        (0, 5),
    ),
    "users": Rules("Users", {"USER_ID": _TEXT}, {}, (1, 25)),
    "items": Rules(
        "Items", {"ITEM_ID": _TEXT}, {"CREATION_TIMESTAMP": ("long", "null")}, (1, 100), 1
    ),
    "actions": Rules("Actions", {"ACTION_ID": _TEXT}, _ACTION, (1, 10)),
    "actionInteractions": Rules(
        "ActionInteractions",
        {"USER_ID": _TEXT, "ACTION_ID": _TEXT, "EVENT_TYPE": _TEXT, "TIMESTAMP": _TIME},
        {"IMPRESSION": _OPTIONAL_TEXT, "RECOMMENDATION_ID": _OPTIONAL_TEXT},
        (0, 5),
    ),
}
DOMAIN_REQUIRED: dict[tuple[str, str], Mapping[str, tuple[str, ...]]] = {
    ("ECOMMERCE", "interactions"): {"EVENT_TYPE": _TEXT},
    ("VIDEO_ON_DEMAND", "interactions"): {"EVENT_TYPE": _TEXT},
    ("ECOMMERCE", "items"): {
        "PRICE": ("float",),
        "CATEGORY_L1": _OPTIONAL_TEXT,
    },
    ("VIDEO_ON_DEMAND", "items"): {"GENRES": _OPTIONAL_TEXT, "CREATION_TIMESTAMP": _TIME},
}
"""What a domain dataset group asks for beyond its custom counterpart."""
DOMAIN_OPTIONAL: dict[tuple[str, str], Mapping[str, tuple[str, ...]]] = {
    ("ECOMMERCE", "items"): {"CREATION_TIMESTAMP": ("long", "float", "null")}
}
"""Reserved fields that a domain's page gives another type: ECOMMERCE-items-dataset.html has it as
a float, the overview of the domain and its default schema as a long."""
ALTERNATIVES = {"GENRES": "GENRES_L1"}
"""Names that do as well: the default schema of VIDEO_ON_DEMAND has GENRES_L1."""
DOMAIN_CATEGORICAL = frozenset({"CATEGORY_L1", "GENRES"})
_SHOP_TEXTS = ("CATEGORY_L2", "CATEGORY_L3", "AGE_GROUP", "ADULT", "GENDER")
_VIDEO_TEXTS = ("GENRE_L2", "GENRE_L3", "CONTENT_OWNER", "CONTENT_CLASSIFICATION")
_VIDEO_NUMBERS = ("PRICE", "DURATION", "AVERAGE_RATING")
DOMAIN_RESERVED: dict[tuple[str, str], Mapping[str, tuple[tuple[str, ...], str | None]]] = {
    ("ECOMMERCE", "items"): {
        **dict.fromkeys(_SHOP_TEXTS, (_OPTIONAL_TEXT, "categorical")),
        "PRODUCT_DESCRIPTION": (_OPTIONAL_TEXT, "textual"),
    },
    ("VIDEO_ON_DEMAND", "items"): {
        **dict.fromkeys(_VIDEO_NUMBERS, (("float", "null"), None)),
        **dict.fromkeys(_VIDEO_TEXTS, (_OPTIONAL_TEXT, "categorical")),
        "PRODUCT_DESCRIPTION": (_OPTIONAL_TEXT, "textual"),
    },
    ("VIDEO_ON_DEMAND", "users"): {"SUBSCRIPTION_MODEL": (_OPTIONAL_TEXT, "categorical")},
}
"""The types and the flag that a domain's reserved keywords must have where a schema uses them.

https://docs.aws.amazon.com/personalize/latest/dg/ECOMMERCE-datasets-and-schemas.html and
https://docs.aws.amazon.com/personalize/latest/dg/VIDEO-ON-DEMAND-datasets-and-schemas.html.
"""


def fields(schema: Mapping[str, Any]) -> list[Field]:
    """Return the columns of a schema without problems."""
    return [
        Field(
            one["name"],
            _types(one["type"]),
            bool(one.get("categorical")),
            bool(one.get("textual")),
        )
        for one in schema["fields"]
    ]


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return the kind of dataset that a schema without problems is for."""
    kind = kind_named(schema["name"])
    if kind is None:
        raise ValueError(schema["name"])
    return kind


def kind_named(record: Any) -> str | None:
    """Return the kind of dataset that a record's name stands for, or None.

    Case is no matter: the configs of AWS's immersion day, which are deployed, name them
    ``interactions``, ``users`` and ``items`` (aws-samples/amazon-personalize-immersion-day,
    Media/params.json). Nor is ``_``, which the service has in the type of a dataset.
    """
    plain = record.replace("_", "").lower() if isinstance(record, str) else None
    return next((kind for kind in RULES if kind.lower() == plain), None)


def loads(schema: Any) -> Any:
    """Return a schema that is given as an object or as a JSON text; raise ValueError."""
    return json.loads(schema) if isinstance(schema, str) else schema


def dumps(schema: Any) -> str:
    """Return a schema as the text that CreateSchema takes, as short as it can be."""
    return schema if isinstance(schema, str) else json.dumps(schema, separators=(",", ":"))


def problems(schema: Any, kind: str, domain: str | None = None, path: str = "$") -> list[Problem]:
    """Return all that is wrong with the schema of a dataset of a kind (``interactions``)."""
    if isinstance(schema, str) and len(schema) > LONGEST:
        # in the words of the service's model, so that it is told once
        return [
            parameters.SIZE.problem(
                path, f"has {len(schema)} characters.", f"The most is {LONGEST}."
            )
        ]
    try:
        schema = loads(schema)
    except (ValueError, RecursionError) as error:
        if isinstance(error, RecursionError) or too_deep(schema):
            return [files.DEPTH.problem(path, TOO_DEEP, "The fields of a schema are not nested.")]
        told = f"is not JSON: {error}."
        return [schemas.JSON.problem(path, told, "Give the Avro schema as an object.")]
    too_large = list(excesses(schema, path))
    if too_large:
        return too_large
    if not isinstance(schema, Mapping):
        return [schemas.OBJECT.problem(path, f"must be an Avro record, not {shown(schema)}.")]
    return [*_record(schema, kind, path), *_all_fields(schema, kind, domain, path)]


def changes_refused(old: str, new: str, kind: str) -> list[str]:
    """Return why a dataset of a kind cannot go from one schema to another, by field.

    https://docs.aws.amazon.com/personalize/latest/dg/updating-dataset-schema.html
    """
    if kind not in CHANGEABLE:
        return [f"the schema of {kind} cannot be changed: only of {' and '.join(CHANGEABLE)}"]
    before = {one.name: one for one in fields(loads(old))}
    after = {one.name: one for one in fields(loads(new))}
    gone = [f"{name} is dropped" for name in before if name not in after]
    other = [
        f"{name} is changed: its type and flags must stay as they are"
        for name, field in before.items()
        if name in after and after[name] != field
    ]
    added = [
        f"{name} is new and must allow null"
        for name, field in after.items()
        if name not in before and not field.nullable
    ]
    return [*gone, *other, *added]


def columns_added(old: str, new: str) -> list[str]:
    """Return the names of the fields that one schema has and an older one has not."""
    before = {one.name for one in fields(loads(old))}
    return [one.name for one in fields(loads(new)) if one.name not in before]


def _record(schema: Mapping[str, Any], kind: str, path: str) -> Iterator[Problem]:
    if schema.get("type") != "record":
        told = f'must be "record", not {shown(schema.get("type"))}.'
        yield schemas.RECORD.problem(member(path, "type"), told)
    if kind_named(schema.get("name")) != kind:
        yield schemas.NAME.problem(
            member(path, "name"),
            f'must be "{RULES[kind].record}", not {shown(schema.get("name"))}.',
            "Amazon Personalize knows the dataset's type by it.",
        )
    if not isinstance(schema.get("fields"), list):
        yield schemas.FIELDS.problem(member(path, "fields"), "must be a list of fields.")


def _all_fields(
    schema: Mapping[str, Any], kind: str, domain: str | None, path: str
) -> Iterator[Problem]:
    listed = schema.get("fields")
    if not isinstance(listed, list):
        return
    place = member(path, "fields")
    wrong = [problem for i, one in enumerate(listed) for problem in _field(one, f"{place}[{i}]")]
    yield from wrong
    if not wrong:
        found = fields(schema)
        yield from _names(found, place)
        yield from _against_rules(found, kind, domain, place)


def _field(field: Any, path: str) -> Iterator[Problem]:
    if not isinstance(field, Mapping):
        yield schemas.FIELD.problem(path, f"must be an object, not {shown(field)}.")
        return
    name = field.get("name")
    if not isinstance(name, str) or not FIELD_NAME.match(name) or len(name) > FIELD_NAME_LIMIT:
        yield schemas.FIELD_NAME.problem(
            member(path, "name"),
            f"{shown(name)} is not a field name.",
            f"Use letters, digits and _, up to {FIELD_NAME_LIMIT}.",
        )
    yield from _type(field.get("type"), member(path, "type"))
    for flag in ("categorical", "textual"):
        if flag in field and not isinstance(field[flag], bool):
            yield schemas.FLAG.problem(member(path, flag), "must be true or false.")


def _type(given: Any, path: str) -> Iterator[Problem]:
    union = _types(given)
    for one in union:
        if one not in TYPES:
            told = f"{shown(one)} is not a type here."
            yield schemas.TYPE.problem(path, told, f"Known: {', '.join(TYPES)}.")
    if not union or len(union) > 2 or (len(union) == 2 and "null" not in union):
        yield schemas.UNION.problem(path, "must be one type, or one type and null.")


def _types(given: Any) -> tuple[Any, ...]:
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(given)
    return (given,)


def _names(found: Sequence[Field], path: str) -> Iterator[Problem]:
    """Find names that collide: the service compares them by letters and digits alone."""
    seen: dict[str, str] = {}
    for index, field in enumerate(found):
        plain = re.sub(r"[^A-Za-z0-9]", "", field.name)
        if plain in seen:
            yield schemas.COLLISION.problem(
                f"{path}[{index}].name",
                f"{field.name} collides with {seen[plain]}.",
                "Amazon Personalize compares names by their letters and digits alone.",
            )
        seen.setdefault(plain, field.name)


def _against_rules(
    found: Sequence[Field], kind: str, domain: str | None, path: str
) -> Iterator[Problem]:
    rules = RULES[kind]
    required = {**rules.required, **DOMAIN_REQUIRED.get((domain or "", kind), {})}
    optional = {**rules.optional, **DOMAIN_OPTIONAL.get((domain or "", kind), {})}
    names = {field.name for field in found}
    for name, types in required.items():
        if name not in names and ALTERNATIVES.get(name) not in names:
            yield schemas.LACKS.problem(path, f"lacks the field {name} ({types[0]}).", "Add it.")
    for index, field in enumerate(found):
        yield from _reserved(field, {**optional, **required}, f"{path}[{index}]")
        yield from keyword_problems(field, kind, domain, f"{path}[{index}]")
    yield from _metadata(found, {*rules.optional, *rules.required}, rules, path)


def _reserved(
    field: Field, reserved: Mapping[str, tuple[str, ...]], path: str
) -> Iterator[Problem]:
    allowed = reserved.get(field.name)
    if allowed is None:
        return
    for one in field.types:
        if one not in allowed:
            yield schemas.RESERVED_TYPE.problem(
                f"{path}.type",
                f"{field.name} may not be {one}.",
                f"It must be {' or '.join(allowed)}.",
            )
    domain = field.name in DOMAIN_CATEGORICAL
    if field.categorical and not domain:
        told = f"{field.name} may not be categorical."
        yield schemas.NOT_CATEGORICAL.problem(f"{path}.categorical", told)
    if domain and not field.categorical:
        told = f"{field.name} must be categorical."
        yield schemas.CATEGORICAL.problem(f"{path}.categorical", told, "Set it true.")


def keyword_problems(field: Field, kind: str, domain: str | None, path: str) -> Iterator[Problem]:
    """Hold a domain's reserved keyword to its type and its flag."""
    types, flag = DOMAIN_RESERVED.get((domain or "", kind), {}).get(field.name, (None, None))
    if types is None:
        return
    for one in field.types:
        if one not in types:
            told = f"{field.name} may not be {one} in the domain {domain}."
            yield schemas.KEYWORD_TYPE.problem(
                f"{path}.type", told, f"It must be {' or '.join(types)}."
            )
    if flag and not getattr(field, flag):
        told = f"{field.name} must be {flag} in the domain {domain}."
        yield schemas.KEYWORD_FLAG.problem(f"{path}.{flag}", told, "Set it.")


def _metadata(
    found: Sequence[Field], reserved: set[str], rules: Rules, path: str
) -> Iterator[Problem]:
    own = [field for field in found if field.name not in reserved]
    least, most = rules.metadata
    useful = [field for field in own if field.type != "string" or _used(field)]
    if len(useful) < least:
        yield schemas.NO_METADATA.problem(
            path,
            "has no metadata field that training can use.",
            "Add a number, or a string with categorical: true.",
        )
    if len(own) > most:
        yield schemas.METADATA.problem(
            path, f"has {len(own)} metadata fields.", f"The most is {most}."
        )
    textual = [field.name for field in own if field.textual]
    if len(textual) > rules.textual:
        yield schemas.TEXTUAL.problem(
            path,
            f"has textual fields: {', '.join(textual)}.",
            f"{rules.record} may have {rules.textual}.",
        )
    for name in (field.name for field in own if field.textual and field.type != "string"):
        yield schemas.TEXTUAL.problem(path, f"{name} is textual, but no string.")


def _used(field: Field) -> bool:
    return field.categorical or field.textual
