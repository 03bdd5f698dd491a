#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Request -> BPF query -> NVMe persist -> response: redis-cli talks to it, and after kill -9 and
# --recover every value that was answered for is there.

set -eu
kv=
start() {
	"$BUILD/user/samples/kv" "$@" "$NVME1" &
	kv=$!
	for _ in {1..100}; do
		[ "$(redis-cli ping 2>/dev/null)" != PONG ] || return 0
		sleep 0.1
	done
	echo "kv does not answer"
	exit 1
}
trap 'kill $kv 2>/dev/null || true' EXIT

start
[ "$(redis-cli set hello world)" = OK ]
[ "$(redis-cli get hello)" = world ]
[ -z "$(redis-cli get nothing)" ]
for i in {1..300}; do echo "SET key$i value$i-$((i * i))"; done | redis-cli >/tmp/answers
[ "$(sort /tmp/answers | uniq -c | xargs)" = "300 OK" ]
redis-cli set hello again >/dev/null
redis-benchmark -t set,get -n 2000 -r 100 -P 8 -q | tr '\r' '\n' | grep 'per second'

kill -9 $kv
wait $kv 2>/dev/null || true
start --recover
[ "$(redis-cli get hello)" = again ]
for i in {1..300}; do echo "GET key$i"; done | redis-cli >/tmp/answers
for i in {1..300}; do echo "value$i-$((i * i))"; done | cmp - /tmp/answers
