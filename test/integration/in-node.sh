#!/bin/sh
# in-node.sh SCRIPT.mjs ARGUMENTS...: 77 (skipped) where Node is missing.
command -v node >/dev/null || { echo "skipped: no node"; exit 77; }
exec node "$@"
