#!/usr/bin/env bash
# A Slurm cluster of one node on this machine, for the length of a command:
#
#   tests/slurm/cluster.sh COMMAND [ARG]...
#
# Starts munged, slurmctld and slurmd with a configuration of their own in a temporary folder, on ports and a socket of their own
# and without systemd, control groups or a database, runs COMMAND with SLURM_CONF set, stops everything in any case
# and returns COMMAND's status. 77, which CTest takes as skipped, where munge or slurm-wlm are not installed.
# CLUSTER_CPUS: processors that the node claims to have (4). CLUSTER_ARRAY: its MaxArraySize (5, so that small sweeps need several
# arrays). CLUSTER_KEEP=1: the folder with the logs stays.
set -euo pipefail

export PATH=$PATH:/usr/sbin:/sbin
for program in munged mungekey slurmctld slurmd sbatch squeue scancel setpriv; do
    if ! command -v "$program" >/dev/null; then
        echo "skipped: $program is not installed (Debian: munge, slurm-wlm)" >&2
        exit 77
    fi
done

folder=$(mktemp -d "${TMPDIR:-/tmp}/slurm-cluster.XXXXXX")
daemons=()
up=                  # whether it came up

stop() {
    local status=$? pid
    trap - EXIT
    set +e
    timeout 20 scancel --quiet --me 2>/dev/null
    for _ in $(seq 50); do
        [[ -z $(timeout 5 squeue --noheader --me 2>/dev/null) ]] && break
        sleep 0.1
    done
    for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${daemons[@]}"; do
        for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    if [[ -z $up ]]; then tail -n 30 "$folder"/log/*.log >&2; fi
    if [[ -n ${CLUSTER_KEEP:-} ]]; then echo "kept: $folder" >&2; else rm -rf "$folder"; fi
    exit "$status"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Nobody listens on it now; a port that is taken meanwhile makes the daemon fail, and the loop below says so.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# A daemon that ends with this script, even where the script is killed outright.
start() {
    local name=$1
    shift
    setpriv --pdeathsig KILL "$@" >"$folder/log/$name.log" 2>&1 </dev/null &
    daemons+=($!)
}

host=$(hostname -s)
user=$(id -un)
cpus=${CLUSTER_CPUS:-4}
mkdir -m 755 "$folder"/{run,state,spool,log}
chmod 755 "$folder"
mkdir -m 700 "$folder/key"
mungekey --create --keyfile "$folder/key/munge.key"
cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdParameters=config_overrides
MaxArraySize=${CLUSTER_ARRAY:-5}
KillWait=5
SchedulerParameters=batch_sched_delay=0,sched_min_interval=1000,sched_interval=1,bf_interval=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=60 State=UP OverSubscribe=NO
CONF
export SLURM_CONF=$folder/slurm.conf

start munged munged --foreground --force --socket="$folder/run/munge.socket" --key-file="$folder/key/munge.key" \
    --pid-file="$folder/run/munged.pid" --seed-file="$folder/key/munge.seed" --num-threads=2
for _ in $(seq 100); do [[ -S $folder/run/munge.socket ]] && break; sleep 0.1; done
start slurmctld slurmctld -D -f "$SLURM_CONF"
start slurmd slurmd -D -f "$SLURM_CONF"

for attempt in $(seq 300); do
    for pid in "${daemons[@]}"; do
        kill -0 "$pid" 2>/dev/null || { echo "a daemon of the cluster ended" >&2; exit 1; }
    done
    [[ $(timeout 5 sinfo --noheader --format=%T 2>/dev/null) == idle ]] && break
    (( attempt < 300 )) || { echo "the cluster did not come up" >&2; exit 1; }
    sleep 0.1
done
up=yes
"$@"
