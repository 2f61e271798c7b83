//===- NNOps.td - Ops of the nn dialect -----------------------------------===//
#ifndef DIALECTS_NN_IR_NNOPS_TD
#define DIALECTS_NN_IR_NNOPS_TD

include "dialects/NN/IR/NNBase.td"

defvar epilogueFormat = [{ (`extras` `(` $extras^ `)`)? (`outs` `(` $init^ `)`)?
    attr-dict (`epilogue` $epilogue^)? }];

def NN_LinearOp : NN_KernelOp<"linear", [AttrSizedOperandSegments]> {
  let summary = "Matrix product with one weight matrix: out[..., n] = sum_k input[..., k] * weight[k, n]";
  let description = [{
    `weight` is `[K, N]`, or packed in panels of n0 columns: `[ceil(N/n0), K, n0]` for f32 and f16,
    `[ceil(N/n0), ceil(K/4), n0, 4]` for i8, `[ceil(N/n0), ceil(K/2), n0, 2]` for i8 that meets i16 and for bf16 that meets
    bf16 (padded with zeros). Where two rows meet two columns at once, 8 steps of i8 are neighbours, or 4 of bf16.

    An f32 input may meet a weight of bf16 or f16, `[K, N]` or packed as f32 is, or a quantized one (weight-only
    quantization): bytes, packed `[ceil(N/n0), K, n0]`, each a signed element, or with `bits` (2, 3 or 4) words of i32
    `[K/32 * bits, N]`, packed `[ceil(N/n0), K/32 * bits, n0]`. The words of a column that belong to 32 rows are a
    stream of bits, lowest first: row r of the 32 is the unsigned number at bits [r * bits, (r + 1) * bits), which may
    lie in two words. `scales` and `offsets`, f32 `[G, N]` or packed `[ceil(N/n0), G, n0]`, hold for K/G neighbouring
    rows each: an element is stored * scale + offset. Without offsets they are -2^(bits - 1) * scale for words and 0
    for bytes; without scales they are 1.

    ```mlir
    %y = nn.linear %x, %w extras(%bias) epilogue {
    ^bb0(%acc: f32, %b: f32):
      %s = arith.addf %acc, %b : f32
      nn.yield %s : f32
    } : (tensor<?x64xf32>, tensor<64x36xf32>, tensor<36xf32>) -> tensor<?x36xf32>
    ```
  }];
  let arguments = (ins NN_Shaped:$input, NN_Shaped:$weight, Optional<NN_Shaped>:$scales, Optional<NN_Shaped>:$offsets,
                       Variadic<NN_Shaped>:$extras, Optional<NN_Shaped>:$init, DefaultValuedAttr<I64Attr, "0">:$bits);
  let regions = (region AnyRegion:$epilogue);
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$input, "::mlir::Value":$weight,
                                 "::mlir::ValueRange":$extras, "::mlir::Value":$init), [{
    build($_builder, $_state, result, input, weight, /*scales=*/::mlir::Value(), /*offsets=*/::mlir::Value(), extras,
          init, /*bits=*/0);
  }]>];
  let assemblyFormat = !strconcat([{ $input `,` $weight (`scales` `(` $scales^ `)`)? (`offsets` `(` $offsets^ `)`)? }],
                                  epilogueFormat, "`:` functional-type(operands, results)");
}

