//===- Passes.td - Passes of the codegen phase ----------------===//
#ifndef PASSES_CODEGEN_PASSES_TD
#define PASSES_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def EmitKernels : Pass<"codegen-emit-kernels", "mlir::func::FuncOp"> {
  let summary = "Turn nn ops and transposes on memrefs into loops over vectors";
  let description = [{
    Contractions become register tiles: accumulators are carried through the reduction loops, the epilogue is
    applied to them before the only store. Transposes of the last dimension turn blocks in registers, in an order that
    reads and writes whole cache lines. The outermost loop of each op is an `scf.parallel` over tasks.

    ```mlir
    nn.linear %x, %w outs(%y) : (memref<28x64xf32>, memref<1x64x32xf32>, memref<28x32xf32>) -> ()
    ```
    becomes, for 512-bit vectors,
    ```mlir
    scf.parallel (%task) = (%c0) to (%c1) step (%c1) {
      scf.for %row = %c0 to %c28 step %c14 {
        %acc:28 = scf.for %k = %c0 to %c64 step %c1 iter_args(...) -> (vector<16xf32>, ...) {
          ... vector.fma ...
        }
        vector.store %acc#0, %y[%row, %c0] ...
      }
    }
    ```
  }];
  let dependentDialects = ["lathe::nn::NNDialect", "mlir::arith::ArithDialect", "mlir::LLVM::LLVMDialect",
                           "mlir::math::MathDialect", "mlir::memref::MemRefDialect", "mlir::scf::SCFDialect",
                           "mlir::vector::VectorDialect"];
}

//===----------------------------------------------------------------------===//
// GPU: grids of threads
//===----------------------------------------------------------------------===//

def GpuEmitKernels : Pass<"codegen-gpu-emit-kernels", "mlir::func::FuncOp"> {
  let summary = "Turn nn ops on memrefs into loops over threads";
  let description = [{
    Each element of a destination is an iteration of one `scf.parallel`. The body is what one thread computes, in scalars; the
    epilogue is applied before the only store. A norm or a softmax is a `gpu.launch` of one block for each row, whose threads
    share their sums. A product whose elements tensor cores multiply is one of four warps for each tile: operands come through
    a pipeline of `nvgpu.device_async_copy`, are read by `nvgpu.ldmatrix` and meet in `nvvm.mma.sync`. Fewer tokens take several
    kernels; what one leaves for the next is in a `memref.alloc`.

    ```mlir
    nn.linear %x, %w outs(%y) : (memref<28x64xf32>, memref<64x32xf32>, memref<28x32xf32>) -> ()
    // becomes
    scf.parallel (%row, %column) = (%c0, %c0) to (%c28, %c32) step (%c1, %c1) {
      %sum = scf.for %k = %c0 to %c64 step %c1 iter_args(%acc = %zero) -> (f32) {
        ... math.fma ...
      }
      memref.store %sum, %y[%row, %column] : memref<28x32xf32>
    }
    ```
  }];
  let dependentDialects = ["mlir::gpu::GPUDialect", "mlir::arith::ArithDialect", "mlir::LLVM::LLVMDialect",
                           "mlir::math::MathDialect", "mlir::memref::MemRefDialect", "mlir::NVVM::NVVMDialect",
                           "mlir::nvgpu::NVGPUDialect", "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"];
}

