"""What people are told, in the words of each protocol.

SNS takes a message per protocol; an email is for reading, JSON for programs, and a text
message holds 140 characters
(https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mpe.model.errors import OfAnotherStack, named, reason_lines
from mpe.model.gate.versions import share_of_change, spoken_change
from mpe.model.plan.quotas import LIMIT
from mpe.model.plan.tasks import SPOKEN
from mpe.model.remedies import QUOTAS, Where
from mpe.model.rules import places
from mpe.model.text import LONGEST, plain

SUBJECT_LIMIT = 100
SMS_LIMIT = 140
EMAIL_LIMIT, FACTS_LIMIT = 50_000, 70_000
"""Characters as they are sent: two protocols with each stay below the 256 KB of Publish."""
CHAT_LIMIT = 8_000
"""Characters of a description that the chat service takes; a title may have 250."""
FENCED = "```\n{}\n```"
CHAT_REST = "\n... the rest is in the mail."
LINE_LIMIT = 2 * LONGEST
"""Characters of one line of a mail."""

MOST_DUE = 20
"""How many commands of a kind, or names, a mail has of what is due after a deletion."""
LISTS = frozenset({"Problems", "Failures", "Changes", "Models"})
"""What an event lists, beside the count of all."""
PLACES = tuple({one.id} for one in (places.MISPLACED, places.FOLDER, places.SECOND))
"""Rules of where a config lies, one of which is all that is wrong with one that lies elsewhere."""
DOUBTED = "DOUBTED"
"""The status of a campaign that a person moved, and that answers badly."""
DRIFTED = "DRIFTED"
"""The status of a campaign that serves another version than was recorded."""
FAILING = "FAILING"
"""The status of a campaign that does badly once it has moved."""
BUDGET = 50_000
"""Characters that one list takes in an event: events and messages hold 256 KB in all."""


def within(items: Iterable[Mapping[str, Any]], budget: int = BUDGET) -> list[dict[str, Any]]:
    """Return as many items as fit into an event, each with its texts cut to a length."""
    kept: list[dict[str, Any]] = []
    for item in items:
        cut = {key: _cut(value) for key, value in item.items()}
        budget -= len(json.dumps(cut))
        if budget < 0:
            break
        kept.append(cut)
    return kept


def _cut(value: Any) -> Any:
    long = isinstance(value, str) and len(value) > LONGEST
    return f"{value[: LONGEST - 3]}..." if long else value


def _short(text: str, most: int) -> str:
    """Return as much of a text as has so many characters when it is sent as JSON."""
    text = text[:most]
    while len(json.dumps(text)) > most:
        text = text[: len(text) * 9 // 10]
    return text


@dataclass(frozen=True)
class Message:
    """One notification: a subject, a text to read and the facts."""

    subject: str
    text: str
    facts: Mapping[str, Any]

    def by_protocol(self) -> dict[str, str]:
        """Return the message for each protocol that SNS may deliver by."""
        facts, text = self._facts(), self._text()
        return {
            "default": text,
            "email": text,
            "email-json": facts,
            "sqs": facts,
            "https": self._chat(),
            "sms": self.subject[:SMS_LIMIT],
        }

    def _chat(self) -> str:
        """Return what AWS's chat service shows in Slack and Teams; of another form it shows none.

        As a block of code, in which commands keep their characters and nobody is called by name
        (https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html).
        """
        told = _short(self.text.replace("`", "'"), CHAT_LIMIT - len(FENCED) - len(CHAT_REST))
        told += CHAT_REST if len(told) < len(self.text) else ""
        content = {
            "textType": "client-markdown",
            "title": self.subject,
            "description": FENCED.format(told),
        }
        return json.dumps({"version": "1.0", "source": "custom", "content": content})

    def _text(self) -> str:
        return _short(self.text, EMAIL_LIMIT)

    def _facts(self) -> str:
        """Return the facts as JSON, with shorter lists where they are too long to send."""
        facts, budget = dict(self.facts), BUDGET
        while len(json.dumps(json.dumps(facts))) > FACTS_LIMIT and budget:
            budget //= 2
            for name in LISTS & facts.keys():
                facts[name] = within(facts[name], budget)
            if "Notes" in facts:
                notes = within(({"note": note} for note in facts["Notes"]), budget)
                facts["Notes"] = [one["note"] for one in notes]
        return json.dumps(facts)


def message_for(kind: str, detail: Mapping[str, Any], *, region: str) -> Message:
    """Word an event of the bus: the outcome of a run, or a config that was rejected."""
    if "Problems" in detail:
        subject, lines = _rejected_subject(detail), _rejected(detail, region)
    elif detail.get("Status") == DOUBTED:
        subject, lines = _doubted_subject(detail), _doubted(detail, region)
    elif detail.get("Status") == FAILING:
        subject, lines = _failing_subject(detail), _failing(detail, region)
    elif detail.get("Status") == DRIFTED:
        subject, lines = _drifted_subject(detail), _drifted(detail, region)
    elif "HeldSince" in detail:
        subject, lines = _expired_subject(detail), _expired(detail, region)
    elif "Since" in detail:
        subject = f"Personalize dataset group {detail['DatasetGroup']} {_waits_for(detail)}"
        lines = _waits(detail, region)
    else:
        subject, lines = _run_subject(detail), _run(detail, region)
    # A line of ours stays one line, so that no value can forge another.
    text = "\n".join(plain(line, LINE_LIMIT) for line in lines)
    return Message(_one_line(subject), text, {"Event": kind, **detail})


def _one_line(subject: str) -> str:
    """Keep to what SNS takes as a subject: printable ASCII, one line, up to 100 characters."""
    plain = re.sub(r"[^\x20-\x7e]+", " ", subject).strip()
    return plain if len(plain) <= SUBJECT_LIMIT else f"{plain[: SUBJECT_LIMIT - 3]}..."


def _rejected_subject(detail: Mapping[str, Any]) -> str:
    count = detail["Total"]
    return f"{detail['Key']}: {count} problem{'s' if count != 1 else ''}, nothing was started"


def _rejected(detail: Mapping[str, Any], region: str) -> Iterator[str]:
    yield f"The config s3://{detail['Bucket']}/{detail['Key']} was not accepted."
    yield "Nothing was started and nothing was changed."
    yield ""
    yield f"{detail['Total']} to mend:"
    for problem in detail["Problems"]:
        yield ""
        yield f"  {problem['path']}"
        told = [problem["message"], *filter(None, [problem["remedy"]])]
        told[-1] = named(told[-1], problem.get("rule", ""))
        yield from (f"      {one}" for one in told)
    hidden = detail["Total"] - len(detail["Problems"])
    if hidden > 0:
        yield ""
        yield f"  ... and {hidden} more."
    yield ""
    yield from _mended(detail)
    yield ""
    if detail.get("Last"):
        yield "Of more files that are not accepted there nothing is told until tomorrow (UTC)."
        yield ""
    yield _place(detail, "", region)


def _mended(detail: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a config that was rejected is mended: most can be tried where it is written."""
    ids = "The ids in brackets are of rules, which docs/rules.md explains."
    if {problem.get("rule") for problem in detail["Problems"]} in PLACES:
        yield f"{ids} This uploads it to the place of its dataset group:"
        yield "      mpe apply config.json"
        return
    yield f"Mend the file and upload it again to the same place. {ids} Without uploading it:"
    yield "      mpe validate config.json"


