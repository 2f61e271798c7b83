//===- Translation.h - Nodes of older opsets in the newest form -----------===//
#ifndef LIB_FRONTEND_OPSETTRANSLATION_TRANSLATION_H
#define LIB_FRONTEND_OPSETTRANSLATION_TRANSLATION_H

#include "lib/Frontend/OnnxProto.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace lathe {

/// Adds an attribute to a node.
void addInt(::onnx::NodeProto &node, llvm::StringRef name, int64_t value);
void addInts(::onnx::NodeProto &node, llvm::StringRef name, llvm::ArrayRef<int64_t> values);
void addFloat(::onnx::NodeProto &node, llvm::StringRef name, float value);
void addString(::onnx::NodeProto &node, llvm::StringRef name, llvm::StringRef value);

/// A node that is being rewritten, and nodes to be made around it. Rules change it through the
/// helpers below.
struct Translation {
  int64_t opset; ///< of the model or function that has the node
  ::onnx::NodeProto node;
  std::vector<::onnx::NodeProto> before = {}, after = {}; ///< already in the newest form
  std::function<std::string()> getFreshName = {};         ///< a name that no value has
  std::function<mlir::TensorType(llvm::StringRef)> getType =
      {}; ///< of a value, or what is declared of a later one; null if it has none

  const ::onnx::AttributeProto *find(llvm::StringRef name) const;
  bool remove(llvm::StringRef name);
  /// The attribute's value if it is there; removes it.
  std::optional<int64_t> takeInt(llvm::StringRef name);
  std::optional<float> takeFloat(llvm::StringRef name);
  std::optional<std::vector<int64_t>> takeInts(llvm::StringRef name);
  std::optional<std::vector<float>> takeFloats(llvm::StringRef name);
  void setInt(llvm::StringRef name, int64_t value);
  void setFloat(llvm::StringRef name, float value);
  void setString(llvm::StringRef name, llvm::StringRef value);

  /// The attribute's string, or `otherwise`; removes it.
  std::string takeString(llvm::StringRef name, llvm::StringRef otherwise);

  /// The name of an input or output; "" if it is absent.
  llvm::StringRef getInput(int index) const;
  bool hasOutput(int index) const;
  void setInput(int index, const std::string &name);
  /// Makes the node, of which only the first output is left, another one. Attributes that were not
  /// taken stay, to be reported.
  void replace(llvm::StringRef op, llvm::ArrayRef<std::string> inputs);
  /// Makes attribute `name`, a list of integers, input `index`.
  void makeIntsInput(llvm::StringRef name, int index);

  /// Adds the nodes of a graph in the place of attribute `name`, which goes, before this node: its
  /// inputs are `inputs`. Returns the names of its outputs, or an error if the numbers of inputs
  /// differ.
  llvm::Expected<std::vector<std::string>> inlineGraph(llvm::StringRef name,
                                                       llvm::ArrayRef<std::string> inputs);

  /// Names of new constants.
  std::string makeInts(llvm::ArrayRef<int64_t> values);
  std::string makeInt(int64_t value);
  std::string makeFloats(llvm::ArrayRef<float> values);
  /// A float scalar with the element type of input `like`.
  std::string makeFloatLike(float value, llvm::StringRef like);
  /// An integer scalar with the element type of input `like`.
  std::string makeIntLike(int64_t value, llvm::StringRef like);
  /// An integer scalar of type TensorProto.DataType `type`.
  std::string makeScalar(int64_t value, int32_t type);
  /// Adds a node with one result before this one, or after it; returns the result's name.
  std::string addBefore(llvm::StringRef op, llvm::ArrayRef<std::string> inputs,
                        llvm::ArrayRef<std::pair<llvm::StringRef, int64_t>> attributes = {});
  void addAfter(llvm::StringRef op, llvm::ArrayRef<std::string> inputs, llvm::StringRef output,
                llvm::ArrayRef<std::pair<llvm::StringRef, int64_t>> attributes = {});
};

/// The end of rules that hold for all opsets to come.
inline constexpr int64_t kAnyOpset = std::numeric_limits<int64_t>::max();

/// Rewrites nodes of `op` from models whose opset is in [from, until). Several rules may apply to a
/// node, in their order.
struct TranslationRule {
  llvm::StringLiteral op;
  int64_t from, until;
  llvm::Error (*apply)(Translation &);
};

llvm::ArrayRef<TranslationRule> getAttentionTranslations();
llvm::ArrayRef<TranslationRule> getBroadcastTranslations();
llvm::ArrayRef<TranslationRule> getLossTranslations();
llvm::ArrayRef<TranslationRule> getMathTranslations();
llvm::ArrayRef<TranslationRule> getMicrosoftAttentionTranslations();
llvm::ArrayRef<TranslationRule> getMicrosoftNNTranslations();
llvm::ArrayRef<TranslationRule> getMicrosoftQuantTranslations();
llvm::ArrayRef<TranslationRule> getNNTranslations();
llvm::ArrayRef<TranslationRule> getPreviewTranslations();
llvm::ArrayRef<TranslationRule> getRandomTranslations();
llvm::ArrayRef<TranslationRule> getReduceTranslations();
llvm::ArrayRef<TranslationRule> getStateTranslations();
llvm::ArrayRef<TranslationRule> getTensorTranslations();

/// The rules for a domain, by family; those of ONNX's own for "".
std::vector<llvm::ArrayRef<TranslationRule>> getTranslations(llvm::StringRef domain);

/// Whether there are rules for operators of this domain, which is not ONNX's own.
bool isTranslatedDomain(llvm::StringRef domain);

/// Brings the node into the form of the newest opset; an error if that form cannot say what it
/// does. Nodes of other domains become nodes of ONNX's in a form that may have to be translated
/// again.
llvm::Error translateNode(Translation &translation);

} // namespace lathe

#endif // LIB_FRONTEND_OPSETTRANSLATION_TRANSLATION_H
