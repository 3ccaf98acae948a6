#!/bin/bash
# Train one model on several nodes under Slurm, and go on after preemption or the time limit.
#
#     sbatch --nodes=2 examples/clusters/train_slurm.sh RUN vae --data mnist --n-epochs 200
#
# RUN lies on a disk that all nodes see; behind it stands what 'latentia train' takes. A run that was
# killed, at whatever moment, ends with the bits of one that was not.
#SBATCH --job-name=latentia-train
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@60
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu

run=$1
shift
processes=${PROCESSES:-1} # on each node: one for each GPU
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 10000))
# A run goes on as it was begun: with as many threads and as many processes.
export LATENTIA_THREADS=$((SLURM_CPUS_PER_TASK / processes)) OMP_NUM_THREADS=1

# torchrun would take --run for the start of an option of its own.
words=(train "$@" --run-directory "$run")
[ ! -e "$run/config.json" ] || words=(resume "$run")

# The signal comes a minute before the time limit: the job is queued again, and its processes end.
trap 'scontrol requeue "$SLURM_JOB_ID"' USR1
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" bash -c 'exec torchrun --nnodes "$SLURM_JOB_NUM_NODES" --node-rank "$SLURM_NODEID" \
    --nproc-per-node "$1" --master-addr "$2" --master-port "$3" -m latentia "${@:4}"' \
    torchrun "$processes" "$head" "$port" "${words[@]}" &
wait "$!"
