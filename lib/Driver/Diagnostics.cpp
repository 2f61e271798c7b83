//===- Diagnostics.cpp - How the driver reports ---------------------------===//
#include "lib/Driver/Diagnostics.h"

#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"

using namespace mlir;
using namespace lathe;

std::string lathe::describeLocation(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return "node '" + name.getName().str() + "'";
  // Line 0 is the model as a whole.
  if (auto place = dyn_cast<FileLineColLoc>(location); place && place.getLine() == 0)
    return "";
  if (auto place = dyn_cast<FileLineColLoc>(location))
    return (place.getFilename().getValue() + ":" + Twine(place.getLine()) + ":" +
            Twine(place.getColumn()))
        .str();
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations()) {
      std::string text = describeLocation(part);
      if (!text.empty())
        return text;
    }
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return describeLocation(call.getCallee());
  return "";
}

static llvm::StringRef severityName(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  return "error";
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context, llvm::StringRef file,
                                     llvm::raw_ostream &stream)
    : context(context), file(file), stream(stream) {
  id = context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    print(diagnostic);
    return success();
  });
}

DiagnosticPrinter::~DiagnosticPrinter() { context.getDiagEngine().eraseHandler(id); }

void DiagnosticPrinter::print(Diagnostic &diagnostic) {
  std::string message = diagnostic.str(), place = describeLocation(diagnostic.getLocation());
  std::string text = file + ":";
  llvm::StringRef body = message;
  // The importer knows the node's operator and says `node 'x' (Op, ...): ...` itself.
  if (body.starts_with("node '")) {
    size_t end = body.find("): ");
    if (end != llvm::StringRef::npos) {
      place = body.take_front(end + 1).str();
      body = body.drop_front(end + 3);
    }
  }
  if (!place.empty())
    text += place + ":";
  text += " " + severityName(diagnostic.getSeverity()).str() + ": " + body.str() + "\n";
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
    ++errors;
  if (text == last)
    return;
  last = text;
  stream << text;
  for (Diagnostic &note : diagnostic.getNotes())
    print(note);
}

std::string lathe::textOf(llvm::Error error) {
  std::string text = llvm::toString(std::move(error));
  return llvm::StringRef(text).rtrim().str();
}
