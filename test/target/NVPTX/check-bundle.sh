#!/bin/sh
# check-bundle.sh SOURCE BUILD FOLDER [DRIVER]: the folder that tools/bench/gpu/make-bundle makes, moved elsewhere. With the driver's
# stand-in of folder DRIVER it has one model, and a wrong expected output must be found; without, all of the zoo runs on the GPU of this
# machine. Exit code 77 where there is no driver.
set -eu
source=$1 build=$2 folder=$3 driver=${4:-}
rm -rf "$folder"
if [ -z "$driver" ]; then
  python3 -c 'import ctypes; ctypes.CDLL("libcuda.so.1")' 2>/dev/null || { echo "no NVIDIA driver on this machine"; exit 77; }
  for model in 'glyph_*' 'char_lm_*'; do
    /usr/bin/python3 "$source/tools/bench/gpu/make-bundle" "$folder" --build="$build" --only="$model"
    python3 "$folder/run.py" --no-torch
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
