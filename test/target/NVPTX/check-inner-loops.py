#!/usr/bin/python3
"""How busy the inner loops of products, convolutions and attention can keep the tensor cores of a GPU, from ptxas's code for them.

    check-inner-loops.py LATHE PTXAS FOLDER TARGET

Compiles models of one layer, assembles their PTX as the driver does, and counts what the warps of a quarter of a multiprocessor need in an
iteration of the loop with the most products:

- `tensor`: eight cycles for each mma.sync on an A100 (1024 multiply-adds of bf16 in a cycle of a multiprocessor: NVIDIA A100 Tensor Core
  GPU Architecture, table 1), six on an H100. There ptxas lets six pass between two; 62.9 % of what wgmma does was measured (Luo et
  al. 2024, "Benchmarking and Dissecting the Nvidia Hopper GPU Architecture via Microbenchmarking").
- `issue`: a cycle for each instruction.
- `shared`: what all four quarters read of shared memory, and cp.async writes to it, at 128 bytes in a cycle.
- `mufu`: eight cycles for each elementary function.
- `alone`: the stalls that ptxas has written into the instructions of one warp, without waits for memory, shared by the warps that a quarter
  has.

The share of `tensor` in the largest of these is what the loop cannot exceed, whatever hides latencies. A case fails below its share, or if
its kernel touches local memory. With 77, which CTest counts as skipped, where there is no ptxas.
"""
import os
import re
import struct
import subprocess
import sys
from collections import Counter

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, ptxas, folder, target = sys.argv[1:]
ARCHITECTURE, PRODUCT_CYCLES = {"sm_80": ("sm_80", 8), "sm_90": ("sm_90a", 6)}[target]
REGISTERS = 65536

# The low twelve bits of an instruction of 128, of compute capability 7.0 and later. That products are found is checked by their number.
OPCODES = {0x23C: "product", 0x237: "product", 0x83B: "ldmatrix", 0x984: "load", 0x981: "global", 0x388: "store", 0xFAE: "copy", 0x308: "mufu", 0x947: "branch",
           0x983: "local", 0x387: "local"}


def random(*shape):
    return np.resize(np.random.default_rng(1).standard_normal(4099).astype(np.float32), shape)


