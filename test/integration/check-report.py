#!/usr/bin/python3
"""Limits what 4-bit weights may cost a language model, and checks the report and the recipe that come of it.

    check-report.py LATHE MODEL.onnx TOKENS.npy FOLDER
"""
import json
import os
import subprocess
import sys

import numpy as np

lathe, model, tokens, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
few, report, recipe = (os.path.join(folder, name) for name in ("tokens.npy", "report.json", "recipe.yaml"))
np.save(few, np.load(tokens)[:4])
# The first block and the head.
data = [model, f"--tokens={few}", "--quantize=w4", "--quantize-skip=/lm/blocks.[123]/*"]


def run(*arguments):
    return subprocess.run([lathe, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def expect(condition, what):
    if not condition:
        sys.exit(f"expected {what}")


whole = json.loads(run("eval", *data, "--json"))
drop = 100 * (whole["perplexity"] / whole["float"]["perplexity"] - 1)
expect(drop > 0, "4-bit weights to cost something")
run("eval", *data, f"--max-drop={drop / 2}", f"--report={report}", f"--save-recipe={recipe}")
with open(report, encoding="utf-8") as file:
    result = json.load(file)
builds = {build["name"]: build for build in result["builds"]}
exact, asked, final = (builds[name] for name in ("float", "quantize=w4", "with --max-drop"))
allowed = exact["perplexity"] * (1 + drop / 200)
expect(asked["perplexity"] == whole["perplexity"], "the same build to have the same perplexity")
expect(final["perplexity"] <= allowed, f"a perplexity of at most {allowed}, but got {final['perplexity']}")
expect(asked["weight_bytes"] < final["weight_bytes"] < exact["weight_bytes"], "some layers, not all, to be reverted")

reverted = {text.removeprefix("quantize of ") for text in result["reverted"]}
notes = {layer["node"]: layer["notes"] for layer in result["layers"]}
for node in reverted:
    expect(any(not note["applied"] for note in notes[node]), f"{node} to be left alone")
changed = [layer for layer in result["layers"] if any(note["applied"] for note in layer["notes"])]
expect(changed, "layers that stay quantized")
for layer in changed:
    expect(layer["after"]["weight_bytes"] < layer["before"]["weight_bytes"], f"{layer['node']} to be smaller")
    expect(layer["after"]["macs"] == layer["before"]["macs"], f"{layer['node']} to compute as much as before")

again = json.loads(run("eval", model, f"--tokens={few}", f"--recipe={recipe}", "--no-drift", "--json"))
expect(again["perplexity"] == final["perplexity"], f"the recipe to give {final['perplexity']}, but got {again['perplexity']}")
