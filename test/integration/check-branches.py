#!/usr/bin/python3
"""Branches of which a run takes one, against numpy.

    check-branches.py LATHE FOLDER TARGET

Conditions that are known at run time only; results of one size and of unlike ones; what a branch that is not taken would have refused;
branches in branches, in loops and around loops.
"""
import json
import subprocess
import sys

import numpy as np
from control import B, F, I, REFUSED, Checks, body, branch, constants, node, x

checks = Checks(*sys.argv[1:])
run = checks.run
both = [{"c": c, "x": x(3, 4)} for c in (True, False)]

# Work in both branches, which use a value from around, constants, and one of them a constant alone.
product = branch([node("MatMul", "x w", "p", name="product"), node("Relu", "p", "y")], "y")
other = branch([node("Softmax", "x", "s", name="softmax"), node("MatMul", "s v", "q", name="sum"), node("Add", "q x", "z")], "z")
weights = constants(w=x(4, 4), v=x(4, 4))
either = node("If", "c", "r", then_branch=product, else_branch=other)
run("work", [either], {"c": (), "x": (3, 4)}, "r", both, weights)
run("work_between", [node("Add", "x0 x0", "x"), either, node("MatMul", "r w", "y")], {"c": (1,), "x0": (3, 4)}, "y r",
    [{"c": [c], "x0": x(3, 4)} for c in (True, False)], weights)
run("symbolic", [either], {"c": (), "x": ("batch", 4)}, "r", [{"c": c, "x": x(b, 4)} for c in (True, False) for b in (2, 7)], weights)
run("constant", [node("If", "c", "r", then_branch=product, else_branch=branch([], "k", constants(k=x(3, 4))))],
    {"c": (), "x": (3, 4)}, "r", both, weights)
run("results", [node("If", "c", "a b d", then_branch=branch([node("MatMul", "x w", "p"), node("Less", "p x", "l"), node("Identity", "k", "i")],
                                                            "p l i"),
                     else_branch=branch([node("MatMul", "x v", "q"), node("Less", "x q", "m"), node("Add", "k k", "j")], "q m j"))],
    {"c": (), "x": (3, 4), "k": (5,)}, "a b d", [{**case, "k": np.array([1, 2, 77, 200, 255], np.uint8)} for case in both], weights)
# Computed both, and chosen among.
run("elementwise", [node("If", "c", "r", then_branch=branch([node("Neg", "x", "n"), node("Relu", "n", "y")], "y"),
                         else_branch=branch([node("Add", "x x", "z")], "z"))], {"c": (), "x": (3, 4)}, "r", both)
run("choice", [node("Slice", "x one two", "part"), node("If", "c", "r s", then_branch=branch([], "x part"), else_branch=branch([], "part x"))],
    {"c": (), "x": (3, 4)}, "r s", both, constants(one=[1], two=[2]))

# Sizes that depend on the branch, and on what only it computes.
part = branch([node("Slice", "x zero n", "p"), node("MatMul", "p w", "q")], "q p")
whole = branch([node("MatMul", "x v", "q"), node("Identity", "x", "i")], "q i")
cut = node("If", "c", "r s", then_branch=part, else_branch=whole)
sizes = [{"c": c, "n": [n], "x": x(6, 4)} for c in (True, False) for n in (2, 0, 6, 9)]
run("sizes", [cut, node("Add", "r s", "t")], {"c": (), "n": (1,), "x": (6, 4)}, "r s t", sizes, weights + constants(zero=[0]))
run("sizes_symbolic", [cut], {"c": (), "n": (1,), "x": ("k", 4)}, "r s",
    sizes + [{"c": c, "n": [3], "x": x(4, 4)} for c in (True, False)], weights + constants(zero=[0]))
run("sizes_bounded", [node("If", "c", "r s", name="rows", then_branch=part, else_branch=whole)], {"c": (), "n": (1,), "x": (6, 4)}, "r s",
    [{"c": True, "n": [n], "x": x(6, 4)} for n in (3, 4)] + [({"c": c, "n": [5], "x": x(6, 4)}, REFUSED) for c in (True, False)],
    weights + constants(zero=[0]), ["--dim", "rows=0..4"])

