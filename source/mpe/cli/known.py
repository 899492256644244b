"""The names that commands have seen of a stack's groups, tasks and runs, for a shell's completions.

A Tab reads a file that the commands write, and asks nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

MOST = 50
"""How many names of a kind are kept of one dataset group: the newest runs are what is asked for."""


def cache_file() -> Path:
    """Return where names are kept, as the XDG base directories say."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mpe" / "names.json"


def note(stack: str, group: str, **names: Iterable[str]) -> None:
    """Keep what names of a kind a dataset group has: ``run=[...]``, ``task=[...]``."""
    _change(stack, lambda groups: groups.setdefault(group, {}).update(_most(names)))


def note_groups(stack: str, groups: Iterable[str]) -> None:
    """Keep which dataset groups a stack has; what is known of others is forgotten."""
    kept = list(groups)

    def only(found: dict[str, Any]) -> None:
        for gone in found.keys() - set(kept):
            del found[gone]
        for one in kept:
            found.setdefault(one, {})

    _change(stack, only)


def known(kind: str, *, group: str | None, stack: str | None) -> list[str]:
    """Return the names of a kind, in one dataset group where one is given, in one stack or in all.

    A cache that cannot be read knows nothing.
    """
    found: list[str] = []
    for name, groups in _read().items():
        if stack in (None, name):
            inside = {group: groups[group]} if group is not None and group in groups else groups
            for one, names in inside.items():
                found.extend([one] if kind == "group" else names.get(kind, ()))
    return list(dict.fromkeys(found))


def _most(names: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {kind: list(some)[:MOST] for kind, some in names.items()}


def _read() -> dict[str, Any]:
    try:
        found = json.loads(cache_file().read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _change(stack: str, change: Any) -> None:
    """Write the file anew, whole; one that cannot be written is left."""
    with contextlib.suppress(OSError):
        found, path = _read(), cache_file()
        before = json.dumps(found)
        change(found.setdefault(stack, {}))
        if json.dumps(found) == before:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(found))
        unfinished.replace(path)
