#!/bin/sh
# Measures how many bornes a hub bears, on this machine, with pretend bornes
# that each have a key and a connection of their own (see docs/scale.md).
# Usage: measure-scale.sh sqlite|postgres BORNES [BORNES…], smallest first.
# FOR=60s is how long each is measured; what it makes lies under run/scale.
set -eu
cd "$(dirname "$0")/.."
database=${1:?sqlite or postgres}
shift
dir=$PWD/run/scale/$database
mkdir -p "$dir"
hard=$(ulimit -Hn)
ulimit -n "$hard"

children=
clean_up() {
	trap - EXIT
	for child in $children; do
		kill "$child" 2>/dev/null || true
	done
	[ -z "${cluster:-}" ] || as_owner "$postgres/pg_ctl" -D "$cluster" -m fast stop >/dev/null
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# PostgreSQL refuses to run as root.
as_owner() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
	else
		"$@"
	fi
}

url=
hubs=18443
if [ "$database" = postgres ]; then
	postgres=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
	cluster=/tmp/parvis-scale-$(id -u)
	if [ ! -d "$cluster" ]; then
		mkdir -m 700 "$cluster"
		[ "$(id -u)" != 0 ] || chown nobody:nogroup "$cluster"
		as_owner "$postgres/initdb" -D "$cluster" -U parvis -A trust >/dev/null
	fi
	as_owner "$postgres/pg_ctl" -D "$cluster" -w -l "$cluster/log" \
		-o "-p 15432 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$cluster" start >/dev/null
	as_owner "$postgres/createdb" -h 127.0.0.1 -p 15432 -U parvis parvis 2>/dev/null || true
	url=postgres://parvis@127.0.0.1:15432/parvis
	hubs="18443 18444"
fi

pids=
addresses=
for port in $hubs; do
	PARVIS_DATABASE=$url bin/parvis-hub serve --data "$dir/hub" --bornes "127.0.0.1:$port" \
		--people "127.0.0.1:$((port + 100))" --internal "127.0.0.1:$((port + 200))" >"$dir/hub-$port.out" 2>"$dir/hub-$port.log" &
	children="$! $children"
	pids="$pids --pid $!"
	addresses="$addresses 127.0.0.1:$port"
	until curl -sf "http://127.0.0.1:$((port + 200))/readyz" >/dev/null; do sleep 0.2; done
done

for most; do :; done
have=$(ls "$dir/bornes" 2>/dev/null | wc -l)
if [ "$have" -lt "$most" ]; then
	PARVIS_DATABASE=$url bin/parvis-hub token create --data "$dir/hub" --site "essai-$have" --name "Essai de charge" \
		--count $((most - have)) --json >"$dir/codes.jsonl"
	bin/parvis-swarm enrol 127.0.0.1:18443 --codes "$dir/codes.jsonl" --dir "$dir/bornes"
fi
for bornes; do
	# shellcheck disable=SC2086
	bin/parvis-swarm report $addresses --dir "$dir/bornes" --bornes "$bornes" --for "${FOR:-60s}" $pids
done
