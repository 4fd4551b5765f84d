#!/bin/sh
# Settles in the tree of a borne's root what Debian's packages leave open.
set -eu
tree=$1

# The machine's name comes at boot (initramfs).
: >"$tree/etc/machine-id"
echo borne >"$tree/etc/hostname"
echo '127.0.0.1 localhost borne' >"$tree/etc/hosts"
ln -sf /usr/share/zoneinfo/Europe/Paris "$tree/etc/localtime"
echo Europe/Paris >"$tree/etc/timezone"
ln -sf /run/systemd/resolve/stub-resolv.conf "$tree/etc/resolv.conf"
rm -f "$tree/var/lib/dbus/machine-id" "$tree/var/lib/systemd/random-seed"
mkdir -p "$tree/data" "$tree/var/log/journal" "$tree/etc/parvis"

systemctl() { command systemctl --root="$tree" --quiet "$@"; }
ln -sf /usr/share/systemd/tmp.mount "$tree/etc/systemd/system/tmp.mount"
systemctl enable tmp.mount systemd-networkd.service systemd-resolved.service systemd-timesyncd.service parvis-slot-watch.service parvis-slot-debian.timer
systemctl set-default graphical.target
# A borne waits for no network, and writes to no root: what updates it works on
# the other one.
systemctl mask systemd-networkd-wait-online.service \
	apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
	systemd-firstboot.service systemd-update-done.service ldconfig.service systemd-pstore.service
mkdir -p "$tree/etc/systemd/system/local-fs.target.wants"
ln -sf /usr/lib/systemd/system/parvis-data.service "$tree/etc/systemd/system/local-fs.target.wants/"
