"""CloudWatch: alarms of several metrics together."""

from __future__ import annotations

from typing import Any

from mpe.local.ministack.difference import Difference


def keep_alarms_of_math() -> None:
    """Let a template have alarms of metric math, which are kept as they are and never evaluated."""
    from ministack.services.cloudformation import provisioners

    record = provisioners._cw_metric_alarm_record

    def recorded(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        metrics = properties.get("Metrics")
        if not metrics:
            return dict(record(name, properties))
        one = {"MetricName": "-", "Namespace": "-"}  # what it asks for, and has none of
        others = {key: value for key, value in properties.items() if key != "Metrics"}
        kept = record(name, {**others, **one})
        of_one = {*one, "Statistic", "ExtendedStatistic", "Period", "Unit", "Dimensions"}
        return {
            **{key: None if key in of_one else value for key, value in kept.items()},
            "Metrics": metrics,
        }

    provisioners._cw_metric_alarm_record = recorded


DIFFERENCES = (
    Difference(
        aws="a template may have an alarm of several metrics together",
        alone="it refuses the template",
        page="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html",
        test="test_cloudwatch.py::test_alone_an_alarm_of_several_metrics_fails_its_stack",
        make_good=lambda _: keep_alarms_of_math(),
    ),
)
