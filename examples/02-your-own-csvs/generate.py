"""Write two CSVs as people have them: other names, signs and times than the service's.

    python examples/02-your-own-csvs/generate.py
    mpe init --interactions examples/02-your-own-csvs/data/orders.csv \\
        --items examples/02-your-own-csvs/data/products.csv --name corner-shop --out shop
    mpe check-data shop/config.json
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).parent / "data"
CUSTOMERS, PRODUCTS, ORDERS = 120, 60, 3000
SHELVES = ("garden", "kitchen", "office")
TAGS = ("new", "sale", "organic", "handmade")
OPENED = datetime(2025, 3, 1, 8, tzinfo=UTC)


def generate(folder: Path = FOLDER) -> Path:
    """Write ``orders.csv`` and ``products.csv`` and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(2)
    _write(folder / "orders.csv", ("customer", "sku", "when"), _orders(chance))
    _write(folder / "products.csv", ("sku", "title", "tags", "price"), _products(chance))
    return folder


def _orders(chance: random.Random) -> Iterable[tuple[str, str, str]]:
    """Let each customer buy mostly from one shelf, the first products of it most."""
    for number in range(ORDERS):
        customer = chance.randrange(CUSTOMERS)
        shelf = customer % len(SHELVES) if chance.random() < 0.9 else chance.randrange(len(SHELVES))
        place = int(chance.triangular(0, PRODUCTS // len(SHELVES), 0))
        when = OPENED + timedelta(minutes=23 * number)
        yield f"C-{customer:04}", _sku(shelf + place * len(SHELVES)), when.isoformat()


def _products(chance: random.Random) -> Iterable[tuple[str, str, str, str]]:
    for number in range(PRODUCTS):
        shelf = SHELVES[number % len(SHELVES)]
        tags = ", ".join([shelf, *chance.sample(TAGS, chance.randrange(3))])
        price = f"{chance.randrange(1, 90)},{chance.choice(('49', '90', '99'))}"
        yield _sku(number), f"Thing no. {number}; for the {shelf}", tags, price


def _sku(number: int) -> str:
    return f"SKU{number:03}"


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    print(generate(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
