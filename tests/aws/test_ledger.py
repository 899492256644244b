"""What runs leave in the ledger for runs and people after them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mpe.aws.ledger import KEPT, MOST_SEEN, Ledger, expecting
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.versions import Version
from mpe.model.plan.forms import MARK, NOTE
from mpe.model.plan.removals import Made
from mpe.model.service.spec import SPECS
from tests.aws.conftest import Behind
from tests.handlers.test_runs import table

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXPIRES = int((NOW + KEPT).timestamp())
FILMS = "arn:aws:personalize:us-east-1:000000000000:solution/films"
NEWER = {MARK: {"version": NOTE.version + 1, "needs": NOTE.version + 1, "release": "9.9.9"}}
LIVE = "campaign.films.live"


@pytest.fixture
def ledger(behind: Behind) -> Ledger:
    return Ledger(behind)


def at(day: int) -> str:
    return (NOW + timedelta(days=day)).isoformat()


def test_durations_are_of_a_resource_and_of_its_type_in_whatever_group() -> None:
    with mock_aws():
        ledger, spec = Ledger(table("rows")), SPECS["Campaign"]
        ledger.remember("films", "campaign.a", "Campaign", "created", 600.04)
        ledger.remember("films", "campaign.a", "Campaign", "created", 500)
        ledger.remember("shop", "campaign.b", "Campaign", "created", 700)
        assert ledger.durations("films", "campaign.a", "created") == (600, 500)
        assert ledger.usual("Campaign", "created") == (600, 500, 700)
        assert ledger.durations("films", "campaign.a", "updated") == ()
        key = {"group": "films", "record": "DURATION#created#campaign.a"}
        row = ledger._table.get_item(Key=key)["Item"]
        assert float(row["seconds"]) == 500, "which former releases read"
        own = expecting(ledger, "films", "campaign.a", spec, "created", "")
        assert (own.own, own.others) == ((600, 500), ())
        other = expecting(ledger, "films", "campaign.c", spec, "created", "")
        assert (other.own, other.others) == ((), (600, 500, 700))
        ledger._table.put_item(
            Item={"group": "films", "record": "DURATION#created#campaign.a", **NEWER}
        )
        assert ledger.durations("films", "campaign.a", "created") == ()


def test_what_a_former_release_learnt_counts_whatever_was_trained_with() -> None:
    with mock_aws():
        ledger, spec = Ledger(table("rows")), SPECS["SolutionVersion"]
        ledger.remember("films", "version.a", "SolutionVersion", "created", 600)
        known = expecting(ledger, "films", "version.a", spec, "created (x HPO)", "x HPO")
        assert known.own == (600,)
        ledger.remember("films", "version.a", "SolutionVersion", "created (x HPO)", 900)
        known = expecting(ledger, "films", "version.a", spec, "created (x HPO)", "x HPO")
        assert known.own == (900,)


def test_of_too_many_objects_none_is_kept(ledger: Ledger) -> None:
    most = frozenset(str(number) for number in range(MOST_SEEN))
    ledger.see("films", "job/a", most, NOW)
    assert ledger.seen("films", "job/a") == most
    ledger.see("films", "job/a", most | {"one more"}, NOW)
    assert ledger.seen("films", "job/a") == most
    assert ledger.seen("films", "job/b") is None


def test_what_is_of_a_run_is_forgotten_a_year_later(ledger: Ledger, behind: Behind) -> None:
    ledger.see("films", "job/a", frozenset({"digest"}), NOW)
    ledger.hold("films", "run", "campaign.a", "a quota", NOW)
    ledger.ask("films", "run", "campaign.a", NOW, at=NOW)
    assert ledger.first("films", "run", "Campaign", NOW)
    ledger.record("films", "run", {"resource": "campaign.a", "status": "ACTIVE"}, NOW)
    found = behind.scan()["Items"]
    assert [int(one["expires"]) for one in found] == [EXPIRES] * 5


def test_what_a_run_did_and_waits_for_is_told_of_that_run_alone(ledger: Ledger) -> None:
    outcome = {"resource": "campaign.a", "status": "ACTIVE", "seconds": 5.5}
    ledger.record("films", "run", outcome, NOW + timedelta(microseconds=5))
    ledger.record("films", "other", {**outcome, "resource": "campaign.b"}, NOW)
    (found,) = ledger.outcomes("films", "run")
    assert (found["resource"], found["at"]) == ("campaign.a", "2026-01-01T00:00:00+00:00")
    assert float(found["seconds"]) == 5.5
    ledger.hold("films", "run", "campaign.a", "a quota", NOW)
    ledger.hold("films", "other", "campaign.b", "a throttle", NOW)
    assert ledger.held("films", "run") == {"campaign.a": "a quota"}


def test_people_are_told_of_something_once_in_a_run(ledger: Ledger) -> None:
    told = [ledger.first("films", run, "Campaign", NOW) for run in ("one", "one", "two")]
    assert told == [True, False, True]


class Full:
    """A table that takes no writes at the moment."""

    def put_item(self, **asked: Any) -> Any:
        code = "ProvisionedThroughputExceededException"
        raise ClientError({"Error": {"Code": code}}, "PutItem")


def test_what_dynamodb_refuses_for_another_reason_is_an_error() -> None:
    ledger = Ledger(Full())
    with pytest.raises(ClientError, match="ProvisionedThroughput"):
        ledger.first("films", "run", "Campaign", NOW)
    with pytest.raises(ClientError, match="ProvisionedThroughput"):
        ledger.accept("films", "import.items", {"data": "a"})


def test_the_numbers_of_a_solutions_versions_are_kept_but_those_of_a_newer_form(
    ledger: Ledger, behind: Behind
) -> None:
    one, two = Version(f"{FILMS}/1", {"coverage": 0.5}, hours=1.5), Version(f"{FILMS}/2")
    for version in (one, two, Version(f"{FILMS}-again/1")):
        ledger.weigh("films", version)
    assert ledger.weighed("films", one.arn) == one
    assert list(ledger.versions("films", "films")) == [one, two]
    behind.put_item(Item={"group": "films", "record": "VERSION#films/2", **NEWER})
    assert ledger.weighed("films", two.arn) is None
    assert ledger.weighed("films", f"{FILMS}/3") is None
    assert list(ledger.versions("films", "films")) == [one]


def test_what_was_thought_of_a_version_for_a_campaign_is_kept_once(
    ledger: Ledger, behind: Behind
) -> None:
    version = f"{FILMS}/1"
    thought = [ledger.note_verdict("films", version, LIVE, {"word": word}) for word in "ab"]
    assert thought == [True, False]
    assert ledger.note_verdict("films", version, "other", {"word": "c"})
    found = [(one["campaign"], one["word"]) for one in ledger.verdicts("films", version)]
    assert found == [(LIVE, "a"), ("other", "c")]
    record = f"JUDGED#VERSION#films/1#{LIVE}"
    behind.put_item(Item={"group": "films", "record": record, **NEWER})
    assert [one["word"] for one in ledger.verdicts("films", version)] == ["c"]


def test_a_pointer_moves_with_a_row_of_each_move_and_names_its_group(
    ledger: Ledger, behind: Behind
) -> None:
    one, two = (
        ModelPointer(version=f"{FILMS}/{number}", at=at(number), by="me", barred=("x",))
        for number in (1, 2)
    )
    for pointer in (two, one, one):
        ledger.point("films", LIVE, pointer)
    ledger.point("films", "other", ModelPointer(held=f"{FILMS}/3"))
    assert ledger.pointer("films", LIVE) == one
    assert ledger.pointer("films", "none") is None
    assert list(ledger.moves("films", LIVE)) == [one, two]
    assert list(ledger.moves("films", "other")) == [], "it has not moved yet"
    assert dict(ledger.all_pointers("films")) == {
        LIVE: one,
        "other": ModelPointer(held=f"{FILMS}/3"),
    }
    assert list(ledger.gated()) == ["films"]
    move = f"MOVE#{LIVE}#{at(3)}#9"
    behind.put_item(Item={"group": "films", "record": move, **NEWER})
    assert list(ledger.moves("films", LIVE)) == [one, two]


class Refusing:
    """A table that does not take a row of a move."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def put_item(self, Item: dict[str, Any], **asked: Any) -> None:
        if Item["record"].startswith("MOVE#"):
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "PutItem")
        self._table.put_item(Item=Item, **asked)