def GpuPlaceScratch : Pass<"codegen-gpu-place-scratch", "::mlir::ModuleOp"> {
  let summary = "Finds room in the arena for what the kernels of one op leave for each other";
  let description = [{
    A `memref.alloc` in a kernel function becomes an argument, a view of bytes that the arena gets at its end. Kernel functions
    run one after the other, so all share these bytes. Sizes are computed by the caller, and bounded as those of buffers are.

    ```mlir
    func.func @main(%x: memref<4x9x8xf32>, %arena: memref<4096xi8>, %executor: !llvm.ptr) {
      call @kernel_token_merge_0(%x, %executor) : (memref<4x9x8xf32>, !llvm.ptr) -> ()
      return
    }
    func.func private @kernel_token_merge_0(%x: memref<4x9x8xf32>, %executor: !llvm.ptr) {
      %best = memref.alloc() : memref<4x5xf32>
    // becomes
    func.func @main(%x: memref<4x9x8xf32>, %arena: memref<4224xi8>, %executor: !llvm.ptr) {
      %scratch = memref.view %arena[%c4096][] : memref<4224xi8> to memref<4x5xf32>
      call @kernel_token_merge_0(%x, %scratch, %executor) : (memref<4x9x8xf32>, memref<4x5xf32>, !llvm.ptr) -> ()
      return
    }
    func.func private @kernel_token_merge_0(%x: memref<4x9x8xf32>, %best: memref<4x5xf32>, %executor: !llvm.ptr) {
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
}

def GpuMapThreads : Pass<"codegen-gpu-map-threads", "::mlir::ModuleOp"> {
  let summary = "Moves parallel loops of kernels into the device's module, a thread for each iteration";
  let description = [{
    Blocks have 256 threads in one dimension, and so has the grid; neighbours differ in the last induction variable. Threads
    past the last iteration do nothing. What the loop captures becomes an operand of the launch, constants are cloned.

    ```mlir
    func.func private @kernel_fill_0(%a: memref<512xf32>, %executor: !llvm.ptr) {
      scf.parallel (%i) = (%c0) to (%c512) step (%c1) { ... }
    // becomes
    func.func private @kernel_fill_0(%a: memref<512xf32>, %executor: !llvm.ptr) {
      gpu.launch_func @device::@kernel_fill_0_0 blocks in (%c2, %c1, %c1) threads in (%c256, %c1, %c1) args(%a : memref<512xf32>)
    }
    gpu.module @device {
      gpu.func @kernel_fill_0_0(%a: memref<512xf32>) kernel { ... }
    }
    ```
    A `gpu.launch` of blocks of constant size becomes a kernel as it is, with its memory of the block.
    Loads and stores that are left on the host are errors: all data is in the device's memory.
  }];
  let dependentDialects = ["::lathe::nn::NNDialect", "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def GpuEmulate : Pass<"codegen-gpu-emulate", "::mlir::ModuleOp"> {
  let summary = "Runs grids of threads as loops on the host, to prove kernels where there is no GPU";
  let description = [{
    A kernel becomes a function that runs the threads of one block after each other; a launch calls it for each block, in any
    order. The module's target is then its host, `nn.host_target`.

    ```mlir
    gpu.launch_func @device::@kernel_fill_0_0 blocks in (%c2, %c1, %c1) threads in (%c256, %c1, %c1) args(%a : memref<512xf32>)
    // becomes
    scf.parallel (%block) = (%c0) to (%c2) step (%c1) {
      func.call @kernel_fill_0_0(%a, %block, %c0, %c0, %c2, %c1, %c1) : ...
    }
    ```
    A barrier splits the loop over threads in two, one after the other; what a thread computed before it and uses after it is kept
    in an array, and so is what loops around it carry. Memory of the block is on the stack.

    What a warp does together splits the loop, too: `gpu.shuffle xor`, `nvgpu.ldmatrix` and `nvvm.mma.sync` follow the layouts
    of fragments in the PTX ISA. `nvgpu.device_async_copy` is as late as it may be: what it copies is garbage until its thread
    waits for the group, so a missing wait or barrier gives wrong results.
  }];
  let options = [Option<"exportBlocks", "export-blocks", "bool", /*default=*/"false",
                        "Mark the functions of blocks for codegen-gpu-export-blocks">];
  let dependentDialects = ["::lathe::nn::NNDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def GpuDynamicShared : Pass<"codegen-gpu-dynamic-shared", "::mlir::ModuleOp"> {
  let summary = "Lets launches ask for memory of a block that a kernel may not declare";
  let description = [{
    A kernel may declare 48 KB; what is beyond that has to be asked for by each launch.

    ```mlir
    gpu.launch_func @device::@kernel_linear_0_0 blocks in (%b, %c1, %c1) threads in (%c256, %c1, %c1) args(...)
    gpu.module @device {
      gpu.func @kernel_linear_0_0(...) workgroup(%shared: memref<98304xi8, #gpu.address_space<workgroup>>) kernel { ... }
    // becomes
    gpu.launch_func @device::@kernel_linear_0_0 blocks in (%b, %c1, %c1) threads in (%c256, %c1, %c1)
      dynamic_shared_memory_size %c98304 args(...)
    gpu.module @device {
      gpu.func @kernel_linear_0_0(...) kernel {
        %given = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
        %shared = memref.view %given[%c0][] : memref<?xi8, ...> to memref<98304xi8, ...>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect", "::mlir::memref::MemRefDialect"];
}

def GpuToNVVM : Pass<"codegen-gpu-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Converts kernels in gpu.modules to the NVVM dialect";
  let description = [{
    One conversion of gpu, arith, math, memref, scf and vector. Memrefs are passed as the fields of their descriptors; functions
    become instructions, never calls of libdevice. What launches the kernels stays as it is.

    ```mlir
    gpu.module @device {
      gpu.func @kernel_fill_0_0(%a: memref<512xf32>) kernel { ... }
    // becomes
    gpu.module @device {
      llvm.func @kernel_fill_0_0(%base: !llvm.ptr, %a: !llvm.ptr, %offset: i64, %size: i64, %stride: i64)
        attributes {gpu.kernel, nvvm.kernel} { ... }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect", "::mlir::memref::MemRefDialect"];
}

def GpuEmbed : Pass<"codegen-gpu-embed", "::mlir::ModuleOp"> {
  let summary = "Makes kernels a constant of the host's module, and launches calls of the runtime";
  let description = [{
    The code of `@device`, whose kernels are in the NVVM dialect, is generated and becomes the constant `@device_code`; `lathe.device` on
    the module names the kernels, by number, and what a device must have to run them. So is the size of the arena, which is on the
    device: `lathe.workspace_bytes` is 0. A launch stores the sizes of grid and block,
    the bytes of shared memory and the kernel's parameters to an array of words and calls `lathe_cuda_launch` (runtime/include/lathe/cuda_abi.h)
    with the function's last argument, which is what a run hands on. The module's target is then its host, `nn.host_target`.

    ```mlir
    func.func private @kernel_fill_0(%a: memref<512xf32>, %run: !llvm.ptr) {
      gpu.launch_func @device::@kernel_fill_0_0 blocks in (%c2, %c1, %c1) threads in (%c256, %c1, %c1) args(%a : memref<512xf32>)
    // becomes
    llvm.mlir.global internal constant @device_code("// Generated by LLVM NVPTX Back-End ...")
    func.func private @kernel_fill_0(%a: memref<512xf32>, %run: !llvm.ptr) {
      %words = llvm.alloca %c12 x i64 : (i64) -> !llvm.ptr
      ... // llvm.store of each word
      llvm.call @lathe_cuda_launch(%run, %kernel, %words, %count) : (!llvm.ptr, i64, !llvm.ptr, i64) -> ()
    ```
  }];
  let dependentDialects = ["::lathe::nn::NNDialect", "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect"];
}

def GpuExportBlocks : Pass<"codegen-gpu-export-blocks", "::mlir::ModuleOp"> {
  let summary = "Makes the emulated kernels callable as a driver of a GPU would call them";
  let description = [{
    A stand-in of NVIDIA's driver, by which the host's side of a model is tested where there is no GPU, runs kernels by these
    functions. `parameters` are the addresses of the kernel's parameters, as cuLaunchKernel takes them, `ids` the place of the
    block in x, y, z and the grid's sizes. Run it after `codegen-to-llvm`.

    ```mlir
    llvm.func internal @kernel_fill_0_0(%base: !llvm.ptr, ..., %x: i64, ...) attributes {lathe.block_function}
    // gets beside it
    llvm.func @kernel_fill_0_0_block(%parameters: !llvm.ptr, %ids: !llvm.ptr)
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

//===----------------------------------------------------------------------===//
// Common: from tensors to the LLVM dialect
//===----------------------------------------------------------------------===//

def SignaturePass : Pass<"codegen-signature", "::mlir::ModuleOp"> {
  let summary = "Writes the model's interface down as attributes of the module";
  let description = [{
    `lathe.inputs`, `lathe.outputs` and `lathe.dims` say what the descriptor and the C header need, in the order of the
    entry point's structs: a dimension of an input is a size, or -1-k for symbolic dimension k; one of an output is a
    size, or -1 where it must be computed, or -2 where it depends on data. `@output_sizes` computes those from the symbolic
    dimensions; of a size that depends on data, the bound. @main returns the sizes of such outputs, too, in one list of i64 at
    the end, and behind them the status of data that lowering checks (the result `lathe.status`). `lathe.size_conditions` is
    `onnx.size_conditions` of @main, for the entry point to check.

    ```mlir
    func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", ""]}) -> (tensor<?xf32> {onnx.name = "y"})
    // becomes
    module attributes {lathe.dims = [{name = "n", lower = 1 : i64, upper = 512 : i64} ],
                       lathe.inputs = [{name = "x", dtype = 1 : i32, shape = array<i64: -1, 4>, dims = "n, 4"} ],
                       lathe.outputs = [{name = "y", dtype = 1 : i32, shape = array<i64: -1>, dims = "?"} ]} {
      func.func @main(...)
      func.func private @output_sizes(%n: index) -> index
    ```
    Arguments and results of signless type that are unsigned in the model are marked `onnx.unsigned`.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def PadInPlacePass : Pass<"codegen-pad-in-place", "::mlir::func::FuncOp"> {
  let summary = "Lets producers write into the middle of padded buffers, of which only the borders are filled";
  let description = [{
    Bufferisation makes a producer write a slice directly if the buffer around it exists before. Here it does, and the
    slice itself is not filled. Each op gets a `tensor.empty` of its own on the way.

    ```mlir
    %0 = nn.pool max %x outs(%e) {...} : (tensor<1x8x8x4xf32>, tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%big : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
    %2 = tensor.insert_slice %0 into %1[0, 1, 1, 0] [1, 4, 4, 4] [1, 1, 1, 1] : ...
    // becomes
    %top = tensor.extract_slice %big[0, 0, 0, 0] [1, 1, 6, 4] [1, 1, 1, 1] : ...
    %filled = linalg.fill ins(%zero : f32) outs(%top : tensor<1x1x6x4xf32>) -> tensor<1x1x6x4xf32>
    ... // and the other three borders
    %0 = nn.pool max %x outs(%e) ...
    %2 = tensor.insert_slice %0 into %borders[0, 1, 1, 0] [1, 4, 4, 4] [1, 1, 1, 1] : ...
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def CopyConcatsPass : Pass<"codegen-copy-concats", "::mlir::func::FuncOp"> {
  let summary = "Copies the parts of long concatenations at offsets that only a run knows";
  let description = [{
    Bufferisation would compute each part in its place, and for that compares every part of the buffer with every other one.
    It takes a time that is quadratic in their number, and each loop that computes a part would have an address that is a sum of the
    sizes of all before, which LLVM simplifies in such a time again. So from 16 parts on, of which many have offsets that are no
    constants, the whole gets a buffer that the parts are copied to: of a detector, the few boxes that each class has.

    ```mlir
    %0 = tensor.insert_slice %a into %empty[0] [%m] [1] : tensor<?xf32> into tensor<?xf32>
    %1 = tensor.insert_slice %b into %0[%m] [%n] [1] : tensor<?xf32> into tensor<?xf32>
    ...
    // becomes
    %buffer = memref.alloc(%size) : memref<?xf32>
    %part = memref.subview %buffer[%m] [%n] [1] : ...
    %source = bufferization.to_buffer %b read_only : ...
    memref.copy %source, %part : ...
    ...
    %1 = bufferization.to_tensor %buffer restrict : ...
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def BufferizePass : Pass<"codegen-bufferize", "::mlir::ModuleOp"> {
  let summary = "Turns tensors into memrefs; results become output arguments";
  let description = [{
    One-shot bufferisation. Constants become `memref.global`; `tensor.empty`s whose value ends in a result are replaced
    by that output, so that kernels write it directly. An output whose size depends on data is a buffer of bytes, viewed once
    the size is known. Loops carry one buffer each. An output that a result is copied to after all is not used before. Operands
    of nn ops whose rows are not contiguous are copied.

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32> {onnx.name = "y"})
    // becomes
    func.func @main(%x: memref<4xf32>, %y: memref<4xf32> {onnx.name = "y"})
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::linalg::LinalgDialect"];
}

def WriteInPlacePass : Pass<"codegen-write-in-place", "::mlir::func::FuncOp"> {
  let summary = "Lets kernels write their results over operands that nobody needs any more";
  let description = [{
    A sum with a residual, or an elementwise op, reads each element of an operand right before it writes the same one of its
    result. If nobody reads the operand later, both are one buffer: less memory, and less of it comes into the cache to be
    written. Parts of buffers are merged as well, in loops that go over both in the same parts. A product or convolution
    that lets partial sums wait in its destination is left alone.

    ```mlir
    %r = memref.alloc() : memref<1x56x56x256xf32>
    ...
    %y = memref.alloc() : memref<1x56x56x256xf32>
    nn.conv %x, %w extras(%r) outs(%y) ...
    // becomes
    nn.conv %x, %w extras(%r) outs(%r) ...
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::lathe::nn::NNDialect"];
}

def PlanArenaPass : Pass<"codegen-plan-arena", "::mlir::ModuleOp"> {
  let summary = "Gives every buffer of @main a place in one arena";
  let description = [{
    Buffers that are alive at the same time do not overlap. The largest come first, each at the lowest offset that is
    free while it lives; offsets are multiples of 64. Dynamic sizes are bounded through `lathe.dims`.

    ```mlir
    func.func @main(%x: memref<4xf32>) {
      %0 = memref.alloc() : memref<4xf32>
    // becomes
    func.func @main(%x: memref<4xf32>, %arena: memref<64xi8>) {
      %0 = memref.view %arena[%c0][] : memref<64xi8> to memref<4xf32>
    ```
    The module's `lathe.workspace_bytes` is the arena's size.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def OutlineKernelsPass : Pass<"codegen-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Moves each compute op of @main into a kernel function; equal kernels are one";
  let description = [{
    A kernel takes the values its op uses and the executor. Kernels whose bodies and types are equal are shared; the
    location of the op stays on the call. How many bytes transposes and copies move is written on the module as
    `lathe.movement`, for the report. An argument that no other argument of any call overlaps (unless both are only
    read) is marked `lathe.noalias`.

    ```mlir
    linalg.fill ins(%cst : f32) outs(%0 : memref<4xf32>)
    // becomes
    func.call @kernel_fill_0(%0, %executor) : (memref<4xf32>, !llvm.ptr) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect", "::mlir::linalg::LinalgDialect"];
}

def InstrumentPass : Pass<"codegen-instrument", "::mlir::ModuleOp"> {
  let summary = "Times each call of a kernel in @main";
  let description = [{
    The arena grows by a profile of 64-bit words: the counter when @main begins and ends, then for each call, in order,
    the ticks spent in it, the counter when it was first reached, and how often it ran (calls in loops run often). The
    counter is `llvm.readcyclecounter`. The module's `lathe.profile_offset` is the profile's place in the workspace, and
    `lathe.profile` names the calls: the node, the op, its multiply-adds, the bytes of all that it reads and writes (each
    once), or -1 where they are unknown, and of these the bytes of constants.

    ```mlir
    func.func @main(..., %arena: memref<64xi8>, %executor: !llvm.ptr) {
      call @kernel_linear_0(%x, %y, %executor) : ...
    // becomes
    func.func @main(..., %arena: memref<104xi8>, %executor: !llvm.ptr) {
      %profile = memref.view %arena[%c64][] : memref<104xi8> to memref<5xi64>
      ...
      %before = llvm.call_intrinsic "llvm.readcyclecounter"() : () -> i64
      call @kernel_linear_0(%x, %y, %executor) : ...
      %after = llvm.call_intrinsic "llvm.readcyclecounter"() : () -> i64
      %ticks = arith.subi %after, %before : i64
      ... // added to %profile[2]
    ```
    Run it after `codegen-outline-kernels`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def LinalgToLoopsPass : Pass<"codegen-linalg-to-loops", "::mlir::func::FuncOp"> {
  let summary = "Turns linalg ops on memrefs into loops, the contiguous dimension innermost";
  let description = [{
    Contiguous dimensions of elementwise ops are collapsed. The outermost dimension becomes an `scf.parallel` where the
    op has an estimated work of `parallel-threshold` at least. Innermost reductions are carried in registers. The innermost
    loop stays scalar for LLVM's vectoriser; one of few iterations is annotated, lest LLVM unrolls it before.

    ```mlir
    linalg.generic {...} ins(%a : memref<8x4xf32>) outs(%b : memref<8x4xf32>) { ... }
    // becomes
    scf.for %i = %c0 to %c32 step %c1 {
      %v = memref.load %a1[%i] ...
    ```
  }];
  let options = [Option<"parallelThreshold", "parallel-threshold", "int64_t", /*default=*/"400000",
                        "Work, in multiply-adds that take as long, from which on a loop is run in parallel">];
  let dependentDialects = ["::lathe::nn::NNDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def ExpandMathPass : Pass<"codegen-expand-math", "::mlir::func::FuncOp"> {
  let summary = "Replaces transcendental functions by polynomials that vectorise";
  let description = [{
    Functions of f32 are range reductions and polynomials without branches, calls or tables, on scalars and on vectors
    alike: docs/functions.md says how large their errors are. On f16 and bf16 they are computed in f32; conversions of
    f16 become arithmetic where the target has no instruction for them. What is left on f64 becomes a call of libm.

    ```mlir
    %0 = math.exp %x : f32
    // becomes
    %sum = arith.addf %scaled, %rounder : f32        // n = floor(x / ln 2) in its lowest bits
    %rest = math.fma %n, %minusLn2, %x : f32         // in two steps
    %series = math.fma %rest, ..., %one : f32        // of degree 6
    %power = arith.bitcast %shiftedSum : i32 to f32  // 2^n
    %0 = arith.mulf %series, %power : f32
    ```
    Where the target has instructions that scale by powers of two and approximate reciprocals, 1 / (1 + exp(x)) takes them.
    Maxima and minima lose the distinction of zeros, which ONNX does not make.
  }];
  let dependentDialects = ["::lathe::nn::NNDialect", "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def OutlineParallelPass : Pass<"codegen-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "Moves each parallel loop into a task function over a range of iterations";
  let description = [{
    Parallel loops inside parallel loops become sequential.

    ```mlir
    func.func private @kernel(%a: memref<8xf32>, %executor: !llvm.ptr) {
      scf.parallel (%i) = (%c0) to (%c8) step (%c1) { ... }
    // becomes
      func.call @kernel_task_0(%a, %c0, %c8) {lathe.parallel} : (memref<8xf32>, index, index) -> ()
    }
    func.func private @kernel_task_0(%a: memref<8xf32>, %begin: index, %end: index) {
      scf.for %i = %begin to %end step %c1 { ... }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect"];
}

def JoinVariantsPass : Pass<"codegen-join-variants", "::mlir::ModuleOp"> {
  let summary = "Makes one module of a model that was lowered for several targets";
  let description = [{
    Before: a module of modules, one for each target, the best first; each is named after its target and has the form after
    the `codegen` phase. Afterwards their functions and constants are in one module, with the target as a suffix of every
    name, and functions carry the `nn.target` that they are compiled for. `lathe.variants` lists the targets with their main
    functions and workspaces; `lathe.workspace_bytes` is the largest. `@output_sizes` is the same in all and kept once.
    A module without modules inside stays as it is.

    ```mlir
    module {
      module @"x86-64-v4" attributes {lathe.workspace_bytes = 128 : i64, ...} { func.func @main(...) }
      module @"x86-64-v2" attributes {lathe.workspace_bytes = 64 : i64, ...} { func.func @main(...) }
    }
    // becomes
    module attributes {lathe.variants = [{name = "x86-64-v4", main = "main_x86_64_v4", ...}, ...]} {
      func.func @main_x86_64_v4(...) attributes {nn.target = ...}
      func.func @main_x86_64_v2(...) attributes {nn.target = ...}
    }
    ```
  }];
  let dependentDialects = ["::lathe::nn::NNDialect"];
}

def ToLLVMPass : Pass<"codegen-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Converts everything to the LLVM dialect and adds the model's entry point";
  let description = [{
    Exactly `<name>_run`, `<name>_model` and `<name>_output_shapes` (rt_abi.h) are visible. Constants become offsets into
    the external `<name>_weights`; their bytes stay on the module: `lathe.weights` is an array of elements attributes,
    `lathe.weight_offsets` says where each begins, `lathe.weight_bytes` how long the section is. Variants that
    `codegen-join-variants` has left share what is equal.

    With `lathe.tests_machine` on the module, `<name>_run` calls the first variant that the machine can run, or returns a
    status. It asks by external functions `<name>_can_run_<target>`, which the target's family defines (`lathe.machine_test`).
    Functions marked `lathe.any_machine` use what every machine of the family has.

    ```mlir
    func.func @main(%x: memref<4xf32>, %y: memref<4xf32>, %arena: memref<64xi8>, %executor: !llvm.ptr)
    // becomes
    llvm.func internal @main(...)
    llvm.func @model_run(%inputs: !llvm.ptr, %outputs: !llvm.ptr, %workspace: !llvm.ptr, %executor: !llvm.ptr) -> i32
    ```
  }];
  let options = [Option<"name", "name", "std::string", /*default=*/"\"model\"", "Prefix of the visible symbols">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::lathe::nn::NNDialect"];
}

def FoldArgumentsPass : Pass<"codegen-fold-arguments", "::mlir::ModuleOp"> {
  let summary = "Takes arguments from kernels that they do not read or that are the same constant in every call";
  let description = [{
    Of the fields of a memref's descriptor a kernel reads few, and most are constants. LLVM would find that out where a kernel
    and its callers are in one module; here they may be compiled apart. Only internal functions change that are not inlined and
    of which nothing is known but their calls.

    ```mlir
    llvm.call @kernel(%p, %c4) : (!llvm.ptr, i64) -> ()   // in each call: %c4 = llvm.mlir.constant(4 : i64)
    // becomes, with the constant in @kernel
    llvm.call @kernel(%p) : (!llvm.ptr) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // PASSES_CODEGEN_PASSES_TD
