//===- RecurrentActivations.cpp - Activations of GRU, LSTM and RNN --------===//
#include "passes/Lower/ONNXToLinalg/RecurrentActivations.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace lathe;

namespace {

/// Which parameters a function has, and what they are where the model does not say.
struct Signature {
  bool isKnown, hasAlpha, hasBeta;
  double alpha, beta;
};

} // namespace

static Signature getSignature(StringRef name) {
  return llvm::StringSwitch<Signature>(name)
      .Cases({"Relu", "Tanh", "Sigmoid", "Softsign", "Softplus"}, {true, false, false, 0, 0})
      .Case("Affine", {true, true, true, 1, 0})
      .Case("LeakyRelu", {true, true, false, 0.01, 0})
      .Case("ThresholdedRelu", {true, true, false, 1, 0})
      .Case("ScaledTanh", {true, true, true, 1, 1})
      .Case("HardSigmoid", {true, true, true, 0.2, 0.5})
      .Case("Elu", {true, true, false, 1, 0})
      .Default({false, false, false, 0, 0});
}

FailureOr<SmallVector<RecurrentActivation>> lathe::readActivations(Operation *op, int64_t directions,
                                                                   ArrayRef<StringRef> defaults) {
  SmallVector<StringRef> names;
  for (int64_t d = 0; d < directions; ++d)
    names.append(defaults.begin(), defaults.end());
  if (auto given = op->getAttrOfType<ArrayAttr>("activations")) {
    if (given.size() != names.size())
      return op->emitOpError("expected ") << names.size() << " activations, but got " << given.size();
    llvm::copy(given.getAsValueRange<StringAttr>(), names.begin());
  }
  auto readFloats = [&](StringRef name) {
    auto list = op->getAttrOfType<DenseF32ArrayAttr>(name);
    return list ? list.asArrayRef() : ArrayRef<float>();
  };
  // Only functions that have a parameter take one from the list.
  ArrayRef<float> alphas = readFloats("activation_alpha"), betas = readFloats("activation_beta");
  auto take = [](ArrayRef<float> &list, bool has, double otherwise) {
    if (!has || list.empty())
      return otherwise;
    double first = list.front();
    list = list.drop_front();
    return first;
  };
  SmallVector<RecurrentActivation> activations;
  for (StringRef name : names) {
    Signature signature = getSignature(name);
    if (!signature.isKnown)
      return op->emitOpError("with activation '") << name << "' is not supported";
    double alpha = take(alphas, signature.hasAlpha, signature.alpha);
    activations.push_back({name, alpha, take(betas, signature.hasBeta, signature.beta)});
  }
  return activations;
}

Value lathe::emitActivation(ImplicitLocOpBuilder &b, const RecurrentActivation &activation, Value value) {
  ScalarBuilder s{b, b.getLoc()};
  StringRef name = activation.name;
  auto number = [&](double x) { return s.constant(value.getType(), x); };
  Value zero = number(0), one = number(1), alpha = number(activation.alpha), beta = number(activation.beta);
  if (name == "Tanh")
    return s.make<math::TanhOp>({value});
  if (name == "Relu")
    return s.max(value, zero);
  if (name == "Affine")
    return s.add(s.mul(value, alpha), beta);
  if (name == "LeakyRelu")
    return s.select(s.less(value, zero), s.mul(value, alpha), value);
  if (name == "ThresholdedRelu")
    return s.select(s.less(alpha, value), value, zero);
  if (name == "ScaledTanh")
    return s.mul(alpha, s.make<math::TanhOp>({s.mul(value, beta)}));
  if (name == "HardSigmoid")
    return s.max(s.min(s.add(s.mul(value, alpha), beta), one), zero);
  if (name == "Elu")
    return s.select(s.less(value, zero), s.mul(alpha, s.make<math::ExpM1Op>({value})), value);
  if (name == "Softsign")
    return s.div(value, s.add(one, s.make<math::AbsFOp>({value})));
  if (name == "Softplus") { // max(x, 0) + ln(1 + exp(-|x|)), which does not overflow
    Value power = s.make<math::ExpOp>({s.make<arith::NegFOp>({s.make<math::AbsFOp>({value})})});
    return s.add(s.max(value, zero), s.make<math::Log1pOp>({power}));
  }
  return s.div(one, s.add(one, s.make<math::ExpOp>({s.make<arith::NegFOp>({value})})));
}
