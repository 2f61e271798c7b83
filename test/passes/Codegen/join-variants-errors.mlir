// RUN: lathe-opt %s -codegen-join-variants -split-input-file -verify-diagnostics

module {
  // expected-error @+1 {{expected the name of a target}}
  module {
    func.func private @main()
  }
}

// -----

module {
  // expected-error @+1 {{expected a function @main}}
  module @"x86-64-v3" {
  }
}

// -----

module {
  // expected-note @+1 {{which are these}}
  module @"x86-64-v3" attributes {lathe.inputs = [{name = "x"}]} {
    func.func private @main()
  }
  // expected-error @+1 {{expected the 'lathe.inputs' of the other variants}}
  module @"x86-64-v2" attributes {lathe.inputs = [{name = "y"}]} {
    func.func private @main()
  }
}
