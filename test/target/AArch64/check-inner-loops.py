#!/usr/bin/python3
"""How busy the inner loops of matrix products and convolutions keep the multipliers of a CPU, by llvm-mca.

    check-inner-loops.py LATHE LLVM_MCA FOLDER CPU

Compiles models of one layer with --emit=asm, cuts out the loops that multiply, and compares the multiplications that llvm-mca finds in a
cycle of their steady state with those of nothing but multiplications. A loop passes at 95 % of that rate, without an access to the stack.

Products of f16 are added up in f16, 16 steps at a time, and then to f32 (--precision=f16). Such a loop passes at 95 % of the rate of its
arithmetic alone, where that multiplies at least 1.3 times as many numbers in a cycle as nothing but multiplications of f32 do.
"""
import os
import re
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, mca, folder, cpu = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)
LEAST_SHARE = 0.95
# Of f16 over f32, less than which would not pay for the digits. A block has 16 steps of 4 rows by 2 vectors.
LEAST_GAIN, LEAST_HALF_MULTIPLICATIONS = 1.3, 96
# Instructions that are dispatched in a cycle (the "Software Optimization Guide" of each, section 2). LLVM describes Cortex-A76 and
# Neoverse-N1 with three operations, though they decode four instructions, and the others with as many as their units take.
DISPATCH = {"cortex-a76": 4, "neoverse-n1": 4, "neoverse-n2": 5, "neoverse-v1": 8}[cpu]
HAS_PAIRS = cpu in ("neoverse-n2", "neoverse-v1")
# Shorter loops are those of the last rows or columns, or of a few steps. A loop of lanes has a vector's steps, one of pairs a single one.
LEAST_MULTIPLICATIONS = {"fmla": 32, "sdot": 32, "smmla": 16, "bfmmla": 16}


