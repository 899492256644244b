"""The libraries in a layer, as their own metadata tells of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from mpe.infrastructure.package import LAMBDA, LIBRARIES

SPDX = {
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Python Software Foundation License": "PSF-2.0",
}
"""The classifiers that mean just one licence; "BSD License", for one, means any of several."""
TEXTS = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
VERSION = ".".join(map(str, LAMBDA.python))
RUNTIME = {
    "python_version": VERSION,
    "python_full_version": f"{VERSION}.0",
    "sys_platform": "linux",
}


@dataclass(frozen=True)
class Library:
    """One library: where it is from, on what terms, and what it needs."""

    name: str
    version: str
    expression: str
    """Of the licences, where the library gives one; else ``licences`` has their names."""
    licences: tuple[str, ...]
    needs: tuple[str, ...]
    texts: dict[str, str]
    archive: str
    sha256: str
    others: tuple[tuple[str, str], ...]
    """The archives for other machines, each with its hash, where it has machine code."""

    @property
    def purl(self) -> str:
        """https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md"""
        return f"pkg:pypi/{self.name}@{self.version}"


def libraries_of(layer: Path) -> list[Library]:
    """Return the libraries of a Lambda layer by name; none where the folder is no layer."""
    found = distributions(path=[str(layer / "python")])
    note = layer / LIBRARIES
    archives = json.loads(note.read_text()) if note.exists() else {}
    libraries = (_library(one, archives.get(one.name, {})) for one in found)
    return sorted(libraries, key=lambda one: one.name)


def normal(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()


def _library(found: Distribution, archive: dict[str, Any]) -> Library:
    return Library(
        name=normal(found.name),
        version=found.version,
        expression=_told(found, "License-Expression"),
        licences=_licences(found),
        needs=tuple(sorted(set(_needs(found)))),
        texts=dict(_texts(found)),
        archive=archive.get("archive", ""),
        sha256=archive.get("sha256", ""),
        others=tuple((one["archive"], one["sha256"]) for one in archive.get("others", ())),
    )


def _licences(found: Distribution) -> tuple[str, ...]:
    """Return the licences by SPDX's identifiers where the metadata lets these be known.

    https://packaging.python.org/en/latest/specifications/core-metadata/#license
    """
    words = _told(found, "License")
    if words in SPDX.values():
        return (words,)
    classifiers = found.metadata.get_all("Classifier") or ()
    names = [one.rsplit(" :: ", 1)[-1] for one in classifiers if one.startswith("License ::")]
    if names:
        return tuple(SPDX.get(name, name) for name in names)
    return tuple(words.splitlines()[:1])


def _told(found: Distribution, field: str) -> str:
    return str((found.metadata.get_all(field) or [""])[0]).strip()


def _needs(found: Distribution) -> Iterator[str]:
    for line in found.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({**RUNTIME, "extra": ""}):
            yield normal(requirement.name)


def _texts(found: Distribution) -> Iterator[tuple[str, str]]:
    """Yield the licences and notices that the library brings along.

    The name of its folder has ``_`` where the library's own may have ``-``:
    https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    for place in Path(str(found.locate_file(""))).glob("*.dist-info"):
        if normal(place.stem.rpartition("-")[0]) == normal(found.name):
            for file in sorted(place.rglob("*")):
                if file.is_file() and TEXTS.match(file.name):
                    yield file.relative_to(place).as_posix(), file.read_text(errors="replace")