# A branch that is not taken refuses nothing.
run("refuses", [node("If", "c", "r", then_branch=branch([node("ConstantOfShape", "n", "y")], "y"),
                     else_branch=branch([node("MatMul", "x w", "p"), node("Squeeze", "p zero", "y")], "y"))],
    {"c": (), "n": (1,), "x": (1, 4)}, "r",
    [{"c": True, "n": [5], "x": x(1, 4)}, ({"c": True, "n": [513], "x": x(1, 4)}, REFUSED), {"c": False, "n": [513], "x": x(1, 4)},
     ({"c": True, "n": [-1], "x": x(1, 4)}, REFUSED), {"c": False, "n": [-1], "x": x(1, 4)}], weights + constants(zero=[0]))
run("refuses_range", [node("If", "c", "r", then_branch=branch([node("Range", "none m step", "i"), node("Neg", "i", "y")], "y"),
                           else_branch=branch([node("Range", "none four one", "y")], "y"))],
    {"c": (), "m": (), "step": ()}, "r",
    [{"c": True, "m": 9, "step": 2}, ({"c": True, "m": 9, "step": 0}, REFUSED), {"c": False, "m": 9, "step": 0}],
    constants(none=0, four=4, one=1))

# In branches, in loops and around loops.
inner = branch([node("Less", "x zeros", "l"), node("Cast", "l", "f", to=F), node("ReduceMax", "f", "most", keepdims=0),
                node("Less", "none most", "d"), node("If", "d", "r", then_branch=product, else_branch=other)], "r")
run("nested", [node("If", "c", "r", then_branch=inner, else_branch=other)], {"c": (), "x": (3, 4)}, "r",
    both + [{"c": True, "x": abs(x(3, 4))}], weights + constants(zeros=np.zeros((3, 4), np.float32), none=np.float32(0)))
step = [node("Less", "i n", "c"), node("If", "c", "y", then_branch=branch([node("MatMul", "x w", "p"), node("Softmax", "p", "t")], "t"),
                                       else_branch=branch([node("MatMul", "x v", "q"), node("Add", "q x0", "u")], "u")),
        node("Identity", "go", "on"), node("Identity", "y", "z")]
run("in_loop", [node("Loop", "m  x0", "r all", body=body({"x": F}, step, "on y z"))], {"m": (), "n": (), "x0": (3, 4)}, "r all",
    [{"m": 5, "n": n, "x0": x(3, 4)} for n in (2, 0, 9)], weights)
looped = branch([node("Loop", "m  x", "y", body=body({"s": F}, [node("MatMul", "s w", "p"), node("Softmax", "p", "t"),
                                                               node("Identity", "go", "on")], "on t"))], "y")
run("around_loop", [node("If", "c", "r", then_branch=looped, else_branch=other)], {"c": (), "m": (), "x": (3, 4)}, "r",
    [{"c": c, "m": m, "x": x(3, 4)} for c in (True, False) for m in (3, 0)], weights)
# What the ops of a loop require, in one iteration of them all.
run("loop_refuses", [node("Loop", "m  x0", "r", body=body({"x": F}, [
    node("Gather", "n i", "k"), node("ConstantOfShape", "k", "z"), node("ReduceSum", "z", "s", keepdims=1), node("Add", "x s", "y"),
    node("Identity", "go", "on")], "on y"))], {"m": (), "n": (4, 1), "x0": (4,)}, "r",
    [{"m": 4, "n": [[3], [4], [512], [0]], "x0": x(4)}, ({"m": 4, "n": [[3], [513], [2], [1]], "x0": x(4)}, REFUSED),
     {"m": 1, "n": [[3], [513], [2], [1]], "x0": x(4)}])

# Each element of a sequence is one that the branch gives.
run("sequence", [node("If", "c", "r", then_branch=branch([node("MatMul", "x w", "p"), node("SequenceConstruct", "p x", "y")], "y"),
                      else_branch=branch([node("MatMul", "x v", "q"), node("SequenceConstruct", "x q", "z")], "z")),
                 node("SequenceAt", "r one", "a")], {"c": (), "x": (3, 4)}, "a", both, weights + constants(one=1))

# A layer of the branch that is not taken was called 0 times.
profile = subprocess.run([checks.lathe, "bench", f"{checks.folder}/work.onnx", f"--target={checks.target}", "--profile", "--json", "--runs=3",
                          "--input", f"c={checks.folder}/work-c.npy", "--input", f"x={checks.folder}/work-x.npy"],
                         capture_output=True, text=True)
calls = {layer["name"]: layer["calls"] for layer in json.loads(profile.stdout or '{"layers": []}')["layers"]}
checks.passed.append([calls.get(name) for name in ("product", "softmax", "sum")] == [0, 1, 1])
if not checks.passed[-1]:
    print(f"calls: {calls}{profile.stderr[:500]}")

sys.exit(checks.report())
