# What is running takes its settings now; the next start of the machine would.
if [ -d /run/systemd/system ] && [ -z "${2-}" ]; then
	udevadm control --reload || true
	udevadm trigger --subsystem-match=tty --subsystem-match=usbmisc --subsystem-match=input || true
	deb-systemd-invoke try-restart systemd-journald.service cups.service >/dev/null || true
fi
