"""What is kept of a running local cloud, so that other commands find it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpe.assembly.processes import end_group, group_alive
from mpe.local.asking import page

if TYPE_CHECKING:
    from mpe.local.cloud import LocalCloud


def state_directory() -> Path:
    """Return where records and logs are kept, as the XDG base directories say."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "mpe"


@dataclass(frozen=True)
class Record:
    """A local cloud that was started, by its port."""

    port: int
    pid: int
    endpoint: str
    speed: float
    stack: str
    outputs: dict[str, str]
    environment: dict[str, str]
    folder: str
    log: str
    secret: str = ""
    """What its own pages take (:mod:`mpe.local.door`)."""

    @classmethod
    def of(cls, cloud: LocalCloud) -> Record:
        return cls(
            cloud.port,
            cloud.pid,
            cloud.endpoint,
            cloud.speed,
            cloud.stack_name,
            cloud.outputs,
            cloud.environment,
            str(cloud.folder),
            str(cloud.log_path),
            cloud.secret,
        )

    @classmethod
    def find(cls, port: int) -> Record | None:
        """Return the record of the local cloud at a port; forget one that is dead."""
        record = cls.read(port)
        if record and not record.alive():
            record.forget()
            return None
        return record

    @classmethod
    def running(cls) -> list[Record]:
        """Return the record of every local cloud that answers."""
        names = (
            path.stem.removeprefix("local-") for path in state_directory().glob("local-*.json")
        )
        found = (cls.find(int(port)) for port in sorted(names) if port.isdigit())
        return [one for one in found if one]

    @classmethod
    def read(cls, port: int) -> Record | None:
        """Return what is recorded of a port, dead or alive."""
        try:
            return cls(**json.loads(_path(port).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def alive(self) -> bool:
        """Tell whether the very process of this record still answers at its port."""
        try:
            return bool(page(self.port, "/_mpe/health", self.secret)["pid"] == self.pid)
        except TimeoutError:
            return group_alive(self.pid)  # it is only busy
        except (OSError, ValueError, KeyError):
            return False

    def save(self) -> None:
        """Write it down, for its owner's eyes only: it holds the secret."""
        path = _path(self.port)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # a file that is there keeps its mode
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=2)

    def shown(self) -> dict[str, Any]:
        """Return what may be shown of it: all but the secret."""
        return {name: value for name, value in asdict(self).items() if name != "secret"}

    def mail(self) -> list[dict[str, str]]:
        """Return what SNS has sent to people, the oldest first."""
        found: list[dict[str, str]] = page(self.port, "/_mpe/mail", self.secret, seconds=60)
        return found

    def kept(self) -> bool:
        """Tell whether the record is still there: `mpe local down` removes it first."""
        return _path(self.port).exists()

    def forget(self) -> None:
        _path(self.port).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """End the servers and every process that they started."""
        self.forget()  # first, so that a foreground `up` knows that it was told to end
        end_group(self.pid, lambda: None)


def log_path(port: int) -> Path:
    return state_directory() / f"local-{port}.log"


def _path(port: int) -> Path:
    return state_directory() / f"local-{port}.json"