def NN_SparseLinearOp : NN_KernelOp<"sparse_linear", [AttrSizedOperandSegments]> {
  let summary = "Matrix product with one sparse weight matrix, compressed by columns";
  let description = [{
    nn.linear for a weight `[K, N]` that is mostly zeros, of which only the others are stored: `values`, f32 `[E]`,
    column by column; `coordinates`, `[E]` of i8 or i16 that are *unsigned*, the input channel that each value
    multiplies, ascending within a column; `positions`, i32 `[N + 1]`: the values of column n are those from
    `positions[n]` to `positions[n + 1] - 1`. A product with a zero that is not stored does not happen: it makes no NaN
    of an infinity. The leading dimensions of the input are rows, however many: a convolution with a window of one
    pixel is an `nn.sparse_linear` of its channels.

    ```mlir
    %y = nn.sparse_linear %x, %values, %coordinates, %positions extras(%bias) epilogue {
    ^bb0(%acc: f32, %b: f32):
      %s = arith.addf %acc, %b : f32
      nn.yield %s : f32
    } : (tensor<?x64xf32>, tensor<230xf32>, tensor<230xi8>, tensor<37xi32>, tensor<36xf32>) -> tensor<?x36xf32>
    ```
  }];
  let arguments = (ins NN_Shaped:$input, NN_Shaped:$values, NN_Shaped:$coordinates, NN_Shaped:$positions,
                       Variadic<NN_Shaped>:$extras, Optional<NN_Shaped>:$init);
  let regions = (region AnyRegion:$epilogue);
  let assemblyFormat = !strconcat("$input `,` $values `,` $coordinates `,` $positions ", epilogueFormat,
                                  "`:` functional-type(operands, results)");
}

def NN_MatMulOp : NN_KernelOp<"matmul", [AttrSizedOperandSegments]> {
  let summary = "Batched matrix product of two activations";
  let description = [{
    `lhs` is `[..., M, K]`, `rhs` `[..., K, N]` or packed `[..., ceil(N/n0), K, n0]`; leading
    dimensions broadcast as in NumPy. `packed` tells that `rhs` is packed.
  }];
  let arguments = (ins NN_Shaped:$lhs, NN_Shaped:$rhs, Variadic<NN_Shaped>:$extras, Optional<NN_Shaped>:$init,
                       UnitAttr:$packed);
  let regions = (region AnyRegion:$epilogue);
  let assemblyFormat = !strconcat("$lhs `,` $rhs ", epilogueFormat, "`:` functional-type(operands, results)");
}

def NN_ConvOp : NN_KernelOp<"conv", [AttrSizedOperandSegments]> {
  let summary = "2-D convolution, channels last";
  let description = [{
    `input` is `[N, H, W, C]`, the result `[N, OH, OW, O]`. `weight` is `[KH, KW, C/group, O]`, or
    packed in panels of n0 output channels: `[ceil(O/n0), KH, KW, C, n0]` for f32 and f16,
    `[ceil(O/n0), KH, KW, ceil(C/4), n0, 4]` for i8 and `[ceil(O/n0), KH, KW, ceil(C/2), n0, 2]` for i8 that meets i16 and for
    bf16 that meets bf16, or with 8 and 4 steps, as that of `nn.linear`. A depthwise weight (`group` = C = O) stays `[KH, KW, 1, C]`;
    where the target adds pairs of products of i16, the elements of each two of its lines alternate, `[KW, 1, C, 2]`, in their place.
    A weight whose groups are several to a vector stays, too. The weight of an f32 input may be bf16 or f16.
    1-D convolutions have H = KH = 1. `pads` are top, left, bottom, right. `pad_value` is what the padding holds, in storage:
    the zero point of a quantized input.
  }];
  let arguments = (ins NN_Shaped:$input, NN_Shaped:$weight, Variadic<NN_Shaped>:$extras, Optional<NN_Shaped>:$init,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
                       DefaultValuedAttr<I64Attr, "1">:$group,
                       DefaultValuedAttr<I64Attr, "0">:$pad_value);
  let regions = (region AnyRegion:$epilogue);
  let assemblyFormat = !strconcat("$input `,` $weight ", epilogueFormat, "`:` functional-type(operands, results)");
}

def NN_PoolKind : I32EnumAttr<"PoolKind", "", [I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Average", 1, "avg">]> {
  let cppNamespace = "::lathe::nn";
  let genSpecializedAttr = 0;
}
def NN_PoolKindAttr : EnumAttr<NN_Dialect, NN_PoolKind, "pool_kind">;

