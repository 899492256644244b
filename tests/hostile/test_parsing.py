"""Whatever is uploaded as a config: told in a few short lines, and never a crash or a hang."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError, Problem
from mpe.model.service import schedules
from mpe.model.service.limits import DEPTH_LIMIT, PROBLEMS_LIMIT, SIZE_LIMIT, VALUES_LIMIT
from tests.conftest import config, examples
from tests.everything import everything
from tests.hostile.inputs import check_config, check_filter, check_schedule, check_schema

SLOW = settings(
    max_examples=examples(150),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NASTY = st.sampled_from(
    [
        "",
        "\0",
        "a\nDataset group x: the run succeeded.",
        "\x1b[2J\x1b[31m",
        "\u202egnp.exe",
        "\ud800",
        "[bold red]x[/]",
        "=cmd|' /C calc'!A0",
        "../../other",
        "é",
        "e\u0301",
        "x" * 5_000,
        "s3://other-bucket/data",
        "arn:aws:iam::999999999999:role/other",
        "arn:aws:personalize:us-east-1:999999999999:filter/other",
        "cron(0 0 31 2 ? *)",
        "rate(" + "9" * 200 + " days)",
        '{"type": "record"}',
        "[" * 3_000,
    ]
)
TEXT = st.one_of(st.text(max_size=30), NASTY)
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.integers(10**18, 10**25)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=20,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container in a document with each of its keys."""
    found = []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((value, key))
        if isinstance(inner, dict | list):
            found.extend(places(inner))
    return found


@SLOW
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    assert not check_config(data)


@SLOW
@given(JSON)
def test_any_json(document: Any) -> None:
    assert not check_config(json.dumps(document))


@SLOW
@given(st.data(), st.sampled_from([config, everything]))
def test_a_good_config_in_which_something_was_changed(data: st.DataObject, make: Any) -> None:
    document = deepcopy(make())
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(document)))
        match data.draw(st.sampled_from(["put", "remove", "add", "twice"])):
            case "put":
                container[key] = data.draw(JSON)
            case "remove":
                del container[key]
            case "add" if isinstance(container, dict):
                container[data.draw(TEXT)] = data.draw(JSON)
            case "twice" if isinstance(container, list):
                container.append(container[key])
        if not places(document):
            break
    check_config(json.dumps(document))


WORDS = st.sampled_from(
    [
        "INCLUDE",
        "EXCLUDE",
        "ItemID",
        "UserID",
        "WHERE",
        "Items.A",
        "Interactions.EVENT_TYPE",
        "CurrentUser.X",
        "IF",
        "AND",
        "OR",
        "NOT",
        "IN",
        "(",
        ")",
        ",",
        "|",
        "*",
        "=",
        "<",
        "$P",
        "1",
        "-2.5",
        "CurrentItem.G",
        '"x"',
        "\n",
        "\u0663",
        "\ud800",
    ]
)


@SLOW
@given(st.one_of(TEXT, st.lists(WORDS, max_size=25).map(" ".join)))
def test_any_filter_expression(expression: str) -> None:
    check_filter(expression)


FIELD = st.text(st.sampled_from("0123456789*?/-,LW#JANMON"), max_size=12)


@SLOW
@given(
    st.one_of(
        TEXT,
        st.lists(FIELD, min_size=6, max_size=6).map(lambda fields: f"cron({' '.join(fields)})"),
        st.builds("rate({} {})".format, st.integers(-1, 10**30), st.sampled_from(["day", "days"])),
    )
)
def test_any_schedule(expression: str) -> None:
    check_schedule(expression)


@SLOW
@given(
    st.one_of(
        JSON,
        TEXT,
        st.fixed_dictionaries(
            {
                "type": st.just("record"),
                "name": st.sampled_from(["Interactions", "Items", "Users"]),
                "fields": st.lists(
                    st.fixed_dictionaries(
                        {
                            "name": st.one_of(st.sampled_from(["USER_ID", "ITEM_ID"]), TEXT),
                            "type": st.one_of(
                                st.sampled_from(["string", "long"]), st.lists(TEXT), JSON
                            ),
                        },
                        optional={"categorical": JSON, "textual": JSON},
                    ),
                    max_size=5,
                ),
            }
        ),
    )
)
def test_any_schema(schema: Any) -> None:
    check_schema(schema)
    check_schema(json.dumps(schema))


