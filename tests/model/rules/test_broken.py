"""For each rule there is an input that breaks it, and what is told bears its id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mpe.cli.main import mpe
from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError
from mpe.model.gate.data import DataLimits, judge_data, not_profiled
from mpe.model.gate.smoke import Answer, SmokeLimits, judge_lists, with_filters
from mpe.model.gate.terms import Gate
from mpe.model.gate.verdict import Verdict, judge
from mpe.model.gate.versions import Version
from mpe.model.gate.watch import Alarm, Traffic, WatchTerms, judge_watch
from mpe.model.messages import message_for
from mpe.model.rules.catalogue import ALL
from mpe.model.service.counting import Tally
from mpe.model.service.profile import Profile
from mpe.model.service.recipes import USER_PERSONALIZATION
from tests.conftest import config
from tests.handlers.test_runs import Account, account
from tests.model.config.bending import Bend
from tests.model.rules.broken import (
    ASKED,
    BEGAN,
    CONFIGS,
    DATA,
    FILTERED,
    GOOD,
    IMPORTS,
    ITEM_IDS,
    LISTS,
    TEXTS,
    UPLOADS,
    VERDICTS,
    WATCHES,
    Files,
)

__all__ = ["account"]


def ids(text: str | bytes) -> set[str]:
    """Return the rules that a config breaks."""
    try:
        return {one.rule for one in parse(text).notes}
    except ConfigError as refused:
        return {one.rule for one in refused.problems}


def bent(bend: Bend) -> str:
    """Return the example's config with a bend in it."""
    document = config()
    bend(document)
    return json.dumps(document)


def checked(file: Path) -> list[dict[str, Any]]:
    """Return what ``mpe check-data`` finds."""
    result = CliRunner().invoke(mpe, ["check-data", str(file), "--output", "json"])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


def test_each_rule_has_an_input_that_breaks_it() -> None:
    assert {
        *TEXTS,
        *CONFIGS,
        *UPLOADS,
        *DATA,
        *VERDICTS,
        *IMPORTS,
        *LISTS,
        *WATCHES,
        *FILTERED,
    } == set(ALL)


@pytest.mark.parametrize("rule", TEXTS)
def test_a_file_that_is_no_config_breaks_a_rule(rule: str) -> None:
    assert rule in ids(TEXTS[rule])


@pytest.mark.parametrize(("rule", "bend"), CONFIGS.items(), ids=CONFIGS)
def test_a_bend_of_the_config_breaks_a_rule(rule: str, bend: Bend) -> None:
    assert ids(json.dumps(config())) == set()
    assert rule in ids(bent(bend))


@pytest.mark.parametrize("rule", VERDICTS)
def test_a_version_breaks_a_rule(rule: str) -> None:
    given, coverage = VERDICTS[rule]
    live = Version("solution/films/1", {"coverage": 0.2})
    metrics = {} if coverage is None else {"coverage": coverage}
    new = Version("solution/films/2", metrics)
    verdict = judge(Gate.of(given), new, live=live, baseline=live)
    assert [one.rule for one in verdict.reasons] == [rule]


def counted(rows: list[str]) -> Profile:
    tally = Tally("interactions")
    tally.add(["USER_ID,ITEM_ID,TIMESTAMP", *rows], go_on=lambda: True)
    return tally.profile(tally.unknown(tally.met() - set(ITEM_IDS)))


def imported(rows: list[str] | None) -> Verdict:
    """Return what is thought of an import of some rows, a day after the newest good one."""
    if rows is None:
        return not_profiled("nobody may read it.")
    live, limits = counted(GOOD), DataLimits.of({"newest": "3 days"})
    now = 1_700_000_000 + 86_400
    return judge_data(limits, "interactions", counted(rows), live=live, now=now)


def test_good_rows_break_no_rule_of_imports() -> None:
    assert imported(GOOD).word == "pass"


@pytest.mark.parametrize("rule", IMPORTS)
def test_an_import_breaks_a_rule(rule: str) -> None:
    assert rule in {one.rule for one in imported(IMPORTS[rule]).reasons}


def asked(answers: list[Answer]) -> set[str]:
    before = {one.probe.id: one.items for one in ASKED}
    limits = SmokeLimits.of({"latency": "1 second"})
    return {one.rule for one in judge_lists(limits, USER_PERSONALIZATION, before, answers).reasons}


