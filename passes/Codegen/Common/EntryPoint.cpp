//===- EntryPoint.cpp - The functions and the descriptor of rt_abi.h ------===//
#include "lib/Support/DataTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Codegen/Common/ConstantStructs.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/LLVMLowering.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "passes/Codegen/GPU/Device.h"
#include "runtime/include/lathe/cuda_abi.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

namespace {

/// Builds the visible functions around the converted @main.
class EntryPointBuilder {
public:
  EntryPointBuilder(ModuleOp module, StringRef name, ArrayRef<Variant> variants, Type index,
                    const WeightLayout &weights)
      : module(module), builder(module.getLoc(), module.getContext()), data(module, name), name(name),
        variants(variants), weights(weights), signature(readSignature(module)), index(index) {
    pointer = LLVM::LLVMPointerType::get(module.getContext());
    i32 = builder.getI32Type();
    i64 = builder.getI64Type();
    SmallVector<Type> fields(signature.inputs.size(), pointer);
    fields.append(signature.dims.size(), i64);
    inputsType = LLVM::LLVMStructType::getLiteral(module.getContext(), fields);
    numShapes = llvm::count_if(signature.outputs, [](const TensorInfo &output) { return output.dependsOnData(); });
    outputsType = LLVM::LLVMStructType::getLiteral(module.getContext(),
                                                   SmallVector<Type>(signature.outputs.size() + numShapes, pointer));
  }

  /// `types` are the argument types of each main function.
  void build(ArrayRef<SmallVector<Type>> types) {
    SmallVector<LLVM::LLVMFuncOp> entries;
    bool isDevice = module->hasAttr(simt::kDeviceAttr);
    for (auto [variant, arguments] : llvm::zip(variants, types))
      entries.push_back(isDevice ? makeDeviceEntry(variant, arguments) : makeEntry(variant, arguments));
    dispatch = addDispatch(module, name, variants, entries);
    makeOutputShapes();
    makeModel();
    if (isDevice)
      makeDeviceModel();
    if (auto sizes = module.lookupSymbol<LLVM::LLVMFuncOp>(kOutputSizesName))
      if (SymbolTable::symbolKnownUseEmpty(sizes, module))
        sizes.erase();
  }

private:
  using Field = ConstantStructs::Field;

  static constexpr llvm::StringLiteral kDeviceModelSuffix = "_device_model";

  Value constant(int64_t value) { return LLVM::ConstantOp::create(builder, i64, value); }
  Value indexConstant(int64_t value) { return LLVM::ConstantOp::create(builder, index, value); }

  /// A dimension of the ABI, within its bounds, as an index.
  Value toIndex(Value size) { return index == i64 ? size : LLVM::TruncOp::create(builder, index, size).getResult(); }
  Value fromIndex(Value size) { return index == i64 ? size : LLVM::SExtOp::create(builder, i64, size).getResult(); }

  Value loadField(Type structType, Value base, unsigned index, Type type) {
    Value address = LLVM::GEPOp::create(builder, pointer, structType, base, ArrayRef<LLVM::GEPArg>{0, int32_t(index)});
    return LLVM::LoadOp::create(builder, type, address);
  }

  Value orAll(ArrayRef<Value> conditions) {
    Value any;
    for (Value condition : conditions)
      any = any ? LLVM::OrOp::create(builder, any, condition).getResult() : condition;
    return any;
  }

  /// Returns `status` where one of the conditions holds, and goes on otherwise.
  void check(ArrayRef<Value> conditions, lathe_status status) {
    if (conditions.empty())
      return;
    Value failed = orAll(conditions);
    Block *block = builder.getInsertionBlock();
    Block *error = builder.createBlock(block->getParent());
    Value code = LLVM::ConstantOp::create(builder, i32, int64_t(status));
    LLVM::ReturnOp::create(builder, code);
    Block *next = builder.createBlock(block->getParent());
    builder.setInsertionPointToEnd(block);
    LLVM::CondBrOp::create(builder, failed, error, next);
    builder.setInsertionPointToEnd(next);
  }

