"""Generated films' ratings, and the five ways in which the specification breaks such data.

Items follow Zipf's law, as the films of MovieLens do, and users are of different diligence.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache

Row = tuple[str, str, str, int]
HEADER = "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP"
USERS, ITEMS, START = 500, 1_000, 1_700_000_000
CATALOGUE = tuple(f"i{number}" for number in range(ITEMS))


@cache
def ratings(seed: int = 1) -> tuple[Row, ...]:
    """Return the ratings of a service; another ``seed`` gives an equally good sample of them."""
    chance = random.Random(seed)
    weights = [1 / (rank + 10) for rank in range(ITEMS)]
    rows = []
    for user in range(USERS):
        count = 20 + int(chance.expovariate(1 / 30))
        for item in chance.choices(CATALOGUE, weights, k=count):
            kind = "rated" if chance.random() < 0.8 else "viewed"
            rows.append((f"u{user}", item, kind, START + chance.randrange(30_000_000)))
    return tuple(rows)


def half_the_users(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if int(row[0][1:]) % 2]


def wrong_ids_in_the_newer_half(rows: Sequence[Row]) -> list[Row]:
    middle = sorted(row[3] for row in rows)[len(rows) // 2]
    return [(u, f"film-{i}" if t > middle else i, e, t) for u, i, e, t in rows]


def one_single_timestamp(rows: Sequence[Row]) -> list[Row]:
    return [(u, i, e, START) for u, i, e, _ in rows]


def cut_to_300_items(rows: Sequence[Row]) -> list[Row]:
    kept = set(random.Random(5).sample(CATALOGUE, 300))
    return [row for row in rows if row[1] in kept]


def shuffled_items(rows: Sequence[Row]) -> list[Row]:
    items = [row[1] for row in rows]
    random.Random(3).shuffle(items)
    return [(row[0], item, row[2], row[3]) for row, item in zip(rows, items, strict=True)]


BROKEN: dict[str, Callable[[Sequence[Row]], list[Row]]] = {
    "half the users lost": half_the_users,
    "newer half's item ids wrong": wrong_ids_in_the_newer_half,
    "one single timestamp": one_single_timestamp,
    "catalogue cut to 300 items": cut_to_300_items,
}
"""What the data itself tells; shuffled items only the metrics do."""


def csv(rows: Sequence[Row]) -> str:
    return "\n".join([HEADER, *(",".join(map(str, row)) for row in rows)]) + "\n"
