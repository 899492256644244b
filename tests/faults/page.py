"""The part of docs/faults.md about whole lives: ``python -m tests.faults.page`` writes it anew.

It is made of tests/faults.json alone, which the campaign writes. The rest of that page is by
``tests.local.campaign``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.conftest import ROOT
from tests.faults.commands import KIND as COMMANDS
from tests.faults.kinds import KINDS

PAGE, FOUND = ROOT / "docs" / "faults.md", ROOT / "tests" / "faults.json"
BEGIN, END = "<!-- lives -->", "<!-- /lives -->"
CALLS = "\n## Single calls, one by one\n"
"""The heading of what comes after the part."""
ALSO: Mapping[str, tuple[str, ...]] = {
    "upgrade in the middle": (
        "tests/test_upgrades.py::test_a_run_under_way_at_an_upgrade_goes_on",
        "tests/local/test_cdk.py::"
        "test_an_upgrade_and_a_rollback_keep_data_and_what_is_under_way_goes_on",
    ),
    "rollback in the middle": (
        "tests/test_upgrades.py::test_after_a_rollback_what_one_must_know_is_told_in_words",
    ),
    "stopped while a call is in flight": (
        "tests/local/test_fence.py::"
        "test_a_run_that_is_stopped_in_the_middle_of_a_training_leads_to_one_training",
    ),
    "lease lost while alive": (
        "tests/handlers/test_ensure.py::test_a_run_that_has_lost_its_turn_creates_nothing",
        "tests/cli/test_removals.py::"
        "test_a_run_that_has_lost_its_turn_or_is_overtaken_removes_nothing",
    ),
    "outage of several services": (
        "tests/benchmarks/test_benchmarks.py::"
        "test_no_outage_of_minutes_or_an_hour_fails_a_run_or_hides_what_it_did",
    ),
    "late or second start": (
        "tests/local/test_provisioning.py::test_an_event_that_is_delivered_twice_starts_one_run",
        "tests/local/test_concurrency.py::"
        "test_a_task_that_is_fired_many_times_at_once_runs_at_least_once_and_never_beside_itself",
    ),
    "stale reads of Amazon Personalize": (
        "tests/handlers/test_faults.py::test_a_dataset_group_ends_the_same_whatever_fails",
    ),
    "stale reads of DynamoDB": (),
    "nothing taken, with HTTP 200": (
        "tests/handlers/test_outages.py::"
        "test_an_answer_of_http_200_that_took_nothing_is_an_outage_or_an_error",
        "tests/aws/test_objects.py::"
        "test_what_s3_refuses_to_delete_is_told_though_its_answer_is_http_200",
    ),
    "two faults": (
        "tests/handlers/test_faults.py::test_a_dataset_group_ends_the_same_whatever_fails",
    ),
    "function timed out": (),
    "workflow timed out": (),
    "access denied": (
        "tests/local/test_permissions.py::test_a_role_that_lacks_an_action_fails_the_run",
    ),
    "changed by hand": (
        "tests/aws/test_schedules.py::"
        "test_what_was_changed_by_hand_is_set_right_and_its_rate_counts_from_then",
    ),
    "clock jump": (),
    COMMANDS: (
        "tests/local/test_people.py::test_a_whole_group_is_destroyed_also_after_an_interruption",
    ),
}
"""Tests that try a kind besides, at other levels."""
HEAD = """
## Kinds that no single call has

What becomes of a dataset group when more goes wrong than one call: in virtual time, through the
template as it is deployed, Step Functions' walk through the real workflows, the real functions and
the emulated service, at AWS's own pace. A group lives through three phases: its config is uploaded,
a scheduled task fires, the config changes. A case is one phase and what strikes it there; each call
that a clean life makes is a place for that.

