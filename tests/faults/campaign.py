"""The campaign of whole lives: ``python -m tests.faults.campaign --kind "clock jump"``.

Each life is one dataset group in virtual time that lives through three phases (provisioned, a task
fires, the config changes). A case is one phase of one life and what strikes it there. The phase
must end as in a clean life, or be told of as failed, after which the same upload again must lead
there. ``make faults KIND="clock jump"`` tries one kind; its verdicts are kept in
tests/faults.json, of which docs/faults.md is made.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.simulation import Outage

from mpe.assembly.synthesis import Assembly, synthesize
from mpe.local.faults import Kind
from tests.faults import commands, page
from tests.faults.kinds import KINDS, Case, Robbed, cases_of
from tests.faults.oracle import differences, found_done
from tests.faults.virtual import PHASES, Disturbed, Life, Spot, Strike
from tests.local import campaign as calls

WARM_UPS = 2
"""Lives after which the ledger knows how long things take, so that all later ones look alike."""
NOT_REACHED = "not reached"
THEIRS = ("ledger", "mails", "versions", "batch jobs", "imports", "made of")
"""What is more than in a clean life where people changed resources beside the run."""


@dataclass(frozen=True)
class Verdict:
    """What came of a case."""

    case: Case
    outcome: str
    violation: bool = False


@dataclass
class Clean:
    """How a life ends that nothing strikes, and what is called in it, by phase."""

    ends: dict[str, Any]
    calls: dict[str, list[Spot]]


class Campaign:
    """Lives one life after the other, and judges a case in each of their phases."""

    def __init__(self, cloud: Disturbed) -> None:
        self.cloud = cloud
        self._lives = 0
        for _ in range(WARM_UPS):
            self._clean()
        self.clean = self._clean()

    def _life(self) -> Life:
        self._lives += 1
        self.cloud.service_anew()
        return Life(self.cloud, f"g{self._lives:04}x")

    def _clean(self) -> Clean:
        life, clean = self._life(), Clean({}, {})
        for phase in PHASES:
            assert life.live(phase), f"{phase} of the clean life failed: {life.mails}"
            clean.calls[phase] = self.cloud.spots_of_phase
            clean.ends[phase] = life.snapshot()
        return clean

    def run(self, cases: Sequence[Case], progress: Callable[[Verdict], None]) -> list[Verdict]:
        waiting = {phase: [one for one in cases if one.phase == phase] for phase in PHASES}
        verdicts = []
        while any(waiting.values()):
            life = self._life()
            for phase in PHASES:
                if not any(waiting[one] for one in PHASES[PHASES.index(phase) :]):
                    break
                if not waiting[phase]:
                    assert life.live(phase), f"{phase} failed without a fault: {life.mails}"
                    continue
                verdict = self.judge(life, waiting[phase].pop(0))
                verdicts.append(verdict)
                progress(verdict)
                if verdict.violation or verdict.case.theirs or verdict.outcome.endswith(OTHER):
                    break  # it is not as a clean life from then on
        return verdicts

    def judge(self, life: Life, case: Case) -> Verdict:
        """Live through a phase with what strikes it, and tell what came of it."""
        try:
            return self._judge(life, case)
        except Exception as error:  # the campaign goes on, and tells of it as of a violation
            return Verdict(case, f"{type(error).__name__}: {error}"[:1000], violation=True)
        finally:
            self._mend(life)

    def _judge(self, life: Life, case: Case) -> Verdict:
        strikes = case.strikes(self.cloud, life)
        if case.newer:
            self.cloud.deploy(newer=True)
        life.due, life.undone = case.due, 0
        now = self.cloud.time.now()
        self.cloud.outages = [
            Outage(service, now + timedelta(seconds=at), now + timedelta(seconds=at + long))
            for service, at, long in case.outages
        ]
        went_well = life.live(case.phase, strikes, case.after)
        self._mend(life)
        if _missed(life, strikes):
            return Verdict(case, NOT_REACHED)
        for strike in strikes:
            if isinstance(strike, Robbed) and strike.changed:
                return Verdict(case, f"it went on with {strike.changed}", violation=True)
        if went_well and life.alarm == "alarm":  # it was done and told, and that is not noted
            return self._compared(life, case, f"alarm, {calls.ROW}", besides=["tasks"])
        if went_well and not case.theirs:
            left = "LEASE" in life.snapshot()["lease"]
            if left and not life.again(case.phase):
                return Verdict(case, "the lease was left and kept the next run out", violation=True)
            return self._compared(life, case, LEFT if left else "same")
        return self._after_failure(life, case, went_well)

    def _after_failure(self, life: Life, case: Case, went_well: bool) -> Verdict:
        failed = [one for one in life.news if one.get("Status") != "SUCCEEDED"]
        told = "dead letter" if life.dead_letters else "told" if failed else ""
        told = told or life.alarm
        if not went_well and not told:
            statuses = [row.get("status") for row in life.new().values()]
            return Verdict(case, f"nobody was told; the runs are {statuses}", violation=True)
        why = " / ".join(
            str([(each["Name"], each["Error"], each["Reason"]) for each in one.get("Failures", ())])
            for one in failed
        )[:600]
        self.cloud.time.run(lambda: self.cloud.time.sleep(WAITED))
        if case.phase == "task" and life.again("provision"):
            words = f"{told}, then {ROW}" if told else ROW
            mended = self._compared(life, case, words, why, besides=MORE)
            if not mended.violation:  # else it takes another fire, which trains anew
                return mended
        if not life.again(case.phase):
            return Verdict(case, f"{told}, but uploading again failed ({why})", violation=True)
        words = f"{told}, then same" if told else "same once uploaded again"
        return self._compared(life, case, words, why)

    def _compared(
        self, life: Life, case: Case, outcome: str, why: str = "", besides: Sequence[str] = ()
    ) -> Verdict:
        found, wanted = life.snapshot(), dict(self.clean.ends[case.phase])
        wanted |= {key: found[key] for key in besides}
        if case.theirs:
            found, wanted = ({k: v for k, v in one.items() if k not in THEIRS}
                             for one in (found, wanted))  # fmt: skip
        elif not case.works_on:
            found, wanted = _whoever_made_it(found), _whoever_made_it(wanted)
        elif case.timeless:
            found, wanted = _in_any_order(found), _in_any_order(wanted)
        differing = differences(found, wanted)
        if not differing:
            return Verdict(case, outcome)
        if case.unmeasured and set(differing) <= OF_METRICS:
            return Verdict(case, f"{outcome}, {UNMEASURED}")
        if outcome.startswith("told"):
            for unwritten, words in ((False, calls.FOUND_DONE), (True, UNNOTED)):
                less = (found_done(*one, unwritten=unwritten) for one in differing.items())
                if unwritten <= case.unwritten and all(less):
                    return Verdict(case, f"{outcome}, {words}")
        text = json.dumps(differing)[:1500]
        return Verdict(case, f"{outcome} {why}, but {text}".strip(), violation=True)

    def _mend(self, life: Life) -> None:
        """Have all as it is in a clean life: the code, the clock, the services, the lease."""
        self.cloud.begin()
        self.cloud.outages = []
        self.cloud.skew = timedelta()
        self.cloud.mend(life.group)


LEFT = "same, and the next run took the lease that was left"


ROW = "same but for what an upload does besides"
"""Uploading again did what the task had left undone; that it failed stays noted at the task."""
MORE = ("tasks", "batch jobs", "ledger", "mails")
"""What differs then: an upload makes a batch job for the new version, which the task does not."""


UNNOTED = "though nobody could note what the first had made"
"""The ledger took nothing, or nobody could look at it: the next run found what there was, and does
not take it for its own."""
UNMEASURED = "but for what a judge makes of a model without numbers"
OF_METRICS = {"ledger.VERSION", "ledger.JUDGED"}
OTHER = (ROW, calls.FOUND_DONE, UNNOTED, UNMEASURED, calls.ROW)
"""What outcomes end with after which a life is not as a clean one."""


def _whoever_made_it(told: dict[str, Any]) -> dict[str, Any]:
    """Return a snapshot in which it is the same to make a thing and to find it under way.

    What a run that was ended had begun is not its own any more when it is done: the next one adopts
    it, and says so.
    """
    changes = [
        ["made" if did in {"created", "adopted"} else did, *rest]
        for did, *rest in told["mails"]["changes"]
    ]
    did = {
        resource: ["made" if one in {"created", "adopted"} else one for one in every]
        for resource, every in told["ledger"]["did"].items()
    }
    return {
        **told,
        "mails": {**told["mails"], "changes": sorted(changes)},
        "ledger": {**told["ledger"], "did": did},
    }


def _in_any_order(told: dict[str, Any]) -> dict[str, Any]:
    """Return a snapshot without the order of moves, which is that of the clock by then."""
    return {**told, "ledger": {**told["ledger"], "MOVE": sorted(told["ledger"].get("MOVE", ()))}}


WAITED = 300.0
"""Seconds before somebody uploads again."""


def _missed(life: Life, strikes: Sequence[Strike]) -> bool:
    """Tell whether nothing happened: the run did not come to it, or it could not be done."""
    return bool(strikes) and (not any(one.hits for one in strikes) or bool(life.undone))


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = [*KINDS, commands.KIND, *Kind]
    parser.add_argument("--kind", action="append", choices=kinds, help="as often as wished")
    parser.add_argument("--only", default="", help="a text that cases have in their names")
    parser.add_argument("--sample", type=int, default=0, help="so many cases of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assembly", type=Path, help="a synthesis to use, as cdk.out")
    parser.add_argument("--write", action="store_true", help="keep it in tests/faults.json")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    given = options().parse_args(arguments)
    kinds = given.kind or [*KINDS, commands.KIND]
    single = [kind for kind in kinds if kind in [*Kind]]
    if single:  # of single calls, which the local cloud tries in its own way
        only = f" ({'|'.join(map(re.escape, single))})$"
        sample = ["--sample", str(given.sample), "--seed", str(given.seed)]
        return calls.main(["--only", only, *sample, "--write", str(calls.SAMPLE_REPORT)])
    with tempfile.TemporaryDirectory() as folder:
        assembly = (
            Assembly.read(given.assembly) if given.assembly else synthesize(Path(folder) / "out")
        )
        cloud = Disturbed(assembly)
        campaign = Campaign(cloud) if kinds != [commands.KIND] else None
        wrong = 0
        for kind in kinds:
            began = time.monotonic()
            verdicts, cases = _tried(kind, cloud, campaign, given)
            counts = Counter("wrong" if violation else one for _, one, violation in verdicts)
            wrong += counts["wrong"]
            print(f"{kind}: {dict(counts)}, of {cases} cases", flush=True)
            if given.write:
                page.keep(
                    kind,
                    verdicts,
                    date=f"{datetime.now(UTC):%Y-%m-%d}",
                    minutes=round((time.monotonic() - began) / 60, 1),
                    seed=given.seed,
                    cases=cases,
                    tried=len(verdicts),
                )
                page.write()
    return 1 if wrong else 0


def _tried(
    kind: str, cloud: Disturbed, campaign: Campaign | None, given: argparse.Namespace
) -> tuple[list[tuple[str, str, bool]], int]:
    """Try a kind's cases; return each with what came of it, and how many there are."""
    if kind == commands.KIND or campaign is None:
        found, many = commands.run(cloud, given.sample, given.seed, given.only, _told)
        return [(str(case), outcome, violation) for case, outcome, violation in found], many
    every = cases_of(kind, campaign.clean.calls, given.seed)
    cases = [one for one in every if given.only in str(one)]
    random.Random(given.seed).shuffle(cases)
    verdicts = campaign.run(
        cases[: given.sample] if given.sample else cases,
        lambda one: _told(f"{kind} | {one.case}", one.outcome, one.violation),
    )
    return [(str(one.case), one.outcome, one.violation) for one in verdicts], len(every)


def _told(case: object, outcome: str, violation: bool) -> None:
    print(f"{case}: {'WRONG ' if violation else ''}{outcome}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
