//===- WinogradTiles.h - Tiles and images of Winograd's algorithm ---------===//
#ifndef DIALECTS_NN_IR_WINOGRADTILES_H
#define DIALECTS_NN_IR_WINOGRADTILES_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/AffineExpr.h"

namespace lathe::nn {

/// Tiles of one image, negative where only a run knows them. Of all images, WinogradConvOp::countTiles tells the same.
int64_t countSampleTiles(WinogradConvOp op);

/// The number of blocks of `op` for so many images of such a size.
mlir::AffineExpr getTileBlocks(WinogradInputOp op, mlir::AffineExpr images, mlir::AffineExpr height,
                               mlir::AffineExpr width);

/// The image that `op`, or the op that made its tiles, reads; null if that is not known. A dynamic height or width of
/// the result is the image's plus `more[0]` or `more[1]`.
struct WinogradImage {
  mlir::Value image;
  int64_t more[2];
};
WinogradImage getWinogradImage(WinogradConvOp op);

} // namespace lathe::nn

#endif // DIALECTS_NN_IR_WINOGRADTILES_H
