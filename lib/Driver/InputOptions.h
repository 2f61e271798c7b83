//===- InputOptions.h - What options say of a model's inputs --------------===//
#ifndef LIB_DRIVER_INPUTOPTIONS_H
#define LIB_DRIVER_INPUTOPTIONS_H

#include "lib/Driver/Options.h"
#include "lib/Frontend/Importer.h"

namespace lathe {

/// Reads `--elements` and `--constant`; fails after an error at the model's path for texts of
/// another form.
llvm::LogicalResult readInputOptions(llvm::StringRef path, mlir::MLIRContext &context, const CompileOptions &options,
                                     ImporterOptions &import);

} // namespace lathe

#endif // LIB_DRIVER_INPUTOPTIONS_H
