"""Prints the changes that Cosmic Ray makes of a file, one a line, as JSON.

It runs in Cosmic Ray's own environment, apart from the project's
(https://cosmic-ray.readthedocs.io/en/latest/how-tos/operators.html).
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-not-found,unused-ignore]
from cosmic_ray.mutating import MutationVisitor  # type: ignore[import-not-found,unused-ignore]
from cosmic_ray.plugins import get_operator, operator_names  # type: ignore[import-not-found,unused-ignore]

OPPOSITES = {
    "Eq_NotEq", "NotEq_Eq", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE",
    "GtE_Gt", "GtE_Lt", "Is_IsNot", "IsNot_Is", "In_NotIn", "NotIn_In",
}  # fmt: skip
ARITHMETIC = {"Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul"}
SETS = {"BitOr_BitAnd", "BitAnd_BitOr"}
OTHERS = {
    "ReplaceAndWithOr", "ReplaceOrWithAnd", "AddNot", "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue", "NumberReplacer", "ExceptionReplacer", "ZeroIterationForLoop",
    "ReplaceContinueWithBreak", "ReplaceBreakWithContinue", "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
}  # fmt: skip
USED = OTHERS.union(
    {f"ReplaceComparisonOperator_{one}" for one in OPPOSITES},
    {f"ReplaceBinaryOperator_{one}" for one in ARITHMETIC | SETS},
)
"""The operators whose changes mean something in this code."""


def main(path: str) -> None:
    source = Path(path).read_text()
    before, line = 0, 1
    for part in get_ast(source).children:
        piece = part.get_code()
        for operator, number, changed in changes(piece):
            whole = source[:before] + changed + source[before + len(piece) :]
            print(json.dumps({"operator": operator, "line": line + number - 1, "source": whole}))
        before, line = before + len(piece), line + piece.count("\n")


def changes(piece: str) -> Iterator[tuple[str, int, str]]:
    """Yield the operator, the line within it and the text of each change of a statement."""
    tree = get_ast(piece)
    nodes, fresh = list(ast_nodes(tree)), pickle.dumps(tree)
    for full in operator_names():
        name = full.removeprefix("core/")
        if name not in USED:
            continue
        operator = get_operator(full)()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        for number, (start, _) in enumerate(places):
            visitor = MutationVisitor(number, operator)
            yield name, start[0], visitor.walk(pickle.loads(fresh)).get_code()


if __name__ == "__main__":
    main(sys.argv[1])
