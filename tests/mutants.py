"""Changes the code in small ways, and notes which changes no test notices.

``make mutants`` runs it, outside of ``make test``: Cosmic Ray makes the changes
(https://cosmic-ray.readthedocs.io), `tests/mutating` adds its own and tries them. It writes
docs/mutants.md: how many were noticed, and each that was not, with the reason why it may stay.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest

from tests.conftest import ROOT
from tests.mutating.changes import Change, change, changes, statements
from tests.mutating.trials import Trials

PAGE, KEPT = ROOT / "docs" / "mutants.md", ROOT / "tests" / "mutants.json"
KNOWN = ROOT / "build" / "mutants.json"
ROOMS = ("aws", "handlers", "model/plan")
SUITE = (
    "tests/handlers",
    "tests/aws",
    "tests/model/plan",
    "tests/model/config/test_parse.py",
    "tests/hostile/test_foreign.py",
    "tests/test_upgrades.py",
    "tests/cli/test_configs.py",
)
LEFT_OUT = ("tests/handlers/test_faults.py", "tests/handlers/test_init.py")
"""The campaign of faults notices much and takes minutes; the other starts processes of its own."""
SEED = 14
NO_STATUS = "Neither is a status of an error of the service."
ONE_FILE = "What goes up whole has one digest, and no other is read."
MD5 = "The word matters only where MD5 is otherwise refused, as with OpenSSL in its FIPS mode."
AS_MANY = "CloudWatch tells as many values as moments."
NO_LOG = "What is put together logs nothing."
LAST_PART = "What comes after the last colon is the second of two parts, and the last of three."
SAME_SECTIONS = "The ids and the sections are of the same config, so that they are as many."
REASONS: dict[str, str] = {
    'source/mpe/model/plan/owner.py: f"{noun} {name} is of the CloudFormation stack {stacks[0]}: '
    'its next update brings it back ": NumberReplacer': "A resource has a tag's key once, so that "
    "the first is the last.",
    "source/mpe/model/plan/tasks.py: for id, section in zip(whole[stage], jobs, strict=True):: "
    "LeaveOutArgument": SAME_SECTIONS,
    "source/mpe/model/plan/tasks.py: for id, section in zip(whole[stage], jobs, strict=True):: "
    "ReplaceTrueWithFalse": SAME_SECTIONS,
    "source/mpe/model/plan/alike.py: return sum(map(_size, value)) if isinstance(value, list | "
    "tuple) else 1: NumberReplacer": "Of two that both fit, the one that says more has more keys: "
    "what its values count for does not change which.",
    "source/mpe/model/plan/desired/solutions.py: pointer = None if follows or stays else "
    "of.pointer(id): ReplaceOrWithAnd": "The pointer of a campaign that follows by itself, or "
    "stays, is none either way: the one is not judged, the other is judged as pinned.",
    "source/mpe/model/plan/reconcile.py: one.created.timestamp() if one.created else 0.0,: "
    "NumberReplacer": "The service tells no moment within a second of 1970.",
    "source/mpe/model/plan/waits.py: wait = max(wait, elapsed * earliest, 2 * siblings if siblings "
    "> SIDE_BY_SIDE else 0): NumberReplacer": "What has passed is never less than nothing.",
    "source/mpe/model/plan/waits.py: if learnt and elapsed + wait > _quiet(learnt):: "
    "ReplaceComparisonOperator_Gt_GtE": "Where both are even, what is left until then is the wait.",
    "source/mpe/model/plan/waits.py: drawn = int.from_bytes(hashlib.sha256(who.encode())"
    ".digest()[:2]) / 0xFFFF: NumberReplacer": "It moves a wait by less than a 65,000th of it.",
    "source/mpe/model/plan/waits.py: shortest = max(min(learnt), 1.0): NumberReplacer": "A wait is "
    "of a second at least, which is half of that.",
    "source/mpe/model/plan/waits.py: odds = math.exp(min(sharpness * math.log(seconds / at), "
    "600.0)): NumberReplacer": "Odds of e to the 600th are as good as certainty.",
    "source/mpe/model/plan/waits.py: short, long = 0.0, 1.0: NumberReplacer": "Where the search "
    "begins moves what it finds by less than a second.",
    "source/mpe/model/plan/waits.py: return shortest / 2 if len(learnt) >= ENOUGH and max(learnt) "
    "<= LIKE * shortest else 0.0: NumberReplacer": "A wait is of a second at least.",
    "source/mpe/aws/turns.py: _place(row) < place: ReplaceComparisonOperator_Lt_LtE": "Two places "
    "are equal only where they are of one execution, which is left out in the next line.",
    'source/mpe/aws/turns.py: return sequencer.upper().ljust(32, "0"): NumberReplacer': "All are "
    "padded alike, and sequencers are shorter than either.",
    "source/mpe/handlers/ensure.py: waiting = before.waiting(0, arn=arn, did=before.did or "
    '"adopted"): NumberReplacer': "When to look again is chosen in the next line.",
    "source/mpe/handlers/ensure.py: self._hold_failed(step, observed): SwapStatements": "The "
    "outcome is put together of what is known before.",
    "source/mpe/handlers/ensure.py: self._note_made(step, before, observed): SwapStatements": "Two "
    "notes that know nothing of each other; after an outage between them both are made again.",
    "source/mpe/handlers/ensure.py: self._weigh(step, before, observed): SwapStatements": "What is "
    "gathered does nothing yet.",
    'source/mpe/handlers/ensure.py: if observed and desired.noun == "Recommender":: '
    "ReplaceAndWithOr": "Who is kept was observed, and of no other type the service tells such "
    "metrics, without which nothing is judged.",
    "source/mpe/handlers/finish.py: self.gauges.run(group, failed=bool(failures), seconds=detail["
    '"Duration"]): SwapStatements': "The row is put together of what is known before.",
    "source/mpe/handlers/configure.py: LOGGER.set_correlation_id(upload.run): SwapStatements": ""
    "What is taken from the ARN is not logged.",
    "source/mpe/handlers/importing.py: go_on = lambda: self.seconds() < end  # noqa: E731: "
    "ReplaceComparisonOperator_Lt_LtE": "Where the clock is even with a moment to the nanosecond, "
    "one row more is counted.",
    'source/mpe/handlers/finish.py: LOGGER.set_correlation_id(run["id"]): SwapStatements': ""
    "What is read of the event is not logged.",
    'source/mpe/handlers/schedule.py: LOGGER.set_correlation_id(run["id"]): SwapStatements': NO_LOG,
    'source/mpe/handlers/begin.py: LOGGER.set_correlation_id(run["id"]): SwapStatements': NO_LOG,
    'source/mpe/handlers/preflight.py: LOGGER.set_correlation_id(run["id"]): '
    "SwapStatements": NO_LOG,
    'source/mpe/handlers/remove.py: LOGGER.set_correlation_id(run["id"]): SwapStatements': NO_LOG,
    'source/mpe/handlers/settle.py: LOGGER.set_correlation_id(run["id"]): SwapStatements': NO_LOG,
    "source/mpe/handlers/judging.py: solution, now = str(desired.parent), self.clock.now(): "
    "SwapStatements": "The moment is of the same call either way.",
    "source/mpe/handlers/judging.py: self._expire(group, desired): SwapStatements": "The end of a "
    "hold changes no numbers of a version.",
    "source/mpe/handlers/judging.py: row = {: SwapStatements": "What is read for it is the same "
    "either way.",
    "source/mpe/handlers/recommending.py: self.gauges.recommender(group, desired.name, metrics, "
    'doubted=verdict.word == "hold"): SwapStatements': "A measurement is a line of the log, which "
    "does not fail.",
    "source/mpe/handlers/fire.py: LOGGER.set_correlation_id("
    'event["execution"].rsplit(":", 1)[-1]): NumberReplacer': LAST_PART,
    "source/mpe/handlers/fire.py: LOGGER.set_correlation_id("
    'event["execution"].rsplit(":", 1)[-1]): ReplaceUnaryOperator_Delete_USub': LAST_PART,
    'source/mpe/handlers/smoking.py: self.events.put(ROLLED_BACK, {**detail, "To": before}): '
    "SwapStatements": "It moves only whether a rollback is measured that the bus did not take.",
    "source/mpe/handlers/watching.py: self.ledger.note_watch(group, campaign.id, "
    "str(pointer.version), row): SwapStatements": "What is kept does not depend on how the "
    "campaign is by then.",
    'source/mpe/handlers/watching.py: served, wanted, left = found["solutionVersionArn"], '
    "str(pointer.version), pointer.former: SwapStatements": "What is gathered does nothing yet.",
    "source/mpe/handlers/watching.py: self.ledger.note_move(group, campaign.id, pointer): "
    "SwapStatements": "What is gathered does nothing yet.",
    "source/mpe/handlers/watching.py: self.events.put(ROLLED_BACK, detail): SwapStatements": "Of "
    "two events the first may be told twice, where the bus goes away between them.",
    "source/mpe/handlers/watching.py: self._tell(group, campaign, left, why, to=pointer.version, "
    "frozen=pointer.frozen): SwapStatements": "It moves only whether a rollback is measured twice, "
    "where the bus goes away in the middle.",
    'source/mpe/handlers/fire.py: "Remedy": remedy("Task", type(error).__name__, str(error), '
    "Where(group, task=task)),: LeaveOutArgument": "What helps against a newer release's row names "
    "no task.",
    'source/mpe/handlers/begin.py: int(event.get("redriven", 0)),: NumberReplacer': "Nobody has "
    "redriven it less often than never, with which alone it is compared.",
    "source/mpe/handlers/tend.py: waited = (holding.waits(group, one) or 0 for one in "
    "pointers.values()): NumberReplacer": "Neither is as long as a day.",
    'source/mpe/aws/outages.py: status = error.response.get("ResponseMetadata", {}).get('
    '"HTTPStatusCode", 0): NumberReplacer': NO_STATUS,
    'source/mpe/aws/personalize.py: status = error.response.get("ResponseMetadata", {}).get('
    '"HTTPStatusCode", 0): NumberReplacer': NO_STATUS,
    'source/mpe/aws/objects.py: return chain.from_iterable(StringIO(text, newline="\\n") for text '
    "in _whole_lines(chunks)): LeaveOutArgument": "So StringIO has it unless it is told otherwise.",
    'source/mpe/aws/cloudwatch.py: found = dict(zip(one["Timestamps"], one["Values"], '
    "strict=True)): LeaveOutArgument": AS_MANY,
    'source/mpe/aws/cloudwatch.py: found = dict(zip(one["Timestamps"], one["Values"], '
    "strict=True)): ReplaceTrueWithFalse": AS_MANY,
    "source/mpe/aws/uploads.py: found = hashlib.md5(usedforsecurity=False): LeaveOutArgument": MD5,
    "source/mpe/aws/uploads.py: found = hashlib.md5(usedforsecurity=False): "
    "ReplaceFalseWithTrue": MD5,
    'source/mpe/aws/uploads.py: joined = hashlib.md5(b"".join(self.digests), '
    "usedforsecurity=False): LeaveOutArgument": MD5,
    'source/mpe/aws/uploads.py: joined = hashlib.md5(b"".join(self.digests), '
    "usedforsecurity=False): ReplaceFalseWithTrue": MD5,
    "source/mpe/aws/uploads.py: count = 1 if self.whole else -(-self.size // self.part): "
    "NumberReplacer": ONE_FILE,
    "source/mpe/aws/uploads.py: return self.digests[0].hex(): NumberReplacer": ONE_FILE,
    "source/mpe/aws/uploads.py: Bucket=self._bucket, Prefix=file.key: LeaveOutArgument": "Uploads "
    "of other keys are left out in the next lines.",
    'source/mpe/aws/decisions.py: self._keep("rollback", campaign, target, [desired]): '
    "SwapStatements": "Where the campaign goes back to is reckoned from what was read before.",
    'source/mpe/aws/decisions.py: self._keep("freeze", campaign, None, [desired]): '
    "SwapStatements": "Only what the campaign serves is asked for before.",
}
"""Why a change that no test notices may stay, by module, line's text and operator."""