@pytest.mark.parametrize("rule", LISTS)
def test_the_answers_of_a_campaign_break_a_rule(rule: str) -> None:
    assert asked(ASKED) == set()
    assert asked(LISTS[rule]) == {rule}


@pytest.mark.parametrize("rule", FILTERED)
def test_the_answer_with_a_filter_breaks_a_rule(rule: str) -> None:
    found, _ = with_filters(Verdict("pass"), {"f": ""}, [FILTERED[rule]])
    assert [one.rule for one in found.reasons] == [rule]


def watched(traffic: Traffic, alarms: list[Alarm]) -> set[str]:
    terms = WatchTerms.of({"latency": "1 second", "alarms": ["clicks"]})
    return {one.rule for one in judge_watch(terms, traffic, alarms, BEGAN).reasons}


@pytest.mark.parametrize("rule", WATCHES)
def test_what_a_campaign_is_asked_breaks_a_rule(rule: str) -> None:
    assert watched(Traffic(200, 0, 0, 0.1), []) == set()
    assert watched(*WATCHES[rule]) == {rule}


@pytest.mark.parametrize(("rule", "data"), DATA.items(), ids=DATA)
def test_data_breaks_a_rule(rule: str, data: Files, tmp_path: Path) -> None:
    found = {one["rule"]: one["severity"] for one in checked(data.write(tmp_path))}
    assert found.get(rule) == ALL[rule].severity, found


def test_good_data_breaks_no_rule_but_those_of_small_data(tmp_path: Path) -> None:
    assert {one["rule"] for one in checked(DATA["MPE-D010"].write(tmp_path))} == {"MPE-D010"}


@pytest.mark.parametrize(("rule", "uploads"), UPLOADS.items(), ids=UPLOADS)
def test_an_upload_breaks_a_rule_whose_id_is_in_the_mail(
    rule: str, uploads: Sequence[tuple[str, Bend]], account: Account
) -> None:
    *others, (key, bend) = uploads
    for number, (place, change) in enumerate(others):
        assert "started" in account.upload(bent(change), key=place, sequencer=f"0{number}")
    assert account.upload(bent(bend), key=key, sequencer="09") == {"rejected": 1}
    ((_, detail),) = account.events.put_
    assert [one["rule"] for one in detail["Problems"]] == [rule]
    mail = message_for("Configuration Rejected", detail, region="us-east-1")
    assert f"[{rule}]" in mail.text


WARNINGS = [name for name in CONFIGS if ALL[name].severity != "error"]


@pytest.mark.parametrize("rule", WARNINGS)
def test_a_warning_is_switched_off_by_its_id(rule: str) -> None:
    """Where there is another warning of the same input, it stays."""
    document = json.loads(bent(CONFIGS[rule]))
    told = ids(json.dumps(document))
    assert ids(json.dumps({**document, "ignore": [rule]})) == told - {rule}


@pytest.mark.parametrize("rule", [name for name in DATA if ALL[name].severity != "error"])
def test_a_finding_that_is_no_error_is_switched_off_by_its_id(rule: str, tmp_path: Path) -> None:
    file = DATA[rule].write(tmp_path)
    told = {one["rule"] for one in checked(file)}
    file.write_text(json.dumps({**json.loads(file.read_text()), "ignore": [rule]}))
    assert {one["rule"] for one in checked(file)} == told - {rule}


@pytest.mark.parametrize("rule", ["MPE-D034", "MPE-P006"])
def test_an_error_is_not_switched_off(rule: str) -> None:
    assert ids(json.dumps({**config(), "ignore": [rule]})) == {"MPE-J014"}


def test_the_commands_name_the_rule_behind_each_text(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(bent(CONFIGS["MPE-P006"]))
    for command in ("validate", "check-data"):
        assert "[MPE-P006]" in CliRunner().invoke(mpe, [command, str(file)]).output
    file.write_text(bent(CONFIGS["MPE-T006"]))
    assert "[MPE-T006]" in CliRunner().invoke(mpe, ["validate", str(file)]).output
    data = DATA["MPE-D034"].write(tmp_path)
    assert "MPE-D034" in CliRunner().invoke(mpe, ["check-data", str(data)]).output