def _place(detail: Mapping[str, Any], arn: str, region: str) -> str:
    """Say which stack, account, region and bucket it is about, as far as that is told."""
    account = detail.get("Account") or account_of(arn)
    parts = {"Stack": detail.get("Stack"), "account": account, "region": region}
    parts |= {"bucket": detail.get("Bucket")}
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value)


def account_of(arn: str) -> str:
    """Return the account that an ARN is of, or nothing where it is none."""
    return arn.split(":")[4] if arn.count(":") > 4 else ""


def attributes(detail: Mapping[str, Any]) -> dict[str, str]:
    """Return what a subscriber's filter policy may go by: ``status``, ``group`` and ``kind``.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
    """
    kind = "config" if "Task" not in detail else str(detail["Task"]).partition(".")[0]
    otherwise = "WAITS" if "Since" in detail else "REJECTED"
    found = {"status": detail.get("Status", otherwise), "group": detail.get("DatasetGroup", "")}
    return {name: str(value) for name, value in (found | {"kind": kind}).items() if value}


def worth_telling(detail: Mapping[str, Any], *, failures_only: bool = False) -> bool:
    """Tell whether people are told: not of a scheduled task that found nothing to do."""
    if detail.get("Status") != "SUCCEEDED":
        return True
    return not failures_only and not ("Task" in detail and not detail["Changed"])