@dataclass(frozen=True)
class Named:
    """A mistake where it would cost much, made by hand."""

    what: str
    module: str
    old: str
    new: str


TURNS, LEDGER, TASKS = (f"source/mpe/aws/{name}.py" for name in ("turns", "ledger", "tasks"))
CONFIGURE, FINISH, ENSURE = (
    f"source/mpe/handlers/{name}.py" for name in ("configure", "finish", "ensure")
)
BLOCKED = "if before.blocked > ({} if _queues(step, busy) else {}):"
HOURS = '"Hours": ({} if _queues(step, busy) else {}) // 3600,'
PATIENCES = ("PATIENCE_IN_LINE", "PATIENCE")
START = """\
        new = self.executions.start(self.machine, name, {"run": RUN.marked(run)})
"""
ANNOUNCE = """\
        self.turns.announce(
            state.group, upload.run, upload.sequencer, upload.key, instead_of=instead_of
        )
"""
BETWEEN = """\
        # Once it is started: a config whose start fails must not end the run of an older one.
        instead_of = known if known != upload.key else ""
"""
PUT = """\
            self.events.put(RUN_CHANGED, detail)
"""
TOLD = """\
        outcome = self._told(step.previous, self._attempt(step))
        if outcome.settled:
            after = {"due": step.due} if step.due and outcome.did == "created" else {}
            row = outcome.as_dict() | after
            self.ledger.record(step.group, step.run, row, self.clock.now())
        return outcome
"""
ASK = """\
        self.ledger.ask(*of, now, at=now)
        try:
            return self.personalize.create(desired, params)
"""
SEE = """\
            self.ledger.see(step.group, job, completed.objects, self.clock.now())
"""