def NN_PoolOp : NN_KernelOp<"pool"> {
  let summary = "2-D max or average pooling, channels last";
  let description = [{
    `input` is `[N, H, W, C]`. Windows may reach into the padding (`pads`: top, left, bottom, right), which never
    wins a maximum; an average counts it where `count_include_pad` is set. i8 and i16 elements are what inputs of contractions
    are on the target, unsigned or signed: the maximum of quantized values is the quantized maximum.
  }];
  let arguments = (ins NN_Shaped:$input, Optional<NN_Shaped>:$init, NN_PoolKindAttr:$kind,
                       DenseI64ArrayAttr:$kernel,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
                       UnitAttr:$count_include_pad);
  let assemblyFormat = "$kind $input (`outs` `(` $init^ `)`)? attr-dict `:` functional-type(operands, results)";
}

def NN_AttentionOp : NN_KernelOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "Scaled dot-product attention: softmax(scale * Q K^T + mask) V";
  let description = [{
    `query` is `[B, Sq, Hq, D]`, `key` `[B, Skv, Hkv, D]`, `value` `[B, Skv, Hkv, Dv]`, the result
    `[B, Sq, Hq, Dv]`; with `heads_first` query and result are `[B, Hq, Sq, D]`, with
    `kv_heads_first` key and value are. Hq is a multiple of Hkv: query head h reads key head
    h / (Hq / Hkv) (grouped-query attention, Ainslie et al. 2023). `mask` broadcasts to
    `[B, Hq, Sq, Skv]` and is added to the scores (f32) or keeps them where true (i1). With `causal`
    query i sees keys up to i + Skv - Sq. Lowered with the online softmax of FlashAttention-2
    (Dao 2023): the score matrix never exists in memory. A row that is masked out entirely gives zeros.
  }];
  let arguments = (ins NN_Shaped:$query, NN_Shaped:$key, NN_Shaped:$value, Optional<NN_Shaped>:$mask, Optional<NN_Shaped>:$init,
                       F32Attr:$scale, UnitAttr:$causal, UnitAttr:$heads_first, UnitAttr:$kv_heads_first);
  let assemblyFormat = [{ $query `,` $key `,` $value (`mask` `(` $mask^ `)`)?
    (`outs` `(` $init^ `)`)? attr-dict `:` functional-type(operands, results) }];
}

def NN_NormKind : I32EnumAttr<"NormKind", "", [I32EnumAttrCase<"Layer", 0, "layer">, I32EnumAttrCase<"RMS", 1, "rms">]> {
  let cppNamespace = "::lathe::nn";
  let genSpecializedAttr = 0;
}
def NN_NormKindAttr : EnumAttr<NN_Dialect, NN_NormKind, "norm_kind">;

def NN_NormOp : NN_KernelOp<"norm", [AttrSizedOperandSegments]> {
  let summary = "LayerNorm or RMSNorm over the last dimension";
  let description = [{
    layer: (x - mean) / sqrt(var + epsilon) * scale + bias (Ba et al. 2016);
    rms: x / sqrt(mean(x^2) + epsilon) * scale (Zhang and Sennrich 2019). `scale` and `bias` are
    `tensor<N>` of the last dimension.
  }];
  let arguments = (ins NN_Shaped:$input, Optional<NN_Shaped>:$scale, Optional<NN_Shaped>:$bias, Optional<NN_Shaped>:$init,
                       NN_NormKindAttr:$kind, F32Attr:$epsilon);
  let assemblyFormat = [{ $kind $input (`scale` `(` $scale^ `)`)? (`bias` `(` $bias^ `)`)?
    (`outs` `(` $init^ `)`)? attr-dict `:` functional-type(operands, results) }];
}

def NN_SoftmaxOp : NN_KernelOp<"softmax"> {
  let summary = "Softmax over the last dimension, shifted by its maximum";
  let arguments = (ins NN_Shaped:$input, Optional<NN_Shaped>:$init, UnitAttr:$log);
  let assemblyFormat = "$input (`outs` `(` $init^ `)`)? attr-dict `:` functional-type(operands, results)";
}

