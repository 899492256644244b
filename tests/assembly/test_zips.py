"""Zips are the same wherever and whenever they are made."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO
from pathlib import Path

from mpe.assembly.zips import packed, zipped


def test_a_folder_is_zipped_to_the_same_bytes_whenever_it_was_written(tmp_path: Path) -> None:
    archives = []
    for name, names in (("one", "ab"), ("two", "ba")):
        for file in names:
            (tmp_path / name / "in").mkdir(parents=True, exist_ok=True)
            (tmp_path / name / "in" / file).write_text(file)
            os.utime(tmp_path / name / "in" / file, (len(archives), len(archives)))
        archives.append(zipped(tmp_path / name))
    assert archives[0] == archives[1]
    assert zipfile.ZipFile(BytesIO(archives[0])).namelist() == ["in/a", "in/b"]


def test_what_may_be_executed_still_may(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(BytesIO(packed([("run", b"#!/bin/sh", 0o755), ("read", b"", 0o644)])))
    modes = {one.filename: one.external_attr >> 16 for one in archive.infolist()}
    assert modes == {"read": 0o644, "run": 0o755}
