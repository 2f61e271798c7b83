"""Whether ptxas takes every kernel of models: check-ptx.py LATHE PTXAS FOLDER TARGET MODEL [OPTIONS...]

Exits with 1 if it refuses one, or if a kernel spills registers to memory; with 77, which CTest counts as skipped, where there is
no ptxas.
"""
import os
import re
import subprocess
import sys

MACHINES = {"sm_80": "sm_80", "sm_90": "sm_90a"}


def main(lathe, ptxas, folder, target, model, *options):
    if not os.access(ptxas, os.X_OK):
        print("no ptxas on this machine")
        return 77
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, os.path.splitext(os.path.basename(model))[0] + "_" + target)
    subprocess.run([lathe, "compile", model, f"--target={target}", "--emit=ptx", "-o", stem + ".ptx", *options], check=True)
    command = [ptxas, "-v", "-O1", f"-arch={MACHINES[target]}", stem + ".ptx", "-o", stem + ".cubin"]
    result = subprocess.run(command, text=True, capture_output=True)
    report = result.stdout + result.stderr
    kernels = re.findall(r"Compiling entry function '(\S+)' for", report)
    spills = [int(text) for text in re.findall(r"(\d+) bytes spill", report)]
    registers = [int(text) for text in re.findall(r"Used (\d+) registers", report)]
    if result.returncode or not kernels or len(spills) != 2 * len(kernels) or any(spills):
        print(report)
        return 1
    print(f"{len(kernels)} kernels, at most {max(registers)} registers, no spills")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
