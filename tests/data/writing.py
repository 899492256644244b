"""Data for the tests of the data room."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INTERACTIONS = [
    {"name": "USER_ID", "type": "string"},
    {"name": "ITEM_ID", "type": "string"},
    {"name": "EVENT_TYPE", "type": "string"},
    {"name": "EVENT_VALUE", "type": ["float", "null"]},
    {"name": "TIMESTAMP", "type": "long"},
]
ITEMS = [
    {"name": "ITEM_ID", "type": "string"},
    {"name": "TITLE", "type": ["string", "null"]},
    {"name": "PRICE", "type": ["float", "null"]},
    {"name": "CATEGORY_L1", "type": ["string", "null"], "categorical": True},
]
USERS = [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}]
SCHEMAS = {"interactions": INTERACTIONS, "items": ITEMS, "users": USERS}
HEADERS = {kind: ",".join(one["name"] for one in fields) for kind, fields in SCHEMAS.items()}


def config(*kinds: str, domain: str | None = None, **sections: Any) -> dict[str, Any]:
    """Return a config with some datasets."""
    group = {"name": "films", **({"domain": domain} if domain else {})}
    return {
        "datasetGroup": {"serviceConfig": group},
        "datasets": {
            kind: {
                "dataset": {"serviceConfig": {"name": f"films-{kind}"}},
                "schema": {"serviceConfig": {"name": f"films-{kind}", "schema": schema(kind)}},
            }
            for kind in kinds
        },
        **sections,
    }


def schema(kind: str) -> dict[str, Any]:
    return {
        "type": "record",
        "name": kind.capitalize(),
        "namespace": "com.amazonaws.personalize.schema",
        "fields": SCHEMAS[kind],
        "version": "1.0",
    }


def rows(count: int = 1200, users: int = 100, items: int = 40) -> list[str]:
    """Return interactions without a fault."""
    return [
        f"u{n % users},i{n % items},{'View' if n % 3 else 'Purchase'},{n % 5},{1_700_000_000 + n}"
        for n in range(count)
    ]


def write(folder: Path, name: str, lines: Sequence[str], header: str | None = None) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = Path(name).parts[0].removesuffix(".csv")
    text = "\n".join([HEADERS[kind] if header is None else header, *lines]) + "\n"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def write_config(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(document))
    return path