def _unread(what: str, module: str, before: str) -> Named:
    """Return the change of a read that may then miss what was written just before."""
    read = f"{before}ConsistentRead=True"
    return Named(
        f"{what} is read without consistency", module, read, f"{before}ConsistentRead=False"
    )


NAMED = (
    Named(
        "a turn is taken over without a condition",
        TURNS,
        'now + lease), Attr("holder").not_exists() | Attr("holder").eq(dead)',
        'now + lease), Attr("holder").not_exists() | Attr("holder").exists()',
    ),
    Named(
        "what the bus did not take is not looked at",
        "source/mpe/aws/events.py",
        'if answer["FailedEntryCount"]:',
        "if False:",
    ),
    Named(
        "the two patiences are swapped",
        ENSURE,
        BLOCKED.format(*PATIENCES),
        BLOCKED.format(*reversed(PATIENCES)),
    ),
    Named(
        "the two patiences are swapped in what people are told",
        ENSURE,
        HOURS.format(*PATIENCES),
        HOURS.format(*reversed(PATIENCES)),
    ),
    Named("sequencers are padded on the left", TURNS, '.ljust(32, "0")', '.rjust(32, "0")'),
    _unread("a row of the turns", TURNS, '"record": record}, '),
    _unread("the line of those who wait", TURNS, "KeyConditionExpression=query, "),
    _unread("a task's row", TASKS, "Key=_key(group, task), "),
    _unread("a row of the ledger", LEDGER, "get_item(Key=key, "),
    _unread("a page of the ledger", LEDGER, "KeyConditionExpression=found, "),
    Named(
        "a config is announced before its run is started",
        CONFIGURE,
        START + BETWEEN + ANNOUNCE,
        BETWEEN + ANNOUNCE + START,
    ),
    Named(
        "the outcome of a run is noted before it is told",
        FINISH,
        PUT,
        '            self.turns.record(group, run_id, {**row, "status": detail["Status"]})\n' + PUT,
    ),
    Named(
        "the turn is given back before the outcome is told",
        FINISH,
        PUT,
        "            self.turns.give_back(group, execution)\n" + PUT,
    ),
    Named(
        "a step is noted before it is told",
        ENSURE,
        TOLD,
        TOLD.replace(
            "self._told(step.previous, self._attempt(step))", "self._attempt(step)"
        ).replace("return outcome", "return self._told(step.previous, outcome)"),
    ),
    Named(
        "a creation is noted after it was asked for",
        ENSURE,
        ASK,
        """\
        try:
            arn = self.personalize.create(desired, params)
            self.ledger.ask(*of, now, at=now)
            return arn
""",
    ),
    Named("the objects of an import are not noted before it", ENSURE, SEE, "            pass\n"),
)


