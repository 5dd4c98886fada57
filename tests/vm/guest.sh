# SPDX-License-Identifier: BSD-2-Clause
# Runs in the guest, on the host's files: attaches the program, runs the agent, and tells what the kernel counted.
# /run/vm is a directory of the host: this script, the configuration, and what run.py reads afterwards.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

cd /run/vm
build=$(cat build)
mount -t bpf bpf /sys/fs/bpf
ip link set lo up
ip address add 192.0.2.53/24 dev eth0
ip address add 2001:db8::53/64 dev eth0 nodad
ip link set eth0 up
"$build/cli/nearside" attach eth0 --json >attach.json
"$build/agent/nearsided" --config edge.toml >agent.log 2>&1 &
agent=$!
for _ in $(seq 300); do
  if grep -q ' ready ' agent.log; then break; fi
  kill -0 "$agent"
  sleep 0.1
done
/usr/bin/python3 -B program_info.py /sys/fs/bpf/nearside/prog >program.json
touch ready
while [[ ! -e asked ]]; do sleep 0.1; done
"$build/cli/nearside" counters --json >counters.json
kill "$agent"
wait "$agent"
