"""Whether ptxas takes every kernel of models: check-ptx.py LATHE PTXAS FOLDER TARGET MODEL [OPTIONS...]

Assembles them as the driver does, at ptxas's own level, each kernel once: equal ones, of this model or of another one whose FOLDER is
beside this one, differ in their names only. What passed is kept there, by the hash of ptxas's version and the text, and not assembled
again. Exits with 1 if ptxas refuses a kernel, or if one spills registers to memory; with 77, which CTest counts as skipped, where there
is no ptxas.
"""
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

MACHINES = {"sm_80": "sm_80", "sm_90": "sm_90a"}


def split(module):
    """The kernels of a module by their names, each with what is declared for all. In their text, name and labels are those of any."""
    begins = [match.start() for match in re.finditer(r"^(?:\.visible )?\.entry ", module, re.M)]
    header = "".join(line + "\n" for line in module[:begins[0]].splitlines() if line and not line.startswith(("//", "\t//")))
    for begin, end in zip(begins, begins[1:] + [len(module)]):
        body = module[begin:module.rindex("\n}", begin, end) + 3]
        name = re.match(r"(?:\.visible )?\.entry (\w+)", body)[1]
        code = re.sub(rf"\b(\w*?){name}(_param_\d+|_\d+)?\b", r"\1kernel\2", header + body)
        yield name, re.sub(r"\$L__BB\d+_", "$L__BB_", code)


def assemble(ptxas, machine, folder, name, code):
    """What ptxas says of a kernel, and the bytes that it spills; None if it refuses it."""
    source = os.path.join(folder, f"{name}_{machine}.ptx")
    with open(source, "w") as file:
        file.write(code)
    result = subprocess.run([ptxas, "-v", f"-arch={machine}", source, "-o", source[:-len("ptx")] + "cubin"], text=True, capture_output=True)
    report = result.stdout + result.stderr
    spills = [int(text) for text in re.findall(r"(\d+) bytes spill", report)]
    return report, sum(spills) if result.returncode == 0 and len(spills) == 2 else None


def main(lathe, ptxas, folder, target, model, *options):
    if not os.access(ptxas, os.X_OK):
        print("no ptxas on this machine")
        return 77
    passed = os.path.join(os.path.dirname(folder), "passed")
    for path in (folder, passed):
        os.makedirs(path, exist_ok=True)
    module = os.path.join(folder, os.path.splitext(os.path.basename(model))[0] + "_" + target + ".ptx")
    subprocess.run([lathe, "compile", model, f"--target={target}", "--emit=ptx", "-o", module, *options], check=True)
    version = subprocess.run([ptxas, "--version"], text=True, capture_output=True, check=True).stdout
    with open(module) as file:
        kernels = list(split(file.read()))
    unique = {hashlib.sha256((version + code).encode()).hexdigest(): (name, code) for name, code in kernels}
    new = {key: kernel for key, kernel in unique.items() if not os.path.exists(os.path.join(passed, key))}
    good = bool(kernels)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {key: pool.submit(assemble, ptxas, MACHINES[target], folder, *kernel) for key, kernel in new.items()}
        for key, job in jobs.items():
            report, spilled = job.result()
            if spilled == 0:
                open(os.path.join(passed, key), "w").close()
                continue
            good = False
            print(f"{new[key][0]}: {'refused' if spilled is None else f'{spilled} bytes spilled'}\n{report}")
    print(f"{len(kernels)} kernels, {len(unique)} different ones, {len(new)} assembled")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
