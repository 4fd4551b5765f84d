if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	# They had settings of the borne's.
	systemctl daemon-reload || true
	deb-systemd-invoke try-restart systemd-journald.service cups.service >/dev/null || true
fi
if [ "$1" = purge ]; then
	# A mount point stays, empty.
	rm -rf /var/lib/parvis/* /var/lib/parvis/.[!.]* /var/cache/parvis /run/parvis
	[ ! -d /var/lib/parvis ] || rmdir /var/lib/parvis 2>/dev/null || true
	rm -rf /var/lib/parvis-upgrade /var/cache/parvis-upgrade /data/lib/parvis-upgrade
	# The network's settings: the next start is without them.
	rm -rf /run/parvis-reseau /run/systemd/network/50-parvis.network /run/systemd/timesyncd.conf.d/50-parvis.conf
	# The hub's repository, whose key goes too: apt would not go on without it.
	rm -f /etc/apt/sources.list.d/parvis.sources /var/lib/apt/lists/*_dists_parvis_*
	# A hub on the same machine keeps its settings.
	[ ! -d /etc/parvis ] || find /etc/parvis -mindepth 1 -maxdepth 1 ! -name 'hub.env*' -exec rm -rf {} +
fi
