"""What is done with hostile text, and what must hold of it: shared by the tests and the fuzzer."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from mpe.model.config.parse import parse
from mpe.model.config.sections import Config
from mpe.model.errors import LONGEST_FILE, LONGEST_PATH, ConfigError, DataError, Problem
from mpe.model.plan.desired import Place, desired_state
from mpe.model.plan.foreign import foreign
from mpe.model.service import avro, filters, schedules
from mpe.model.service.csvs import MOST_LINES, Head, check_head
from mpe.model.service.limits import PROBLEMS_LIMIT
from mpe.model.text import LONGEST
from tests.everything import SCHEMAS

PLACE = Place("us-east-1", "000000000000", "data", "arn:aws:iam::000000000000:role/service")
KINDS = tuple(avro.RULES)
COLUMNS = {avro.kind_of(one): avro.fields(one) for one in SCHEMAS.values()}
"""The columns of a dataset of each kind."""


def harmless(problems: list[Problem] | tuple[Problem, ...]) -> None:
    """Assert that problems can be told: few, short, and printable on one line each."""
    assert len(problems) <= PROBLEMS_LIMIT + 1
    for one in problems:
        assert str(one).isprintable()
        assert len(one.path) <= LONGEST_PATH
        assert max(len(one.message), len(one.remedy)) <= LONGEST
        assert one.message


def check_config(text: str | bytes) -> bool:
    """Parse a config, and go on as Configure does with a good one; return whether it is good."""
    try:
        config = parse(text)
    except ConfigError as error:
        problems = error.problems
    else:
        return check_good(config)
    assert problems
    harmless(problems)
    return False


def check_good(config: Config) -> bool:
    harmless(config.notes)
    harmless(list(foreign(config, PLACE)))
    state = desired_state(config, PLACE, version="20260101T000000-00000000")
    assert type(state).from_json(state.to_json()).to_json() == state.to_json()
    return True


def check_filter(expression: str) -> bool:
    harmless(filters.problems(expression, {}))
    try:
        filters.parse(expression)
    except filters.FilterError:
        return False
    return True


def check_schedule(expression: str) -> bool:
    """Read a schedule and foretell it, as ``mpe schedule`` does."""
    told = schedules.problem(expression)
    schedules.seconds(expression)
    with contextlib.suppress(schedules.ScheduleError):
        schedules.zone(expression)
    try:
        schedule = schedules.parse(expression)
    except schedules.ScheduleError:
        assert told
        return False
    assert schedules.per_month(schedule) >= 0
    return told is None


def check_schema(schema: Any) -> bool:
    """Check a schema for every kind of dataset, and read the fields of a good one."""
    good = False
    for kind in KINDS:
        for domain in (None, "ECOMMERCE"):
            problems = avro.problems(schema, kind, domain)
            for one in problems:
                assert str(one).isprintable()
            if not problems:
                good = True
                assert avro.fields(avro.loads(schema))
                json.loads(avro.dumps(schema))
    return good


def check_csv(data: bytes, *, whole: bool = True) -> bool:
    """Check the beginning of a CSV as the import step does, for every kind of dataset."""
    good = False
    for kind, fields in COLUMNS.items():
        found = check_head(Head("s3://data/train/films/\n.csv", data, whole), kind, fields)
        for one in found:
            assert str(one).isprintable()
            assert len(one.file) <= LONGEST_FILE
            assert max(len(one.message), len(one.remedy), len(one.column or "")) <= LONGEST
            assert len(one.lines) <= MOST_LINES
        wrong = [one for one in found if one.severity == "error"]
        lines = str(DataError(wrong)).split("\n")
        assert all(line.isprintable() for line in lines)
        assert len(lines) <= DataError.MOST + 1
        good = good or not wrong
    return good
