"""What is shown of the gate: ``mpe models`` and ``mpe gate replay``, on a stack in memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpe.aws.turns import Claim
from mpe.cli.account import Account
from mpe.cli.gate import take_turn
from tests.cli.maintained import Maintained, maintained
from tests.conftest import interactions
from tests.local.conftest import small

NDCG = "normalized_discounted_cumulative_gain_at_10"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        yield made


def with_gate(stack: Maintained, **gate: Any) -> str:
    document = small("films")
    document["datasetGroup"]["workflowConfig"] = {"gate": gate}
    document["solutions"][0]["serviceConfig"]["performAutoTraining"] = False
    return str(stack.config(document))


def replayed(stack: Maintained, *words: str) -> list[dict[str, Any]]:
    result = stack.mpe("gate", "replay", "films", *words, "--output", "json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_the_gate_of_the_newest_config_is_replayed_and_nothing_is_changed(
    stack: Maintained,
) -> None:
    stack.maintain()
    (row,) = replayed(stack)
    assert (row["solution"], row["verdict"], row["served"]) == ("films-popular", "pass", True)
    assert row["live"] is None


def test_a_gate_that_is_not_uploaded_can_be_tried(stack: Maintained) -> None:
    stack.maintain()
    before = list(stack.ledger.versions("films", "films-popular"))
    thought = list(stack.ledger.verdicts("films", before[0].arn))
    limits = {NDCG: {"atLeast": 0.999}}
    (row,) = replayed(stack, with_gate(stack, mode="hold", metrics=limits))
    assert (row["verdict"], row["served"]) == ("hold", False)
    assert "at least 0.9990 is wanted" in row["reasons"][0]
    printed = stack.mpe("gate", "replay", "films", with_gate(stack, metrics=limits))
    assert "films-popular" in printed.output
    assert "hold" in printed.output
    assert list(stack.ledger.verdicts("films", before[0].arn)) == thought


def test_each_version_has_what_was_thought_of_it(stack: Maintained) -> None:
    limits = {NDCG: {"atLeast": 0.999}}
    workflow = {"gate": {"mode": "hold", "metrics": limits}}
    document = stack.maintain()
    document["solutions"][0]["serviceConfig"]["performAutoTraining"] = False
    document["datasetGroup"]["workflowConfig"] = workflow
    stack.upload(document, "train/films/config.json")
    arn = next(stack.ledger.versions("films", "films-popular")).arn
    row = {"word": "rejected", "by": "arn:aws:iam::1:user/eve", "why": "lists", "at": "2026"}

    def shown() -> dict[str, Any]:
        (found,) = json.loads(stack.mpe("models", "films", "--output", "json").stdout)
        assert isinstance(found, dict)
        return found

    before = shown()
    assert [one["campaign"] for one in before["verdicts"]] == ["films-live"]
    assert (before["thought"], before["decision"]) == (before["verdicts"][0]["word"], None)
    stack.ledger.decide("films", arn, row)
    after = shown()
    assert after["decision"] == row
    assert after["thought"] == "rejected by arn:aws:iam::1:user/eve"
    assert "rejected by arn:aws:iam::1:user/eve" in stack.mpe("models", "films").output


def trained_twice(stack: Maintained) -> list[dict[str, Any]]:
    """Maintain films, train them again on more data, and return the versions, newest first."""
    document = small("films")
    document["solutions"][0]["serviceConfig"]["performAutoTraining"] = False
    stack.maintain(**document)
    stack.put("train/films/interactions.csv", interactions(users=90, seed=3))
    stack.upload(document, "train/films/config.json")
    personalize = stack.personalize
    (solution,) = personalize.list_solutions()["solutions"]
    made = personalize.create_solution_version(solutionArn=solution["solutionArn"])
    arn = made["solutionVersionArn"]

    def status() -> str:
        found = personalize.describe_solution_version(solutionVersionArn=arn)
        return str(found["solutionVersion"]["status"])

    while status() != "ACTIVE":
        time.sleep(0.01)
    stack.upload(document, "train/films/config.json")
    found: list[dict[str, Any]] = json.loads(
        stack.mpe("models", "films", "--output", "json").stdout
    )
    return found


def test_versions_have_the_size_of_their_data_and_what_became_of_them(stack: Maintained) -> None:
    new, old = trained_twice(stack)
    assert (old["rows"], old["users"]) == (1800, 60)
    assert (new["rows"], new["users"], new["tested"]) == (2700, 90, 90)
    assert (new["state"], old["state"]) == ("settled", "replaced")
    assert (new["live"], new["since"]) == (["films-live"], new["moves"][0]["at"])
    assert new["moves"][0]["former"] == old["version"]


def test_a_version_is_shown_with_all_that_is_known_of_it(stack: Maintained) -> None:
    new, old = trained_twice(stack)
    shown = stack.mpe("models", "show", "films", "films-popular").output
    assert f"films-popular/{new['version']}: settled, ACTIVE" in shown
    assert "2,700 rows of 90 users" in shown
    assert "verdict for films-live (observe)" in shown
    assert "live on films-live since" in shown
    words = ("films", "films-popular", old["version"][:4], "--output", "json")
    assert json.loads(stack.mpe("models", "show", *words).stdout) == old


def test_two_versions_are_compared_with_what_is_noise(stack: Maintained) -> None:
    new, old = trained_twice(stack)
    words = ("models", "diff", "films", "films-popular", old["version"])
    told = json.loads(stack.mpe(*words, "--output", "json").stdout)
    assert (told["first"]["arn"], told["second"]["arn"]) == (old["arn"], new["arn"])
    (one,) = (each for each in told["metrics"] if each["metric"] == NDCG)
    assert one["change"] == pytest.approx(new["metrics"][NDCG] / old["metrics"][NDCG] - 1)
    assert one["tolerance"] == pytest.approx(1.645 * 2**0.5 * 1.75 / 9**0.5)
    printed = stack.mpe(*words).output
    assert "SECOND: films-popular/" in printed
    assert "2,700 rows of 90 users" in printed


def test_a_version_that_is_not_there_is_told_with_those_that_are(stack: Maintained) -> None:
    new, _ = trained_twice(stack)
    result = stack.mpe("models", "show", "films", "films-popular", "nothing")
    assert result.exit_code == 1
    assert new["version"] in result.output


def test_a_config_of_another_group_is_told(stack: Maintained) -> None:
    stack.maintain()
    result = stack.mpe("gate", "replay", "series", with_gate(stack))
    assert result.exit_code == 1
    assert "is the config of 'films', not of 'series'" in result.output


def test_a_group_that_is_not_there_is_told(stack: Maintained) -> None:
    result = stack.mpe("gate", "replay", "none")
    assert result.exit_code == 1
    assert "there is no config of 'none'" in result.output


class Turning:
    """The turn of a group, which a run has at first."""

    def __init__(self, *holders: str) -> None:
        self.holders = list(holders)

    def take_turn(self, *_: Any) -> str | None:
        return self.holders.pop(0) if self.holders else None


def test_a_decision_during_a_run_waits_for_the_turn_and_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = list[float]()
    monkeypatch.setattr(time, "sleep", pauses.append)
    account = Account("Films", region="us-east-1", endpoint="http://here")
    turns, claim = Turning("run-1", "run-1"), Claim("films", "approve", "approve:films:me", "")
    take_turn(account, turns, claim)  # type: ignore[arg-type]
    told = capsys.readouterr()
    assert (told.out + told.err).count("waiting for the end of what works on films: run-1") == 1
    assert (len(pauses), turns.holders) == (2, [])
