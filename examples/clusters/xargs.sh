#!/bin/sh
# A folder of pictures, shared out over processes of one machine, 4 or as many as SHARDS says:
#   SHARDS=8 sh xargs.sh photos/ painted/ "semgan,pix2pix,touchup"
# The same line again makes what is missing.
set -eu
shards="${SHARDS:-4}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
seq "$shards" |
  xargs -P "$shards" -I '{}' artkit run "$1" --chain "$3" -o "$2" --shard "{}/$shards" --skip-existing
