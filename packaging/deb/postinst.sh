case $1 in
configure | abort-upgrade | abort-deconfigure | abort-remove) ;;
*) exit 0 ;;
esac

# shellcheck disable=SC2086
[ -z "$SYSUSERS" ] || systemd-sysusers $SYSUSERS
# shellcheck disable=SC2086
[ -z "$TMPFILES" ] || systemd-tmpfiles --create $TMPFILES

for unit in $UNITS; do
	deb-systemd-helper unmask "$unit" >/dev/null || true
	# What IT has disabled stays so.
	if deb-systemd-helper --quiet was-enabled "$unit"; then
		deb-systemd-helper enable "$unit" >/dev/null || true
	else
		deb-systemd-helper update-state "$unit" >/dev/null || true
	fi
done

if [ -n "$SERVICES" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	action=start
	[ -z "${2-}" ] || action=restart
	# Only what is enabled. Without waiting, unlike deb-systemd-invoke: a borne
	# whose screen is not plugged in yet would hold the installation up for ever.
	activate() {
		verb=$1
		shift
		enabled=
		for unit; do
			! systemctl --quiet is-enabled "$unit" || enabled="$enabled $unit"
		done
		# shellcheck disable=SC2086
		[ -z "$enabled" ] || systemctl --no-block "$verb" $enabled || true
	}
	# shellcheck disable=SC2086
	activate start $STATES
	# shellcheck disable=SC2086
	activate $action $SERVICES
fi
