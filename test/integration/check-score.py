#!/usr/bin/python3
"""Runs `lathe eval --json` and compares a score.

    check-score.py accuracy PERCENT COMMAND...      at least PERCENT
    check-score.py perplexity VALUE COMMAND...      at most VALUE
"""
import json
import subprocess
import sys

kind, bound = sys.argv[1], float(sys.argv[2])
result = subprocess.run(sys.argv[3:], stdout=subprocess.PIPE, check=False)
if result.returncode:
    sys.exit(result.returncode)
report = json.loads(result.stdout)
print(json.dumps(report, indent=2))
good = report[kind] * 100 >= bound if kind == "accuracy" else report[kind] <= bound
if not good:
    sys.exit(f"expected {kind} {bound}, but got {report[kind]}")