def test_a_pointer_stays_where_its_move_could_not_be_noted(behind: Behind) -> None:
    ledger = Ledger(Refusing(behind))
    with pytest.raises(ClientError, match="InternalServerError"):
        ledger.point("films", LIVE, ModelPointer(version=f"{FILMS}/1", at=at(1)))
    assert ledger.pointer("films", LIVE) is None
    assert list(ledger.gated()) == ["films"], "who looks for pointers misses none"


def test_a_move_is_undone_where_nobody_moved_or_froze_the_pointer_since(ledger: Ledger) -> None:
    before, after = (ModelPointer(version=f"{FILMS}/{n}", at=at(n)) for n in (1, 2))
    ledger.point("films", LIVE, before)
    assert not ledger.undo("films", LIVE, replace(before, at=at(5)), after)
    assert not ledger.undo("films", LIVE, replace(before, version="another"), after)
    assert ledger.pointer("films", LIVE) == before
    assert ledger.undo("films", LIVE, before, after)
    assert ledger.pointer("films", LIVE) == after
    frozen = replace(after, frozen="it sells")
    ledger.point("films", LIVE, frozen)
    assert not ledger.undo("films", LIVE, frozen, before)


def test_the_last_word_on_a_version_may_change_and_is_not_said_twice(ledger: Ledger) -> None:
    version = f"{FILMS}/1"
    assert ledger.decision("films", version) is None
    words = [{"word": word, "by": "me", "at": at(1)} for word in ("approve", "approve", "reject")]
    assert [ledger.decide("films", version, one) for one in words] == [True, False, True]
    assert (ledger.decision("films", version) or {})["word"] == "reject"
    assert not ledger.expire("films", version, {"at": at(2)})
    assert ledger.expire("films", f"{FILMS}/2", {"at": at(2)})
    assert (ledger.decision("films", f"{FILMS}/2") or {})["word"] == "expired"


