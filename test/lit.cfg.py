"""How lit runs Lathe's tests: .mlir files through lathe-opt, .test files through the driver."""
import os
import subprocess

import lit.formats

config.name = "lathe"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "models", "unit", "conformance", "contrib"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.lathe_binary_dir, "test")

path = [os.path.join(config.lathe_binary_dir, "bin"), config.llvm_tools_dir, config.environment["PATH"]]
config.environment["PATH"] = os.pathsep.join(path)
# Debian's Python has numpy and onnx; another one in the user's path may not.
config.substitutions += [
    ("%python", "/usr/bin/python3"),
    ("%models", os.path.join(config.test_source_root, "models")),
    ("%source", config.lathe_source_dir),
    ("%build", config.lathe_binary_dir),
    ("%cc", config.c_compiler),
]

# Whether a command may have mounts of its own.
if subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=False, capture_output=True).returncode == 0:
    config.available_features.add("namespaces")