@dataclass(frozen=True)
class Survivor:
    """A change that no test noticed."""

    line: int
    text: str
    operator: str
    change: str


@dataclass(frozen=True)
class Measured:
    """What became of the changes of one module."""

    date: str
    made: int
    tried: int
    survivors: tuple[Survivor, ...]

    @property
    def noticed(self) -> int:
        return self.tried - len(self.survivors)


@dataclass(frozen=True)
class Kept:
    """What was measured last: of each module, and which test noticed each change by hand."""

    modules: dict[str, Measured] = field(default_factory=dict)
    named: dict[str, str | None] = field(default_factory=dict)


def modules() -> list[str]:
    """Return every module of the rooms that are measured."""
    found = [path for room in ROOMS for path in (ROOT / "source/mpe" / room).rglob("*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in found if path.read_text().count("def "))


def by_hand(one: Named) -> Change:
    """Return a change that is made by hand."""
    source = (ROOT / one.module).read_text()
    start = source[: source.index(one.old)].count("\n") + 1
    functions = [
        (node.body[0].lineno, node.end_lineno or node.lineno)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    ]
    last = start + one.old.rstrip("\n").count("\n")
    if not any(first <= start and last <= end for first, end in functions):
        raise ValueError(f"{one.what}: the change is not within a function")
    text, spans = source.replace(one.old, one.new), statements(ast.parse(source))
    return change(one.module, source, text, one.what, (spans[start][0], spans[last][1]))


def measure(made: dict[str, list[Change]], given: argparse.Namespace) -> None:
    """Try the changes of some modules, of each as many as are asked for, and those by hand."""
    draw = _left if given.left else _drawn
    drawn = {module: draw(each, given.most) for module, each in made.items()}
    named = {one.what: by_hand(one) for one in NAMED if one.module in made and not given.left}
    tried = [*named.values(), *(one for each in drawn.values() for one in each)]

    def report(change: Change, test: str | None) -> None:
        if not test:
            print(f"{change.module}:{change.line} {change.operator}: {change.text}")
            print(f"    {change.becomes}", flush=True)

    def done(module: str) -> None:
        before = kept()
        one = _measured(len(made[module]), drawn[module], trials.noticed)
        if given.left:  # what is not tried anew is as it was
            last, anew = before.modules[module], set(map(_survivor, drawn[module]))
            rest = tuple(each for each in last.survivors if each not in anew)
            one = replace(one, tried=last.tried, survivors=(*one.survivors, *rest))
        told = {what: trials.noticed[each] for what, each in named.items() if each.module == module}
        write(Kept(before.modules | ({module: one} if one.made else {}), before.named | told))
        print(f"{module}: {one.noticed} of {one.tried} noticed", flush=True)

    rooms = tuple(str(ROOT / "source/mpe" / room) for room in ROOMS)
    known = KNOWN if given.known else None
    trials = Trials(tried, rooms, given.seconds, given.jobs, known, report, done)
    ignored = [f"--ignore={name}" for name in LEFT_OUT]
    KNOWN.parent.mkdir(exist_ok=True)
    loaded = "ignore::pytest.PytestAssertRewriteWarning"  # by this module, before pytest
    words = ["-p", "no:cacheprovider", "-p", "no:xdist", "-W", loaded]
    # A failed example is a failed example: what the least one is, nobody asks here.
    whole = hypothesis.settings.get_profile("mpe")
    quick = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutants", whole, phases=quick)
    hypothesis.settings.load_profile("mutants")
    pytest.main([*words, *ignored, *(shlex.split(given.tests) or SUITE)], [trials])


def write(found: Kept) -> None:
    """Keep what was measured, and write the page."""
    KEPT.write_text(json.dumps(asdict(found), indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(found))


def _drawn(found: list[Change], most: int) -> list[Change]:
    """Return as many changes as are asked for, the same on every run."""
    if len(found) <= most:
        return found
    drawn = random.Random(SEED).sample(found, most)
    return sorted(drawn, key=found.index)


def _left(found: list[Change], most: int) -> list[Change]:
    """Return the changes that no test noticed when they were tried last."""
    known = kept().modules
    return [
        one
        for one in found
        if one.module in known and _survivor(one) in known[one.module].survivors
    ][:most]


def _survivor(one: Change) -> Survivor:
    return Survivor(one.line, one.text, one.operator, one.becomes)


def _measured(made: int, drawn: list[Change], noticed: dict[Change, str | None]) -> Measured:
    survivors = tuple(_survivor(one) for one in drawn if one in noticed and not noticed[one])
    tried = sum(one in noticed for one in drawn)
    return Measured(f"{datetime.now(UTC):%Y-%m-%d}", made, tried, survivors)


def kept() -> Kept:
    """Return what was measured last."""
    found = json.loads(KEPT.read_text()) if KEPT.exists() else {"modules": {}, "named": {}}
    read = {
        module: Measured(**{**one, "survivors": _survivors(one)})
        for module, one in found["modules"].items()
    }
    return Kept(read, found["named"])


def _survivors(saved: dict[str, Any]) -> tuple[Survivor, ...]:
    return tuple(Survivor(**one) for one in saved["survivors"])


def page(found: Kept) -> str:
    """Return the page of the docs."""
    return "\n".join(_page(found)) + "\n"


def _page(found: Kept) -> Iterator[str]:
    yield from HEAD.splitlines()
    yield ""
    yield "| module | changes | tried | noticed | share | measured |"
    yield "|---|---|---|---|---|---|"
    for module, one in sorted(found.modules.items()):
        cells = (_short(module), one.made, one.tried, one.noticed, _share(one), one.date)
        yield f"| {' | '.join(map(str, cells))} |"
    yield from _whole(found)
    left = sorted(set(modules()) - set(found.modules))
    if left:
        yield ""
        yield f"Not measured yet: {', '.join(map(_short, left))}."
    yield from _by_hand(found)
    yield ""
    yield "## What no test notices"
    yield ""
    yield "| module | line | becomes | why it may stay |"
    yield "|---|---|---|---|"
    for module, one in sorted(found.modules.items()):
        for each in one.survivors:
            why = REASONS.get(f"{module}: {each.text}: {each.operator}", "**not yet looked at**")
            yield f"| {_short(module)} | `{_cell(each.text)}` | `{_cell(each.change)}` | {why} |"


HEAD = """\
# Mutants

Small changes of the code, one at a time, and whether a test notices. Made by `make mutants`,
outside of `make test`, with Cosmic Ray's operators of comparisons, conditions, numbers, truth
values, loops, exceptions, arithmetic and sets, and three more: a call whose result nobody takes
is left out, a named argument is left out, and such a call changes places with its neighbour that
calls something. Each change is tried against the tests of `tests/handlers`, `tests/aws`,
`tests/model/plan`, and of `test_parse.py`, `test_foreign.py`, `test_upgrades.py` and
`test_configs.py`, that run its line, without the campaign of faults; those of the local cloud,
which notice more, are not asked.
Not changed are constants, defaults of parameters and the bodies of classes, where a test could only
compare a number with itself, and annotations, which are never run. Of a module with many changes a
drawn sample is tried, the same on every run. Of some modules only the tests were asked that are
closest, so that too few changes may count as noticed, never too many. `MODULE=waits` tries one
module anew."""


def _share(one: Measured) -> str:
    return f"{one.noticed / one.tried:.1%}" if one.tried else ""


def _whole(found: Kept) -> Iterator[str]:
    """Yield the row of all modules together."""
    all_ = found.modules.values()
    made, tried = sum(one.made for one in all_), sum(one.tried for one in all_)
    noticed = sum(one.noticed for one in all_)
    if tried:
        yield f"| **all** | {made} | {tried} | {noticed} | {noticed / tried:.1%} | |"


def _by_hand(found: Kept) -> Iterator[str]:
    """Yield the table of the changes that are made by hand."""
    yield ""
    yield "## Changes by hand"
    yield ""
    yield "Mistakes where they would cost most, each made by hand, and a test that fails then."
    yield ""
    yield "| change | module | noticed by |"
    yield "|---|---|---|"
    for one in NAMED:
        test = found.named.get(one.what)
        told = f"`{_cell(test)}`" if test else "**no test**"
        yield f"| {one.what} | {_short(one.module)} | {told} |"


def _short(module: str) -> str:
    return f"`{module.removeprefix('source/mpe/')}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--module", default="", help="names of modules, such as waits,aws/tasks")
    parser.add_argument("--most", type=int, default=10_000, help="changes of each module")
    parser.add_argument("--seconds", type=float, default=30, help="for the tests of one change")
    parser.add_argument("--jobs", type=int, default=2, help="changes tried at a time")
    parser.add_argument("--tests", default="", help="words for pytest instead of all the tests")
    parser.add_argument(
        "--known", action="store_true", help="take it as known which tests run which lines"
    )
    parser.add_argument(
        "--left", action="store_true", help="only the changes that no test noticed last time"
    )
    parser.add_argument("--by-hand", action="store_true", help="only the changes by hand")
    parser.add_argument("cosmic_python", help="the Python of Cosmic Ray's environment")
    given = parser.parse_args(arguments)
    asked = given.module.split(",") if given.module else []
    chosen = [one for name in asked for one in modules() if one.endswith(f"/{name}.py")]
    if asked and not chosen:
        parser.error(f"no module is called {given.module}")
    chosen = list(dict.fromkeys(chosen)) if asked else modules()
    python = given.cosmic_python
    measure({one: [] if given.by_hand else changes(one, python) for one in chosen}, given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