def test_decisions_of_a_newer_form_are_passed_over(ledger: Ledger, behind: Behind) -> None:
    ledger.note_decision("films", {"word": "freeze", "about": LIVE, "at": at(1)})
    behind.put_item(Item={"group": "films", "record": "DECIDED#2", **NEWER})
    assert [one["word"] for one in ledger.decided("films")] == ["freeze"]


def test_what_a_campaign_answered_is_of_the_version_before_which_it_was_asked(
    ledger: Ledger,
) -> None:
    ledger.note_probes("films", LIVE, {"version": "two", "lists": [["a", 0.5]]})
    assert (ledger.probed("films", LIVE, "two") or {})["lists"] == [["a", 0.5]]
    assert ledger.probed("films", LIVE, "three") is None
    assert ledger.probed("films", "other", "two") is None


def test_what_was_thought_of_answers_and_of_traffic_is_kept_by_campaign_and_version(
    ledger: Ledger,
) -> None:
    version = f"{FILMS}/1"
    ledger.note_smoke("films", LIVE, version, {"word": "pass"})
    ledger.note_watch("films", LIVE, version, {"word": "hold"})
    smoked = ledger.smoked("films", LIVE, version) or {}
    watched = ledger.watched("films", LIVE, version) or {}
    assert (smoked["word"], smoked["campaign"], smoked["version"]) == ("pass", LIVE, version)
    assert (watched["word"], watched["campaign"], watched["version"]) == ("hold", LIVE, version)
    assert ledger.smoked("films", LIVE, f"{FILMS}/2") is None
    assert ledger.watched("films", "other", version) is None


def test_a_group_with_a_recommender_is_looked_after(ledger: Ledger) -> None:
    ledger.note_measured("shop", "recommender.a", {"metrics": {"coverage": 0.5}})
    measured = ledger.measured("shop", "recommender.a") or {}
    assert measured["metrics"] == {"coverage": 0.5}
    assert ledger.measured("shop", "recommender.b") is None
    assert list(ledger.gated()) == ["shop"]


