#!/bin/sh
# Builds the disk image of a borne: Debian 12 packages and parvis-borne, two
# roots of which one is filled, an ESP with systemd-boot. The rest of the disk is
# made on the first boot (root/usr/lib/parvis/data).
#   make-image.sh parvis-borne.deb IMAGE.raw
# For a city: HUB=hub.ville.fr:8443 is where its bornes report to, so that people
# need not type it, and APT_KEY=parvis.asc what its hub signs packages with
# (the hub hands it out at /apt/parvis.asc).
# It runs as root (it makes device files and changes root), and needs no loop
# device. What comes from Debian is kept in run/image and fetched anew when the
# list of packages changes or the file is removed.
set -eu
cd "$(dirname "$0")/../.."
umask 022

deb=$1
image=$2
here=packaging/image
work=run/image

# MiB. A root holds two kernels and the packages of an upgrade.
esp_size=256
root_size=3072

[ "$(id -u)" = 0 ] || { echo "make image must run as root: sudo make image" >&2; exit 1; }
for tool in mmdebstrap:mmdebstrap mke2fs:e2fsprogs mkfs.vfat:dosfstools mcopy:mtools sgdisk:gdisk; do
	command -v "${tool%:*}" >/dev/null || { echo "${tool%:*} is missing: apt install ${tool#*:}" >&2; exit 1; }
done

list() { sed 's/#.*//' "$@" | tr -s ' \n' '\n' | sed '/^$/d' | sort -u; }
packages=$({
	list $here/packages.txt
	dpkg-deb --field "$deb" Depends | tr ',' '\n' | sed -E 's/[(|].*//; s/ //g'
} | sort -u)

# 1. Debian.
mkdir -p $work
sum=$(echo "$packages" | sha256sum | head -c 12)
base=$work/base-$sum.tar
if [ ! -s "$base" ]; then
	rm -rf $work/base-*
	mmdebstrap --variant=apt --mode=root --format=tar \
		--aptopt='Apt::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(echo "$packages" | tr '\n' ',' | sed 's/,$//')" \
		bookworm "$base.new" \
		'deb http://deb.debian.org/debian bookworm main' \
		'deb http://deb.debian.org/debian bookworm-updates main' \
		'deb http://deb.debian.org/debian-security bookworm-security main'
	mv "$base.new" "$base"
fi

# 2. The root.
tree=$(mktemp -d /var/tmp/parvis-image.XXXXXX)
chroot_mounts=
clean_up() {
	trap - EXIT
	for place in $chroot_mounts; do
		umount "$tree/$place"
	done
	rm -rf "$tree"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
tar -C "$tree" --xattrs --xattrs-include='*' -xf "$base"
cp -a --no-preserve=ownership $here/root/. "$tree/"
# net.ifnames=0: a cable that gets its name while networkd asks for an address
# now and then gets none until the next start (systemd/systemd#24201).
{ tr -d '\n' <packaging/kiosk/cmdline; echo " $(cat $here/cmdline)"; } >"$tree/usr/lib/parvis/cmdline"
sed -i "s/@ROOT@/${root_size}M/" "$tree/usr/lib/parvis/repart.d/20-b.conf"

[ -z "${HUB-}" ] || install -D -m 644 /dev/stdin "$tree/etc/parvis/hub" <<END
$HUB
END
[ -z "${APT_KEY-}" ] || install -D -m 644 "$APT_KEY" "$tree/etc/parvis/apt.asc"

printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
chmod +x "$tree/usr/sbin/policy-rc.d"
for place in proc sys dev; do
	mount --bind "/$place" "$tree/$place"
	chroot_mounts="$place $chroot_mounts"
done
cp --remove-destination /etc/resolv.conf "$tree/etc/resolv.conf"
cp "$deb" "$tree/tmp/parvis-borne.deb"
in_root() { chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
in_root apt-get -qq update
in_root apt-get -qq -y --no-install-recommends -o Dpkg::Options::=--force-confold install /tmp/parvis-borne.deb
in_root update-initramfs -u
in_root apt-get clean
sh $here/settle.sh "$tree"
for place in $chroot_mounts; do
	umount "$tree/$place"
done
chroot_mounts=
rm -f "$tree/usr/sbin/policy-rc.d"
rm -rf "$tree"/tmp/* "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/*.bin "$tree"/var/log/*

# 3. The disk: ESP and root A, side by side in one file.
mkdir -p "$(dirname "$image")"
part=$work/part
rm -rf "$part" "$image"
mkdir -p "$part"
truncate -s "${root_size}M" "$part/root"
mke2fs -q -t ext4 -L parvis -m 0 -O ^has_journal -d "$tree" "$part/root"

truncate -s "${esp_size}M" "$part/esp"
mkfs.vfat -F 32 -n PARVIS "$part/esp" >/dev/null
mkdir -p "$part/tree/EFI/BOOT" "$part/tree/EFI/systemd" "$part/tree/loader/entries" "$part/tree/parvis/a"
cp "$tree/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$part/tree/EFI/BOOT/BOOTX64.EFI"
cp "$tree/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$part/tree/EFI/systemd/"
cp "$tree"/boot/vmlinuz-* "$part/tree/parvis/a/vmlinuz"
cp "$tree"/boot/initrd.img-* "$part/tree/parvis/a/initrd"
printf 'timeout 0\neditor no\nauto-entries no\nauto-firmware no\n' >"$part/tree/loader/loader.conf"
cat >"$part/tree/loader/entries/parvis-a.conf" <<END
title Parvis (A)
sort-key parvis
version 1
linux /parvis/a/vmlinuz
initrd /parvis/a/initrd
options root=PARTLABEL=parvis-a parvis.slot=a $(cat "$tree/usr/lib/parvis/cmdline")
END
mcopy -s -i "$part/esp" "$part"/tree/* ::

truncate -s $((1 + esp_size + root_size + 1))M "$image"
sgdisk --clear \
	--new=1:1M:+${esp_size}M --typecode=1:ef00 --change-name=1:parvis-esp \
	--new=2:0:+${root_size}M --typecode=2:8300 --change-name=2:parvis-a "$image" >/dev/null
dd if="$part/esp" of="$image" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$part/root" of="$image" bs=1M seek=$((1 + esp_size)) conv=notrunc,sparse status=none
rm -rf "$part"
echo "$image: $(du -h "$image" | cut -f 1) on disk, $(du -h --apparent-size "$image" | cut -f 1) on the borne; initrd $(du -h "$tree"/boot/initrd.img-* | cut -f 1)"
