#!/bin/sh
# examples.sh LATHE RUNTIME SOURCE FOLDER: the programs of docs/examples, built and run as their comments say.
set -eu
lathe=$1 runtime=$2 source=$3 folder=$4
models=$source/test/models
mkdir -p "$folder"
cd "$folder"
flags="-O2 -Wall -Wextra -Werror -pedantic -I. -I$source/runtime/include"

# accuracy PROGRAM: every accuracy that it prints is at least 94.5 %.
check_accuracy() {
  "$1" "$models/eval_images.npy" "$models/eval_labels.npy" | tee output
  awk '/accuracy/ { sub(/.*accuracy /, ""); ++n; if ($1 < 94.5) exit 1 } END { exit n == 0 }' output
}

"$lathe" compile "$models/glyph_resnet.onnx" --dim batch=1 --name=glyph_float -o glyph_float.o
"$lathe" compile "$models/glyph_resnet.onnx" --dim batch=1 --name=glyph_int8 --quantize=int8 \
  --calibrate="$models/calib.npz" --preprocess=scale=1/255,offset=-0.5 -o glyph_int8.o
# shellcheck disable=SC2086
cc -std=c11 $flags "$source/docs/examples/c/classify.c" glyph_float.o glyph_int8.o "$runtime" -lpthread -o classify
check_accuracy ./classify

"$lathe" compile "$models/glyph_resnet.onnx" --dim batch=1..64 --name=glyph -o glyph.o
# shellcheck disable=SC2086
c++ -std=c++17 $flags "$source/docs/examples/cpp/batches.cpp" glyph.o "$runtime" -lpthread -o batches
check_accuracy ./batches