/// Fewer tokens of static number, and what they stand for. Both results have destinations: `init` and `sizes_init`.
class NN_TokenOp<string mnemonic> : NN_Op<mnemonic, [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<NN_KernelOpInterface, ["getMacs"]>,
    DeclareOpInterfaceMethods<ShapeInferenceOpInterface>]> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
}

def NN_TokenMergeOp : NN_TokenOp<"token_merge"> {
  let summary = "Merges the r tokens that are most like another one (bipartite soft matching)";
  let description = [{
    Token merging of Bolya et al. (2023). `tokens` is `[B, T, C]` with a static T; `metric` `[B, T, D]` or
    `[B, T, H, D]`, averaged over H, says what tokens are like; `sizes` `[B, T]` says how many tokens each one
    stands for (1 where it is left out). Tokens at even positions are sources, at odd ones targets. Each source is
    matched with the target of the largest cosine similarity of metrics, the first of equals; the `r` sources of the
    largest similarity merge into their targets, by an average weighted by size. With `protect_class` the first token
    is not merged. The results are the sources that are left and then the targets, both in order, as
    `[B, T - r, C]`, and their sizes `[B, T - r]`.

    ```mlir
    %y, %n = nn.token_merge %x metric(%keys) sizes(%sizes) {r = 8 : i64, protect_class}
      : (tensor<?x65x96xf32>, tensor<?x65x3x32xf32>, tensor<?x65xf32>) -> (tensor<?x57x96xf32>, tensor<?x57xf32>)
    ```
  }];
  let arguments = (ins NN_Shaped:$tokens, NN_Shaped:$metric, Optional<NN_Shaped>:$sizes, Optional<NN_Shaped>:$init,
                       Optional<NN_Shaped>:$sizes_init, I64Attr:$r, UnitAttr:$protect_class);
  let assemblyFormat = [{ $tokens `metric` `(` $metric `)` (`sizes` `(` $sizes^ `)`)?
    (`outs` `(` $init^ `,` $sizes_init `)`)? attr-dict `:` functional-type(operands, results) }];
}

def NN_TokenPruneOp : NN_TokenOp<"token_prune"> {
  let summary = "Keeps the tokens that the class attends to, and fuses the others to one";
  let description = [{
    Token reorganization of Liang et al. (2022, EViT). `tokens` is `[B, T, C]` with a static T, the first one the class.
    `query` and `key` are those of `nn.attention`, laid out as `heads_first` and `kv_heads_first` say there. The
    importance of a token is the class's attention to it, softmax(scale * q_class K^T), averaged over heads; with `sizes`
    `[B, T]` (how many tokens each one stands for) their logarithms are added to the scores. The class, the `kept` most
    important other tokens, in order, and the mean of the rest, weighted by importance, are the result
    `[B, kept + 2, C]`. Of equals the first are kept. With `sizes` there is a second result, the sizes `[B, kept + 2]`.

    ```mlir
    %y = nn.token_prune %x query(%q) key(%k) {kept = 44 : i64, scale = 0.125 : f32}
      : (tensor<?x65x96xf32>, tensor<?x65x3x32xf32>, tensor<?x65x3x32xf32>) -> tensor<?x46x96xf32>
    ```
  }];
  let arguments = (ins NN_Shaped:$tokens, NN_Shaped:$query, NN_Shaped:$key, Optional<NN_Shaped>:$sizes,
                       Optional<NN_Shaped>:$init, Optional<NN_Shaped>:$sizes_init, I64Attr:$kept, F32Attr:$scale,
                       UnitAttr:$heads_first, UnitAttr:$kv_heads_first);
  let assemblyFormat = [{ $tokens `query` `(` $query `)` `key` `(` $key `)` (`sizes` `(` $sizes^ `)`)?
    (`outs` `(` $init^ (`,` $sizes_init^)? `)`)? attr-dict `:` functional-type(operands, results) }];
}

