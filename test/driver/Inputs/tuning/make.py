"""Prints a file of choices for the target that a module in MLIR (argument) is for: for one kernel of glyph_resnet, and for
one that no model has."""
import re
import sys

with open(sys.argv[1]) as file:
    text = file.read()
target = dict(re.findall(r'(triple|cpu|features) = "([^"]*)"', text))
print(f"""format: 1
machines:
  - triple: {target["triple"]}
    cpu: {target["cpu"]}
    features: '{target["features"]}'
    lathe: 0.1.0
    kernels:
      - op: nn.conv
        types: '(tensor<1x16x16x32xf32>, tensor<3x3x32x32xf32>) -> tensor<1x16x16x32xf32>'
        attributes: '{{pads = array<i64: 1, 1, 1, 1>}}'
        choice: {{ winograd: 0, panel-width: 16, tile-rows: 8 }}
      - op: nn.matmul
        types: '(tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>'
        choice: {{ tasks: 4 }}""")
