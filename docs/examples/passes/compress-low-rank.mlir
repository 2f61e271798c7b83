// lathe-opt --compress-low-rank=spec=energy:0.99 multiple=16 --canonicalize --mlir-elide-elementsattrs-if-larger=32 --mlir-elide-resource-strings-if-larger=32
func.func @main(%x: tensor<64x256xf32>) -> tensor<64x256xf32> {
  %w = onnx.Constant dense<0.5> : tensor<256x256xf32>
  %y = nn.linear %x, %w : (tensor<64x256xf32>, tensor<256x256xf32>) -> tensor<64x256xf32> loc("project")
  return %y : tensor<64x256xf32>
}
