#!/bin/sh
# Tries a borne and its hub: the demo site, demo places, a desk of simulated
# devices, a hub, and the borne's agent enrolled there, on the display there is
# or on a virtual one. Usage: run-demo.sh [SECONDS]
# Everything it makes is under run/; bin/ holds the programs.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-}
case $seconds in
*[!0-9]*) echo "SECONDS=$seconds is not a whole number of seconds" >&2; exit 2 ;;
esac
mkdir -p run/data run/tickets run/screens

children=
clean_up() {
	trap - EXIT
	for child in $children; do
		kill "$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	done
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# until_there FILE CHILD [LOG] waits for CHILD to make FILE, twenty seconds at
# most, or shows the end of its log.
until_there() {
	tries=0
	until [ -e "$1" ] && { [ ! -f "$1" ] || [ -s "$1" ]; }; do
		tries=$((tries + 1))
		if [ $tries -gt 200 ] || ! kill -0 "$2" 2>/dev/null; then
			echo "$1 did not appear" >&2
			[ -z "${3:-}" ] || tail -n 5 "$3" >&2
			exit 1
		fi
		sleep 0.1
	done
}

bin/parvis places import content/demo/places.csv --data run/data

rm -f run/printer run/desk.ctl
bin/parvis-sim desk </dev/null >run/desk.log 2>&1 &
desk=$!
children="$desk $children"
until_there run/desk.ctl "$desk" run/desk.log # its orders come last

# The demo site, with what is on the desk beside the serial lines: not every
# machine lets everybody run pcscd or an IPP printer.
cp packaging/demo.toml run/demo.toml
chmod 640 run/demo.toml
if grep -q '^lecteur de cartes à puce' run/desk.log; then
	printf '\n[[lecteurs]]\ntype = "pcsc"\n' >>run/demo.toml
	PCSCLITE_CSOCK_NAME=$PWD/run/pcsc/pcscd.comm
	export PCSCLITE_CSOCK_NAME
fi
if grep -q '^imprimante A4' run/desk.log; then
	printf '\n[imprimante_a4]\nfile = "ipp://localhost:8631/ipp/print"\n' >>run/demo.toml
fi
bin/parvis ticket demo --kind demarche --out run/printer

# The hub, and the borne enrolled as IT would do it: anew where the hub that it
# knows has been removed.
[ -e run/hub ] || rm -rf run/data/identity
console=http://127.0.0.1:8080
bornes=127.0.0.1:8443
rm -f run/hub.out
bin/parvis-hub serve --data run/hub --bornes "$bornes" --people 127.0.0.1:8080 --url "$console" >run/hub.out 2>run/hub.log &
hub=$!
children="$hub $children"
until_there run/hub.out "$hub" run/hub.log
if [ ! -e run/data/identity/identity.json ]; then
	code=$(bin/parvis-hub token create --data run/hub --site demo --name "Mairie de quartier" --borne MQ-01 --short)
	bin/parvis-agent enrol "$bornes" "$code" --data run/data >/dev/null
fi
signin=$(bin/parvis-hub person link demo@parvis.test --name "Démonstration" --role admin --data run/hub --url "$console")
# The agent hands both logs to the hub when asked, and may empty them: they are
# appended to.
rm -f run/agent.log run/borne.log
touch run/borne.log
bin/parvis-agent run --data run/data --logs run/agent.log --logs run/borne.log >>run/agent.log 2>&1 &
children="$! $children"

# Memory that is given back is overwritten at once: nothing a resident typed
# stays in it.
export GODEBUG=clobberfree=1
set -- --data run/data --profile run/demo.toml
virtual=
if [ -z "${DISPLAY:-}" ] || ! xdpyinfo >/dev/null 2>&1; then
	virtual=yes
	rm -f run/display
	Xvfb -displayfd 3 -screen 0 1080x1920x24 -nolisten tcp -noreset 3>run/display >run/xvfb.log 2>&1 &
	screen=$!
	children="$children $screen" # last: it ends after what it shows
	until_there run/display "$screen"
	DISPLAY=:$(cat run/display)
	export DISPLAY LIBGL_ALWAYS_SOFTWARE=1
	set -- "$@" --size 1080x1920
else
	# On a desk the whole borne must fit: on a screen lower than a borne's it
	# lies down.
	size=$(xdpyinfo | sed -n 's/^ *dimensions: *\([0-9]*x[0-9]*\) .*/\1/p' | head -n 1)
	if [ -n "$size" ] && [ "${size#*x}" -lt 1920 ]; then
		set -- "$@" --size "$size"
	fi
fi

echo "The borne opens on display $DISPLAY${virtual:+, a virtual one}."
echo "Printed tickets:  run/tickets/ticket-N.png and ticket-N.txt (the newest is a sample until you print one)"
[ -z "$virtual" ] || echo "Screenshots:      run/screens/ (one when the screen has changed)"
echo "The console:      $console, signing in first by this link, good once, to choose a password (demo@parvis.test):"
echo "                  $signin"
echo "The devices:      http://127.0.0.1:8090/ (end the paper, open the cover, show a card, scan a code)"
echo "A4 pages:         run/office/printed/"
echo "Logs:             run/borne.log, run/agent.log, run/hub.log"
grep 'laissé de côté' run/desk.log || true
if [ -n "$seconds" ]; then
	echo "It stops by itself after $seconds seconds."
else
	echo "Ctrl-C stops it."
fi

bin/parvis run "$@" 2>>run/borne.log &
borne=$!
children="$borne $children"

# look keeps a screenshot when it shows something new.
shots=0
look() {
	import -window root -strip -define png:exclude-chunks=date,time run/now.png 2>/dev/null || return 0
	if ! cmp -s run/now.png "run/screens/screen-$shots.png"; then
		shots=$((shots + 1))
		cp run/now.png "run/screens/screen-$shots.png"
	fi
}

rm -f run/screens/*.png
elapsed=0
while kill -0 "$borne" 2>/dev/null; do
	if [ -n "$seconds" ] && [ "$elapsed" -ge "$seconds" ]; then
		[ -z "$virtual" ] || look
		echo "Stopped after $seconds seconds. Screenshots: $shots. Tickets: $(find run/tickets -name '*.txt' | wc -l)."
		exit 0
	fi
	sleep 1
	elapsed=$((elapsed + 1))
	[ -z "$virtual" ] || [ $((elapsed % 5)) != 3 ] || look
done
status=0
wait "$borne" || status=$?
[ "$status" = 0 ] || tail -n 20 run/borne.log >&2
exit "$status"