//===----------------------------------------------------------------------===//
// Forms that the lower phase chooses
//===----------------------------------------------------------------------===//

/// A way to compute convolutions. Exists after `lower` only.
class NN_LoweredOp<string mnemonic, list<Trait> traits = []> : NN_Op<mnemonic, !listconcat(traits, [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<NN_KernelOpInterface, ["getMacs"]>,
    DeclareOpInterfaceMethods<ShapeInferenceOpInterface>])> {
  let results = (outs Optional<AnyRankedTensor>:$result);
  let hasVerifier = 1;
  code resultShapedType = [{
    /// Type of what is computed: the result's, or the destination's in memref form.
    ::mlir::ShapedType getResultShapedType() {
      return ::llvm::cast<::mlir::ShapedType>(getResult() ? getResult().getType() : getInit().getType());
    }
  }];
  let extraClassDeclaration = resultShapedType;
}

/// One half of a 3x3 convolution by Winograd's algorithm.
class NN_WinogradOp<string mnemonic, list<Trait> traits = []> : NN_LoweredOp<mnemonic, traits> {
  code winogradPositions = [{
    /// Elements of a transformed tile: (m + 2)^2.
    int64_t getPositions() { return (int64_t(getM()) + 2) * (int64_t(getM()) + 2); }
  }];
  let extraClassDeclaration = resultShapedType # winogradPositions;
}

def NN_WinogradInputOp : NN_WinogradOp<"winograd_input"> {
  let summary = "Tiles of an image, transformed for a 3x3 convolution: B^T d B";
  let description = [{
    The input transform of the algorithm F(m x m, 3 x 3) of Lavin and Gray (2016, "Fast Algorithms for Convolutional Neural
    Networks"), m = 2 or 4. `input` is `[N, H, W, C]` of f32, or of i16 that hold unsigned bytes; with `pads` (top, left,
    bottom, right; of `pad_value`) its height and width are those of whole tiles, m * tiles + 2; a dynamic one has m - 1
    lines, or columns, more than the pixels of the result need, and what makes no whole tile is not read. The result is `[blocks, (m+2)^2, chunks, tiles, lanes]`: tile t of
    block b is number b * tiles + t, counted through the images, down and across; channel l of chunk q is number q * lanes
    + l. The number of images, of lines, of columns, and so of blocks may be dynamic. A block is, for each position, a matrix of tiles x channels whose rows are neighbours in memory. Channels past C are
    zeros, tiles past the last one repeat it. B has whole numbers only: tiles of i16 are exact.

    ```mlir
    %t = nn.winograd_input %x {m = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x28x28x64xf32>) -> tensor<4x36x4x13x16xf32>
    ```
  }];
  let arguments = (ins NN_Shaped:$input, Optional<NN_Shaped>:$init, I64Attr:$m,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
                       DefaultValuedAttr<I64Attr, "0">:$pad_value);
  let assemblyFormat = "$input (`outs` `(` $init^ `)`)? attr-dict `:` functional-type(operands, results)";
}

