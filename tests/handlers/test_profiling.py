"""Large data is counted by a function of its own, once, while somebody waits for the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from mpe.aws.clock import Clock
from mpe.aws.objects import Objects
from mpe.handlers import profiling
from mpe.handlers.profiling import SPARE, Profiling, key_of
from mpe.model.plan.desired import Data
from mpe.model.service import counting
from mpe.model.service.counting import LOOKS
from mpe.model.service.profile import of_document
from tests.conftest import interactions
from tests.handlers.test_functions import Context, Functions
from tests.handlers.test_functions import functions as functions
from tests.handlers.test_functions import log as log
from tests.handlers.test_runs import BUCKET, NOW, Account, Fixed
from tests.handlers.test_runs import account as account

FOLDER = "train/films/interactions"
DATASET = "import.interactions"
QUARTER = timedelta(minutes=15)


def asked(account: Account, until: datetime = NOW + QUARTER) -> dict[str, Any]:
    """Put a CSV into the bucket, and return what an import step asks about it."""
    account.s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}.csv", Body=interactions().encode())
    data = Data.csvs(BUCKET, FOLDER)
    key = key_of(Objects(account.s3).data(data).objects)
    return {"DatasetGroup": "films", "Dataset": DATASET, "Job": "job", "Key": key,
            "Data": asdict(data), "Items": None, "Until": until.isoformat()}  # fmt: skip


def count(
    account: Account, given: dict[str, Any], most: timedelta, clock: Clock | None = None
) -> str:
    return Profiling(Objects(account.s3), account.ledger, clock or Fixed())(given, most)


def answer(account: Account, given: dict[str, Any]) -> dict[str, Any] | None:
    return account.ledger.counted("films", DATASET, given["Key"])


@dataclass(frozen=True)
class Remaining(Context):
    """A call of the function, with what is left of its time."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def test_the_bus_is_answered_and_the_log_has_what_was_counted(functions: Functions) -> None:
    until = datetime.now(NOW.tzinfo) + QUARTER
    given = asked(functions.account, until)
    assert profiling.handler({"detail": given}, Remaining()) == "profile"  # type: ignore[arg-type]
    line = functions.log.line("profiled")
    assert (line["asked"], line["done"]) == (given, "profile")
    row = answer(functions.account, given)
    assert row is not None
    assert (row["job"], row["until"], "failed" in row) == ("job", given["Until"], False)


@pytest.mark.parametrize(
    ("most", "until", "done"),
    [
        (SPARE, QUARTER, "late"),
        (SPARE + timedelta(seconds=1), QUARTER, "profile"),
        (QUARTER, timedelta(0), "late"),
        (QUARTER, timedelta(seconds=1), "profile"),
    ],
    ids=["no-time", "a-second-left", "nobody-waits", "somebody-waits"],
)
def test_it_is_counted_where_there_is_time_and_somebody_waits(
    account: Account, most: timedelta, until: timedelta, done: str
) -> None:
    given = asked(account, NOW + until)
    assert count(account, given, most) == done
    assert bool(answer(account, given)) == (done == "profile")


@pytest.mark.parametrize("kept", ["profile", "failed"])
def test_what_has_an_answer_is_not_counted_again(account: Account, kept: str) -> None:
    given = asked(account)
    row = {"job": "job", "until": given["Until"], kept: "so"}
    account.ledger.note_count("films", DATASET, given["Key"], row)
    assert count(account, given, QUARTER) == "known"
    found = answer(account, given)
    assert found is not None
    assert found[kept] == "so"


def test_what_was_asked_for_and_has_no_answer_is_counted(account: Account) -> None:
    given = asked(account)
    row = {"job": "job", "until": given["Until"]}
    account.ledger.ask_count("films", DATASET, given["Key"], row)
    assert count(account, given, QUARTER) == "profile"


@dataclass(frozen=True)
class Passing(Clock):
    """A clock that tells one moment after another, as it is looked at."""

    moments: Iterator[datetime] = field(default_factory=lambda: iter(()))

    def now(self) -> datetime:
        return next(self.moments)


@pytest.mark.parametrize(("left", "done"), [(1, "profile"), (0, "failed")])
def test_counting_stops_when_the_time_is_over(account: Account, left: int, done: str) -> None:
    given = asked(account)
    assert interactions().count("\n") < 2 * LOOKS, "the time is looked at once"
    end = NOW + QUARTER - SPARE
    clock = Passing(moments=iter((NOW, end - timedelta(seconds=left))))
    assert count(account, given, QUARTER, clock) == done


def test_of_more_ids_than_are_counted_some_stand_for_all(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_IDS", 100)
    given = asked(account)
    assert count(account, given, QUARTER) == "profile"
    row = answer(account, given)
    assert row is not None
    assert of_document(json.loads(row["profile"])).errors


def test_events_of_items_that_the_catalogue_has_not_are_counted(account: Account) -> None:
    given, items = asked(account), "train/films/items"
    account.s3.put_object(Bucket=BUCKET, Key=f"{items}.csv", Body=b"ITEM_ID\ni1\n")
    places = (Data.csvs(BUCKET, FOLDER), Data.csvs(BUCKET, items))
    key = key_of(*(Objects(account.s3).data(one).objects for one in places))
    both = {**given, "Key": key, "Items": asdict(places[1])}
    assert count(account, both, QUARTER) == "profile"
    row = answer(account, both)
    assert row is not None
    of_others = sum(",i1," not in line for line in interactions().splitlines()[1:])
    assert of_document(json.loads(row["profile"])).unknown_items == of_others


def test_what_may_not_be_read_is_the_answer(account: Account) -> None:
    given = asked(account)
    account.s3.delete_object(Bucket=BUCKET, Key=f"{FOLDER}.csv")
    assert count(account, given, QUARTER) == "failed"
    row = answer(account, given)
    assert row is not None
    assert "NoSuchKey" in row["failed"]
