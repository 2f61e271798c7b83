#!/usr/bin/python3
"""Loops that run as loops in the object, against numpy.

    check-loops.py LATHE FOLDER TARGET

Trip counts and conditions that are known at run time only, none and many iterations, values that are carried and collected, and loops
in loops.
"""
import sys

import numpy as np
from onnx import TensorProto

from control import F, I, REFUSED, Checks, body, constants, node, x

checks = Checks(*sys.argv[1:])
run = checks.run

# A trip count of an input, with and without a condition that passes through; s = s @ w + 1 / (i + 1).
step = body({"s": F}, [node("MatMul", "s w", "p"), node("Cast", "i", "f", to=F), node("Add", "f one", "d"), node("Div", "one d", "q"),
                       node("Add", "p q", "t"), node("Identity", "go", "on")], "on t", constants(one=np.float32(1)))
run("carried", [node("Loop", "n  s0", "y", body=step)], {"n": (), "s0": (3, 4)}, "y",
    [{"n": n, "s0": x(3, 4)} for n in (5, 1, 0, -2, 9)], constants(w=x(4, 4) / 4))
run("condition_in", [node("Loop", "n go0 s0", "y", body=step)], {"n": (), "go0": (), "s0": (3, 4)}, "y",
    [{"n": n, "go0": go, "s0": x(3, 4)} for n, go in ((5, True), (3, False))], constants(w=x(4, 4) / 4))
run("symbolic", [node("Loop", "n  s0", "y", body=step)], {"n": (), "s0": ("batch", 4)}, "y",
    [{"n": 3, "s0": x(b, 4)} for b in (2, 7)], constants(w=x(4, 4) / 4))

# What is collected has as many parts as there were iterations.
both = body({"s": F}, [node("Add", "s w", "t"), node("Mul", "t t", "u"), node("Cast", "i", "f", to=F), node("Identity", "go", "on")],
            "on t u f")
run("collected", [node("Loop", "n  s0", "y u f", body=both), node("ReduceSum", "u", "z", keepdims=1)], {"n": (), "s0": (2, 3)}, "y u f z",
    [{"n": n, "s0": x(2, 3)} for n in (4, 1, 0)] + [({"n": 513, "s0": x(2, 3)}, REFUSED)], constants(w=x(3)))
run("collected_bound", [node("Loop", "n  s0", "y u f", name="steps", body=both)], {"n": (), "s0": (2, 3)}, "y u f",
    [{"n": n, "s0": x(2, 3)} for n in (600, 8)] + [({"n": 1025, "s0": x(2, 3)}, REFUSED)], constants(w=x(3)),
    ["--dim", "steps=0..1024"])
# As many as a dimension has, known at compile time, and more than are unrolled.
run("dimension", [node("Shape", "a", "shape"), node("Gather", "shape zero", "n"), node("Loop", "n  s0", "y u f", body=both)],
    {"a": ("k", 2), "s0": (2, 3)}, "y u f", [{"a": x(k, 2), "s0": x(2, 3)} for k in (6, 1)], constants(w=x(3), zero=np.int64(0)))
run("many", [node("Loop", "n  s0", "y u f", body=both)], {"s0": (2, 3)}, "y u f", [{"s0": x(2, 3)}],
    constants(w=x(3) / 99, n=np.int64(700)))
run("rows", [node("Shape", "a", "shape"), node("Gather", "shape zero", "n"), node("Loop", "n  s0", "y u", body=body(
    {"s": F}, [node("Gather", "a i", "row"), node("Add", "s row", "t"), node("Identity", "t", "u"), node("Identity", "go", "on")],
    "on t u"))], {"a": ("k", 3), "s0": (3,)}, "y u", [{"a": x(k, 3), "s0": x(3)} for k in (5, 1)], constants(zero=np.int64(0)))
run("integers", [node("Loop", "n  b0 k0", "b k all", body=body(
    {"b": TensorProto.UINT8, "k": I}, [node("Add", "b b", "c"), node("Mul", "k i", "m"), node("Identity", "go", "on"),
                                       node("Identity", "c", "d")], "on c m d"))], {"n": (), "b0": (4,), "k0": (1,)}, "b k all",
    [{"n": n, "b0": np.array([1, 2, 77, 255], np.uint8), "k0": np.array([3])} for n in (3, 0)])
run("nested", [node("Loop", "n  s0", "y all", body=body({"s": F}, [
    node("Loop", "i  s", "t", body=body({"r": F}, [node("Mul", "r half", "q"), node("Add", "q s0", "v"),
                                                   node("Identity", "go", "more")], "more v")),
    node("Identity", "t", "u"), node("Identity", "go", "on")], "on t u"))], {"n": (), "s0": (2, 3)}, "y all",
    [{"n": n, "s0": x(2, 3)} for n in (4, 0)], constants(half=np.float32(0.5)))

# A condition that the body computes: sums until one is 10, with a trip count, without one, and with none in all.
until = [node("Add", "s s", "t"), node("ReduceMax", "t", "most", keepdims=0), node("Less", "most ten", "on"), node("Mul", "t two", "u")]
growing = body({"s": F}, until, "on t u")
tens = constants(ten=np.float32(10), two=np.float32(2))
sums = [{"n": n, "s0": np.array([1, a], np.float32)} for n, a in ((20, 3), (2, 3), (20, 50), (0, 1))]
run("until", [node("Loop", "n  s0", "y u", body=growing)], {"n": (), "s0": (2,)}, "y u", sums, tens)
run("until_carried", [node("Loop", "n  s0", "y", body=body({"s": F}, until[:3], "on t"))], {"n": (), "s0": (2,)}, "y", sums, tens)
run("until_only", [node("Loop", " go0 s0", "y u", name="steps", body=growing)], {"go0": (), "s0": ("k",)}, "y u",
    [{"go0": go, "s0": np.array([a, 1], np.float32)} for go, a in ((True, 1), (False, 1), (True, 1e-3))]
    + [({"go0": True, "s0": np.array([1e-9, 0], np.float32)}, REFUSED)], tens, ["--dim", "steps=0..16"])
run("until_forever", [node("Loop", "n go0 s0", "y u", body=growing)], {"go0": (), "s0": (1, 2)}, "y u",
    [{"go0": True, "s0": np.array([[0.01, 1]], np.float32)}], tens + constants(n=np.int64(2**63 - 1)))
run("swap", [node("Loop", "n  a0 b0", "a b", body=body({"a": F, "b": F}, [
    node("Identity", "b", "c"), node("Identity", "a", "d"), node("ReduceMax", "a", "most", keepdims=0), node("Less", "most ten", "on")],
    "on c d"))], {"n": (), "a0": (2, 2), "b0": (2, 2)}, "a b",
    [{"n": n, "a0": x(2, 2), "b0": x(2, 2) + 100 * big} for n, big in ((3, 0), (4, 0), (9, 1), (1, 1))], tens)

sys.exit(checks.report())
