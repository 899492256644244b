"""What the functions of a run share: where the data, the turns and the outcomes are kept."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_events as events

from mpe.infrastructure.functions import Package
from mpe.infrastructure.storage import DataBucket, GroupTable


@dataclass(frozen=True)
class Rooms:
    """Everything that the stack keeps, and the bus on which it tells."""

    package: Package
    bucket: DataBucket
    turns: GroupTable
    ledger: GroupTable
    bus: events.EventBus

    def environment(self) -> dict[str, str]:
        """Return what a function is told that notes outcomes and tells of them."""
        return {
            "LEDGER_TABLE": self.ledger.table_name,
            "EVENT_BUS": self.bus.event_bus_name,
            "STACK": Aws.STACK_NAME,
        }
