#!/bin/bash
#SBATCH --job-name=artkit
#SBATCH --array=1-16
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=artkit-%a.log
#SBATCH --open-mode=append
# A folder of pictures, shared out over a SLURM array:
#   sbatch slurm.sh photos/ painted/ "semgan,pix2pix,touchup"
# Tasks that were cancelled, preempted or timed out: the same line again makes what is missing, or one of them alone by
#   sbatch --array=7 --export=ALL,SHARDS=16 slurm.sh photos/ painted/ "semgan,pix2pix,touchup"
set -euo pipefail
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
exec artkit run "$1" --chain "$3" -o "$2" \
  --shard "$SLURM_ARRAY_TASK_ID/${SHARDS:-$SLURM_ARRAY_TASK_COUNT}" --skip-existing
