"""The source of a commit as a zip, and a tree without build products."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from mpe.assembly.zips import FILE, SMALL, packed
from mpe.release.build import GLOBAL, REGIONAL
from mpe.release.git import git

OPEN_SOURCE = "open-source"
PROGRAM = 0o755
PRODUCTS = (
    "build",
    "cdk.out",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    *(f"deployment/{kind}" for kind in (GLOBAL, REGIONAL, OPEN_SOURCE)),
)
"""What tools and releases write at the top of the tree."""
ANYWHERE = ("__pycache__", "*.egg-info")
KEPT = frozenset({".git", ".venv", "node_modules"})
"""Folders that are not looked into: they are no products of a build."""


def source_package(root: Path, name: str) -> Path:
    """Zip the files of the last commit, whatever has changed since; the same bytes each time."""
    archive = io.BytesIO(git(root, "archive", "--format=tar", "HEAD"))
    place = root / "deployment" / OPEN_SOURCE / f"{name}.zip"
    place.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=archive) as tar:
        place.write_bytes(packed(_members(tar), SMALL))
    return place


def clean(root: Path) -> list[Path]:
    """Remove the products of builds and tools, and return what was removed."""
    found = [root / name for name in PRODUCTS if (root / name).exists()]
    found += _anywhere(root)
    removed = [one for one in found if not any(parent in found for parent in one.parents)]
    for one in removed:
        shutil.rmtree(one)
    return sorted(removed)


def _anywhere(folder: Path) -> Iterator[Path]:
    for one in folder.iterdir():
        if not one.is_dir() or one.is_symlink() or one.name in KEPT:
            continue
        if any(one.match(pattern) for pattern in ANYWHERE):
            yield one
        else:
            yield from _anywhere(one)


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes, int]]:
    for member in tar:
        content = tar.extractfile(member) if member.isfile() else None
        if content:
            yield member.name, content.read(), PROGRAM if member.mode & 0o100 else FILE