def _waits_for(detail: Mapping[str, Any]) -> str:
    return "waits for a quota" if detail["Error"] == LIMIT else "has a run that waits"


def _waits(detail: Mapping[str, Any], region: str) -> Iterator[str]:
    yield f"Dataset group {detail['DatasetGroup']}: a run waits, and goes on by itself."
    yield ""
    yield f"  {detail['Resource']} {detail['Name']} ({detail['Path']})"
    yield f"      waits since {detail['Since']}: {detail['Error']}: {detail['Reason']}"
    yield ""
    yield (
        f"It waits for {detail['Hours']} hours at most. To end that sooner: wait for what is at "
        "work or stop it, delete what is not needed, ask for a higher quota in Service Quotas, or "
        "upload another config, which ends the wait. Of others of this type that wait in this run "
        "nothing more is told. What it waits for, and since when:"
    )
    yield f"      mpe watch {shlex.quote(detail['DatasetGroup'])}"
    if detail["Error"] == LIMIT:
        yield f"      {QUOTAS}"
    yield ""
    yield _place(detail, "", region)


def _expired_subject(detail: Mapping[str, Any]) -> str:
    version = f"{detail['Solution']}/{detail['Version'].rpartition('/')[2]}"
    return f"Personalize dataset group {detail['DatasetGroup']}: the hold of {version} has expired"


def _expired(detail: Mapping[str, Any], region: str) -> Iterator[str]:
    solution, version = detail["Solution"], detail["Version"].rpartition("/")[2]
    which = f"{shlex.quote(detail['DatasetGroup'])} {solution} {version}"
    yield f"Dataset group {detail['DatasetGroup']}: nobody has decided on a held model in time."
    yield ""
    yield f"  {solution}/{version}"
    yield f"      is held for {', '.join(detail['Campaigns'])} since {detail['HeldSince']}:"
    yield f"      {detail['Reason']}"
    yield ""
    yield (
        "The campaigns stay at what they serve, and no run brings this model back. As long as it "
        "is the newest, a person may still let it be served:"
    )
    yield f"      mpe models show {which}"
    yield f"      mpe approve {which} --why ..."
    yield ""
    yield _place(detail, detail["Version"], region)


def _doubted_subject(detail: Mapping[str, Any]) -> str:
    group, campaign = detail["DatasetGroup"], detail["Campaign"]
    return f"Personalize dataset group {group}: look at the answers of campaign {campaign}"


def _doubted(detail: Mapping[str, Any], region: str) -> Iterator[str]:
    group, campaign = detail["DatasetGroup"], detail["Campaign"]
    yield f"Dataset group {group}: somebody moved campaign {campaign}, which was asked since then."
    yield ""
    yield f"  {detail['Version']}"
    yield f"      smoke test: {detail['Verdict']}"
    yield from (f"      {one}" for one in detail["Reasons"])
    yield ""
    yield "It stays where it is: the gate undoes nothing that a person has decided. To go back:"
    yield f"      mpe rollback {shlex.quote(group)} {campaign} --why ..."
    yield ""
    yield _place(detail, detail["Version"], region)


def _drifted_subject(detail: Mapping[str, Any]) -> str:
    group, campaign = detail["DatasetGroup"], detail["Campaign"]
    return f"Personalize dataset group {group}: campaign {campaign} was moved by other means"


