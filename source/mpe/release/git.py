"""What git says of a tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mpe.release.errors import ReleaseError


def git(root: Path, *arguments: str) -> bytes:
    """Return what a command of git says in a tree; raise ReleaseError where it refuses."""
    try:
        command = ["git", "-C", str(root), *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise ReleaseError("git is needed: it knows which files are the source.") from None
    if done.returncode:
        raise ReleaseError(f"git could not read {root}: {done.stderr.decode().strip()}")
    return done.stdout


def uncommitted(root: Path) -> list[str]:
    """Return the files that differ from the last commit; none where there is no repository."""
    try:
        status = git(root, "status", "--porcelain", "--untracked-files=all")
    except ReleaseError:
        return []
    return [line[3:] for line in status.decode().splitlines()]


def commit_of(root: Path) -> str:
    """Return the commit that a tree is of, or nothing where there is no repository."""
    try:
        return git(root, "rev-parse", "HEAD").decode().strip()
    except ReleaseError:
        return ""