The end is compared with a clean life's: the resources and statuses, which model each campaign
serves, what filters and imports are made of, schedules with their input and zone, tasks, leases,
the ledger's rows and what people were told of each run. **same**: no difference. **told, then
same**: the run failed and told so, and the same upload again led there; **which found done what the
first had begun**: no mail says of what the failed run had begun that it was created, since nobody
saw it done in a run; **though nobody could note what the first had made**: the ledger took nothing,
or nobody could look at it, so that ``onRemoval`` would leave that where it is, and a mail would say
so. **dead letter**, **alarm**: that told. **not reached**: the life did not come to it, or nothing
was there to be changed. **same once uploaded again**: people had changed things beside the run, and
the next upload set them right. **for what an upload does besides**: a failed task was made good by
an upload, which makes a batch job as well. **killed**: the command was, and the same command again
led there. **but for what a judge makes of a model without numbers**: its metrics could not be asked
for when it was judged. **the next run took the lease that was left**: nobody could give it back.
**but the task's row**: the task's run was done and told, which is not noted until it fires again.
Where fewer were tried than there are, a sample was drawn by the seed; what is left is not tried.
"""
NOT_TRIED = """
The single calls further below were tried with an oracle that saw neither the ledger nor the mails.
It sees them since 2026-11-29; a sample of those calls, which the tests try, ended the same then.

Not tried here: a second region or account, IAM's own evaluation (the local cloud's tests have it),
Scheduler's clock, memory that runs out, recommenders, exports and deletions (a life does without
them, to be short), and faults in the gate's watch over a campaign that has moved.
"""


def lives(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the part of the page, between its marks."""
    kinds = [*KINDS, COMMANDS]
    missing = [kind for kind in kinds if kind not in found]
    lines = [
        BEGIN,
        HEAD.strip(),
        "",
        "| kind | tried | of | on | minutes | seed | what came of it | besides in |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(kind, found[kind]) for kind in kinds if kind in found),
        "",
        *([f"**Not tried yet:** {', '.join(missing)}.", ""] if missing else []),
        *_violations(found),
        NOT_TRIED.strip(),
        END,
    ]
    return "\n".join(lines)


def _row(kind: str, told: Mapping[str, Any]) -> str:
    counts = Counter({one: len(names) for one, names in told["outcomes"].items()})
    wrong = sum(len(names) for names in told["violations"].values())
    words = [f"{count} × {outcome}" for outcome, count in counts.most_common()]
    words += [f"**{wrong} × wrong**"] if wrong else []
    besides = ", ".join(f"`{one.partition('::')[0]}`" for one in ALSO[kind])
    figures = (told["tried"], told["cases"], told["date"], told["minutes"], told["seed"])
    return f"| {kind} | {' | '.join(map(str, figures))} | {'; '.join(words)} | {besides} |"


def _violations(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what went wrong, each case in its words."""
    wrong = [
        (kind, name, outcome)
        for kind, told in found.items()
        for outcome, names in told["violations"].items()
        for name in names
    ]
    if wrong:
        yield "What went wrong and is not mended:"
        yield ""
        yield from (f"* {kind}, {name}: {outcome[:300]}" for kind, name, outcome in wrong)
        yield ""


def with_lives(page: str, part: str) -> str:
    """Return a page with another part about lives, which comes before the table of calls."""
    bare = re.sub(f"{BEGIN}.*?{END}\n*", "", page, flags=re.DOTALL)
    head, table, rest = bare.replace(CALLS, "").partition("\n| phase | function |")
    return f"{head}\n{part}\n{CALLS}{table}{rest}" if table else page


def write(found: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Write the part anew; of what was found before, where nothing is given."""
    known = found if found is not None else read()
    PAGE.write_text(with_lives(PAGE.read_text(), lives(known)))


def read() -> dict[str, Any]:
    return dict(json.loads(FOUND.read_text())) if FOUND.exists() else {}


def keep(kind: str, verdicts: Sequence[tuple[str, str, bool]], **told: Any) -> None:
    """Keep what came of a kind's cases in the place of what came of them before."""
    outcomes: dict[str, list[str]] = {}
    violations: dict[str, list[str]] = {}
    for name, outcome, violation in sorted(verdicts):
        (violations if violation else outcomes).setdefault(outcome, []).append(name)
    known = read() | {kind: {**told, "outcomes": outcomes, "violations": violations}}
    ordered = {one: known[one] for one in [*KINDS, COMMANDS] if one in known}
    FOUND.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write()