  /// An expression over the dimensions, none of which is negative.
  Value evaluate(AffineExpr expr, ArrayRef<Value> dims) {
    if (auto number = dyn_cast<AffineConstantExpr>(expr))
      return constant(number.getValue());
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      return dims[symbol.getPosition()];
    auto binary = cast<AffineBinaryOpExpr>(expr);
    Value a = evaluate(binary.getLHS(), dims), b = evaluate(binary.getRHS(), dims);
    if (expr.getKind() == AffineExprKind::Add)
      return LLVM::AddOp::create(builder, a, b);
    if (expr.getKind() == AffineExprKind::Mul)
      return LLVM::MulOp::create(builder, a, b);
    // Divisors are positive: a remainder of the sign of `a` is brought to [0, b). That of 0 is not taken.
    b = LLVM::SMaxOp::create(builder, b, constant(1));
    if (expr.getKind() == AffineExprKind::CeilDiv)
      a = LLVM::AddOp::create(builder, a, LLVM::SubOp::create(builder, b, constant(1)));
    Value rest = LLVM::SRemOp::create(builder, a, b);
    rest = LLVM::SRemOp::create(builder, LLVM::AddOp::create(builder, rest, b), b);
    if (expr.getKind() == AffineExprKind::Mod)
      return rest;
    return LLVM::SDivOp::create(builder, LLVM::SubOp::create(builder, a, rest), b);
  }

  Value isNull(Value address) {
    return LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::eq, address, LLVM::ZeroOp::create(builder, pointer));
  }