def _drifted(detail: Mapping[str, Any], region: str) -> Iterator[str]:
    group, campaign = shlex.quote(detail["DatasetGroup"]), detail["Campaign"]
    solution, served = detail["Version"].split("/")[-2:]
    recorded = detail["Recorded"].rpartition("/")[2]
    yield f"Dataset group {detail['DatasetGroup']}: campaign {campaign} serves"
    yield ""
    yield f"  {detail['Version']}"
    yield ""
    yield "and the ledger had"
    yield ""
    yield f"  {detail['Recorded']}"
    yield ""
    yield "Somebody has moved it by other means, or the ledger was restored to an older state."
    yield "Newer versions are compared with what it serves from now on. The two:"
    yield f"      mpe models diff {group} {solution} {recorded} {served}"
    if detail["To"]:
        yield f"This run moves it on to {detail['To']}, which its gate lets it. To have it back:"
        yield f"      mpe rollback {group} {campaign} --to {served} --why ..."
    else:
        yield "It stays there until a newer version may be served. To have it back where it was:"
        yield f"      mpe rollback {group} {campaign} --to {recorded} --why ..."
    yield ""
    yield _place(detail, detail["Version"], region)


def _failing_subject(detail: Mapping[str, Any]) -> str:
    group, campaign = detail["DatasetGroup"], detail["Campaign"]
    what = "goes back to" if detail["To"] else "does badly with"
    version = str(detail["To"] or detail["Version"]).rpartition("/")[2]
    return f"Personalize dataset group {group}: campaign {campaign} {what} {version}"


def _failing(detail: Mapping[str, Any], region: str) -> Iterator[str]:
    group, campaign = shlex.quote(detail["DatasetGroup"]), detail["Campaign"]
    solution, version = detail["Version"].split("/")[-2:]
    yield f"Dataset group {detail['DatasetGroup']}: campaign {campaign} does badly since it moved."
    yield ""
    yield f"  {detail['Version']}"
    yield from (f"      {one}" for one in detail["Reasons"])
    yield ""
    if detail["To"]:
        yield f"It goes back to what it served before, which takes some minutes: {detail['To']}"
        yield "No run brings this version back. All that is known of it:"
        yield f"      mpe models show {group} {solution} {version}"
    else:
        yield "It stays where it is. To go back:"
        yield f"      mpe rollback {group} {campaign} --why ..."
    if detail["Frozen"]:
        yield f"It is frozen: {detail['Frozen']} No run moves it until:"
        yield f"      mpe unfreeze {group} {campaign} --why ..."
    yield ""
    yield _place(detail, detail["Version"], region)


def _run_subject(detail: Mapping[str, Any]) -> str:
    succeeded, held = detail["Status"] == "SUCCEEDED", detail.get("Held")
    if "Task" in detail:
        verdict = "is done" if succeeded else "needs your attention"
        verdict += ", and a model is held" if succeeded and held else ""
        task = spoken_task(detail["Task"])
        return f"Personalize dataset group {detail['DatasetGroup']}: scheduled {task} {verdict}"
    ready = "has a model that is held" if held else "is ready"
    verdict = ready if succeeded else "needs your attention"
    return f"Personalize dataset group {detail['DatasetGroup']} {verdict}"


def _run(detail: Mapping[str, Any], region: str) -> Iterator[str]:
    failed = detail["Status"] != "SUCCEEDED"
    which = f"scheduled {spoken_task(detail['Task'])}" if "Task" in detail else "run"
    yield f"Dataset group {detail['DatasetGroup']}: the {which} " + (
        "FAILED." if failed else "succeeded."
    )
    yield f"It took {spoken(detail['Duration'])}."
    yield from _failures(detail)
    yield from _changes(detail)
    yield from _models(detail)
    yield from _due_after_a_deletion(detail)
    if detail["Notes"]:
        yield ""
        yield "To note:"
        yield from (f"  {note}" for note in detail["Notes"])
    yield ""
    yield _place(detail, detail["ExecutionArn"], region)
    yield f"Config: {detail['Config']}"
    if detail["Run"]:  # else a fire came to none
        yield f"Run: {detail['Run']}"
        yield f"All of it: mpe runs show {detail['Run']}"
    yield f"Execution: {execution_link(detail['ExecutionArn'], region)}"


def _failures(detail: Mapping[str, Any]) -> Iterator[str]:
    for failure in detail["Failures"]:
        yield ""
        yield f"  {failure['Resource']} {failure['Name']} failed ({failure['Error']})"
        if failure["Path"]:
            yield f"      in the config: {failure['Path']}"
        for line in filter(None, reason_lines(failure["Error"], failure["Reason"])):
            yield f"      {line}"
        if failure["Remedy"]:
            yield f"      {failure['Remedy']}"
    hidden = detail["Failed"] - len(detail["Failures"])
    if hidden > 0:
        yield ""
        yield f"  ... and {hidden} more failed."
    if any(_mendable(one) for one in detail["Failures"]):
        yield ""
        yield from _continues(detail)


