#!/bin/sh
# embedding.sh LATHE RUNTIME SOURCE FOLDER: objects of two models in one C program, and the promises of docs/design.md about them.
set -eu
lathe=$1 runtime=$2 source=$3 folder=$4
models=$source/test/models
mkdir -p "$folder"
cd "$folder"

"$lathe" compile "$models/glyph_resnet.onnx" --name=resnet -o resnet.o
"$lathe" compile "$models/glyph_mobilenet.onnx" --name=mobilenet --dim batch=1 -o mobilenet.o

# The same model and options give the same bytes.
mkdir -p again
"$lathe" compile "$models/glyph_resnet.onnx" --name=resnet -o again/resnet.o
cmp resnet.o again/resnet.o
cmp resnet.h again/resnet.h

# Nothing but the model's own symbols is visible, and nothing but libc's memory functions is needed.
nm --extern-only --defined-only resnet.o | awk '{print $3}' | while read -r symbol; do
  case $symbol in resnet_*) ;; *) echo "unexpected symbol $symbol"; exit 1 ;; esac
done
nm --undefined-only resnet.o | awk '{print $2}' | while read -r symbol; do
  case $symbol in mem*) ;; *) echo "unexpected dependency $symbol"; exit 1 ;; esac
done

cc -std=c11 -Wall -Wextra -Werror -I. -I"$source/runtime/include" "$source/test/integration/embedding.c" \
  resnet.o mobilenet.o "$runtime" -lpthread -lm -o embedding
./embedding "$models/ref"

# The headers are C++ too.
printf '#include "resnet.h"\n#include "mobilenet.h"\nint main() { return resnet_model.num_inputs == 1 ? 0 : 1; }\n' >header.cpp
c++ -std=c++17 -Wall -Wextra -Werror -I. -I"$source/runtime/include" header.cpp resnet.o mobilenet.o -o header
./header
