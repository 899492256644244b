"""Advisories in OSV's format, from a file: what is known of pins without asking anybody.

https://ossf.github.io/osv-schema/ has the format. A file is a zip of such records, as OSV exports
one for each ecosystem, or a folder of them; ``packaging`` compares the versions of PyPI.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

PYPI, NPM = "PyPI", "npm"
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")


@dataclass
class Database:
    """Advisories by ecosystem and package."""

    newest: str = ""
    """When the newest of them was changed: how old the file is at least."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def read(cls, *places: Path) -> Database:
        """Read files; raise OSError or ValueError where one is no database."""
        database = cls()
        for place in places:
            for record in _records(place):
                database._add(record)
        if not database.found:
            raise ValueError(f"{', '.join(map(str, places))}: there is no advisory in it")
        return database

    def _add(self, record: dict[str, Any]) -> None:
        if "withdrawn" in record:
            return
        self.newest = max(self.newest, record.get("modified", ""))
        for one in record.get("affected", ()):
            package = one.get("package", {})
            system = str(package.get("ecosystem", "")).partition(":")[0]
            name = _normal(system, str(package.get("name", "")))
            self.found[system, name].append({"id": record["id"], **one})

    def knows(self, system: str) -> bool:
        """Tell whether there is anything on an ecosystem: silence on one says nothing."""
        return any(one == system for one, _ in self.found)

    def of(self, system: str, name: str, version: str) -> Iterator[tuple[str, str]]:
        """Yield the id of each advisory on a version, and the version that mends it, if any."""
        for one in self.found.get((system, _normal(system, name)), ()):
            if _affected(one, system, version):
                yield one["id"], ", ".join(_fixes(one)) or "no version"


def pins_of(file: Path) -> tuple[str, list[tuple[str, str]]]:
    """Return the ecosystem of a file of pins, and each name with its version."""
    text = file.read_text(encoding="utf-8")
    if file.name == "package-lock.json":
        packages = json.loads(text)["packages"]
        inner = (
            (path.rpartition("node_modules/")[2], one) for path, one in packages.items() if path
        )
        return NPM, [(one.get("name", name), one["version"]) for name, one in inner]
    found = (PIN.match(line) for line in text.splitlines())
    return PYPI, [(one[1], one[2]) for one in found if one]


def _records(place: Path) -> Iterator[dict[str, Any]]:
    if place.is_dir():
        for file in sorted(place.rglob("*.json")):
            yield json.loads(file.read_text(encoding="utf-8"))
        return
    with zipfile.ZipFile(place) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".json"):
                yield json.loads(archive.read(name))


def _normal(system: str, name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower() if system == PYPI else name


def _affected(one: Mapping[str, Any], system: str, version: str) -> bool:
    """https://ossf.github.io/osv-schema/#evaluation."""
    if version in one.get("versions", ()):
        return True
    ranges = (each for each in one.get("ranges", ()) if each.get("type") != "GIT")
    return any(_within(each["events"], system, version) for each in ranges)


def _within(events: list[Mapping[str, str]], system: str, version: str) -> bool:
    own = _order(system, version)
    inside = False
    known = (next(iter(event.items())) for event in events)
    for kind, at in sorted(known, key=lambda one: _order(system, one[1])):
        place = _order(system, at)
        if own >= place and kind != "last_affected":
            inside = kind == "introduced"
        elif own > place:
            inside = False
    return inside


def _fixes(one: Mapping[str, Any]) -> list[str]:
    events = [event for each in one.get("ranges", ()) for event in each["events"]]
    return [event["fixed"] for event in events if "fixed" in event]


def _order(system: str, version: str) -> Any:
    """Return what sorts as the ecosystem's versions do; ``0`` is before all."""
    if system == NPM:
        return _semantic(version)
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")


def _semantic(version: str) -> tuple[Any, ...]:
    """https://semver.org/#spec-item-11."""
    numbers, _, before = version.partition("+")[0].partition("-")
    parts = [int(one) if one.isdigit() else 0 for one in numbers.split(".")]
    main = tuple([*parts, 0, 0, 0][:3])
    if not before:
        return (*main, 1, ())
    words = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in before.split("."))
    return (*main, 0, words)