def NN_WinogradConvOp : NN_WinogradOp<"winograd_conv", [AttrSizedOperandSegments]> {
  let summary = "3x3 convolution of transformed tiles: A^T (sum_c U_c * V_c) A";
  let description = [{
    `input` is the result of an `nn.winograd_input` with the same `m`, or the image that it would transform, with the same
    `pads`; each task then transforms the tiles it needs, of all channels. `weight` holds G g G^T, `[(m+2)^2, C/group, O]`, or packed
    in panels of n0 output channels and the tiles' chunks of lanes: `[ceil(O/n0), (m+2)^2, chunks, lanes, n0]`. At each position the
    tiles are multiplied by the weight, a product of matrices; the output transform turns each tile's (m+2)^2 sums into m x
    m pixels of the result, `[N, OH, OW, O]`, and the epilogue is applied to these. Where there are several groups, whose channels
    fill whole chunks and panels, the input is the image: a task transforms the channels of one of them.

    Tiles of i16 meet a weight of i16, packed `[ceil(O/n0), (m+2)^2, C/2, n0, 2]`, in which G is scaled to whole numbers: by 2
    for m = 2; by 24, and its last row by 12, for m = 4. Sums are taken modulo 2^32, and so is the output transform; dividing
    by 4 or 576 there gives the convolution's sums exactly, if their magnitude is below 2^29 or 2^25.

    ```mlir
    %y = nn.winograd_conv %t, %u {m = 4 : i64}
      : (tensor<4x36x4x13x16xf32>, tensor<36x64x32xf32>) -> tensor<1x28x28x32xf32>
    ```
  }];
  let arguments = (ins NN_Shaped:$input, NN_Shaped:$weight, Variadic<NN_Shaped>:$extras, Optional<NN_Shaped>:$init,
                       I64Attr:$m, DefaultValuedAttr<I64Attr, "1">:$group,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
                       DefaultValuedAttr<I64Attr, "0">:$pad_value);
  let regions = (region AnyRegion:$epilogue);
  let extraClassDeclaration = resultShapedType # winogradPositions # [{
    /// Whether the input is the image, not its tiles.
    bool readsImage() { return ::llvm::cast<::mlir::ShapedType>(getInput().getType()).getRank() == 4; }
    /// Tiles of all images; negative where only a run knows them.
    int64_t countTiles();
  }];
  let assemblyFormat = !strconcat("$input `,` $weight ", epilogueFormat, "`:` functional-type(operands, results)");
}

def NN_ExpandDepthwiseOp : NN_LoweredOp<"expand_depthwise", [AttrSizedOperandSegments]> {
  let summary = "1x1 convolution and the depthwise one that reads it, line by line";
  let description = [{
    What begins an inverted residual block (Sandler et al. 2018, "MobileNetV2"): a 1x1 convolution from Ci to C channels
    and a depthwise one of these. `input` is `[N, H, W, Ci]`, `expand_weight` `[Ci, C]`, or packed in panels
    `[ceil(C/n0), Ci, n0]`, `weight` `[KH, KW, 1, C]`, the result `[N, OH, OW, C]`, all f32. `strides` and `pads` (top, left,
    bottom, right) are those of the depthwise convolution. The expanded image never exists in memory: a ring of KH of
    its lines, for one panel of channels, stays in the cache. Each convolution has its epilogue; the operands of the
    first one, `expand_extras`, do not vary from pixel to pixel: `[C]` or `[1]`.

    ```mlir
    %y = nn.expand_depthwise %x, %e, %w {pads = array<i64: 1, 1, 1, 1>} expand {
    ^bb0(%acc: f32):
      %zero = arith.constant 0.0 : f32
      %r = arith.maximumf %acc, %zero : f32
      nn.yield %r : f32
    } : (tensor<1x112x112x16xf32>, tensor<16x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x112x112x96xf32>
    ```
  }];
  let arguments = (ins NN_Shaped:$input, NN_Shaped:$expand_weight, NN_Shaped:$weight,
                       Variadic<NN_Shaped>:$expand_extras, Variadic<NN_Shaped>:$extras, Optional<NN_Shaped>:$init,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads);
  let regions = (region AnyRegion:$expand_epilogue, AnyRegion:$epilogue);
  let assemblyFormat = [{ $input `,` $expand_weight `,` $weight (`expand_extras` `(` $expand_extras^ `)`)?
    (`extras` `(` $extras^ `)`)? (`outs` `(` $init^ `)`)? attr-dict (`expand` $expand_epilogue^)?
    (`epilogue` $epilogue^)? `:` functional-type(operands, results) }];
}

def NN_YieldOp : NN_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "Ends an epilogue with the element to store";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif // DIALECTS_NN_IR_NNOPS_TD
