// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-gpu-emit-kernels),canonicalize)' -split-input-file | FileCheck %s

// A warp normalises a token's metric, summed over heads; a warp finds the target of a source; a thread ranks a source; a thread
// gathers an element, and the first of a token its size.
// CHECK-LABEL: func.func @merge
// CHECK-DAG: %[[NORMAL:.*]] = memref.alloc(%{{.*}}) : memref<?x9x8xf32>
// CHECK: %[[BEST:.*]] = memref.alloc(%{{.*}}) : memref<?x5xf32>
// CHECK: %[[TARGETS:.*]] = memref.alloc(%{{.*}}) : memref<?x5xi32>
// CHECK: %[[PLACES:.*]] = memref.alloc(%{{.*}}) : memref<?x5xi32>
// CHECK: gpu.launch {{.*}} threads(%{{.*}} in (%{{.*}} = %c32,
// CHECK: memref.load %arg1[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : memref<?x9x3x8xf32>
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: math.sqrt
// CHECK: memref.store %{{.*}}, %[[NORMAL]]
// CHECK: gpu.launch {{.*}} threads(%{{.*}} in (%{{.*}} = %c32,
// CHECK-COUNT-10: gpu.shuffle xor
// CHECK: memref.store %{{.*}}, %[[BEST]]
// CHECK: memref.store %{{.*}}, %[[TARGETS]]
// CHECK: scf.parallel
// CHECK: memref.load %[[BEST]]
// CHECK: arith.cmpi ult, %{{.*}}, %c2
// CHECK: memref.store %{{.*}}, %[[PLACES]]
// CHECK: scf.parallel (%{{.*}}, %{{.*}}, %[[C:.*]]) =
// CHECK: memref.load %[[PLACES]]
// CHECK: memref.load %arg2
// CHECK: memref.store %{{.*}}, %arg3
// CHECK: arith.cmpi eq, %[[C]], %c0
// CHECK: memref.store %{{.*}}, %arg4
// CHECK-NOT: nn.token_merge
func.func @merge(%x: memref<?x9x24xbf16>, %m: memref<?x9x3x8xf32>, %s: memref<?x9xf32>, %y: memref<?x7x24xbf16>, %n: memref<?x7xf32>) {
  nn.token_merge %x metric(%m) sizes(%s) outs(%y, %n) {r = 2 : i64, protect_class}
    : (memref<?x9x24xbf16>, memref<?x9x3x8xf32>, memref<?x9xf32>, memref<?x7x24xbf16>, memref<?x7xf32>) -> ()
  return
}

// -----

// The class's scores, their softmax in place, the importance, who is kept, and the result.
// CHECK-LABEL: func.func @prune
// CHECK-DAG: %[[SCORES:.*]] = memref.alloc() : memref<2x3x9xf32>
// CHECK-DAG: %[[IMPORTANCE:.*]] = memref.alloc() : memref<2x9xf32>
// CHECK-DAG: %[[MARKS:.*]] = memref.alloc() : memref<2x9xi32>
// CHECK: scf.parallel
// CHECK: math.fma
// CHECK: math.log
// CHECK: memref.store %{{.*}}, %[[SCORES]]
// CHECK: gpu.launch {{.*}} in (%{{.*}} = %c6,
// CHECK-COUNT-10: gpu.shuffle xor
// CHECK: memref.store %{{.*}}, %[[SCORES]]
// CHECK: scf.parallel
// CHECK: memref.store %{{.*}}, %[[IMPORTANCE]]
// CHECK: scf.parallel
// CHECK: memref.store %{{.*}}, %[[MARKS]]
// CHECK: scf.parallel
// CHECK: memref.store %{{.*}}, %arg4
// CHECK: } else {
// CHECK: memref.load %[[IMPORTANCE]]
// CHECK: memref.store %{{.*}}, %arg4
// CHECK-NOT: nn.token_prune
func.func @prune(%x: memref<2x9x24xf32>, %q: memref<2x9x3x8xf32>, %k: memref<2x9x3x8xf32>, %s: memref<2x9xf32>,
                 %y: memref<2x6x24xf32>, %n: memref<2x6xf32>) {
  nn.token_prune %x query(%q) key(%k) sizes(%s) outs(%y, %n) {kept = 4 : i64, scale = 0.125 : f32}
    : (memref<2x9x24xf32>, memref<2x9x3x8xf32>, memref<2x9x3x8xf32>, memref<2x9xf32>, memref<2x6x24xf32>, memref<2x6xf32>) -> ()
  return
}
