"""The columnar engine: tables of text, with bounded memory.

What does not fit the memory is kept in the temporary folder, so a file may be far larger than
the memory; the folder needs about twice the file's size.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb

from mpe.data.files import CHUNK, Source, Unwatched, Watcher
from mpe.model.errors import ToldError
from mpe.model.service.dialect import ESCAPE, QUOTE, written

MEMORY = "1GB"
NOTHING = "\x01"
"""What stands for no cell at all; an empty cell is an empty text."""
POLL = 0.2
_OVER_LINES = "null_padding in conjunction with quoted new lines"


class EngineError(ToldError):
    """The engine lacks memory or disk; the message says what to do."""


class Unparsable(Exception):
    """A file that the engine cannot read as a CSV."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


class Engine:
    """A DuckDB database in a temporary folder, removed in the end."""

    def __init__(self, *, memory: str = MEMORY, watcher: Watcher | None = None) -> None:
        self.watcher: Watcher = watcher or Unwatched()
        self._folder = tempfile.TemporaryDirectory(prefix="mpe-data-")
        folder = Path(self._folder.name)
        self.folder = folder
        self._database = duckdb.connect(":memory:")
        try:
            with _told():
                self._set(memory)
        except EngineError:
            self.close()
            raise

    def _set(self, memory: str) -> None:
        folder = self.folder
        refusal = self.refusal(f"SET memory_limit = {text(memory)}")
        if refusal:
            raise EngineError(f"--memory {memory}: {refusal}. Pass an amount such as 4GB.")
        for setting, value in {
            "temp_directory": str(folder / "spilled"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "TimeZone": "UTC",
            "enable_progress_bar": "true",
            "enable_progress_bar_print": "false",
        }.items():
            self._database.execute(f"SET {setting} = {text(value)}")

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the database."""
        self._database.close()
        self._folder.cleanup()

    def refusal(self, sql: str) -> str | None:
        """Run a statement that depends on what a user passed; say why it cannot be."""
        try:
            self._database.execute(sql)
        except (duckdb.DataError, duckdb.ProgrammingError, duckdb.NotSupportedError) as error:
            told = str(error).splitlines()[0]
            return (told.partition("Error: ")[2] or told).rstrip(".!")
        return None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return all rows of a query, and tell the watcher how far it is."""
        with self._polled(), _told():
            return self._database.execute(sql).fetchall()

    def row(self, sql: str) -> tuple[Any, ...]:
        """Return the one row of a query."""
        (one,) = self.rows(sql)
        return one

    def run(self, sql: str, told: str) -> None:
        """Run a long statement and tell the watcher how far it is."""
        self.watcher.begin(told)
        with self._polled(), _told():
            self._database.execute(sql)

    def watched(self, sql: str, told: str) -> list[tuple[Any, ...]]:
        """Return all rows of a long query and tell the watcher how far it is."""
        self.watcher.begin(told)
        return self.rows(sql)

    def load(
        self, table: str, source: Source, columns: Sequence[str], *, file: int = 0, **dialect: Any
    ) -> None:
        """Append a CSV to a table, its rows in order; see :func:`reading`."""
        exists = self.row(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = {text(table)}")
        into = f"INSERT INTO {name(table)}" if exists[0] else f"CREATE TABLE {name(table)} AS"
        told = f"Loading {source.name}"
        try:
            try:
                self.run(f"{into} {reading(source, columns, file=file, **dialect)}", told)
            except duckdb.Error as error:
                if _OVER_LINES not in str(error):
                    raise
                alone = reading(source, columns, file=file, parallel=False, **dialect)
                self.run(f"{into} {alone}", told)
        except duckdb.Error as error:
            raise _unparsable(error) from None

    def write(
        self, query: str, target: Path, *, header: Sequence[str], quoted: Sequence[str] = ()
    ) -> int:
        """Write a query's rows as a CSV in the service's dialect, and return how many.

        Columns that are ``quoted`` stand in quotation marks whatever their values are. The engine
        would put the names of these in quotation marks too, which the guide forbids, so the header
        is written here.
        """
        force = f", FORCE_QUOTE ({', '.join(map(name, quoted))})" if quoted else ""
        rows = target.with_suffix(".rows")
        self.run(
            f"COPY ({query}) TO {text(str(rows))} (FORMAT CSV, HEADER false, DELIMITER ',', "
            f"QUOTE {text(QUOTE)}, ESCAPE {text(ESCAPE)}, NULLSTR ''{force})",
            f"Writing {target.name}",
        )
        count = self._database.fetchall()[0][0]
        with target.open("wb") as whole, rows.open("rb") as part:
            whole.write(f"{written(header)}\n".encode())
            shutil.copyfileobj(part, whole, CHUNK)
        rows.unlink()
        return int(count)

    @contextmanager
    def _polled(self) -> Iterator[None]:
        """Ask from another thread how far a query is, where somebody looks."""
        if isinstance(self.watcher, Unwatched):
            yield
            return
        done = threading.Event()

        def poll() -> None:
            share = 0.0
            while not done.wait(POLL):
                # The engine tells -1 before it knows, and again once the query is over.
                share = max(self._database.query_progress() / 100, share)
                self.watcher.at(share)

        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self.watcher.at(1.0)


def reading(
    source: Source,
    columns: Sequence[str],
    *,
    file: int = 0,
    take: Mapping[str, str],
    delimiter: str = ",",
    skip: int = 1,
    joined: Mapping[str, Sequence[str]] | None = None,
    parallel: bool = True,
) -> str:
    """Return the query of a CSV with a header of ``columns``, every cell as text.

    ``take`` says which columns are taken, and what each is called in the table: in SQL, names
    that differ only in their case are one. Besides those there is ``_file``, and ``_ragged``
    for rows with more or fewer cells than the header has. ``joined`` makes columns of several.
    """
    places = {column: f"c{index}" for index, column in reversed(list(enumerate(columns)))}
    types = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(columns)))
    cells = "".join(
        f"coalesce({places[one]}, '') AS {name(called)}, " for one, called in take.items()
    )
    for called, parts in (joined or {}).items():
        cells += f"concat_ws(' ', {', '.join(places[one] for one in parts)}) AS {name(called)}, "
    return (
        f"SELECT {cells}(c{len(columns) - 1} IS NULL OR beyond IS NOT NULL) AS _ragged, "
        f"{file} AS _file FROM read_csv({text(str(source.path))}, auto_detect = false, "
        f"header = false, skip = {skip}, delim = {text(delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{types}, 'beyond': 'VARCHAR'}}, null_padding = true, "
        f"nullstr = {text(NOTHING)}, strict_mode = false, "
        f"parallel = {str(parallel).lower()})"
    )


def text(value: str) -> str:
    """Write a text in SQL."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """Write a name in SQL."""
    return '"' + value.replace('"', '""') + '"'


@contextmanager
def _told() -> Iterator[None]:
    """Say what to do where the engine lacks something; other errors pass."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        told = str(error).splitlines()[0]
        raise EngineError(f"{told} Pass more with --memory, such as --memory 4GB.") from None
    except duckdb.IOException as error:
        told = str(error).splitlines()[0]
        raise EngineError(f"{told} Point TMPDIR at a folder with more space.") from None


def _unparsable(error: duckdb.Error) -> Unparsable:
    message = str(error)
    found = re.search(r"CSV Error on Line: (\d+)", message)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    told = lines[1] if found and len(lines) > 1 else lines[0]
    return Unparsable(told, int(found[1]) if found else None)
