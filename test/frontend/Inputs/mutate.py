"""Imports damaged copies of a model: mutate.py MODEL FILE LATHE. Each run must end with a module or with errors, not with a signal."""
import random
import subprocess
import sys


def main():
    source, target, lathe = sys.argv[1:4]
    with open(source, "rb") as file:
        good = file.read()
    chance = random.Random(1)
    for round_ in range(40):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 8)):
            # Nodes and tensor headers are at the front and behind each weight; hit both.
            place = chance.randrange(4000) if chance.random() < 0.7 else chance.randrange(len(data))
            data[place] = chance.randrange(256)
        if round_ % 8 == 0:
            del data[chance.randrange(len(data)):]
        with open(target, "wb") as file:
            file.write(data)
        done = subprocess.run([lathe, "compile", target, "--compile-to=import", "-o", target + ".mlir"], capture_output=True)
        if done.returncode < 0 or done.returncode > 2 or (done.returncode and b"error:" not in done.stderr):
            sys.exit(f"round {round_}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')}")


if __name__ == "__main__":
    main()
