if [ "$1" = remove ] && [ -n "$SHIPPED" ] && [ -d /run/systemd/system ]; then
	set -f # systemd knows which units a pattern means
	# shellcheck disable=SC2086
	deb-systemd-invoke stop $SHIPPED >/dev/null || true
fi