def _mendable(failure: Mapping[str, Any]) -> bool:
    """Tell whether the same once more helps, after whatever the remedy says."""
    return failure["Resource"] != "DatasetGroup" and failure["Error"] not in ENDED


ENDED = frozenset({"Overtaken", OfAnotherStack.__name__})
"""Errors after which it is not for this config to go on."""


def _continues(detail: Mapping[str, Any]) -> Iterator[str]:
    """Yield what goes on from where a run failed."""
    where = Where(detail["DatasetGroup"], task=detail.get("Task", ""))
    by = f"The next {spoken_task(where.task)}" if where.task else "A new upload of the config"
    again = "run it again" if where.task else "upload the config again"
    made = detail["Changed"] or detail["Kept"]
    yield (
        f"What was created before stays. {by} continues from there:"
        if made
        else f"Nothing was created, changed or trained: mend it, and {again}:"
    )
    yield f"      {where.again}"


def _changes(detail: Mapping[str, Any]) -> Iterator[str]:
    if detail["Failures"] and not (detail["Changes"] or detail["Kept"]):
        return
    yield ""
    if not detail["Changes"] and not detail["Failures"]:
        yield f"Nothing needed to change: all {detail['Kept']} resources are as the config says."
        return
    for change in detail["Changes"]:
        took = f" in {spoken(change['Seconds'])}" if "Seconds" in change else ""
        more = f": {change['Told']}" if "Told" in change else ""
        yield f"  {change['Did']} {change['Resource']} {change['Name']}{more}{took}"
    hidden = detail["Changed"] - len(detail["Changes"])
    if hidden > 0:
        yield f"  ... and {hidden} more"
    if detail["Kept"]:
        yield f"  kept {detail['Kept']} as they were"


def _models(detail: Mapping[str, Any]) -> Iterator[str]:
    """Tell how good each new model is, beside what the campaigns served before.

    The guide warns of comparing versions that were trained on different data
    (https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html).
    """
    for model in detail.get("Models", ()):
        hours = model.get("TrainingHours")
        took = f", {hours:.4g} training hours" if hours is not None else ""
        yield ""
        yield f"New model of {model['Solution']} ({model['TrainingMode']}{took}):"
        yield f"  {model['Version']}"
        yield from _data(model)
        if not model["Metrics"]:
            yield "  The service told no metrics of it."
        yield from _beside(model)
        yield from _verdicts(model)


def _data(model: Mapping[str, Any]) -> Iterator[str]:
    """Tell how much data a model was trained on, and those that it comes after."""
    if model.get("Rows") is None:
        return
    before = {(one.get("Rows"), one.get("Users")) for one in model["Live"]} - {(None, None)}
    was = "".join(f", before {rows:,} of {users:,}" for rows, users in sorted(before))
    yield f"  trained on {model['Rows']:,} interactions of {model['Users']:,} users{was}"


def _verdicts(model: Mapping[str, Any]) -> Iterator[str]:
    """Tell what the gate thinks of a model, and what follows from it."""
    for one in model.get("Verdicts", ()):
        held = one["Held"]
        effect = "held" if held else "it is pinned" if one["Pinned"] else "it moves"
        yield f"  verdict for {one['Campaign']} ({one['Mode']}): {one['Verdict']}; {effect}"
        yield from (f"      {told}" for told in (*one["Reasons"], *one["Notes"]))
        if one["NoNewItems"] and (held or one["Pinned"]):
            yield "      From now on the live version gets no new items: the service brings them,"
            yield "      every two hours, into the newest version alone."
        elif one["NoNewItems"] and model["TrainingMode"] == "UPDATE":
            yield "      From now on it gets no new items by itself: an UPDATE training ends that,"
            yield "      until a version of a FULL one is served."


