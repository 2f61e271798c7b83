// Rows that are as short as a vector are vectors, not rows of others that are gathered.

// RUN: lathe compile %s --target=x86-64-v4 --emit=asm -o - | FileCheck %s --check-prefix=AVX512
// RUN: lathe compile %s --target=aarch64 --emit=asm -o - | FileCheck %s --check-prefix=NEON
// AVX512-LABEL: kernel_generic_0:
// AVX512-NOT: scatter
// AVX512: vmulps{{.*}}%zmm
// AVX512-NOT: scatter
// AVX512: ret
// NEON-LABEL: kernel_generic_0:
// NEON: fmul v{{.*}}.4s
// NEON: ret
#all = affine_map<(i, j, k) -> (i, j, k)>
#scale = affine_map<(i, j, k) -> (j)>
func.func @main(%x: tensor<5x48x16xf32> {onnx.name = "x"}, %s: tensor<48xf32> {onnx.name = "s"})
    -> (tensor<5x48x16xf32> {onnx.name = "y"}) {
  %e = tensor.empty() : tensor<5x48x16xf32>
  %y = linalg.generic {indexing_maps = [#all, #scale, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %s : tensor<5x48x16xf32>, tensor<48xf32>) outs(%e : tensor<5x48x16xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<5x48x16xf32>
  return %y : tensor<5x48x16xf32>
}
