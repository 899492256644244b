"""The fast tests of what was changed: ``python -m tests.changed [FILE ...]``.

Without files it takes those that differ from the last commit. Tests mirror the source, so a
changed module's tests are those of its folder; where there are none the whole room's, and the
layers are always looked at. What only a local cloud can tell is left to ``make test``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tests.conftest import ROOT

ALWAYS = ("tests/test_layers.py",)
DOCUMENTS = ("tests/test_docs.py",)
PREFIX = ("source", "mpe")


def mirroring(changed: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the test files and folders that belong to changed files."""
    found = set(ALWAYS)
    for name in changed:
        path = PurePosixPath(name)
        if path.suffix == ".md":
            found.update(DOCUMENTS)
        elif path.parts[:2] == PREFIX:
            found.update(_mirrored(PurePosixPath(*path.parts[2:]), root))
        elif path.name.startswith("test_") and (root / name).exists():
            found.add(name)
    return sorted(found)


def _mirrored(inner: PurePosixPath, root: Path) -> list[str]:
    """Return the closest test of a module: its own, else its nearest folder."""
    own = PurePosixPath("tests", *inner.parts[:-1], f"test_{inner.stem}.py")
    if (root / own).exists():
        return [str(own)]
    for folder in (PurePosixPath("tests", *parent.parts) for parent in inner.parents):
        if folder.parts[1:2] not in ((), ("local",)) and (root / folder).is_dir():
            return [str(folder)]
    return []


def differing() -> list[str]:
    """Return the files that differ from the last commit, new ones included."""
    told = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [line[3:] for line in told.split("\0") if line]


def main(files: list[str]) -> int:
    """Run them and return pytest's exit status."""
    wanted = mirroring(files or differing())
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not local", *wanted]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