def save(name, node, weight, x):
    """A model of one node with a constant weight, and samples to calibrate it by."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph([node], name, [value("x", TensorProto.FLOAT, x)], [value("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(rng.standard_normal(weight).astype(np.float32) / 16, "w")])
    path = f"{folder}/{name}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    np.savez(f"{folder}/{name}.npz", x=rng.random((4, *x), np.float32)[:, 0] if x[0] == 1 else rng.random(x, np.float32))
    return path


def loops(assembly):
    """The blocks of a listing that branch back to their own begin."""
    label, body = None, []
    for line in assembly.splitlines():
        line = line.split("//")[0].strip()
        match = re.fullmatch(r"(\.?\w+):", line)
        if match:
            label, body = match[1], []
        elif line and not line.startswith("."):
            body.append(line)
            if re.match(r"(b\.\w+|cbn?z|tbn?z)\b", line):
                if label and line.split()[-1] == label:
                    yield body
                label, body = None, []


def steady_cycles(body):
    """Cycles of one iteration; the difference leaves out how the pipeline fills."""
    def total(iterations):
        command = [mca, "-mtriple=aarch64", f"-mcpu={cpu}", f"-iterations={iterations}", "-instruction-info=0",
                   "-resource-pressure=0", f"-dispatch={DISPATCH}"]
        report = subprocess.run(command, input="\n".join(body) + "\n", check=True, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True).stdout
        return int(re.search(r"Total Cycles:\s+(\d+)", report)[1])

    return (total(300) - total(100)) / 200


# Multiplications that do not wait for each other.
BEST = {"fmla": [f"fmla v{i}.4s, v30.4s, v31.s[0]" for i in range(24)],
        "sdot": [f"sdot v{i}.4s, v30.16b, v31.4b[0]" for i in range(24)],
        "smmla": [f"smmla v{i}.4s, v30.16b, v31.16b" for i in range(24)],
        "bfmmla": [f"bfmmla v{i}.4s, v30.8h, v31.8h" for i in range(24)]}


def compiled_loops(name, model, flags):
    output = f"{folder}/{name}.s"
    subprocess.run([lathe, "compile", model, "--target=aarch64", f"--cpu={cpu}", "--emit=asm", "-o", output, *flags], check=True)
    with open(output) as file:
        return list(loops(file.read()))


def check(name, model, instruction, flags):
    found = [body for body in compiled_loops(name, model, flags)
             if sum(line.startswith(instruction) for line in body) >= LEAST_MULTIPLICATIONS[instruction]]
    good = bool(found)
    rate = len(BEST[instruction]) / steady_cycles(BEST[instruction])
    if not found:
        print(f"{name}: no loop with {LEAST_MULTIPLICATIONS[instruction]} {instruction}")
    for body in found:
        multiplications = sum(line.startswith(instruction) for line in body)
        steady = steady_cycles(body)
        share = multiplications / steady / rate
        lanes = sum(bool(re.search(r"\[\d\]$", line)) for line in body if line.startswith(instruction))
        spills = [line for line in body if "[sp" in line]
        print(f"{name}: {multiplications} {instruction} of {len(body)} instructions, {lanes} by lane, {steady:.1f} cycles, "
              f"{100 * share:.1f} % of the rate, {len(spills)} accesses to the stack")
        good &= share >= LEAST_SHARE and not spills
    return good


def find_half_arithmetic(body):
    """The multiplications of f16 of a loop, and all its arithmetic with operands that are always there."""
    free = {"fmla": "v{}.8h, v30.8h, v15.h[0]", "fmul": "v{}.8h, v30.8h, v15.h[0]", "fadd": "v{}.4s, v30.4s, v31.4s",
            "fcvtl": "v{}.4s, v30.4h", "fcvtl2": "v{}.4s, v30.8h", "fmlal": "v{}.4s, v30.4h, v31.4h", "fmlal2": "v{}.4s, v30.4h, v31.4h"}
    names = [line.split()[0] for line in body if line.split()[0] in free]
    # Twelve sums, no two of which follow each other closer than a multiplication takes.
    return sum(name in ("fmla", "fmul") for name in names), [f"{name} " + free[name].format(i % 12) for i, name in enumerate(names)]


def check_halves(name, model):
    found = [body for body in compiled_loops(name, model, ["--precision=f16", "--no-winograd"])
             if sum(line.startswith("fmla") and ".8h" in line for line in body) >= LEAST_HALF_MULTIPLICATIONS]
    good = bool(found)
    if not found:
        print(f"{name}: no loop with {LEAST_HALF_MULTIPLICATIONS} fmla of f16")
    f32_rate = len(BEST["fmla"]) / steady_cycles(BEST["fmla"])
    for body in found:
        multiplications, arithmetic = find_half_arithmetic(body)
        steady = steady_cycles(body)
        share, gain = steady_cycles(arithmetic) / steady, 2 * multiplications / steady / f32_rate
        spills = [line for line in body if "[sp" in line]
        print(f"{name}: {multiplications} products of f16, {len(arithmetic)} of {len(body)} instructions of arithmetic, {steady:.1f} cycles, "
              f"{100 * share:.1f} % of the rate, {gain:.2f} times f32, {len(spills)} accesses to the stack")
        good &= share >= LEAST_SHARE and gain >= LEAST_GAIN and not spills
    return good


matmul = save("matmul", helper.make_node("MatMul", ["x", "w"], ["y"]), (256, 256), (72, 256))
pointwise = save("pointwise", helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[1, 1]), (128, 64, 1, 1), (1, 64, 18, 18))
window = save("window", helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]), (64, 64, 3, 3),
              (1, 64, 18, 18))
results = [check("matmul", matmul, "fmla", []), check("pointwise", pointwise, "fmla", []),
           check("window", window, "fmla", ["--no-winograd"]), check("winograd", window, "fmla", [])]
for name, model in ("matmul", matmul), ("pointwise", pointwise), ("window", window):
    calibration = [f"--calibrate={folder}/{name}.npz", "--quantize=int8"]
    results.append(check(name + "-int8", model, "smmla" if HAS_PAIRS else "sdot", calibration))
    results.append(check_halves(name + "-f16", model))
    if HAS_PAIRS:
        results.append(check(name + "-bf16", model, "bfmmla", ["--precision=bf16", "--no-winograd"]))
sys.exit(not all(results))
