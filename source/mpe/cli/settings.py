"""Which stack is meant where the command line does not say: ``mpe.toml``, or the environment.

An option wins over ``MPE_STACK``, ``MPE_REGION``, ``MPE_PROFILE`` and ``MPE_ENDPOINT_URL``, and
these over ``mpe.toml`` of the folder that one is in, or of the nearest above it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import click

FILE = "mpe.toml"
NAMES = ("stack", "region", "profile", "endpoint_url")


def settings(folder: Path | None = None) -> dict[str, str]:
    """Return what is set, each by its name in ``mpe.toml``; tell what is wrong in that file."""
    found = _of_file(folder or Path.cwd())
    for name in NAMES:
        if value := os.environ.get(f"MPE_{name.upper()}"):
            found[name] = value
    return found


def _of_file(folder: Path) -> dict[str, str]:
    path = next((one / FILE for one in (folder, *folder.parents) if (one / FILE).is_file()), None)
    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path} is no TOML: {error}") from None
    wrong = list(_wrong(found))
    if wrong:
        raise click.ClickException(f"{path}:\n" + "\n".join(wrong))
    return dict(found)


def _wrong(found: Mapping[str, object]) -> list[str]:
    """Tell what is no setting, and what is no text."""
    unknown = [
        f"{name} is no setting. There are: {', '.join(NAMES)}."
        for name in found.keys() - set(NAMES)
    ]
    no_text = [
        f"{name} must be a text in quotes."
        for name, value in found.items()
        if name in NAMES and not isinstance(value, str)
    ]
    return sorted(unknown) + no_text
