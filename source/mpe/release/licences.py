"""The licences of the libraries that a release brings along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mpe.release.libraries import Library

LICENCES = "THIRD-PARTY-LICENSES.txt"
RULE = "=" * 79


def licences(libraries: Iterable[Library]) -> str:
    """Return a list of the libraries with the texts of their licences and notices."""
    return "\n".join(line for library in libraries for line in _lines(library)) + "\n"


def _lines(library: Library) -> Iterator[str]:
    terms = library.expression or ", ".join(library.licences) or "unknown"
    yield from (RULE, f"{library.name} {library.version}: {terms}", RULE, "")
    for name, text in library.texts.items():
        yield from (f"--- {name}", "", text.strip(), "")
