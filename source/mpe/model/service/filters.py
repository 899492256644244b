"""The filter expressions of Amazon Personalize: parsed, and checked against the schemas.

https://docs.aws.amazon.com/personalize/latest/dg/creating-filter-expressions.html says how they
are built and
https://docs.aws.amazon.com/personalize/latest/dg/filter-expression-guidelines-requirements.html
what they may read. Fields are compared without regard to case: AWS's own samples deploy
``INTERACTIONS.event_type`` on a schema with ``EVENT_TYPE`` (aws-samples/retail-demo-store,
src/aws-lambda/personalize-pre-create-resources/personalize_pre_create_resources.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mpe.model.errors import PersonalizationError, Problem
from mpe.model.rules import filters as rules
from mpe.model.rules import parameters
from mpe.model.rules.record import Rule
from mpe.model.service.avro import Field
from mpe.model.service.expressions import (
    DATASETS,
    Expression,
    Filter,
    NotReadError,
    Parameter,
    Predicate,
    read,
)

KNOWN = ("Interactions", "Items", "Users", "Actions", "Action_Interactions")
EVENTS = frozenset({"interactions", "actionInteractions"})
"""Sections of which only the event type can be filtered by."""
EVENT_TYPE = "EVENT_TYPE"
ORDERS = frozenset({"<", "<=", ">", ">="})
MOST_FIELDS = 10
MOST_FIELDS_OF_GROUP = 20
"""Distinct fields of one filter, and of all filters of a dataset group
(https://docs.aws.amazon.com/personalize/latest/dg/limits.html; older guides say 5 and 10)."""
LONGEST = 2_500
"""Characters of an expression."""


class FilterError(PersonalizationError):
    """A filter expression breaks a rule; ``position`` counts characters from 0."""

    def __init__(self, rule: Rule, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.rule, self.position = rule, position


def parse(expression: str) -> Filter:
    """Return the parsed filter, or raise :class:`FilterError`."""
    if len(expression) > LONGEST:
        raise FilterError(
            parameters.SIZE, f"has {len(expression)} characters; the most is {LONGEST}"
        )
    try:
        parsed = read(expression)
    except NotReadError as error:
        found = expression[error.position : error.position + 20] or "the end"
        message = f"cannot be read at character {error.position}: {found!r}"
        raise FilterError(rules.SYNTAX, message, error.position) from None
    for one in parsed.expressions:
        _check(one)
    return parsed


def problems(expression: str, schemas: Mapping[str, list[Field]], path: str = "$") -> list[Problem]:
    """Return all that is wrong with an expression, given the schema fields by section."""
    if len(expression) > LONGEST:
        # in the words of the service's model, so that it is told once
        told = f"has {len(expression)} characters."
        return [parameters.SIZE.problem(path, told, f"The most is {LONGEST}.")]
    try:
        parsed = parse(expression)
    except FilterError as error:
        remedy = "See the filter expression syntax of the service."
        return [error.rule.problem(path, f"{error}.", remedy)]
    return list(_against(parsed, schemas, path))


def datasets_of(expression: str) -> frozenset[str]:
    """Return the sections of the datasets that an expression reads; none of one that is wrong."""
    try:
        return frozenset(section for section, _ in parse(expression[:LONGEST]).fields)
    except FilterError:
        return frozenset()


def problems_of_all(
    expressions: Iterable[tuple[str, str]], *, most: int = MOST_FIELDS_OF_GROUP
) -> Iterator[Problem]:
    """Yield what is wrong with the filters of one group together, each given with its path."""
    read: set[tuple[str, str]] = set()
    for path, expression in expressions:
        try:
            read |= parse(expression).fields
        except FilterError:
            continue  # its own problem is told
        if len(read) > most:
            yield rules.FIELDS_OF_GROUP.problem(
                path,
                f"with it the filters of the dataset group read {len(read)} distinct fields.",
                f"The most is {most}.",
            )
            return


def _against(parsed: Filter, schemas: Mapping[str, list[Field]], path: str) -> Iterator[Problem]:
    for section, name in sorted(parsed.fields):
        if section not in schemas:
            told = f"reads {section}.{name}, but there is no {section} dataset."
            yield rules.NO_DATASET.problem(path, told)
            continue
        field = field_of(schemas[section], name)
        if field is None:
            yield rules.NO_FIELD.problem(
                path,
                f"reads {section}.{name}, which is not in that schema.",
                f"It has: {', '.join(one.name for one in schemas[section])}.",
            )
        elif field.textual or field.type == "boolean":
            kind = "textual" if field.textual else "boolean"
            told = f"reads {section}.{name}, but a {kind} field cannot be filtered."
            yield rules.FIELD_TYPE.problem(path, told)
    yield from _compared(parsed, schemas, path)
    if len(parsed.fields) > MOST_FIELDS:
        told = f"reads {len(parsed.fields)} fields."
        yield rules.FIELDS.problem(path, told, f"The most is {MOST_FIELDS}.")


def field_of(fields: Iterable[Field], name: str) -> Field | None:
    """Return the field of a name, whatever its case, or None."""
    return next((one for one in fields if one.name.upper() == name.upper()), None)


def _compared(parsed: Filter, schemas: Mapping[str, list[Field]], path: str) -> Iterator[Problem]:
    """Find texts that are asked whether they are more or less: the operators are for numbers."""
    for one in parsed.predicates:
        field = field_of(schemas.get(DATASETS[one.dataset], ()), one.field)
        if field and field.type == "string" and one.operator in ORDERS:
            yield rules.ORDER.problem(
                path,
                f"compares {one.field}, which is a string, by {one.operator}.",
                "That operator is for numbers: use IN, NOT IN or =.",
            )


def _check(expression: Expression) -> None:
    """Hold an expression to the rules that its grammar cannot say."""
    for one in (*expression.predicates, *expression.only_if):
        _check_predicate(one)
    if len({DATASETS[one.dataset] for one in expression.predicates}) > 1:
        raise FilterError(rules.ONE_DATASET, "one expression may read one dataset; join two with |")
    if any(one.dataset == "currentuser" for one in expression.predicates):
        raise FilterError(rules.CURRENT_USER, "CurrentUser is only for IF")
    if any(one.dataset != "currentuser" for one in expression.only_if):
        raise FilterError(rules.IF, "IF is only for CurrentUser")
    if "OR" in expression.only_joiners:
        raise FilterError(rules.IF_AND, "the conditions after IF are joined by AND only")


def _check_predicate(one: Predicate) -> None:
    if one.dataset not in DATASETS:
        raise FilterError(
            rules.DATASET, f"{one.dataset} is not a dataset; known: {', '.join(KNOWN)}"
        )
    if one.dataset == "currentitem":
        told = "CurrentItem is only for values: Items.PRICE < CurrentItem.PRICE"
        raise FilterError(rules.CURRENT_ITEM, told)
    event = one.field.upper() == EVENT_TYPE
    if DATASETS[one.dataset] in EVENTS and not event:
        raise FilterError(
            rules.EVENTS,
            f"interactions can be filtered by {EVENT_TYPE} only, not by {one.field}; other "
            "columns of interactions cannot be filtered by",
        )
    if "*" in one.values and not event:
        raise FilterError(rules.ANY, f"* is only for {EVENT_TYPE}, not for {one.field}")
    if one.operator == "NOT IN" and any(isinstance(value, Parameter) for value in one.values):
        raise FilterError(
            rules.PLACEHOLDER,
            "Placeholders are not allowed with NOT_IN operator. Use IN with the other verb: "
            "EXCLUDE in place of INCLUDE, or the other way round",
        )