def save(name, nodes, inputs, initializers):
    infos = [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in inputs.items()]
    graph = helper.make_graph(nodes, name, infos, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(value, key) for key, value in initializers.items()])
    path = f"{folder}/{name}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def product(name, rows, steps, columns):
    return save(name, [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": [rows, steps]}, {"w": random(steps, columns)})


def convolution(name, batch, channels, size):
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    return save(name, [node], {"x": [batch, channels, size, size]}, {"w": random(channels, channels, 3, 3)})


def attention(name, heads, length, depth, rest=0, masked=False):
    nodes = [helper.make_node("Transpose", ["k"], ["t"], perm=[0, 1, 3, 2]), helper.make_node("MatMul", ["q", "t"], ["s"]),
             helper.make_node("Mul", ["s", "c"], ["m"])]
    nodes += [helper.make_node("Add", ["m", "mask"], ["b"])] if masked else []
    nodes += [helper.make_node("Softmax", ["b" if masked else "m"], ["p"], axis=-1), helper.make_node("MatMul", ["p", "v"], ["y"])]
    inputs = {"q": [1, heads, length, depth], "k": [1, heads, length + rest, depth], "v": [1, heads, length + rest, depth]}
    if masked:
        inputs["mask"] = [length, length + rest]
    return save(name, nodes, inputs, {"c": np.array(depth**-0.5, np.float32)})


def kernels(path):
    """The instructions of each kernel of a cubin, as pairs of 64 bits."""
    data = open(path, "rb").read()
    sections, (count, names) = struct.unpack_from("<Q", data, 0x28)[0], struct.unpack_from("<HH", data, 0x3C)
    headers = [struct.unpack_from("<IIQQQQ", data, sections + 64 * i) for i in range(count)]
    for header in headers:
        begin = headers[names][4] + header[0]
        name = data[begin:data.index(b"\0", begin)].decode()
        if name.startswith(".text."):
            code = data[header[4]:header[4] + header[5]]
            yield name[len(".text."):], list(struct.iter_unpack("<QQ", code))


def kind(instruction):
    return OPCODES.get(instruction[0] & 0xFFF, "other")


def branch_offset(instruction):
    """From the next instruction, in instructions. Eight more bits, the lowest, are elsewhere on 9.0."""
    low, high = instruction
    offset = low >> 34 | (high & 0x3FFFF) << 30
    offset -= (offset >> 47) << 48
    if target == "sm_90":
        offset = offset << 8 | low >> 16 & 0xFF
    return offset * 4 // 16


def inner_loop(code):
    """The shortest loop that has as many products as any."""
    loops = []
    for end, instruction in enumerate(code):
        if kind(instruction) == "branch":
            begin = end + 1 + branch_offset(instruction)
            if 0 <= begin < end:
                loops.append(code[begin:end + 1])
    counts = [sum(kind(instruction) == "product" for instruction in body) for body in loops]
    return min((body for body, products in zip(loops, counts) if products == max(counts)), key=len) if loops else []


def access_bytes(instruction):
    """Of a warp's access to shared memory: the width of a thread's is in bits 73 to 75."""
    if kind(instruction) == "ldmatrix":
        return 512
    return 32 * (1, 1, 2, 2, 4, 8, 16, 16)[instruction[1] >> 9 & 7]


def analyse(body, warps):
    counts = Counter(kind(instruction) for instruction in body)
    accessed = sum(access_bytes(instruction) for instruction in body if kind(instruction) in ("ldmatrix", "load", "store", "copy"))
    cycles = {"tensor": PRODUCT_CYCLES * counts["product"], "issue": len(body), "shared": 4 * accessed / 128, "mufu": 8 * counts["mufu"],
              "alone": sum(high >> 41 & 15 for _, high in body) / warps}
    return counts, cycles


def check(name, path, options, blocks, least):
    """With `blocks` blocks on a multiprocessor at a time."""
    stem = f"{folder}/{name}"
    subprocess.run([lathe, "compile", path, f"--target={target}", "--emit=ptx", "-o", f"{stem}.ptx", *options], check=True)
    command = [ptxas, "-v", f"-arch={ARCHITECTURE}", f"{stem}.ptx", "-o", f"{stem}.cubin"]
    report = subprocess.run(command, text=True, capture_output=True, check=True).stderr
    registers = dict(re.findall(r"entry function '(\w+)'(?:.|\n)*?Used (\d+) registers", report))
    text = open(f"{stem}.ptx").read()
    good, found = True, False
    for kernel, code in kernels(f"{stem}.cubin"):
        body = inner_loop(code)
        counts = Counter(kind(instruction) for instruction in body)
        if counts["product"] < 16:
            continue
        found = True
        ptx = text[text.index(f".entry {kernel}("):].split(".entry", 2)[1]
        threads = int(re.search(r"\.(?:max|req)ntid (\d+)", ptx)[1])
        counts, cycles = analyse(body, blocks * threads // 128)
        share = cycles["tensor"] / max(cycles.values())
        whole = sum(kind(instruction) == "product" for instruction in code) >= ptx.count("mma.sync")
        fits = blocks * threads * int(registers[kernel]) <= REGISTERS
        spilled = any(kind(instruction) == "local" for instruction in code)
        passed = share >= least and not spilled and whole and fits
        good = good and passed
        print(f"{name} {kernel}: {'' if passed else 'FAILED '}{share:.2f} of {least}; cycles",
              ", ".join(f"{key} {value:.0f}" for key, value in cycles.items()) + ";", dict(counts), f"{registers[kernel]} registers", flush=True)
    if not found:
        print(f"{name}: FAILED, no loop of products")
    return good and found


if not os.access(ptxas, os.X_OK):
    print("no ptxas on this machine")
    sys.exit(77)
os.makedirs(folder, exist_ok=True)
np.save(f"{folder}/x.npy", random(4096, 1024))
bf16, f16, tf32 = (["--precision=" + each] for each in ("bf16", "f16", "tf32"))
int8 = ["--quantize=int8", f"--calibrate={folder}/x.npy"]
gemm, conv = product("gemm", 4096, 1024, 4096), convolution("conv", 32, 128, 28)
# Blocks on a multiprocessor on 8.0 and on 9.0, and the least share.
cases = [
    ("gemm-bf16", gemm, bf16, (2, 1), (0.95, 0.95)),
    ("gemm-f16", gemm, f16, (2, 1), (0.95, 0.95)),
    ("gemm-tf32", gemm, tf32, (2, 1), (0.95, 0.95)),
    ("conv-bf16", conv, bf16, (2, 2), (0.95, 0.9)),
    ("conv-f16", conv, f16, (2, 2), (0.95, 0.9)),
    ("conv-tf32", conv, tf32, (2, 2), (0.95, 0.95)),
    ("gemm-int8", gemm, int8, (2, 1), (0.95, 0.95)),
    ("attention-bf16", attention("attention", 16, 4096, 64), bf16, (2, 2), (0.95, 0.95)),
    ("attention-f16", attention("attention", 16, 4096, 64), f16, (2, 2), (0.95, 0.95)),
    ("attention-tf32", attention("attention", 16, 4096, 64), tf32, (2, 2), (0.95, 0.7)),
    ("attention-96-bf16", attention("attention-96", 16, 4096, 96), bf16, (2, 2), (0.95, 0.95)),
    ("attention-128-bf16", attention("attention-128", 16, 4096, 128), bf16, (2, 2), (0.95, 0.8)),
    ("attention-128-f16", attention("attention-128", 16, 4096, 128), f16, (2, 2), (0.95, 0.8)),
    ("attention-masked-bf16", attention("attention-masked", 16, 4096, 64, masked=True), bf16, (2, 2), (0.75, 0.55)),
    # Lengths that are no multiple of a tile have a loop of their own for the rest, whose registers count, too.
    ("attention-128-rest-bf16", attention("attention-128-rest", 16, 4000, 128, rest=100), bf16, (2, 2), (0.8, 0.6)),
]
which = ("sm_80", "sm_90").index(target)
results = [check(name, path, options, blocks[which], least[which]) for name, path, options, blocks, least in cases]
sys.exit(not all(results))
