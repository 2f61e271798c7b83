// RUN: lathe-opt %s -codegen-gpu-dynamic-shared -verify-diagnostics

// The memory that a launch gives is one array.
module attributes {gpu.container_module} {
  gpu.module @device {
    // expected-error @below {{expected one array of bytes as memory of a block of more than 49152 bytes}}
    gpu.func @two(%a: memref<4xi8>) workgroup(%s: memref<40000xi8, #gpu.address_space<workgroup>>, %t: memref<40000xi8, #gpu.address_space<workgroup>>) kernel {
      gpu.return
    }
  }
}
