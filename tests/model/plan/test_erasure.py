"""What a deletion of users' data leaves to be trained anew."""

from __future__ import annotations

from mpe.model.plan.desired import Desired, DesiredState
from mpe.model.plan.erasure import due
from mpe.model.plan.tasks import Task


def test_each_solution_is_due_with_the_task_that_trains_it_and_each_recommender() -> None:
    of = [("Solution", "best"), ("Solution", "other"), ("Recommender", "shop"), ("Filter", "new")]
    made = {name: Desired(name, noun, name, "$", {}, arn=f"arn/{name}") for noun, name in of}
    task = Task("full.best", "full", "$", "rate(1 day)", "UTC", {})
    assert due(DesiredState("films", "one", made, tasks={task.id: task})) == {
        "solutions": [
            {"name": "best", "arn": "arn/best", "task": "full.best"},
            {"name": "other", "arn": "arn/other"},
        ],
        "recommenders": ["shop"],
    }
