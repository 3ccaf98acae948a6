#!/bin/bash
# Pictures through a model as a Slurm array: each task makes its shard, and may be killed.
#
#     sbatch examples/clusters/array_job.sh zoo:pix2pix-maps PHOTOGRAPHS DIR
#
# On a machine without Slurm, one shard of two:
#
#     SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_COUNT=2 bash examples/clusters/array_job.sh ...
#
# Queued again, a task goes on with what it lacks. The manifests together name every picture made.
#SBATCH --job-name=latentia-pictures
#SBATCH --array=1-8
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu

model=$1 pictures=$2 out=$3
verb=${VERB:-translate} # or upscale
shard=$SLURM_ARRAY_TASK_ID n_shards=$SLURM_ARRAY_TASK_COUNT
export LATENTIA_THREADS=${SLURM_CPUS_PER_TASK:-1}

mkdir -p "$out"
exec latentia "$verb" "$model" "$pictures" --out "$out" --shard "$shard/$n_shards" --skip-existing \
    --manifest-out "$out/made-$shard.jsonl" --failures "$out/failures-$shard.jsonl"
