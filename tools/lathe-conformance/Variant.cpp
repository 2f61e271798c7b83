//===- Variant.cpp - Models of cases, changed -----------------------------===//
#include "Variant.h"
#include "Protos.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe;

/// Sizes become names; size 1, which may be repeated, and 0 stay.
static void nameDims(onnx::TypeProto &type) {
  if (!type.has_tensor_type())
    return;
  for (onnx::TensorShapeProto::Dimension &dim : *type.mutable_tensor_type()->mutable_shape()->mutable_dim())
    if (dim.dim_value() > 1)
      dim.set_dim_param(kSizePrefix + std::to_string(dim.dim_value()));
}

static void forgetDims(onnx::TypeProto &type) {
  if (!type.has_tensor_type())
    return;
  for (onnx::TensorShapeProto::Dimension &dim : *type.mutable_tensor_type()->mutable_shape()->mutable_dim())
    dim.Clear();
}

static llvm::StringSet<> getInitialisers(const onnx::GraphProto &graph) {
  llvm::StringSet<> names;
  for (const onnx::TensorProto &tensor : graph.initializer())
    names.insert(tensor.name());
  return names;
}

static void makeUndeclared(onnx::GraphProto &graph) {
  for (onnx::ValueInfoProto &output : *graph.mutable_output())
    forgetDims(*output.mutable_type());
  graph.clear_value_info();
}

static void makeDynamic(onnx::GraphProto &graph) {
  llvm::StringSet<> initialisers = getInitialisers(graph);
  for (onnx::ValueInfoProto &input : *graph.mutable_input())
    if (!initialisers.contains(input.name()))
      nameDims(*input.mutable_type());
  makeUndeclared(graph);
}

/// Inputs from number `first` on, which count as test data do: without those that have an initialiser.
static llvm::Error makeConstant(onnx::GraphProto &graph, llvm::StringRef folder, int first) {
  llvm::StringSet<> initialisers = getInitialisers(graph);
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> inputs;
  inputs.Swap(graph.mutable_input());
  int index = 0;
  for (onnx::ValueInfoProto &input : inputs) {
    bool hasValue = initialisers.contains(input.name());
    std::string path = (folder + "/test_data_set_0/input_" + llvm::Twine(index) + ".pb").str();
    index += !hasValue;
    if (hasValue || index <= first || !input.type().has_tensor_type() || !llvm::sys::fs::exists(path)) {
      *graph.add_input() = input;
      continue;
    }
    onnx::TensorProto &tensor = *graph.add_initializer();
    if (!readProto(path, tensor))
      return llvm::createStringError(path + " has no tensor");
    tensor.set_name(input.name());
    // Test data of ONNX before 1.13 has the bits of bfloat16 as uint16.
    int declared = input.type().tensor_type().elem_type();
    if (declared == onnx::TensorProto::BFLOAT16 && tensor.data_type() == onnx::TensorProto::UINT16)
      tensor.set_data_type(declared);
  }
  return llvm::Error::success();
}

llvm::Error lathe::writeVariant(llvm::StringRef folder, unsigned variants, llvm::StringRef to) {
  onnx::ModelProto model;
  std::string path = (folder + "/model.onnx").str();
  if (!readProto(path, model))
    return llvm::createStringError(path + " is no model");
  onnx::GraphProto &graph = *model.mutable_graph();
  auto isAsked = [&](Variant variant) { return variants >> unsigned(variant) & 1; };
  if (isAsked(Variant::kConstant) || isAsked(Variant::kParameters))
    if (llvm::Error error = makeConstant(graph, folder, isAsked(Variant::kConstant) ? 0 : 1))
      return error;
  if (isAsked(Variant::kDynamic))
    makeDynamic(graph);
  if (isAsked(Variant::kUndeclared))
    makeUndeclared(graph);
  std::error_code code;
  llvm::raw_fd_ostream stream(to, code);
  if (!code)
    stream << model.SerializeAsString();
  stream.close();
  if (code || stream.has_error())
    return llvm::createStringError("cannot write " + to);
  return llvm::Error::success();
}
