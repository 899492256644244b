"""A campaign is watched once it has moved, and goes back where it does badly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mpe.aws.cloudwatch import Unmeasured
from mpe.aws.personalize import Personalize
from mpe.handlers.smoking import ROLLED_BACK
from mpe.handlers.watching import CAMPAIGN_FAILING, Watching
from mpe.model.gate.pointer import GATE, SERVICE, ModelPointer
from mpe.model.gate.watch import LATE, TOO_LATE, Alarm, Traffic
from mpe.model.messages import attributes, message_for
from mpe.model.plan.desired import Desired
from tests.conftest import interactions
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, logged
from tests.handlers.test_ensure import world as world
from tests.handlers.test_smoking import ID, LIVE, Life
from tests.handlers.test_smoking import life as life

BAD, GOOD = Traffic(50, 0, 50), Traffic(500, 0, 0)


@dataclass
class Counted:
    """CloudWatch, with what it tells and what it was asked."""

    found: Traffic = BAD
    off: list[Alarm] = field(default_factory=list)
    error: str = ""
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    """What somebody does while it is asked."""

    def traffic(self, *asked: Any) -> Traffic:
        self.asked.append(asked)
        self.meanwhile()
        if self.error:
            raise Unmeasured(self.error)
        return self.found

    def alarms(self, names: Any) -> list[Alarm]:
        return self.off


@dataclass
class Watched:
    """A campaign that has moved to a second version, and what looks at it."""

    life: Life
    first: str
    second: str
    counted: Counted = field(default_factory=Counted)
    watch: dict[str, Any] = field(default_factory=dict)
    recipe: str = "USER_PERSONALIZATION"

    @property
    def campaign(self) -> Desired:
        found = self.life.desired("given by a run")
        return replace(
            found, arn=LIVE, gate={**found.gate, "watch": self.watch, "recipe": self.recipe}
        )

    def look(self, after: float = 0) -> None:
        world = self.life.world
        world.emulated.clock.advance(after)
        watching = Watching(
            Personalize(world.emulated.client),
            self.counted,  # type: ignore[arg-type]
            world.ledger,  # type: ignore[arg-type]
            world.heard,
            world.measured,
            world.ensure.clock,
            "Films",
        )
        watching("films", self.campaign, self.pointer)

    def look_at(self, seconds: float) -> None:
        """Look so long after the campaign began to serve what it serves."""
        update = self.described["latestCampaignUpdate"]
        now = self.life.world.emulated.clock()
        passed: timedelta = now - update["lastUpdatedDateTime"]
        self.look(seconds - passed.total_seconds())

    @property
    def described(self) -> Any:
        return self.life.world.emulated.client.describe_campaign(campaignArn=LIVE)["campaign"]

    @property
    def row(self) -> dict[str, Any]:
        """Return what is kept of the watch over the second version."""
        return self.life.world.ledger.watches[ID, self.second]

    @property
    def pointer(self) -> ModelPointer:
        return self.life.world.ledger.pointers[ID]

    def mails(self) -> list[dict[str, Any]]:
        return self.life.told(CAMPAIGN_FAILING)

    def updates(self) -> int:
        return self.life.world.emulated.service.calls["UpdateCampaign"]


@pytest.fixture
def watched(life: Life) -> Watched:
    first = life.train()
    life.move(first)
    second = life.train(interactions(seed=8))
    life.move(second)
    life.world.heard.told.clear()
    return Watched(life, first, second)


def test_a_campaign_whose_requests_fail_goes_back_by_one_update(watched: Watched) -> None:
    watched.look()
    assert watched.pointer.version == watched.first
    assert (watched.pointer.barred, watched.pointer.by) == ((watched.second,), GATE)
    watched.look(after=3600)
    watched.look(after=600)
    assert watched.life.serves == watched.first
    (mail,) = watched.mails()
    assert (mail["Version"], mail["To"]) == (watched.second, watched.first)
    assert "[MPE-Q026]" in " ".join(mail["Reasons"])
    (back,) = watched.life.told(ROLLED_BACK)
    assert (back["Version"], back["To"]) == (watched.second, watched.first)
    assert watched.life.world.measured.rollbacks == ["live"]
    (move,) = watched.life.world.ledger.moved[ID]
    assert (move.version, move.former) == (watched.first, watched.second)


def test_no_run_brings_back_what_was_taken_back(watched: Watched) -> None:
    watched.look()
    watched.look(after=3600)
    again = watched.life.world.follow(watched.life.desired(watched.second), "again")
    assert (again.did, watched.life.serves) == ("kept", watched.first)


def test_the_time_counts_from_the_end_of_the_update(watched: Watched) -> None:
    client = watched.life.world.emulated.client
    update = client.describe_campaign(campaignArn=LIVE)["campaign"]["latestCampaignUpdate"]
    watched.counted.found = GOOD
    watched.look()
    ((arn, operation, start, end),) = watched.counted.asked
    assert (arn, operation, start) == (LIVE, "GetRecommendations", update["lastUpdatedDateTime"])
    assert end == start + timedelta(hours=2)


def fail_to_update(watched: Watched) -> None:
    """Have an update fail that is of its capacity alone."""
    client = watched.life.world.emulated.client
    watched.life.world.emulated.service.faults.fail_update("Campaign", "no capacity")
    client.update_campaign(campaignArn=LIVE, minProvisionedTPS=7)
    watched.life.world.emulated.clock.advance(600)
    assert watched.described["latestCampaignUpdate"]["status"] == "CREATE FAILED"


def test_after_an_update_that_failed_it_counts_from_when_that_began(watched: Watched) -> None:
    """It serves the version since before that; what the former one did is not held against it."""
    watched.counted.found = GOOD
    fail_to_update(watched)
    watched.look()
    ((_, _, start, _),) = watched.counted.asked
    assert start == watched.described["latestCampaignUpdate"]["creationDateTime"]
    assert start > datetime.fromisoformat(str(watched.pointer.at))


def test_an_update_that_failed_before_keeps_no_campaign_from_going_back(watched: Watched) -> None:
    fail_to_update(watched)
    watched.look()
    watched.look(after=3600)
    watched.look(after=3600)
    assert (watched.life.serves, len(watched.mails())) == (watched.first, 1)


def test_of_a_campaign_that_no_update_has_changed_it_counts_from_when_it_was_made(
    life: Life,
) -> None:
    first = life.train()
    life.move(first)
    made = Watched(life, first, first, Counted(GOOD))
    made.look()
    assert [start for _, _, start, _ in made.counted.asked] == [made.described["creationDateTime"]]


OVER = 2 * 3600
"""Seconds that a campaign is watched for where nothing else is said."""


def test_a_watch_ends_once_cloudwatch_has_counted_all_of_it(watched: Watched) -> None:
    watched.counted.found = GOOD
    watched.look_at(OVER + LATE)
    assert watched.life.world.ledger.watches == {}
    watched.look_at(OVER + LATE + 1)
    now = watched.life.world.emulated.clock()
    assert (watched.row["word"], watched.row["move"]) == ("pass", watched.pointer.at)
    assert watched.row["at"] == now.isoformat()


def test_an_hour_after_its_end_a_watch_may_still_take_a_campaign_back(watched: Watched) -> None:
    watched.look_at(OVER + TOO_LATE)
    assert watched.pointer.version == watched.first


def test_a_second_later_it_may_not(watched: Watched) -> None:
    watched.look_at(OVER + TOO_LATE + 1)
    assert watched.pointer.version == watched.second
    assert watched.row["notes"] == ["Nobody looked in time."]


def test_what_was_taken_back_is_kept_with_its_reason_and_that_it_was_told(
    watched: Watched,
) -> None:
    moved = watched.pointer.at
    watched.look()
    now = watched.life.world.emulated.clock().isoformat()
    kept = {key: watched.row[key] for key in ("word", "move", "back", "at", "told")}
    assert kept == {"word": "hold", "move": moved, "back": True, "at": now, "told": True}
    watched.look(after=3600)
    back = watched.life.world.ledger.watches[ID, watched.first]
    assert (back["word"], back["notes"]) == ("pass", ["It is what the gate went back to."])
    assert (back["move"], back["back"]) == (watched.pointer.at, False)
    assert watched.pointer.why.startswith("once it had moved, 50.0% of 100 requests")


def test_what_a_person_has_moved_back_is_not_watched(watched: Watched) -> None:
    ledger = watched.life.world.ledger
    at = watched.life.world.emulated.clock().isoformat(timespec="milliseconds")
    ledger.pointers[ID] = watched.pointer.rolled_back(watched.first, by="ann", why="so", at=at)
    client = watched.life.world.emulated.client
    client.update_campaign(campaignArn=LIVE, solutionVersionArn=watched.first)
    watched.look(after=3600)
    assert (watched.counted.asked, watched.mails()) == ([], [])


@pytest.mark.parametrize("changes", [{"by": SERVICE}, {"version": None}])
def test_what_nobody_of_the_stack_has_moved_is_not_watched(
    watched: Watched, changes: dict[str, Any]
) -> None:
    watched.life.world.ledger.pointers[ID] = replace(watched.pointer, **changes)
    watched.look()
    assert (watched.counted.asked, watched.mails()) == ([], [])


def test_a_campaign_that_has_yet_to_follow_its_pointer_is_not_watched(watched: Watched) -> None:
    watched.life.point(watched.life.train(interactions(seed=9)))
    watched.look()
    assert watched.counted.asked == []


@pytest.mark.parametrize("word", ["rejected", "expired"])
def test_what_no_person_has_approved_goes_back(watched: Watched, word: str) -> None:
    watched.life.world.ledger.decisions[watched.second] = {"word": word}
    watched.look()
    assert watched.pointer.version == watched.first


def test_who_approves_every_version_has_it_taken_back_as_well(watched: Watched) -> None:
    watched.life.mode = "approve"
    watched.look()
    assert watched.pointer.version == watched.first


def test_what_does_well_is_left_and_not_asked_for_again(watched: Watched) -> None:
    watched.counted.found = GOOD
    for hours in (0, 1, 1.5, 1):
        watched.look(after=hours * 3600)
    assert len(watched.counted.asked) == 3
    watched.counted.found = BAD
    watched.look()
    assert watched.life.serves == watched.second
    row = watched.life.world.ledger.watches[ID, watched.second]
    assert (row["word"], row["back"]) == ("pass", False)


def test_what_was_looked_at_too_late_is_no_reason_to_go_back(watched: Watched) -> None:
    watched.look(after=4 * 3600)
    assert watched.pointer.version == watched.second
    row = watched.life.world.ledger.watches[ID, watched.second]
    assert (row["word"], row["notes"]) == ("inconclusive", ["Nobody looked in time."])


def test_missing_data_and_a_cloudwatch_that_denies_never_trigger(watched: Watched) -> None:
    watched.counted.found = Traffic()
    watched.look()
    watched.counted.error = "AccessDenied"
    watched.look(after=2.5 * 3600)
    assert (watched.life.serves, watched.mails()) == (watched.second, [])
    row = watched.life.world.ledger.watches[ID, watched.second]
    assert row["notes"] == ["CloudWatch told nothing: AccessDenied."]


def test_an_alarm_that_goes_off_takes_it_back(watched: Watched) -> None:
    now: datetime = watched.life.world.emulated.clock()
    watched.watch = {"alarms": ["clicks"]}
    watched.counted = Counted(GOOD, [Alarm("clicks", "ALARM", now)])
    watched.look()
    assert watched.pointer.version == watched.first
    assert "the alarm clicks went off" in watched.pointer.why


def test_a_recipe_without_metrics_is_watched_by_alarms_alone(watched: Watched) -> None:
    watched.recipe = "PERSONALIZED_ACTIONS"
    watched.look()
    assert (watched.counted.asked, watched.pointer.version) == ([], watched.second)


@pytest.mark.parametrize("how", ["observe", "rollBack", "approved", "moved", "frozen", "first"])
def test_it_stays_and_is_told_once_where_the_gate_may_not_move_it(
    watched: Watched, how: str
) -> None:
    ledger = watched.life.world.ledger
    if how == "observe":
        watched.life.mode = "observe"
    if how == "rollBack":
        watched.watch = {"rollBack": False}
    if how == "approved":
        ledger.decisions[watched.second] = {"word": "approved"}
    changes: dict[str, dict[str, Any]] = {
        "moved": {"by": "arn:ann"},
        "frozen": {"frozen": "the sale"},
        "first": {"former": None},
    }
    ledger.pointers[ID] = replace(watched.pointer, **changes.get(how, {}))
    watched.look()
    watched.look(after=600)
    assert (watched.life.serves, watched.life.told(ROLLED_BACK)) == (watched.second, [])
    assert watched.pointer.version == watched.second
    (mail,) = watched.mails()
    assert mail["To"] is None


def test_a_version_that_is_gone_is_not_gone_back_to(watched: Watched) -> None:
    gone = f"{PLACE}solution/for-you/gone"
    ledger = watched.life.world.ledger
    ledger.pointers[ID] = replace(watched.pointer, former=gone)
    watched.look()
    assert watched.pointer.version == watched.second
    assert watched.mails()[0]["To"] is None


def test_a_person_who_decides_meanwhile_wins(watched: Watched) -> None:
    ledger = watched.life.world.ledger
    undo = ledger.undo

    def decide_first(group: str, campaign: str, before: Any, after: Any) -> bool:
        ledger.pointers[ID] = replace(before, by="arn:ann", at="2027-01-01T00:00:00+00:00")
        return undo(group, campaign, before, after)

    ledger.undo = decide_first  # type: ignore[method-assign]
    watched.look()
    assert (watched.pointer.by, watched.life.serves) == ("arn:ann", watched.second)
    assert watched.mails() == []


def test_a_second_time_within_a_week_freezes_it(watched: Watched) -> None:
    life = watched.life
    watched.look()
    watched.look(after=3600)
    life.move(life.train(interactions(seed=9)))
    watched.look()
    assert "twice within seven days" in str(watched.pointer.frozen)
    assert (watched.mails()[-1]["Frozen"], watched.pointer.version) == (
        watched.pointer.frozen, watched.first,
    )  # fmt: skip


def test_who_is_killed_before_the_update_is_gone_on_for(watched: Watched) -> None:
    """The update is refused at first, as it is while another is under way."""
    faults = watched.life.world.emulated.service.faults
    faults.error("UpdateCampaign", "ResourceInUseException", "in use")
    watched.look()
    assert (watched.pointer.version, watched.life.serves) == (watched.first, watched.second)
    assert watched.mails() == []
    watched.look(after=600)
    watched.look(after=3600)
    assert watched.life.serves == watched.first
    assert len(watched.mails()) == 1


def test_why_an_update_back_has_to_wait_is_in_the_log(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    faults = watched.life.world.emulated.service.faults
    faults.error("UpdateCampaign", "ResourceInUseException", "in use")
    watched.look()
    (line,) = logged(caplog, "not moved back")
    assert (line["arn"], line["error"]) == (LIVE, "in use")


def test_a_campaign_that_is_updated_while_it_is_judged_goes_back_after_that(
    watched: Watched,
) -> None:
    client = watched.life.world.emulated.client
    watched.counted.meanwhile = lambda: client.update_campaign(
        campaignArn=LIVE, minProvisionedTPS=7
    )
    watched.look()
    assert (watched.pointer.version, watched.mails()) == (watched.first, [])
    assert watched.described["latestCampaignUpdate"]["solutionVersionArn"] == watched.second
    watched.look(after=3600)
    watched.look(after=3600)
    assert (watched.life.serves, len(watched.mails())) == (watched.first, 1)


def test_a_move_back_that_the_bus_did_not_take_is_told_later_and_counted_once(
    watched: Watched,
) -> None:
    heard = watched.life.world.heard
    heard.refuses = ConnectionError("the bus is away")
    with pytest.raises(ConnectionError):
        watched.look()
    heard.refuses = None
    watched.look(after=3600)
    assert len(watched.mails()) == len(watched.life.told(ROLLED_BACK)) == 1
    assert watched.life.world.measured.rollbacks == ["live"]


def test_what_stays_and_could_not_be_told_is_told_at_the_next_look(watched: Watched) -> None:
    heard, watched.life.mode = watched.life.world.heard, "observe"
    heard.refuses = ConnectionError("the bus is away")
    with pytest.raises(ConnectionError):
        watched.look()
    heard.refuses = None
    watched.look(after=600)
    watched.look(after=600)
    assert len(watched.mails()) == 1


def test_an_update_back_that_fails_is_told_and_not_tried_at_each_look(watched: Watched) -> None:
    faults = watched.life.world.emulated.service.faults
    faults.fail_update("Campaign", "no capacity")
    for _ in range(3):
        watched.look(after=600)
        watched.look(after=3600)
    assert watched.life.serves == watched.second
    back, stays = watched.mails()
    assert (back["To"], stays["To"]) == (watched.first, None)
    why = f"the update back to {watched.first} failed: no capacity"
    assert stays["Reasons"] == [why, "it goes on as it is."]
    assert (stays["Version"], stays["Frozen"]) == (watched.second, None)


def test_a_campaign_that_is_gone_or_being_updated_is_left(watched: Watched) -> None:
    client = watched.life.world.emulated.client
    client.update_campaign(campaignArn=LIVE, minProvisionedTPS=7)
    watched.look()
    assert watched.counted.asked == []
    watched.life.world.emulated.clock.advance(3600)
    client.delete_campaign(campaignArn=LIVE)
    watched.look(after=3600)
    assert watched.counted.asked == []


def test_without_terms_nobody_watches(watched: Watched) -> None:
    campaign = watched.campaign
    gate = {key: one for key, one in campaign.gate.items() if key != "watch"}
    world = watched.life.world
    rest: tuple[Any, ...] = (world.ledger, world.heard, world.measured, world.ensure.clock, "F")
    watching = Watching(Personalize(world.emulated.client), watched.counted, *rest)  # type: ignore[arg-type]
    watching("films", replace(campaign, gate=gate), watched.pointer)
    assert watched.counted.asked == []


def test_the_mail_says_what_broke_where_it_goes_and_what_can_be_done(watched: Watched) -> None:
    watched.look()
    (detail,) = watched.mails()
    message = message_for(CAMPAIGN_FAILING, detail, region="eu-west-1")
    id = watched.first.rpartition("/")[2]
    assert message.subject == f"Personalize dataset group films: campaign live goes back to {id}"
    for line in ("50.0% of 100 requests", watched.second, "mpe models show films", "Stack Films"):
        assert line in message.text
    assert attributes(detail)["status"] == "FAILING"
