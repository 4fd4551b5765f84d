[ ! -d /run/systemd/system ] || systemctl daemon-reload || true

case $1 in
remove)
	for unit in $UNITS; do
		deb-systemd-helper mask "$unit" >/dev/null || true
	done
	;;
purge)
	for unit in $UNITS; do
		deb-systemd-helper purge "$unit" >/dev/null || true
		deb-systemd-helper unmask "$unit" >/dev/null || true
		rm -rf "/etc/systemd/system/$unit.d"
	done
	rm -f "/var/lib/parvis-paquets/$PACKAGE"
	for folder in /etc/parvis /var/lib/parvis-paquets; do
		[ ! -d $folder ] || rmdir --ignore-fail-on-non-empty $folder
	done
	# Nothing that they owned is left, so their numbers may serve again.
	for account in $ACCOUNTS; do
		userdel "$account" 2>/dev/null || true
	done
	for account in $ACCOUNTS; do
		groupdel "$account" 2>/dev/null || true
	done
	;;
esac
