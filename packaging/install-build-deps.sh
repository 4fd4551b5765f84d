#!/bin/sh
# Installs the packages of build-deps.txt that are missing, as root or through
# sudo. Does nothing, and fast, when all are there.
set -eu
list=$(dirname "$0")/build-deps.txt
# PACKAGE/COMMAND is wanted only where the command is missing.
wanted=
for entry in $(sed 's/#.*//' "$list"); do
	case $entry in
	*/*) command -v "${entry#*/}" >/dev/null || wanted="$wanted ${entry%/*}" ;;
	*) wanted="$wanted $entry" ;;
	esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "Parvis is built on Debian 12. On another system, install what $list names." >&2
	exit 1
fi

# dpkg-query complains of names it doesn't know: those are what we look for.
# shellcheck disable=SC2086
there=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p') || true
missing=
for package in $wanted; do
	echo "$there" | grep -qxF "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		as_root=sudo
	else
		cat >&2 <<-END
			Parvis needs Debian packages that are not installed, and only root may
			install them. As root, run:

			    apt-get update && apt-get install --no-install-recommends$missing

		END
		exit 1
	fi
fi

apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}
install_missing() {
	# shellcheck disable=SC2086
	apt install --no-install-recommends "$@" $missing
}

echo "Installing:$missing"
# A fresh machine has no package lists, an old one lists what is gone from the
# mirror: only then is an update worth its time.
if ! install_missing --simulate >/dev/null 2>&1 || ! install_missing; then
	apt update
	install_missing
fi
