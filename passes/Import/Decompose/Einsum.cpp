//===- Einsum.cpp - Sums of products over named dimensions ----------------===//
#include "passes/Import/Decompose/NodeBuilder.h"
#include "passes/Import/Decompose/Patterns.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

namespace {

/// A tensor and the letters of its dimensions, each once.
struct Term {
  Value value;
  std::string letters;

  int64_t size(char letter) const { return NodeBuilder::getType(value).getDimSize(letters.find(letter)); }
  bool has(char letter) const { return StringRef(letters).contains(letter); }
};

/// Contracts the operands from left to right.
class EinsumBuilder {
public:
  EinsumBuilder(NodeBuilder &nodes, std::string output) : nodes(nodes), output(std::move(output)) {}

  /// An operand as a term: of a letter that occurs twice only the diagonal is left.
  Term makeTerm(Value value, StringRef letters) {
    Term term{value, letters.str()};
    for (size_t second = 1; second < term.letters.size(); ++second) {
      size_t first = term.letters.find(term.letters[second]);
      if (first == second)
        continue;
      term = takeDiagonal(term, first, second);
      --second;
    }
    return term;
  }

  /// Sums the letters away that neither `later` nor the result has.
  Term drop(Term term, StringRef later) {
    SmallVector<int64_t> axes;
    std::string kept;
    for (auto [axis, letter] : llvm::enumerate(term.letters))
      if (StringRef(output).contains(letter) || later.contains(letter))
        kept += letter;
      else
        axes.push_back(axis);
    return axes.empty() ? term : Term{nodes.sum(term.value, axes), kept};
  }

  /// The sum of products over all letters that only the two have, as a product of matrices.
  Term multiply(Term a, Term b, StringRef later) {
    a = drop(a, b.letters + later.str());
    b = drop(b, a.letters + later.str());
    std::string batch, rows, columns, inner;
    for (char letter : a.letters)
      (!b.has(letter) ? rows : isKept(letter, later) ? batch : inner) += letter;
    for (char letter : b.letters)
      if (!a.has(letter))
        columns += letter;
    // Sizes of 1 broadcast.
    SmallVector<int64_t> shape;
    for (char letter : batch)
      shape.push_back(std::max(a.size(letter), b.size(letter)));
    for (char letter : rows)
      shape.push_back(a.size(letter));
    for (char letter : columns)
      shape.push_back(b.size(letter));
    auto count = [](const Term &term, StringRef letters) {
      int64_t product = 1;
      for (char letter : letters)
        product *= term.size(letter);
      return product;
    };
    auto matrix = [&](const Term &term, StringRef first, StringRef second) {
      SmallVector<int64_t> sizes;
      for (char letter : batch)
        sizes.push_back(term.size(letter));
      sizes.push_back(count(term, first));
      sizes.push_back(count(term, second));
      return nodes.reshape(order(term, batch + first.str() + second.str()), sizes);
    };
    bool broadcasts = llvm::any_of(inner, [&](char letter) { return a.size(letter) != b.size(letter); });
    if (broadcasts) {
      a = widen(a, inner, b);
      b = widen(b, inner, a);
    }
    Value product = nodes.matmul(matrix(a, rows, inner), matrix(b, inner, columns));
    return {nodes.reshape(product, shape), batch + rows + columns};
  }

  /// The term with its dimensions in this order.
  Value order(const Term &term, StringRef letters) {
    SmallVector<int64_t> permutation;
    for (char letter : letters)
      permutation.push_back(term.letters.find(letter));
    return llvm::is_sorted(permutation) ? term.value : nodes.transpose(term.value, permutation);
  }

private:
  bool isKept(char letter, StringRef later) const { return StringRef(output).contains(letter) || later.contains(letter); }

  /// Repeats dimensions of size 1 as the other term has them.
  Term widen(const Term &term, StringRef letters, const Term &other) {
    SmallVector<int64_t> shape(NodeBuilder::getType(term.value).getShape());
    for (auto [axis, letter] : llvm::enumerate(term.letters))
      if (letters.contains(letter))
        shape[axis] = std::max(shape[axis], other.size(letter));
    auto type = RankedTensorType::get(shape, NodeBuilder::getElement(term.value));
    return {ExpandOp::create(nodes.builder, nodes.loc, type, term.value, nodes.ints(shape)), term.letters};
  }

