"""What a training is about to use is judged by what was kept of its newest imports."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from mpe.handlers.training import Training
from mpe.model.errors import TrainingHeld
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.versions import Version
from mpe.model.plan.desired import Desired
from mpe.model.rules.gate import NOT_PROFILED
from mpe.model.service.profile import DatasetProfile, Profile, as_document
from tests.handlers.test_ensure import Ledger
from tests.handlers.test_runs import NOW, Fixed

LIVE = "arn:aws:personalize:us-east-1:000000000000:solution/s/1"


def at(day: float) -> str:
    return (NOW + timedelta(days=day)).isoformat()


def profile(kind: str, rows: int, *, times: int = 5) -> str:
    """Return the profile of rows of so many moments, by so many users and items."""
    one = Profile(
        (DatasetProfile(kind, rows, None, ()),), oldest=1, newest=times, users=rows, items=rows
    )
    return json.dumps(as_document(one))


def imports(mode: str, *kinds: str, **data: Any) -> list[Desired]:
    return [
        Desired(
            f"import.{kind}", "DatasetImportJob", kind, "$", {}, gate={"mode": mode, "data": data}
        )
        for kind in kinds or ("interactions",)
    ]


@dataclass
class Desk:
    """A ledger with what imports were like, and who judges a training by it."""

    ledger: Ledger = field(default_factory=Ledger)

    def imported(self, day: int, rows: int, kind: str = "interactions", **more: Any) -> None:
        row = {
            "profile": profile(kind, rows, times=more.pop("times", 5)),
            "data": f"of day {day}",
            "at": at(day),
            "mode": "FULL",
            "imported": True,
        }
        self.ledger.profiled("films", f"import.{kind}", f"job-{day}", row | more)

    def live(self, day: float) -> None:
        """Have a version live that was trained at some day."""
        self.ledger.numbers[LIVE] = Version(LIVE, {}, created=at(day))
        self.ledger.pointers["campaign.s.live"] = ModelPointer(LIVE)

    def judged(self, day: int, rule: str, kind: str = "interactions") -> None:
        """Have something thought of data that came at some day."""
        row = {"at": at(day), "reasons": [{"rule": "MPE-Q000"}, {"rule": rule}]}
        self.ledger.data_verdicts[f"import.{kind}"] = row

    def __call__(self, desired: list[Desired]) -> str | None:
        return Training(self.ledger, Fixed(NOW))("films", desired)  # type: ignore[arg-type]


@pytest.fixture
def desk() -> Desk:
    """An import of much data that is live, and one of half as much after it."""
    made = Desk()
    made.imported(1, 1000)
    made.live(2)
    made.imported(3, 500)
    return made


@pytest.mark.parametrize("mode", ["hold", "approve"])
def test_data_that_has_shrunk_since_the_live_version_trains_nothing(desk: Desk, mode: str) -> None:
    with pytest.raises(TrainingHeld) as held:
        desk(imports(mode))
    assert str(held.value).startswith("interactions: it has 500 rows, -50.0 %")
    kept = desk.ledger.data_verdicts["import.interactions"]
    assert (kept["word"], kept["job"]) == ("hold", "training")
    assert (kept["data"], kept["at"]) == ("of day 3", NOW.isoformat())


@pytest.mark.parametrize("mode", ["observe", "off", None])
def test_only_what_holds_an_import_holds_a_training(desk: Desk, mode: str | None) -> None:
    desired = imports(str(mode)) if mode else [Desired("import.interactions", "X", "x", "$", {})]
    assert desk(desired) is None
    assert desk.ledger.data_verdicts == {}


def test_good_data_is_trained_on_and_nothing_is_said(desk: Desk) -> None:
    desk.imported(4, 990)
    assert desk(imports("hold")) is None
    assert desk.ledger.data_verdicts == {}


def test_each_dataset_is_judged_also_after_one_that_does_not_hold_or_is_unknown(
    desk: Desk,
) -> None:
    desk.imported(1, 1000, "users")
    desk.imported(3, 100, "users")
    observed, unknown = imports("observe", "actions"), imports("hold", "items")
    with pytest.raises(TrainingHeld) as held:
        desk([*observed, *unknown, *imports("hold", "interactions", "users")])
    told = str(held.value)
    assert told.startswith("interactions: ")
    assert " users: it has 100 users, -90.0 %" in told


def test_what_somebody_let_in_is_trained_on_and_told_with_their_name(desk: Desk) -> None:
    let_in = {"data": "of day 3", "by": "me", "why": "it is summer"}
    desk.ledger.let_in["import.interactions"] = let_in
    assert desk(imports("hold")) == (
        "its data fails the gate, and was let in: interactions by me: it is summer"
    )
    desk.ledger.let_in["import.interactions"] = {**let_in, "data": "of day 1"}
    with pytest.raises(TrainingHeld):
        desk(imports("hold"))


def test_who_let_good_data_in_is_not_told(desk: Desk) -> None:
    desk.imported(4, 990)
    desk.ledger.let_in["import.interactions"] = {"data": "of day 4", "by": "me", "why": "so"}
    assert desk(imports("hold")) is None


def test_of_interactions_that_were_never_counted_that_is_told_and_of_others_nothing() -> None:
    desk = Desk()
    told = "its data was not judged again: no import of the interactions has been counted."
    assert desk(imports("hold", "items", "interactions", "users")) == told
    desk.imported(1, 1000, mode="INCREMENTAL")
    assert desk(imports("hold")) == told, "an increment tells nothing of the whole"


def test_newer_data_that_nobody_could_count_is_not_judged_by_what_there_was_before(
    desk: Desk,
) -> None:
    desk.judged(3, NOT_PROFILED.id)
    with pytest.raises(TrainingHeld):
        desk(imports("hold"))
    desk.judged(4, NOT_PROFILED.id)
    assert "was not judged again" in (desk(imports("hold")) or "")
    desk.judged(4, "MPE-Q014")
    with pytest.raises(TrainingHeld):
        desk(imports("hold"))


def test_a_profile_of_another_release_holds_nothing(desk: Desk) -> None:
    desk.imported(4, 5, profile=json.dumps({"version": -1}))
    assert desk(imports("hold")) is None


def test_how_old_the_newest_event_is_does_not_count_and_what_the_config_asks_does(
    desk: Desk,
) -> None:
    desk.imported(4, 990)
    assert desk(imports("hold", newest="1 day")) is None
    with pytest.raises(TrainingHeld):
        desk(imports("hold", rows="-1%"))
    desk.imported(5, 990, times=1)
    assert desk(imports("hold", distinctTimes=False)) is None
    with pytest.raises(TrainingHeld, match="one single time"):
        desk(imports("hold"))
