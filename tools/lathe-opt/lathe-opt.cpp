//===- lathe-opt.cpp - Runs passes on MLIR files --------------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/Codegen/Passes.h"
#include "passes/Compress/Passes.h"
#include "passes/Fuse/Passes.h"
#include "passes/Import/Passes.h"
#include "passes/Lower/Passes.h"

namespace lathe {
void registerTestDimFlow();
} // namespace lathe

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry); // codegen-gpu-embed generates code
  registry.insert<lathe::onnx::ONNXDialect, lathe::nn::NNDialect>();
  mlir::registerAllPasses();
  lathe::registerImportPasses();
  lathe::registerFusePasses();
  lathe::registerCompressPasses();
  lathe::registerLowerPasses();
  lathe::registerCodegenPasses();
  lathe::registerCodegenPipelines();
  lathe::registerTestDimFlow();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Lathe optimizer\n", registry));
}
