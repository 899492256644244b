"""ARNs are found wherever the service's model has them, also where it has none yet."""

from __future__ import annotations

from mpe.model.plan.foreign import arns
from mpe.model.service.operations import ServiceModel, operation


def test_arns_in_lists_and_maps_are_found_with_their_paths() -> None:
    shape = operation("CreateSolution").input_shape
    recipes = {"autoMLConfig": {"metricName": "x", "recipeList": ["one", "two"]}}
    assert list(arns(shape, {"name": "films", "solutionConfig": recipes}, "$")) == [
        ("$.solutionConfig.autoMLConfig.recipeList[0]", "one"),
        ("$.solutionConfig.autoMLConfig.recipeList[1]", "two"),
    ]
    shapes = {
        "Arn": {"type": "string"},
        "Name": {"type": "string"},
        "ByName": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Arn"}},
    }
    model = ServiceModel({"shapes": shapes, "operations": {}})
    by_name = model.shape_of({"shape": "ByName"})
    assert list(arns(by_name, {"best": "one"}, "$.of")) == [("$.of.best", "one")]
    assert list(arns(by_name, "no map", "$.of")) == []
    assert list(arns(model.shape_of({"shape": "Arn"}), 5, "$.of")) == []
