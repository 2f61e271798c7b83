#!/usr/bin/python3
"""The end of a detector, from scores and boxes to what it found, against ONNX Runtime.

    check-detector.py RUN-ORT LATHE FOLDER TARGET

As exporters write it: the best boxes of each class by NonMaxSuppression, what they select by Gather and GatherND, the best of all by TopK
with as many as there are, and a threshold by NonZero. Exits with 77 (skipped) where Node, or onnxruntime-node in tools/bench, is missing.
"""
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

run_ort, lathe, folder, target = sys.argv[1:]
modules = os.path.join(os.path.dirname(run_ort), "../../tools/bench/node_modules/onnxruntime-node")
if not shutil.which("node") or not os.path.isdir(modules):
    print("skipped: no onnxruntime-node (npm ci --ignore-scripts in tools/bench)")
    sys.exit(77)
os.makedirs(folder, exist_ok=True)
BOXES, CLASSES, CHANNELS = 60, 3, 8
OUTPUTS = ["boxes", "scores", "labels", "sure", "mean", "count"]
rng = np.random.default_rng(11)


def make_model():
    constants = {"most": np.int64([10]), "overlap": np.float32([0.5]), "least": np.float32([0.3]), "zero": np.int64([0]), "one": np.int64([1]),
                 "two": np.int64([2]), "far": np.int64([2**40]), "last": np.int64([-1]), "limit": np.int64([7]), "half": np.float32(0.6),
                 "weight": rng.standard_normal((CHANNELS, CLASSES)).astype(np.float32)}
    nodes = [
        ("MatMul", ["features", "weight"], ["product"]), ("Add", ["product", "bias"], ["logits"]), ("Sigmoid", ["logits"], ["by_box"]),
        ("Transpose", ["by_box"], ["by_class"], {"perm": [0, 2, 1]}),
        ("NonMaxSuppression", ["places", "by_class", "most", "overlap", "least"], ["selected"]),
        ("Slice", ["selected", "two", "far", "one"], ["box_column"]), ("Slice", ["selected", "one", "two", "one"], ["class_column"]),
        ("Squeeze", ["box_column", "one"], ["box"]), ("Squeeze", ["class_column", "one"], ["class"]),
        ("Squeeze", ["places", "zero"], ["all_places"]), ("Gather", ["all_places", "box"], ["kept"], {"axis": 0}),
        ("GatherND", ["by_class", "selected"], ["kept_scores"]),
        # As many as there are, but no more than the limit.
        ("Shape", ["kept_scores"], ["found"]), ("Min", ["found", "limit"], ["k"]),
        ("TopK", ["kept_scores", "k"], ["scores", "order"]), ("Gather", ["kept", "order"], ["boxes"]),
        ("Gather", ["class", "order"], ["labels"]),
        ("Greater", ["scores", "half"], ["is_sure"]), ("NonZero", ["is_sure"], ["sure_at"]), ("Reshape", ["sure_at", "last"], ["sure_list"]),
        ("Gather", ["boxes", "sure_list"], ["sure"]), ("ReduceSum", ["kept_scores", "zero"], ["mean"], {"keepdims": 1}),
        ("Shape", ["sure"], ["count"])]
    graph = helper.make_graph(
        [helper.make_node(*node[:3], name=node[2][0], **(node[3] if len(node) > 3 else {})) for node in nodes], "detector",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, BOXES, CHANNELS]),
         helper.make_tensor_value_info("bias", TensorProto.FLOAT, [1]),
         helper.make_tensor_value_info("places", TensorProto.FLOAT, [1, BOXES, 4])],
        [helper.make_empty_tensor_value_info(name) for name in OUTPUTS], [numpy_helper.from_array(v, n) for n, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), f"{folder}/model.onnx")


def run_peer(inputs):
    manifest = {"inputs": [], "outputs": OUTPUTS}
    for name, value in inputs.items():
        value.tofile(f"{folder}/{name}.bin")
        manifest["inputs"].append({"name": name, "type": str(value.dtype), "dims": value.shape, "file": f"{name}.bin"})
    with open(f"{folder}/manifest.json", "w") as file:
        json.dump(manifest, file)
    subprocess.run(["node", run_ort, folder], check=True)
    with open(f"{folder}/outputs.json") as file:
        return [np.fromfile(f"{folder}/{y['file']}", y["type"]).reshape(y["dims"]) for y in json.load(file)]


make_model()
subprocess.run([lathe, "compile", f"{folder}/model.onnx", "--name=detector", "-o", f"{folder}/detector.o", f"--target={target}"], check=True)
counts, good = set(), True
# From a picture with nothing in it to one full of boxes.
for bias in (-99, -8, -6, -5, 0, 3):
    corners = rng.random((1, BOXES, 2)).astype(np.float32)
    inputs = {"features": rng.standard_normal((1, BOXES, CHANNELS)).astype(np.float32), "bias": np.float32([bias]),
              "places": np.concatenate([corners, corners + 0.25], 2)}
    expected = run_peer(inputs)
    command = [lathe, "run", f"{folder}/detector.o"]
    for name, value in inputs.items():
        np.save(f"{folder}/{name}.npy", value)
        command += ["--input", f"{name}={folder}/{name}.npy"]
    for name, value in zip(OUTPUTS, expected):
        np.save(f"{folder}/expected-{name}.npy", value)
        command += ["--check", f"{name}={folder}/expected-{name}.npy"]
    result = subprocess.run(command, capture_output=True, text=True)
    counts.add(expected[1].shape[0])
    if result.returncode:
        print(f"bias {bias}: {result.stdout}{result.stderr}")
        good = False
print(f"numbers of boxes: {sorted(counts)}")
sys.exit(not good or len(counts) < 3)
