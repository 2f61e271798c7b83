#!/usr/bin/python3
"""Compressed models in an emulator against the same ones on this machine.

    LATHE=lathe EMULATOR="..." check-formats.py RUN_EMULATED MODELS FOLDER NAME,...|all TARGET_OPTIONS...

Sums of bytes are exact everywhere. Activations that lie between two levels may be rounded to another one where f32 sums, which end
in other orders, differ in their last bit; that is bounded by a share of the largest output. How many channels are pruned and which ranks
are kept depends on the lanes of the machine, so these models differ; their layers are dense ones.
"""
import os
import subprocess
import sys

import numpy as np

emulated, models, folder, names, *target = sys.argv[1:]
lathe = os.environ["LATHE"]
EXACT, LEVELS = 1e-4, 0.05
PREPROCESS = "--preprocess=scale=1/255,offset=-0.5"
CALIBRATE = [f"--calibrate={models}/calib.npz", PREPROCESS]
FORMATS = [
    ("int8-resnet", "glyph_resnet", LEVELS, ["--quantize=int8", *CALIBRATE]),
    ("int8-mobilenet", "glyph_mobilenet", LEVELS, ["--quantize=int8", *CALIBRATE]),
    ("int8-vit", "glyph_vit", LEVELS, ["--quantize=int8", *CALIBRATE]),
    ("w4", "glyph_vit", EXACT, ["--quantize=w4"]),
    ("w4-tf32", "glyph_vit", 5e-3, ["--quantize=w4", "--precision=tf32"]),
    ("bf16", "glyph_vit", EXACT, ["--precision=bf16"]),
    ("sparse", "glyph_vit", EXACT, ["--prune=magnitude:0.9"]),
    ("tokens", "glyph_vit", EXACT, ["--token-merge=r:4"]),
]


def check(name, model, share, flags):
    """True if both machines agree to a share of the largest output."""
    command = [f"{models}/{model}.onnx", "--dim", "batch=1", *flags]
    inputs = ["--input", f"input={models}/ref/{model}_b1/input.npy"]
    output = f"{folder}/{name}"
    os.makedirs(output, exist_ok=True)
    # AVX2 has no products of bf16, for which activations are rounded, too.
    host = [lathe, "run", *command, *inputs, "--target=x86-64-v3", f"--output-dir={output}"]
    subprocess.run(host, check=True, stdout=subprocess.DEVNULL)
    largest = np.max(np.abs(np.load(f"{output}/logits.npy")))
    result = subprocess.run([emulated, "run", *command, *inputs, *target, "--check", f"logits={output}/logits.npy", "--rtol=0",
                             f"--atol={share * largest}"], capture_output=True, text=True)
    print(f"{name}: {'agrees' if result.returncode == 0 else result.stderr[-500:]}")
    return result.returncode == 0


chosen = [case for case in FORMATS if names == "all" or case[0] in names.split(",")]
sys.exit(not chosen or not all([check(*case) for case in chosen]))
