//===- Diagnostics.h - How the driver reports -----------------------------===//
#ifndef LIB_DRIVER_DIAGNOSTICS_H
#define LIB_DRIVER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace lathe {

/// Where an op comes from, as a user of the model knows it: "node 'conv1'", or a place in a file, or nothing.
std::string describeLocation(mlir::Location location);

/// While it lives, diagnostics of the context are printed as `file:node 'name' (Op): error: ...`. Equal messages are
/// printed once.
class DiagnosticPrinter {
public:
  DiagnosticPrinter(mlir::MLIRContext &context, llvm::StringRef file, llvm::raw_ostream &stream);
  ~DiagnosticPrinter();

  unsigned getNumErrors() const { return errors; }

private:
  void print(mlir::Diagnostic &diagnostic);

  mlir::MLIRContext &context;
  std::string file;
  llvm::raw_ostream &stream;
  mlir::DiagnosticEngine::HandlerID id;
  std::string last;
  unsigned errors = 0;
};

/// The text of an error on one line, without a trailing newline; the error is consumed.
std::string textOf(llvm::Error error);

} // namespace lathe

#endif // LIB_DRIVER_DIAGNOSTICS_H
