//===- Npy.h - NumPy's array files ----------------------------------------===//
#ifndef LIB_SUPPORT_NPY_H
#define LIB_SUPPORT_NPY_H

#include "lib/Support/DataTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace lathe {

/// A dense array in C order.
struct NpyArray {
  lathe_dtype type = LATHE_FLOAT32;
  std::vector<int64_t> shape;
  std::vector<char> bytes;

  NpyArray() = default;
  /// Zeroes. The shape must hold no negative size.
  NpyArray(lathe_dtype type, llvm::ArrayRef<int64_t> shape);

  int64_t size() const;
  template <typename T> llvm::ArrayRef<T> as() const {
    return {reinterpret_cast<const T *>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <typename T> llvm::MutableArrayRef<T> as() {
    return {reinterpret_cast<T *>(bytes.data()), bytes.size() / sizeof(T)};
  }
  /// The element at a flat index as a double; 64-bit integers may be rounded.
  double at(int64_t index) const;
  /// Stores a value at a flat index, converted to the element type (integers: rounded and clamped; floats: rounded to even).
  void set(int64_t index, double value);
  /// Of a file for a value of type `wanted`, if that is one NumPy has no name for: its bytes, whether the file calls them
  /// V1 or integers of 8 bits, are elements of it. Leaves other arrays as they are.
  void nameBytes(lathe_dtype wanted);
  /// The rows [begin, end) of the outermost dimension; the array has rank >= 1 and that many rows.
  NpyArray rows(int64_t begin, int64_t end) const;
};

/// "[2, 3]".
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// Reads the bytes of a `.npy` file. Fortran order and big-endian data are converted. `name` is used in messages.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef data, llvm::StringRef name);
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// The bytes of a `.npy` file of format 1.0, with the data at a multiple of 64.
std::string formatNpy(const NpyArray &array);

/// The arrays of a `.npz` archive (stored or deflated) in the order of its directory.
llvm::Expected<std::vector<std::pair<std::string, NpyArray>>> readNpz(llvm::StringRef path);
/// The bytes of a `.npz` archive, its members stored; fails from 4 GB on.
llvm::Expected<std::string> formatNpz(llvm::ArrayRef<std::pair<std::string, NpyArray>> arrays);

} // namespace lathe

#endif // LIB_SUPPORT_NPY_H