def test_an_import_that_was_done_keeps_the_time_at_which_it_was_known_first(
    ledger: Ledger, behind: Behind
) -> None:
    ledger.imported("films", "import.items", "unknown", NOW)
    assert list(ledger.profiles("films", "import.items")) == []
    ledger.profiled("films", "import.items", "one", {"profile": "{}", "data": "a", "at": at(1)})
    ledger.imported("films", "import.items", "one")
    ledger.imported("films", "import.items", "one", NOW + timedelta(days=9))
    (found,) = ledger.profiles("films", "import.items")
    assert (found["at"], found["imported"]) == (at(1), True)
    behind.put_item(Item={"group": "films", "record": "PROFILE#import.items#two", **NEWER})
    assert len(list(ledger.profiles("films", "import.items"))) == 1
    ledger.profiled("films", "import.users", "x#1", {"profile": "{}", "data": "b", "at": at(1)})
    ledger.imported("films", "import.users", "x#1")
    assert ledger.imports("films") == {
        "import.items": {"job": "one", "data": "a"},
        "import.users": {"job": "x#1", "data": "b"},
    }


def test_a_job_asks_for_a_count_once_and_its_answer_stays(ledger: Ledger) -> None:
    of = ("films", "import.items", "digest")
    ledger.ask_count(*of, {"job": "one", "since": at(1)})
    ledger.note_count(*of, {"job": "one", "profile": "{}"})
    ledger.ask_count(*of, {"job": "one", "since": at(2)})
    assert (ledger.counted(*of) or {}).get("profile") == "{}"
    ledger.ask_count(*of, {"job": "two", "since": at(3)})
    assert (ledger.counted(*of) or {})["since"] == at(3)
    assert ledger.counted("films", "import.items", "another") is None


def test_a_persons_word_on_data_is_kept_until_there_is_other_data(ledger: Ledger) -> None:
    words = [{"data": data, "by": by, "at": at(1)} for data, by in ("ax", "ay", "bz")]
    assert [ledger.accept("films", "import.items", one) for one in words] == [True, False, True]
    assert (ledger.accepted("films", "import.items") or {})["by"] == "z"
    ledger.note_data("films", "import.items", {"word": "hold", "share": 0.25})
    assert (ledger.data_verdict("films", "import.items") or {})["share"] == 0.25
    assert ledger.data_verdict("films", "import.users") is None


def test_of_a_group_that_is_gone_only_what_was_thought_and_decided_stays(ledger: Ledger) -> None:
    version = f"{FILMS}/1"
    ledger.point("films", LIVE, ModelPointer(version=version, at=at(1)))
    ledger.point("shop", LIVE, ModelPointer(version=version, at=at(1)))
    ledger.note_probes("films", LIVE, {"version": version})
    ledger.profiled("films", "import.items", "one", {"data": "a", "at": at(1)})
    ledger.note_data("films", "import.items", {"word": "hold"})
    ledger.accept("films", "import.items", {"data": "a"})
    ledger.note_count("films", "import.items", "digest", {"job": "one"})
    ledger.note_measured("films", "recommender.a", {})
    ledger.note_verdict("films", version, LIVE, {"word": "pass"})
    ledger.decide("films", version, {"word": "approve"})
    ledger.forget_gate("films")
    assert ledger.pointer("films", LIVE) is ledger.probed("films", LIVE, version) is None
    assert list(ledger.profiles("films", "import.items")) == []
    assert ledger.data_verdict("films", "import.items") is None
    assert ledger.accepted("films", "import.items") is None
    assert ledger.counted("films", "import.items", "digest") is None
    assert ledger.measured("films", "recommender.a") is None
    assert list(ledger.gated()) == ["shop"]
    assert ledger.pointer("shop", LIVE)
    assert len(list(ledger.verdicts("films", version))) == 1
    assert ledger.decision("films", version)
    assert len(list(ledger.moves("films", LIVE))) == 1


def test_what_runs_made_is_known_until_it_is_gone(ledger: Ledger, behind: Behind) -> None:
    made = [
        Made.of(noun, name, f"arn:aws:personalize:us-east-1:000000000000:{noun.lower()}/{name}", {})
        for noun, name in (("Filter", "old"), ("Campaign", "live"))
    ]
    for one in made:
        ledger.note_made("films", one)
    removing = replace(made[0], removing="run", since=at(1))
    ledger.note_made("films", removing)
    assert list(ledger.made("films")) == [made[1], removing]
    behind.put_item(Item={"group": "films", "record": "MADE#filter/new", **NEWER})
    assert list(ledger.made("films")) == [made[1], removing]
    ledger.forget_made("films", made[0])
    assert list(ledger.made("films")) == [made[1]]
