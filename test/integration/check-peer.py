#!/usr/bin/python3
"""Runs a model with ONNX Runtime and compares its output with a reference: that the model is what the reference is of.

    check-peer.py RUN-ORT MODEL INPUT.npy OUTPUT.npy

Exits with 77 (skipped) where Node, or onnxruntime-node in tools/bench, is missing.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

run_ort, model, input_file, output_file = sys.argv[1:]
modules = os.path.join(os.path.dirname(run_ort), "../../tools/bench/node_modules/onnxruntime-node")
if not shutil.which("node") or not os.path.isdir(modules):
    print("skipped: no onnxruntime-node (npm ci --ignore-scripts in tools/bench)")
    sys.exit(77)
given, expected = np.load(input_file), np.load(output_file)
with tempfile.TemporaryDirectory() as folder:
    shutil.copy(model, f"{folder}/model.onnx")
    given.tofile(f"{folder}/input.bin")
    entry = {"name": "input", "type": str(given.dtype), "dims": given.shape, "file": "input.bin"}
    with open(f"{folder}/manifest.json", "w") as file:
        json.dump({"inputs": [entry], "outputs": ["output"]}, file)
    subprocess.run(["node", run_ort, folder], check=True)
    with open(f"{folder}/outputs.json") as file:
        [output] = json.load(file)
    actual = np.fromfile(f"{folder}/{output['file']}", output["type"]).reshape(output["dims"])
if actual.shape != expected.shape or not np.allclose(actual, expected, rtol=1e-3, atol=1e-5):
    sys.exit(f"expected the reference's output of shape {expected.shape}, but got one of {actual.shape} that differs by "
             f"{np.abs(actual.ravel() - expected.ravel()).max() if actual.size == expected.size else 'its size'}")
