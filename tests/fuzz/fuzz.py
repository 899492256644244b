"""Coverage-guided fuzzing of what reads hostile text: ``make fuzz``, not part of the tests.

``python -m tests.fuzz.fuzz config|filter|schedule|schema|csv [-max_total_time=60]``; what
follows the target is for libFuzzer. A crash is kept as ``crash-...`` and told; make a test of it
in tests/hostile.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mpe.model", "json"]):
    from tests.hostile.inputs import (
        check_config,
        check_csv,
        check_filter,
        check_schedule,
        check_schema,
    )

from tests.conftest import config
from tests.everything import SCHEMAS, everything

TARGETS: dict[str, tuple[Callable[[bytes], object], list[str]]] = {
    "config": (check_config, [json.dumps(config()), json.dumps(everything())]),
    "filter": (
        lambda data: check_filter(_text(data)),
        [
            'INCLUDE ItemID WHERE Items.GENRES IN ("Drama", $G) AND Items.PRICE <= -1.5',
            "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN (*) IF CurrentUser.AGE > 18",
        ],
    ),
    "schedule": (
        lambda data: check_schedule(_text(data)),
        ["cron(0/15 3-5 ? JAN-MAR 6#2,2L 2027/2)", "cron(0 3 LW,15W * ? *)", "rate(7 days)"],
    ),
    "schema": (
        lambda data: check_schema(_text(data)),
        [json.dumps(one) for one in SCHEMAS.values()],
    ),
    "csv": (
        lambda data: check_csv(data, whole=len(data) % 2 == 0),
        [
            "USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP\nu1,i1,watch,-1.5e3,1700000000\n",
            'ITEM_ID,TITLE,GENRES,PRICE\n"i, ""1""","a\nb",x|y,.5\n',
            "\ufeffUSER_ID;SHELF\nu1;18\n",
        ],
    ),
}
"""Each target with its seeds."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def main() -> None:
    """Fuzz one target from its seeds."""
    target, *options = sys.argv[1:]
    test, seeds = TARGETS[target]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds):
            (Path(corpus) / str(number)).write_text(seed, encoding="utf-8")
        atheris.Setup([sys.argv[0], corpus, *options], test)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