def told(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert not check_config(text)
    return caught.value.problems


def nested(depth: int) -> Any:
    value: Any = "string"
    for _ in range(depth):
        value = [value]
    return value


def with_schema(schema: Any) -> str:
    document = everything()
    document["datasets"]["items"]["schema"]["serviceConfig"]["schema"] = schema
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[" * 400_000, "nested", id="deep-and-open"),
        pytest.param("[" * 900, "nested", id="open-where-the-parser-does-not-tire"),
        pytest.param(with_schema("[" * 900), "nested", id="a-schema-open-likewise"),
        pytest.param(json.dumps(nested(DEPTH_LIMIT + 1)), "nested", id="just-too-deep"),
        pytest.param(with_schema("[" * 9_000), "nested", id="a-deep-schema-in-a-text"),
        pytest.param(with_schema("[" * 500 + "]" * 500), "nested", id="a-schema-of-lists"),
        pytest.param(with_schema("x" * 900_000), "900000 characters", id="a-long-schema"),
        pytest.param(json.dumps([0] * (VALUES_LIMIT + 1)), "values", id="many-values"),
        pytest.param('{"a": 1' + ',"a": 1' * 100_000 + "}", "twice", id="keys-twice"),
        pytest.param('{"n": ' + "9" * 900_000 + "}", "too large", id="a-huge-number"),
        pytest.param('{"n": 1e999}', "too large", id="a-huge-float"),
        pytest.param(json.dumps({"x" * (SIZE_LIMIT - 20): 1}), "not a key", id="a-long-key"),
        pytest.param(json.dumps({"datasetGroup": "x" * 900_000}), "an object", id="a-long-value"),
    ],
)
def test_what_is_too_large_is_told_in_a_line(text: str, message: str) -> None:
    problems = told(text)
    assert len(problems) <= 3
    assert any(message in str(one) for one in problems)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({f"k{n}": 1 for n in range(15_000)}, id="unknown-keys"),
        pytest.param(
            {"datasetGroup": {"serviceConfig": {f"{n}nmae": 1 for n in range(15_000)}}},
            id="unknown-parameters",
        ),
        pytest.param({"filters": [1] * 15_000}, id="wrong-types"),
        pytest.param({"solutions": [{}] * 15_000}, id="required"),
        pytest.param(
            {
                "filters": [{"serviceConfig": {"name": "x", "filterExpression": "EXCLUDE" * 20}}]
                * 4_000
            },
            id="filters-of-one-name",
        ),
    ],
)
def test_the_search_ends_after_so_many_problems(document: dict[str, Any]) -> None:
    problems = told(json.dumps({"datasetGroup": {"serviceConfig": {"name": "x"}}, **document}))
    assert len(problems) == PROBLEMS_LIMIT + 1
    assert "has more problems" in problems[-1].message


def test_a_megabyte_of_good_filters_is_read() -> None:
    document = everything()
    expression = "INCLUDE ItemID WHERE Items.GENRES IN (" + ",".join(["$G"] * 800) + ")"
    document["filters"] += [
        {"serviceConfig": {"name": f"all-{n}", "filterExpression": expression}} for n in range(380)
    ]
    assert check_config(json.dumps(document))


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 0 31 2 ? *)",
        "cron(0 0 30W FEB ? *)",
        "cron(* * 31 2,4,6,9,11 ? *)",
        "cron(0 0 29 2 ? 2197)",
        "cron(0 0 1 1 ? 1999)",
    ],
)
def test_a_cron_that_never_fires_is_told_after_a_look_at_14_years(expression: str) -> None:
    schedule = schedules.parse(expression)
    assert isinstance(schedule, schedules.Cron)
    looks = 0

    def counted(day: Any) -> bool:
        nonlocal looks
        looks += 1
        return schedule.on(day)

    watched = schedules.Cron(
        schedule.minutes, schedule.hours, schedule.months, schedule.years, counted
    )
    assert not watched.fires_from(2026)
    assert looks <= 14 * 366
    assert "never fires" in str(schedules.problem(expression))


@pytest.mark.parametrize("expression", ["cron(0 0 29 2 ? 2196)", "cron(0 0 ? 2 1#5 *)"])
def test_a_cron_that_fires_once_in_a_lifetime_is_a_schedule(expression: str) -> None:
    assert schedules.problem(expression) is None


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 0 " + ",".join(["30W"] * 100_000) + " 2 ? *)",
        "rate(" + "9" * 100_000 + " days)",
        "rate(9999999 days)",
        "cron(0 0 1/" + "9" * 200 + " 1 ? *)",
        "rate(٣ days)",
    ],
)
def test_a_schedule_that_the_service_would_not_take(expression: str) -> None:
    assert schedules.problem(expression)
    assert not check_schedule(expression)


def test_a_schedule_whose_last_year_is_over_is_no_training_a_month() -> None:
    assert schedules.per_month(schedules.parse("cron(0 0 1 6 ? 2026)")) == 0


def test_a_schedule_beside_automatic_training_that_ends_soon_is_still_told() -> None:
    document = everything()
    solution = document["solutions"][0]
    solution["serviceConfig"]["performAutoTraining"] = True
    solution["workflowConfig"] = {"schedules": {"full": "cron(0 0 1 6 ? 2026)"}}
    assert any("billed" in one.message for one in told(json.dumps(document)))


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "a\r", "\x1b", "ok\n"])
def test_a_tag_has_no_control_characters(value: str) -> None:
    document = everything()
    document["tags"] = [{"tagKey": "key", "tagValue": value}]
    assert [one.path for one in told(json.dumps(document))] == ["$.tags[0].tagValue"]


@pytest.mark.parametrize("value", ["Größe 1", "a\u3000b", "x=1", "+-@_.:/"])
def test_a_tag_may_have_letters_of_any_script_and_spaces(value: str) -> None:
    document = everything()
    document["tags"] = [{"tagKey": "key", "tagValue": value}]
    assert check_config(json.dumps(document))
