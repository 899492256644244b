"""Data that is larger than the import step can count is counted by a function of its own.

The import step asks for it on the bus and looks into the ledger until the answer is there. The
answer is kept by a digest of what was counted, so that whoever asks twice has it counted once, or
has the same answer twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects, Unreadable
from mpe.handlers.settings import LOGGER, setting
from mpe.model.plan.desired import Data
from mpe.model.plan.forms import known
from mpe.model.service.counting import Described, NotProfiled, Tally
from mpe.model.service.profile import Profile, as_document

DATA_TO_COUNT = "Personalize Data To Count"
SPARE = timedelta(seconds=30)
"""What is left of a function's time when it stops counting, to say so."""
KEY = 24


def profile_of(
    objects: Objects,
    kind: str,
    places: tuple[str, str | None],
    *,
    go_on: Callable[[], bool],
    sketches: bool = False,
) -> Profile:
    """Count the CSVs of a dataset, in one pass, or raise NotProfiled or Unreadable.

    ``places`` are their location and, of interactions, that of the Items, where there are any.
    """
    location, items = places
    tally = Tally(kind, sketches=sketches)
    for lines in objects.lines(location):
        tally.add(lines, go_on=go_on)
    if items is None:
        return tally.profile()
    described = Described("items", left=tally.met())
    for lines in objects.lines(items):
        described.add(lines, go_on=go_on)
    return tally.profile(tally.unknown(described.left))


def key_of(*objects: Iterable[str]) -> str:
    """Return what stands for some data: of the digests of its objects' keys and contents."""
    parts = ["\n".join(sorted(some)) for some in objects]
    return hashlib.sha256("\n\n".join(parts).encode()).hexdigest()[:KEY]


@dataclass(frozen=True)
class Profiling:
    """Count through S3 and the ledger."""

    objects: Objects
    ledger: Ledger
    clock: Clock

    def __call__(self, asked: Mapping[str, Any], most: timedelta) -> str:
        """Count what was asked for, unless that was done; return what came of it.

        ``most`` is the time that there is for it. Nobody waits for an answer after ``Until``.
        """
        group, dataset, key = asked["DatasetGroup"], asked["Dataset"], asked["Key"]
        row = self.ledger.counted(group, dataset, key)
        if row is not None and ("profile" in row or "failed" in row):
            return "known"
        now = self.clock.now()
        end = min(datetime.fromisoformat(asked["Until"]), now + most - SPARE)
        if now >= end:
            return "late"
        answer = self._answer(asked, key, lambda: self.clock.now() < end)
        told = {"job": asked["Job"], "until": asked["Until"], "at": now.isoformat()}
        self.ledger.note_count(group, dataset, key, {**told, **answer})
        return next(iter(answer))

    def _answer(
        self, asked: Mapping[str, Any], key: str, go_on: Callable[[], bool]
    ) -> dict[str, str]:
        kind = str(asked["Dataset"]).partition(".")[2]
        places = [Data(**known(Data, one)) for one in (asked["Data"], asked.get("Items")) if one]
        found = [self.objects.data(one) for one in places]
        items = found[1].location if len(found) > 1 else None
        try:
            where = (found[0].location, items)
            profile = profile_of(self.objects, kind, where, go_on=go_on, sketches=True)
        except (NotProfiled, Unreadable) as error:
            return {"failed": str(error)}
        after = [self.objects.data(one) for one in places]
        if key_of(*(one.objects for one in after)) != key:
            return {"failed": "it was changed while it was counted."}
        return {"profile": json.dumps(as_document(profile))}


made_in_init("dynamodb", "s3")


def handler(event: Mapping[str, Any], context: LambdaContext) -> str:
    """Answer the bus with what came of it: ``profile``, ``failed``, ``known`` or ``late``."""
    profiling = Profiling(
        Objects(client("s3")), Ledger(table(setting("LEDGER_TABLE"))), Clock.from_environment()
    )
    most = timedelta(milliseconds=context.get_remaining_time_in_millis())
    done = profiling(event["detail"], most)
    LOGGER.info("profiled", extra={"asked": dict(event["detail"]), "done": done})
    return done
