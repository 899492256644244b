"""The source as a zip, and a tree without build products."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from mpe.release.errors import ReleaseError
from mpe.release.git import uncommitted
from mpe.release.source import clean, source_package

SETTINGS = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with a program, a file and a file that is not tracked."""
    root = tmp_path / "tree"
    root.mkdir()
    (root / "run").write_text("#!/bin/sh\n")
    (root / "run").chmod(0o755)
    (root / "in").mkdir()
    (root / "in" / "a.py").write_text("a = 1\n")
    (root / ".gitignore").write_text("__pycache__/\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "all")
    (root / "secret").write_text("not tracked")
    return root


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *SETTINGS, *arguments], check=True)


def test_the_package_has_what_was_committed_and_nothing_else(tree: Path) -> None:
    (tree / "in" / "a.py").write_text("a = 2\n")
    with zipfile.ZipFile(source_package(tree, "films")) as archive:
        assert archive.namelist() == [".gitignore", "in/a.py", "run"]
        assert archive.read("in/a.py") == b"a = 1\n"
        modes = {one.filename: one.external_attr >> 16 for one in archive.infolist()}
    assert (modes["run"], modes["in/a.py"]) == (0o755, 0o644)


def test_the_package_of_a_commit_is_the_same_to_the_byte(tree: Path, tmp_path: Path) -> None:
    first = source_package(tree, "films").read_bytes()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(tree), str(clone)], check=True)
    for path in clone.rglob("*.py"):
        os.utime(path, (1, 1))
    assert source_package(clone, "films").read_bytes() == first


def test_what_is_not_committed_is_told(tree: Path) -> None:
    (tree / "in" / "a.py").write_text("a = 2\n")
    assert uncommitted(tree) == ["in/a.py", "secret"]


def test_without_a_repository_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "none").mkdir()
    with pytest.raises(ReleaseError, match="not a git repository"):
        source_package(tmp_path / "none", "films")
    assert uncommitted(tmp_path / "none") == []


def test_products_are_removed_and_the_source_and_the_environment_are_not(tree: Path) -> None:
    products = [
        "build/code/__pycache__/a.pyc",
        "deployment/global-s3-assets/a.template",
        "deployment/open-source/a.zip",
        ".mypy_cache/a",
        "in/__pycache__/a.pyc",
        "in/mpe.egg-info/PKG-INFO",
    ]
    kept = [".venv/lib/__pycache__/a.pyc", "deployment/README.md", "in/build/a.py"]
    for name in (*products, *kept):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()

    removed = [path.relative_to(tree).as_posix() for path in clean(tree)]

    assert removed == [
        ".mypy_cache",
        "build",
        "deployment/global-s3-assets",
        "deployment/open-source",
        "in/__pycache__",
        "in/mpe.egg-info",
    ]
    assert all((tree / name).exists() for name in (*kept, "in/a.py", "run", "secret"))
    assert clean(tree) == []
