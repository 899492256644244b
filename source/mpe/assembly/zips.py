"""Zips that depend on nothing but what is in them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)
FILE = 0o644
FAST, SMALL = 1, 9
"""How hard to compress: for this machine, or for all who download it."""


def zipped(folder: Path, level: int = FAST) -> bytes:
    """Return a folder as a zip: the same bytes for the same files."""
    return packed(
        (
            (file.relative_to(folder).as_posix(), file.read_bytes(), FILE)
            for file in folder.rglob("*")
            if file.is_file()
        ),
        level,
    )


def packed(files: Iterable[tuple[str, bytes, int]], level: int = FAST) -> bytes:
    """Return files, each with its name, content and mode, as a zip without times, in order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body, mode in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, so that the mode counts, whichever system packs
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            archive.writestr(entry, body, compresslevel=level)
    return buffer.getvalue()