def _beside(model: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each metric, with those of every version that was live before."""
    by_version: dict[str, list[str]] = {}
    metrics = {one["Version"]: one["Metrics"] for one in model["Live"]}
    for one in model["Live"]:
        by_version.setdefault(one["Version"], []).append(one["Campaign"])
    for name, value in sorted(model["Metrics"].items()):
        told = [f"{value:.4f}"]
        for version in by_version:
            old = metrics[version].get(name)
            moved = spoken_change(share_of_change(value, old))
            told.append("" if old is None else f"before {old:.4f} {moved}".rstrip())
        yield f"    {name:<48} " + "  ".join(told)
    for version, campaigns in by_version.items():
        known = "" if metrics[version] else ", of which no metrics are known"
        yield f"  before: {version}{known}, on {', '.join(campaigns)}"


def _due_after_a_deletion(detail: Mapping[str, Any]) -> Iterator[str]:
    """Tell what still holds the users whose data was deleted, with what to do about it.

    The service deletes from its datasets alone, and asks for new versions and updated campaigns
    (https://docs.aws.amazon.com/personalize/latest/dg/delete-records.html).
    """
    due = detail.get("Due")
    if not due:
        return
    yield ""
    yield "Users' data was deleted from the datasets. They are still in:"
    yield from _models_due(detail, due)
    if due["Recommenders"]:
        names = ", ".join(due["Recommenders"])
        yield f"  the recommenders {names}, which the service trains anew within seven days."
    yield from _objects_due(detail)


def _models_due(detail: Mapping[str, Any], due: Mapping[str, Any]) -> Iterator[str]:
    """Yield a command for each solution that has not been trained anew, and the one that follows.

    A version that is made by hand is taken up by the next run, which moves the campaigns.
    """
    solutions = due["Solutions"]
    if not solutions:
        return
    yield "  the models that were trained before, which campaigns go on serving. Train anew:"
    for one in solutions:
        if "task" in one:
            yield f"      mpe schedule run {detail['DatasetGroup']} {one['task']}"
        else:
            made = "aws personalize create-solution-version --training-mode FULL"
            yield f"      {made} --solution-arn {one['arn']}"
    if due["Left"] > len(solutions):
        yield f"      ... and {due['Left'] - len(solutions)} more solutions."
    if any("task" not in one for one in solutions):
        config = shlex.quote(f"s3://{detail['Bucket']}/{detail['Config']}")
        yield "    then have the config's run wait for these versions, and move the campaigns:"
        yield f"      aws s3 cp {config} {config} --metadata-directive REPLACE"


def _objects_due(detail: Mapping[str, Any]) -> Iterator[str]:
    """Yield what removes what jobs wrote, and never what they read.

    Each job writes to a folder of its own below its solution's, in which the inputs lie. A
    pattern's ``*`` stands for slashes as well
    (https://docs.aws.amazon.com/cli/latest/reference/s3/#use-of-exclude-and-include-filters).
    """
    bucket, group = detail["Bucket"], detail["DatasetGroup"]
    yield "  what exports and batch jobs wrote. This removes it, and leaves what they read:"
    yield f"      aws s3 rm s3://{bucket}/export/{group}/ --recursive"
    of_jobs = "--recursive --exclude '*' --include '*/*/*'"
    yield f"      aws s3 rm s3://{bucket}/batch/{group}/ {of_jobs}"
    folder = str(detail["Config"]).rpartition("/")[0]
    yield f"  the CSVs below s3://{bucket}/{folder}/ and the inputs of batch jobs, unless you took"
    yield "    them out there. An import brings back whom a CSV names: deletions.csv must stay."
    yield "  older versions of all these objects, for as many days as the stack's parameter"
    yield "    OldVersionDays says."


def spoken_task(task: str) -> str:
    """Say what a task does: ``full training of films``."""
    what, _, of = task.partition(".")
    spoken = SPOKEN.get(what, what)  # a newer release may have more kinds
    return f"{spoken} of {of}" if of else spoken


def spoken(seconds: float) -> str:
    """Say a duration as a person would: ``1 h 5 min``, ``45 s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def execution_link(arn: str, region: str) -> str:
    """Return the Step Functions console's page of an execution, in its own partition."""
    partition = arn.split(":")[1] if ":" in arn else "aws"
    console = {
        "aws-cn": "console.amazonaws.cn",
        "aws-us-gov": "console.amazonaws-us-gov.com",
    }.get(partition, "console.aws.amazon.com")
    return f"https://{console}/states/home?region={region}#/v2/executions/details/{arn}"
