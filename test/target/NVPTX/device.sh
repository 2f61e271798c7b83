#!/bin/sh
# device.sh LATHE RUNTIME DRIVER SOURCE FOLDER: the host's side of a model in a C program, with the driver's stand-in in folder DRIVER:
# shapes and their graphs, tensors of the device, threads, arguments, and a status for each way to fail.
set -eu
lathe=$1 runtime=$2 driver=$3 source=$4 folder=$5
model=$source/test/models/glyph_gru.onnx
mkdir -p "$folder/old"
cd "$folder"
rm -f ./*.json

"$lathe" compile "$model" --name=gpu --target=sm_90 --dim batch=1..12 -o gpu.o
"$lathe" compile "$model" --name=gpu --target=sm_90 --dim batch=1..12 -o again.o
cmp gpu.o again.o
"$lathe" compile "$model" --name=gpu --target=sm_90 --dim batch=1..12 --emulate --export-blocks --emit=shared -o kernels.so
"$lathe" compile "$model" --name=cpu --dim batch=1..12 -o cpu.o

# Nothing but the model's own symbols is visible, and nothing but the runtime and libc's memory functions is needed.
nm --extern-only --defined-only gpu.o | awk '{print $3}' | while read -r symbol; do
  case $symbol in gpu_*) ;; *) echo "unexpected symbol $symbol"; exit 1 ;; esac
done
nm --undefined-only gpu.o | awk '{print $2}' | while read -r symbol; do
  case $symbol in mem* | lathe_cuda_*) ;; *) echo "unexpected dependency $symbol"; exit 1 ;; esac
done

cc -std=c11 -Wall -Wextra -Werror ${DEVICE_CFLAGS:-} -I. -I"$source/runtime/include" -I"$source/runtime/src" \
  "$source/test/target/NVPTX/device.c" gpu.o cpu.o "$runtime" -lpthread -lm -ldl -o device
printf '#include "gpu.h"\nint main() { return gpu_model.num_inputs == 1 ? 0 : 1; }\n' >header.cpp
c++ -std=c++17 -Wall -Wextra -Werror -I. -I"$source/runtime/include" -fsyntax-only header.cpp

# checked MODE KEY=N...: a run of the program after which the driver has counted this.
checked() {
  mode=$1
  shift
  LD_LIBRARY_PATH=$driver FAKE_CUDA_KERNELS=$folder/kernels.so FAKE_CUDA_REPORT=$mode.json ./device "$mode"
  for count in "$@"; do
    key=${count%=*}
    grep -q "\"$key\": ${count#*=}[,}]" "$mode.json" || { echo "$mode: expected $count"; cat "$mode.json"; exit 1; }
  done
}
checked shapes graph_launches=17 captures=11 modules=1 not_freed=0
checked pointers graph_launches=8 captures=5 modules=1 not_freed=0
checked threads graph_launches=24 modules=1 not_freed=0
checked arguments graph_launches=2 captures=2 modules=2 not_freed=0

# status N TEXT FAULT: what a run returns, and what it says. What was taken before the failure is freed.
status() {
  rm -f status.json
  said=$(LD_LIBRARY_PATH=$driver FAKE_CUDA_KERNELS=$folder/kernels.so FAKE_CUDA_FAULT=$3 FAKE_CUDA_REPORT=status.json \
    ./device status "$1") || { echo "$3: expected status $1: $said"; exit 1; }
  case $said in *"$2"*) ;; *) echo "$3: expected '$2': $said"; exit 1 ;; esac
  [ ! -e status.json ] || [ "${3#launch}" != "$3" ] || grep -q '"not_freed": 0}' status.json ||
    { echo "$3: expected all to be freed"; cat status.json; exit 1; }
}
status 0 "ok" ""
status 10 "CUDA_ERROR_NO_DEVICE" no-device
status 10 "the first GPU, fake device 0, has compute capability 8.0; 'gpu' was compiled for 9.0 only" capability=80
status 10 "has compute capability 10.0" capability=100
status 11 "the NVIDIA driver, for CUDA 10.2, does not take the model's code: CUDA_ERROR_UNSUPPORTED_PTX_VERSION (222): ptxas" old-driver
status 12 "bytes of the GPU's memory for weights; 1000 of 1000 are free" memory=1000
status 12 "for activations" memory=2500000
status 13 "a kernel failed: CUDA_ERROR_ILLEGAL_ADDRESS (700)" launch=3

driver=$folder/none
status 9 "no NVIDIA driver: libcuda.so.1: cannot open" ""
# A driver from before the functions that are called.
driver=$folder/old
cc -shared -x c /dev/null -o old/libcuda.so.1
status 11 "the NVIDIA driver is too old: it has no cuInit" ""
