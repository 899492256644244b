"""An uploaded config: check all of it, then start the run that makes it true.

Nothing is started for a config with a problem; one event lists every problem there is. The
run and its execution are named after the version of the object, so that an event that S3
delivers twice starts one run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.events import CONFIG_REJECTED, Events, EventSink
from mpe.aws.executions import Executions
from mpe.aws.objects import Objects
from mpe.aws.turns import MOST_TOLD, Claim, Turns
from mpe.handlers.gauges import Emf, Gauges
from mpe.handlers.settings import LOGGER, setting
from mpe.model.config.parse import parse
from mpe.model.config.sections import Config
from mpe.model.errors import ConfigError, Problem
from mpe.model.messages import within
from mpe.model.plan.desired import Place, desired_state, folder_of
from mpe.model.plan.foreign import foreign
from mpe.model.plan.forms import RUN
from mpe.model.rules import places
from mpe.model.service.limits import SIZE_LIMIT, some
from mpe.model.service.names import execution_name, version_digest
from mpe.model.text import plain

MOST_NOTES = 20
LONGEST_NOTE = 500
"""Characters: the workflow carries the notes in its state."""
KEY = re.compile(r"(train/(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62}/)*)[^/]+\.json")
"""Where a config lies: at any depth below ``train/``, with its data beside it."""
GONE = frozenset({"NoSuchKey", "NoSuchVersion"})


@dataclass(frozen=True)
class Upload:
    """One version of one object, as S3 tells EventBridge of it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """

    bucket: str
    key: str
    version: str
    sequencer: str
    time: datetime

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Upload:
        detail = event["detail"]
        found = detail["object"]
        return cls(
            bucket=detail["bucket"]["name"],
            key=found["key"],
            version=found.get("version-id", ""),
            sequencer=found["sequencer"],
            time=datetime.fromisoformat(event["time"].replace("Z", "+00:00")),
        )

    @property
    def folder(self) -> str:
        """The prefix that the config lies below: ``train/films/`` of ``train/films/config.json``.

        It is empty where the key is another. EventBridge is told keys as they are, not
        URL-encoded as S3's own notifications have them, so that nothing is decoded here
        (the examples of the page above, and of
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
        """
        found = KEY.fullmatch(self.key)
        return found[1] if found and self.key.isprintable() else ""

    @property
    def run(self) -> str:
        """The name of the run: when, and a digest of exactly which object version."""
        digest = version_digest(self.bucket, self.key, self.version or self.sequencer)
        return f"{self.time:%Y%m%dT%H%M%S}-{digest}"


@dataclass(frozen=True)
class Configure:
    """The adapters that an upload is handled through."""

    objects: Objects
    turns: Turns
    executions: Executions
    events: EventSink
    gauges: Gauges
    place: Place
    machine: str
    stack: str = ""
    """The name of the stack, which people are told."""

    def __call__(self, upload: Upload) -> dict[str, Any]:
        """Start a run, or tell why not; return which."""
        if not upload.folder:
            return self._reject(upload, (_MISPLACED,))
        version = upload.version or None
        try:
            text = self.objects.read(upload.bucket, upload.key, version, most=SIZE_LIMIT + 1)
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return {"ignored": "the config was deleted before it was read"}
            raise
        try:
            config = self._checked(parse(text), upload)
        except ConfigError as error:
            return self._reject(upload, error.problems)
        return self._start(upload, config)

    def _reject(self, upload: Upload, problems: tuple[Problem, ...]) -> dict[str, Any]:
        group = upload.folder.removeprefix("train/").strip("/")
        nth = self.turns.nth_told(upload.folder, upload.key, upload.time)
        if nth is not None:
            self._tell(upload, group, problems, last=nth == MOST_TOLD - 1)
        if group:
            told = {"at": upload.time.isoformat(), "key": upload.key, "version": upload.version}
            self.turns.reject(group, upload.sequencer, told | {"total": len(problems)})
        self.gauges.rejected(len(problems))
        return {"rejected": len(problems)}

    def _tell(
        self, upload: Upload, group: str, problems: tuple[Problem, ...], *, last: bool
    ) -> None:
        """Tell people what is wrong; with the last of a folder that others are not told."""
        self.events.put(
            CONFIG_REJECTED,
            {
                "Bucket": upload.bucket,
                "Stack": self.stack,
                "Account": self.place.account,
                "Key": upload.key,
                "VersionId": upload.version,
                "DatasetGroup": group,
                "Total": len(problems),
                "Problems": within(asdict(problem) for problem in problems),
                **({"Last": True} if last else {}),
            },
        )

    def _checked(self, config: Config, upload: Upload) -> Config:
        """Refuse a config that lies where another's does, or names what is another's."""
        problems = some((*self._misplaced(config, upload), *foreign(config, self.place)))
        if problems:
            raise ConfigError(problems)
        return config

    def _misplaced(self, config: Config, upload: Upload) -> Iterator[Problem]:
        """Find a second place of one dataset group, and a place that is another group's.

        The folder need not bear the group's name, as with the AWS solution. But one group is
        maintained from one folder, so that a copy of its config does not change it; its own folder
        always may take over. And who may write to a group's own folder may change that group alone.
        """
        group = str(config.group.params["name"])
        own, here = folder_of(group), upload.folder
        path = "$.datasetGroup.serviceConfig.name"
        yield from self._second(group, upload, path)
        if here == own:
            return
        remedy = f"Upload it to {own}, beside that group's data, or mend the name."
        other = here.removeprefix("train/").partition("/")[0]
        known = self.turns.folder(group)
        if self.turns.folder(other):
            told = f"the config lies in {other!r}, which is another dataset group's folder."
            yield places.FOLDER.problem(path, told, remedy)
        elif known and known != here:
            told = f"the dataset group {group!r} is maintained from {known}, and not from {here}."
            yield places.FOLDER.problem(path, told, remedy)

    def _second(self, group: str, upload: Upload, path: str) -> Iterator[Problem]:
        """Find a second config of a dataset group in one folder, beside one that lies there.

        Nobody could say which of two is the newer: S3's order of uploads is that of one key.
        """
        known = self.turns.key(group)
        if not known or known == upload.key or self.turns.folder(group) != upload.folder:
            return
        if self.objects.count(upload.bucket, known):
            told = f"the dataset group {group!r} is maintained from {known}, in the same folder."
            remedy = f"Upload it as {known}; or delete that file, and upload this one again."
            yield places.SECOND.problem(path, told, remedy)

    def _start(self, upload: Upload, config: Config) -> dict[str, Any]:
        folder = upload.folder
        state = desired_state(config, self.place, version=upload.run, folder=folder)
        pointer = self.objects.save_state(upload.bucket, state)
        claim = Claim(state.group, upload.run, "", upload.sequencer, upload.key)
        known = self.turns.key(state.group) or ""
        if not self.turns.admits(claim):
            return {"ignored": "a newer config of this dataset group is already known"}
        run = {
            "id": upload.run,
            "group": state.group,
            "sequencer": upload.sequencer,
            "state": asdict(pointer),
            "config": {"key": upload.key, "version": upload.version},
            "notes": [plain(note, LONGEST_NOTE) for note in config.notes[:MOST_NOTES]],
        }
        name = execution_name(state.group, upload.run)
        new = self.executions.start(self.machine, name, {"run": RUN.marked(run)})
        # Once it is started: a config whose start fails must not end the run of an older one.
        instead_of = known if known != upload.key else ""
        self.turns.announce(
            state.group, upload.run, upload.sequencer, upload.key, instead_of=instead_of
        )
        return {"started" if new else "ignored": upload.run}


_MISPLACED = places.MISPLACED.problem(
    "$",
    "the file does not lie where a config lies, and was not read.",
    "Upload it to train/<name of the dataset group>/config.json, or below train/ in folders whose "
    "names are of letters, digits, '.', '_' and '-'.",
)


made_in_init("dynamodb", "events", "s3", "stepfunctions")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle one Object Created event of the data bucket."""
    upload = Upload.from_event(event)
    LOGGER.set_correlation_id(upload.run)
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    stack = setting("STACK")
    configure = Configure(
        Objects(client("s3")),
        Turns(table(setting("TURNS_TABLE"))),
        Executions(client("stepfunctions")),
        Events(client("events"), setting("EVENT_BUS")),
        Emf(setting("STACK")),
        Place(
            region,
            account,
            upload.bucket,
            setting("PERSONALIZE_ROLE"),
            partition,
            stack,
            setting("PERSONALIZE_KMS_KEY"),
        ),
        setting("WORKFLOW"),
        stack,
    )
    result = configure(upload)
    LOGGER.info("configured", extra={"key": upload.key, "result": result})
    return result
