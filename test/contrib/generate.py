#!/usr/bin/python3
"""Writes backend tests with outputs that ONNX Runtime computes, of what ONNX does not test: operators of com.microsoft, and
forms of its own operators.

    generate.py [NAME...]    writes test/contrib/data/test_NAME, in ONNX's backend-test layout; all without names

Inputs come from a fixed seed for each case. Needs node, and `npm ci --ignore-scripts` in tools/bench.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from cases import CASES, Case
import cases_attention, cases_nn, cases_onnx, cases_quantized, cases_recurrent  # noqa: F401: each adds its cases

HERE = Path(__file__).resolve().parent


def run(made):
    """The outputs that ONNX Runtime computes, by name."""
    with tempfile.TemporaryDirectory() as folder:
        model, outputs = made.model(None)
        onnx.save(model, f"{folder}/model.onnx")
        inputs = []
        for name, array in made.inputs.items():
            array.tofile(f"{folder}/{name}.bin")
            inputs.append({"name": name, "type": str(array.dtype), "dims": array.shape, "file": f"{name}.bin"})
        Path(folder, "manifest.json").write_text(json.dumps({"inputs": inputs, "outputs": outputs}))
        subprocess.run(["node", HERE / "run-ort.mjs", folder], check=True)
        results = {}
        for entry in json.loads(Path(folder, "outputs.json").read_text()):
            results[entry["name"]] = np.fromfile(f"{folder}/{entry['file']}", entry["type"]).reshape(entry["dims"])
        return results


def write(name):
    made = CASES[name](Case(name))
    results = run(made.reference)
    model, outputs = made.model(results)
    folder = HERE / "data" / f"test_{name}"
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / "model.onnx"))
    for kind, arrays in (("input", made.inputs.values()), ("output", [results[o] for o in outputs])):
        for index, array in enumerate(arrays):
            (data / f"{kind}_{index}.pb").write_bytes(numpy_helper.from_array(np.asarray(array, order="C")).SerializeToString())


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        print(name, flush=True)
        write(name)