  Value isMisaligned(Value address, int64_t alignment) {
    Value bits = LLVM::PtrToIntOp::create(builder, i64, address);
    Value low = LLVM::AndOp::create(builder, bits, constant(alignment - 1));
    return LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, low, constant(0));
  }

  int64_t getWorkspaceBytes() {
    auto bytes = module->getAttrOfType<IntegerAttr>(kWorkspaceAttr);
    return bytes ? bytes.getInt() : 0;
  }

  /// Sizes of the outputs that are not constant, in order, as indices; so are `dims`.
  SmallVector<Value> callOutputSizes(ArrayRef<Value> dims) {
    auto sizes = module.lookupSymbol<LLVM::LLVMFuncOp>(kOutputSizesName);
    SmallVector<Value> results;
    if (!sizes || isa<LLVM::LLVMVoidType>(sizes.getFunctionType().getReturnType()))
      return results;
    Value result = LLVM::CallOp::create(builder, sizes, dims).getResult();
    auto type = dyn_cast<LLVM::LLVMStructType>(result.getType());
    if (!type)
      return {result};
    for (size_t index = 0; index < type.getBody().size(); ++index)
      results.push_back(LLVM::ExtractValueOp::create(builder, result, int64_t(index)));
    return results;
  }

  /// Appends the fields of a row-major descriptor.
  void appendDescriptor(SmallVectorImpl<Value> &operands, Value address, ArrayRef<Value> sizes) {
    operands.append({address, address, indexConstant(0)});
    operands.append(sizes.begin(), sizes.end());
    SmallVector<Value> strides(sizes.size());
    Value stride = indexConstant(1);
    for (size_t dim = sizes.size(); dim-- > 0;) {
      strides[dim] = stride;
      if (dim)
        stride = LLVM::MulOp::create(builder, stride, sizes[dim]);
    }
    operands.append(strides);
  }

  LLVM::LLVMFuncOp makeFunction(const Twine &symbol, Type result, ArrayRef<Type> arguments) {
    builder.setInsertionPointToEnd(module.getBody());
    auto function = LLVM::LLVMFuncOp::create(builder, symbol.str(), LLVM::LLVMFunctionType::get(result, arguments));
    builder.setInsertionPointToStart(function.addEntryBlock(builder));
    return function;
  }

  /// What a caller gives.
  struct Arguments {
    SmallVector<Value> addresses; ///< of inputs, then of outputs
    SmallVector<Value> dims;
    SmallVector<Value> shapes; ///< where the sizes of outputs go that data decides
  };

  Arguments loadArguments(Value inputs, Value outputs) {
    Arguments arguments;
    for (size_t index = 0; index < signature.inputs.size(); ++index)
      arguments.addresses.push_back(loadField(inputsType, inputs, index, pointer));
    for (size_t index = 0; index < signature.outputs.size(); ++index)
      arguments.addresses.push_back(loadField(outputsType, outputs, index, pointer));
    for (size_t index = 0; index < signature.dims.size(); ++index)
      arguments.dims.push_back(loadField(inputsType, inputs, signature.inputs.size() + index, i64));
    for (size_t index = 0; index < numShapes; ++index)
      arguments.shapes.push_back(loadField(outputsType, outputs, signature.outputs.size() + index, pointer));
    return arguments;
  }

  /// Loads what a caller gives and returns a status where it must not be used. A null `workspace` is not looked at.
  /// Tensors need the alignment of their elements, and `least`.
  Arguments checkArguments(ArrayRef<Type> types, Value inputs, Value outputs, Value workspace, int64_t least = 1) {
    SmallVector<Value> nulls, misaligned, outOfRange;
    if (!inputsType.getBody().empty())
      nulls.push_back(isNull(inputs));
    if (!signature.outputs.empty())
      nulls.push_back(isNull(outputs));
    if (workspace)
      nulls.push_back(isNull(workspace));
    check(nulls, LATHE_ERROR_NULL_POINTER);

    Arguments arguments = loadArguments(inputs, outputs);
    nulls.clear();
    for (Value address : llvm::concat<Value>(arguments.addresses, arguments.shapes))
      nulls.push_back(isNull(address));
    check(nulls, LATHE_ERROR_NULL_POINTER);
    for (auto [index, address] : llvm::enumerate(arguments.addresses))
      if (int64_t alignment = std::max(getAlignment(index, types[index]), least); alignment > 1)
        misaligned.push_back(isMisaligned(address, alignment));
    for (Value shape : arguments.shapes)
      misaligned.push_back(isMisaligned(shape, sizeof(int64_t)));
    if (workspace)
      misaligned.push_back(isMisaligned(workspace, LATHE_ALIGNMENT));
    check(misaligned, LATHE_ERROR_MISALIGNED);
    for (auto [dim, info] : llvm::zip(arguments.dims, signature.dims)) {
      outOfRange.push_back(LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::slt, dim, constant(info.lower)));
      outOfRange.push_back(LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::sgt, dim, constant(info.upper)));
    }
    check(outOfRange, LATHE_ERROR_DIM_RANGE);
    SmallVector<Value> unfit;
    for (AffineExpr condition : signature.conditions)
      unfit.push_back(
          LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::slt, evaluate(condition, arguments.dims), constant(0)));
    check(unfit, LATHE_ERROR_DIM_RANGE);
    return arguments;
  }

  /// Checks what a caller gives, and calls a main function. This is `<name>_run` unless the machine is to be asked
  /// first.
  LLVM::LLVMFuncOp makeEntry(const Variant &variant, ArrayRef<Type> types) {
    bool tests = module->hasAttr(kTestsMachineAttr);
    LLVM::LLVMFuncOp entry = makeFunction(tests ? name + "_entry_" + variant.getSuffix() : name + "_run", i32,
                                          {pointer, pointer, pointer, pointer});
    if (tests)
      entry.setLinkage(LLVM::Linkage::Internal);
    if (variants.size() > 1)
      entry->setAttr(nn::kTargetAttr, variant.target);
    Value workspace = entry.getArgument(2), executor = entry.getArgument(3);
    Arguments arguments =
        checkArguments(types, entry.getArgument(0), entry.getArgument(1), getWorkspaceBytes() ? workspace : Value());
    if (const TileUnit *unit = getTileUnit(variant.target))
      if (Value refused = unit->askPermission(builder, module))
        check(refused, LATHE_ERROR_UNSUPPORTED_CPU);
    LLVM::ReturnOp::create(builder, callMain(variant.main, types, arguments, workspace, executor));
    return entry;
  }

  /// Of an input or output: outputs whose size depends on data are bytes to @main.
  int64_t getAlignment(size_t index, Type type) {
    size_t numInputs = signature.inputs.size();
    if (index >= numInputs && signature.outputs[index - numInputs].dependsOnData())
      return sizeOf(lathe_dtype(signature.outputs[index - numInputs].dtype));
    return getElementBytes(cast<MemRefType>(type).getElementType());
  }

  /// Returns the status.
  Value callMain(StringRef main, ArrayRef<Type> types, const Arguments &arguments, Value workspace, Value executor) {
    ArrayRef<Value> addresses = arguments.addresses, shapes = arguments.shapes;
    SmallVector<Value> dims = llvm::map_to_vector(arguments.dims, [&](Value dim) { return toIndex(dim); });
    SmallVector<Value> dynamic = callOutputSizes(dims);
    size_t nextDynamic = 0, numInputs = signature.inputs.size();
    SmallVector<Value> operands;
    Value told; // what the run tells, see `Signature`
    int32_t toldCount = 0;
    for (auto [index, type] : llvm::enumerate(types)) {
      auto memref = dyn_cast<MemRefType>(type);
      if (!memref) {
        operands.push_back(executor);
        continue;
      }
      bool isOutput = index >= numInputs && index < addresses.size();
      SmallVector<Value> sizes;
      if (isOutput && signature.outputs[index - numInputs].dependsOnData()) {
        const TensorInfo &output = signature.outputs[index - numInputs];
        Value bytes = indexConstant(sizeOf(lathe_dtype(output.dtype)));
        for (int64_t size : output.shape)
          bytes = LLVM::MulOp::create(builder, bytes, size < 0 ? dynamic[nextDynamic++] : indexConstant(size));
        sizes.push_back(bytes);
      } else {
        for (auto [dim, size] : llvm::enumerate(memref.getShape())) {
          if (!ShapedType::isDynamic(size))
            sizes.push_back(indexConstant(size));
          else if (index < numInputs)
            sizes.push_back(dims[-1 - signature.inputs[index].shape[dim]]);
          else
            sizes.push_back(dynamic[nextDynamic++]);
        }
      }
      Value address = index < addresses.size() ? addresses[index] : workspace;
      if (index == addresses.size() && memref.getElementType().isInteger(64)) {
        toldCount = memref.getNumElements();
        address = told = LLVM::AllocaOp::create(builder, pointer, i64, indexConstant(toldCount));
      }
      appendDescriptor(operands, address, sizes);
    }
    LLVM::CallOp::create(builder, module.lookupSymbol<LLVM::LLVMFuncOp>(main), operands);
    const Value *shape = shapes.begin();
    int32_t next = 0;
    for (const TensorInfo &output : signature.outputs)
      if (output.dependsOnData()) {
        copySizes(told, next, *shape++, output.shape.size());
        next += output.shape.size();
      }
    if (next == toldCount)
      return LLVM::ConstantOp::create(builder, i32, int64_t(LATHE_OK));
    Value place = LLVM::GEPOp::create(builder, pointer, i64, told, ArrayRef<LLVM::GEPArg>{next});
    return LLVM::TruncOp::create(builder, i32, LLVM::LoadOp::create(builder, i64, place));
  }

  void copySizes(Value from, int32_t first, Value to, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
      Value source = LLVM::GEPOp::create(builder, pointer, i64, from, ArrayRef<LLVM::GEPArg>{first + i});
      Value target = LLVM::GEPOp::create(builder, pointer, i64, to, ArrayRef<LLVM::GEPArg>{i});
      LLVM::StoreOp::create(builder, LLVM::LoadOp::create(builder, i64, source), target);
    }
  }

  //===--------------------------------------------------------------------===//
  // Models whose kernels run on a GPU: lathe/cuda_abi.h
  //===--------------------------------------------------------------------===//

  /// A visible function that calls one of the runtime with the model's constant and `forwarded` of its own arguments.
  /// With `types`, it checks inputs and outputs, its first two arguments, before.
  LLVM::LLVMFuncOp makeForwarder(StringRef suffix, Type result, ArrayRef<Type> arguments, StringRef callee,
                                 unsigned forwarded, ArrayRef<Type> types = {}, int64_t alignment = 1) {
    SmallVector<Type> operandTypes{pointer};
    operandTypes.append(arguments.begin(), arguments.begin() + forwarded);
    builder.setInsertionPointToEnd(module.getBody());
    auto target = LLVM::LLVMFuncOp::create(builder, callee, LLVM::LLVMFunctionType::get(result, operandTypes));
    LLVM::LLVMFuncOp function = makeFunction(name + suffix, result, arguments);
    if (!types.empty())
      (void)checkArguments(types, function.getArgument(0), function.getArgument(1), Value(), alignment);
    SmallVector<Value> operands{LLVM::AddressOfOp::create(builder, pointer, (name + kDeviceModelSuffix).str())};
    llvm::append_range(operands, function.getArguments().take_front(forwarded));
    LLVM::ReturnOp::create(builder, LLVM::CallOp::create(builder, target, operands).getResults());
    return function;
  }

  /// Makes `<name>_run` and the other functions of such a model; `<name>_enqueue` is what the runtime calls back.
  LLVM::LLVMFuncOp makeDeviceEntry(const Variant &variant, ArrayRef<Type> types) {
    Type none = LLVM::LLVMVoidType::get(module.getContext());
    enqueue = makeFunction(name + "_enqueue", none, {pointer, pointer, pointer, pointer});
    enqueue.setLinkage(LLVM::Linkage::Internal);
    (void)callMain(variant.main, types, loadArguments(enqueue.getArgument(0), enqueue.getArgument(1)),
                   enqueue.getArgument(2), enqueue.getArgument(3));
    LLVM::ReturnOp::create(builder, ValueRange());
    makeForwarder("_load", i32, {}, "lathe_cuda_load", 0);
    makeForwarder("_unload", none, {}, "lathe_cuda_unload", 0);
    makeForwarder("_run_device", i32, {pointer, pointer, pointer}, "lathe_cuda_run_device", 3, types,
                  LATHE_CUDA_ALIGNMENT);
    builder.setInsertionPointToEnd(module.getBody());
    auto message = LLVM::LLVMFuncOp::create(builder, "lathe_cuda_message", LLVM::LLVMFunctionType::get(pointer, {}));
    makeFunction(name + "_message", pointer, {});
    LLVM::ReturnOp::create(builder, LLVM::CallOp::create(builder, message, ValueRange()).getResults());
    return makeForwarder("_run", i32, {pointer, pointer, pointer, pointer}, "lathe_cuda_run_host", 2, types);
  }

  /// The address of a global, NULL if there is none.
  Field lookUp(const Twine &symbol) {
    if (auto global = module.lookupSymbol<LLVM::GlobalOp>(symbol.str()))
      return global;
    return std::monostate();
  }

  /// The constant of type lathe_cuda_model.
  void makeDeviceModel() {
    auto device = module->getAttrOfType<DictionaryAttr>(simt::kDeviceAttr);
    SmallVector<SmallVector<Field>> kernels;
    for (auto kernel : device.getAs<ArrayAttr>("kernels").getAsRange<StringAttr>())
      kernels.push_back({data.makeString(kernel)});
    auto row = LLVM::LLVMStructType::getLiteral(module.getContext(), {pointer});
    Field names = data.makeArray(row, kernels, name + "_kernels");
    builder.setInsertionPointToEnd(module.getBody());
    auto state = LLVM::GlobalOp::create(builder, pointer, /*isConstant=*/false, LLVM::Linkage::Internal,
                                        (name + "_device_state").str(), Attribute());
    builder.createBlock(&state.getInitializerRegion());
    LLVM::ReturnOp::create(builder, LLVM::ZeroOp::create(builder, pointer).getResult());
    SmallVector<Field> fields{lookUp(name + "_model"),
                              lookUp(simt::kDeviceCodeName),
                              names,
                              lookUp(name + "_weights"),
                              std::pair(i64, device.getAs<IntegerAttr>("arena_bytes").getInt()),
                              enqueue,
                              state,
                              std::pair(i32, int64_t(kernels.size())),
                              std::pair(i32, device.getAs<IntegerAttr>("capability").getInt()),
                              std::pair(i32, int64_t(device.getAs<BoolAttr>("exact").getValue()))};
    auto type = LLVM::LLVMStructType::getLiteral(
        module.getContext(), {pointer, pointer, pointer, pointer, i64, pointer, pointer, i32, i32, i32});
    data.makeStruct(type, fields, name + kDeviceModelSuffix, LLVM::Linkage::Internal);
  }

  void makeOutputShapes() {
    outputShapes =
        makeFunction(name + "_output_shapes", LLVM::LLVMVoidType::get(module.getContext()), {pointer, pointer});
    outputShapes->setAttr(kAnyMachineAttr, builder.getUnitAttr());
    Value dimArray = outputShapes.getArgument(0), shapes = outputShapes.getArgument(1);
    SmallVector<Value> dims;
    for (size_t index = 0; index < signature.dims.size(); ++index) {
      Value address = LLVM::GEPOp::create(builder, pointer, i64, dimArray, ArrayRef<LLVM::GEPArg>{int32_t(index)});
      dims.push_back(toIndex(LLVM::LoadOp::create(builder, i64, address)));
    }
    SmallVector<Value> dynamic = callOutputSizes(dims);
    size_t nextDynamic = 0;
    int32_t position = 0;
    for (const TensorInfo &output : signature.outputs)
      for (int64_t size : output.shape) {
        Value value = size < 0 ? fromIndex(dynamic[nextDynamic++]) : constant(size);
        Value address = LLVM::GEPOp::create(builder, pointer, i64, shapes, ArrayRef<LLVM::GEPArg>{position++});
        LLVM::StoreOp::create(builder, value, address);
      }
    LLVM::ReturnOp::create(builder, ValueRange());
  }

  //===--------------------------------------------------------------------===//
  // The descriptor
  //===--------------------------------------------------------------------===//

  Field makeTensors(ArrayRef<TensorInfo> tensors, const Twine &symbol) {
    auto type = LLVM::LLVMStructType::getLiteral(module.getContext(), {pointer, pointer, i32, i32});
    SmallVector<SmallVector<Field>> rows;
    for (const TensorInfo &tensor : tensors)
      rows.push_back({data.makeString(tensor.name), data.makeShape(tensor.shape), std::pair(i32, int64_t(tensor.dtype)),
                      std::pair(i32, int64_t(tensor.shape.size()))});
    return data.makeArray(type, rows, symbol);
  }

  Field makeVariants() {
    auto type = LLVM::LLVMStructType::getLiteral(module.getContext(), {pointer, i64, i64, pointer});
    SmallVector<SmallVector<Field>> rows;
    for (auto [variant, run] : llvm::zip(variants, dispatch.variantRuns))
      rows.push_back({data.makeString(variant.name), std::pair(i64, variant.workspaceBytes),
                      std::pair(i64, variant.weightBytes), run});
    return data.makeArray(type, rows, name + "_variants");
  }

  void makeModel() {
    auto dimType = LLVM::LLVMStructType::getLiteral(module.getContext(), {pointer, i64, i64});
    SmallVector<SmallVector<Field>> dims;
    for (const DimInfo &dim : signature.dims)
      dims.push_back({data.makeString(dim.name), std::pair(i64, dim.lower), std::pair(i64, dim.upper)});
    SmallVector<Field> fields{std::pair(i32, int64_t(LATHE_ABI_VERSION)),
                              std::pair(i32, int64_t(signature.inputs.size())),
                              std::pair(i32, int64_t(signature.outputs.size())),
                              std::pair(i32, int64_t(signature.dims.size())),
                              data.makeString(name),
                              makeTensors(signature.inputs, name + "_inputs"),
                              makeTensors(signature.outputs, name + "_outputs"),
                              data.makeArray(dimType, dims, name + "_dims"),
                              std::pair(i64, getWorkspaceBytes()),
                              std::pair(i64, weights.bytes),
                              lookUp(name + "_weights"),
                              dispatch.run,
                              outputShapes,
                              makeVariants(),
                              dispatch.supported,
                              std::pair(i32, int64_t(variants.size()))};
    auto type = LLVM::LLVMStructType::getLiteral(module.getContext(),
                                                 {i32, i32, i32, i32, pointer, pointer, pointer, pointer, i64, i64,
                                                  pointer, pointer, pointer, pointer, pointer, i32});
    data.makeStruct(type, fields, name + "_model", LLVM::Linkage::External);
  }

  ModuleOp module;
  ImplicitLocOpBuilder builder;
  ConstantStructs data;
  StringRef name;
  ArrayRef<Variant> variants;
  const WeightLayout &weights;
  Signature signature;
  Type pointer, i32, i64, index;
  size_t numShapes = 0; ///< outputs whose sizes depend on data
  LLVM::LLVMStructType inputsType, outputsType;
  Dispatch dispatch;
  LLVM::LLVMFuncOp outputShapes;
  LLVM::LLVMFuncOp enqueue; ///< of a model for a GPU
};

} // namespace

void codegen::addEntryPoint(ModuleOp module, StringRef name, ArrayRef<Variant> variants,
                            ArrayRef<SmallVector<Type>> types, Type index, const WeightLayout &weights) {
  EntryPointBuilder(module, name, variants, index, weights).build(types);
}
