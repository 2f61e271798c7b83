#!/bin/sh
# check-bundle.sh SOURCE BUILD FOLDER [DRIVER]: the folder that tools/bench/gpu/make-bundle makes, moved elsewhere. With the driver's
# stand-in of folder DRIVER it has a few models, and a wrong expected output must be found; without, all of the zoo runs on the GPU of
# this machine. Exit code 77 where there is no driver.
set -eu
source=$1 build=$2 folder=$3 driver=${4:-}
rm -rf "$folder"
if [ -z "$driver" ]; then
  python3 -c 'import ctypes; ctypes.CDLL("libcuda.so.1")' 2>/dev/null || { echo "no NVIDIA driver on this machine"; exit 77; }
  for model in 'glyph_*' 'char_lm_*'; do
    /usr/bin/python3 "$source/tools/bench/gpu/make-bundle" "$folder" --build="$build" --only="$model"
    python3 "$folder/run.py" --torch=none
  done
  exit 0
fi

/usr/bin/python3 "$source/tools/bench/gpu/make-bundle" "$folder/made" --build="$build" --only='glyph_gru_b1' --emulate
mv "$folder/made" "$folder/moved"
cd "$folder"
run() { python3 moved/run.py --fake="$driver" --seconds=0.05 --json=report.json "$@"; }
run
grep -q '"device": "fake device 0"' report.json
grep -q '"agrees": true' report.json

# Without a driver it says so once, in the report, too.
if ! python3 -c 'import ctypes; ctypes.CDLL("libcuda.so.1")' 2>/dev/null; then
  if python3 moved/run.py --json=none.json 2> none.txt; then exit 1; fi
  grep -q '^run.py: no NVIDIA driver on this machine: libcuda.so.1' none.txt
  grep -q '"error": "no NVIDIA driver' none.json
fi

# What does not fit into the time is named, and no success.
if run --budget=0; then exit 1; fi
grep -q '"glyph_gru_b1"' report.json
if grep -q '"agrees"' report.json; then exit 1; fi

# A model that needs another driver says so, in the report, too.
if FAKE_CUDA_FAULT=old-driver run; then exit 1; fi
grep -q 'does not take the model.s code: CUDA_ERROR_UNSUPPORTED_PTX_VERSION' report.json

# Wrong numbers are found.
/usr/bin/python3 -c 'import numpy, sys
value = numpy.load(sys.argv[1])
value.reshape(-1)[3] += 1
numpy.save(sys.argv[1], value)' moved/tensors/glyph_gru_b1-logits.npy
if run; then exit 1; fi
grep -q '"agrees": false' report.json

# Products and attention, small ones, agree; torch, where it is, times the same work, or the report says why it does not.
/usr/bin/python3 "$source/tools/bench/gpu/make-bundle" large --build="$build" --only='*_256_bf16' --emulate
/usr/bin/python3 large/run.py --fake="$driver" --seconds=0.05 --torch=cpu --json=report.json
for name in gemm attention; do
  grep -A 9 "\"model\": \"${name}_256_bf16\"" report.json | grep -Eq '"torch_(ms|error)"'
done
if /usr/bin/python3 -c 'import torch' 2>/dev/null; then grep -q '"torch_ms"' report.json; fi
