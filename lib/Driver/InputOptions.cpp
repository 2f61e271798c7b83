//===- InputOptions.cpp - What options say of a model's inputs ------------===//
#include "lib/Driver/InputOptions.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace lathe;

/// A size, or the name of a symbolic dimension.
static bool isDim(StringRef text) {
  int64_t size;
  if (!text.getAsInteger(10, size))
    return size >= 0;
  return !text.empty() && !llvm::isDigit(text.front()) && text.front() != '-' &&
         text.find_first_of("[] ") == StringRef::npos;
}

/// "[2,3],[n,4],[]": a shape for each tensor; false for what is none.
static bool parseShapes(StringRef text, std::vector<std::vector<std::string>> &shapes) {
  do {
    size_t end = text.find(']');
    if (!text.consume_front("[") || end == StringRef::npos)
      return false;
    SmallVector<StringRef> dims;
    StringRef list = text.take_front(end - 1);
    list.split(dims, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/!list.empty());
    for (StringRef &dim : dims)
      dim = dim.trim();
    if (!llvm::all_of(dims, isDim))
      return false;
    shapes.emplace_back(dims.begin(), dims.end());
    text = text.drop_front(end);
  } while (text.consume_front(","));
  return text.empty();
}

static std::optional<ContainerContents> parseContents(StringRef text) {
  ContainerContents contents;
  if (text == "none") {
    contents.count = kAbsent;
  } else if (text.starts_with("[")) {
    if (!parseShapes(text, contents.shapes))
      return std::nullopt;
    contents.count = contents.shapes.size();
  } else if (text.getAsInteger(10, contents.count) || contents.count < 0) {
    return std::nullopt;
  }
  return contents;
}

LogicalResult lathe::readInputOptions(StringRef path, MLIRContext &context, const CompileOptions &options,
                                      ImporterOptions &import) {
  auto fail = [&](StringRef expected, StringRef text) {
    return emitError(FileLineColLoc::get(&context, path, 0, 0))
           << "expected " << expected << ", but got '" << text << "'";
  };
  for (StringRef text : options.elements) {
    auto [name, value] = text.rsplit('=');
    auto contents = parseContents(value);
    if (name.empty() || !contents)
      return fail("NAME=COUNT, NAME=none or NAME=[2,n],[3] in --elements", text);
    if (!import.contents.try_emplace(name, *contents).second)
      return fail("each input once in --elements", text);
  }
  for (StringRef text : options.constants) {
    auto [name, value] = text.rsplit('=');
    SmallVector<StringRef> numbers;
    value.split(numbers, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/!value.empty());
    if (name.empty() || name == text || llvm::is_contained(numbers, ""))
      return fail("NAME=NUMBER,... in --constant", text);
    if (!import.constants.try_emplace(name, numbers.begin(), numbers.end()).second)
      return fail("each input once in --constant", text);
  }
  return success();
}