  Term takeDiagonal(const Term &term, size_t first, size_t second) {
    // Both dimensions at the end, then one of them, then every (n + 1)-th element.
    std::string rest;
    SmallVector<int64_t> permutation, shape;
    for (size_t axis = 0; axis < term.letters.size(); ++axis)
      if (axis != first && axis != second) {
        rest += term.letters[axis];
        permutation.push_back(axis);
        shape.push_back(NodeBuilder::getType(term.value).getDimSize(axis));
      }
    permutation.append({int64_t(first), int64_t(second)});
    int64_t size = NodeBuilder::getType(term.value).getDimSize(first);
    shape.push_back(size * size);
    Value flat = nodes.reshape(nodes.transpose(term.value, permutation), shape);
    SmallVector<int64_t> places;
    for (int64_t i = 0; i < size; ++i)
      places.push_back(i * (size + 1));
    return {nodes.gather(flat, nodes.ints(places), shape.size() - 1), rest + term.letters[first]};
  }

  NodeBuilder &nodes;
  std::string output;
};

} // namespace

/// Letters of all dimensions of the operands and the result: capital letters that the equation does not use stand for
/// the dimensions of "...", the last one first. Fails if there are too many, or a rank does not fit.
static LogicalResult nameDims(EinsumOp op, SmallVectorImpl<std::string> &terms, std::string &output) {
  std::string equation, spare;
  for (char c : op.getEquation())
    if (c != ' ')
      equation += c;
  for (char c = 0; c < 127; ++c)
    if (c > ' ' && !StringRef("->,.").contains(c) && !StringRef(equation).contains(c))
      spare += c;
  auto [left, right] = StringRef(equation).split("->");
  SmallVector<StringRef> parts;
  left.split(parts, ',');
  if (parts.size() != op.getInputs().size())
    return failure();
  std::string dots;
  for (auto [part, input] : llvm::zip_equal(parts, op.getInputs())) {
    int64_t rank = NodeBuilder::getType(input).getRank();
    auto [before, after] = part.split("...");
    bool hasDots = part.contains("...");
    int64_t hidden = rank - int64_t(before.size() + after.size());
    if (hidden < 0 || (!hasDots && hidden != 0) || hidden > int64_t(spare.size()))
      return failure();
    std::string letters = spare.substr(0, hidden);
    std::reverse(letters.begin(), letters.end());
    if (letters.size() > dots.size())
      dots = letters;
    terms.push_back(before.str() + letters + after.str());
  }
  if (StringRef(equation).contains("->")) {
    auto [before, after] = right.split("...");
    output = before.str() + (right.contains("...") ? dots : "") + after.str();
    return success();
  }
  std::string once;
  for (char c : left)
    if (llvm::isAlpha(c) && left.count(c) == 1)
      once += c;
  llvm::sort(once);
  output = dots + once;
  return success();
}

static LogicalResult rewriteEinsum(EinsumOp op, PatternRewriter &rewriter) {
  SmallVector<std::string> names;
  std::string output;
  bool isStatic = llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto ranked = dyn_cast<RankedTensorType>(type);
    return ranked && ranked.hasStaticShape();
  });
  if (!isStatic || op.getInputs().empty() || failed(nameDims(op, names, output)))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  EinsumBuilder builder(nodes, output);
  Term result = builder.makeTerm(op.getInputs()[0], names[0]);
  for (size_t i = 1; i < names.size(); ++i) {
    std::string later;
    for (size_t next = i + 1; next < names.size(); ++next)
      later += names[next];
    result = builder.multiply(result, builder.makeTerm(op.getInputs()[i], names[i]), later);
  }
  result = builder.drop(result, "");
  rewriter.replaceOp(op, builder.order(result, output));
  return success();
}

void lathe::populateEinsumPatterns(RewritePatternSet &patterns) { patterns.add(rewriteEinsum); }
