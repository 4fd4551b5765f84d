# Makes a root under $1 that shares no writable file with the machine outside,
# and becomes systemd in it. The other arguments are units to start.
dir=$1
shift
mount --make-rprivate /
root=$dir/root
mkdir "$root"
mount -t tmpfs -o mode=755 machine "$root"
cd "$root"
mkdir -p dev etc/dbus-1 etc/systemd/system/boot.target.wants home old proc root run sys tmp usr var/lib var/log var/tmp upper work
chmod 1777 tmp var/tmp
ln -s usr/bin usr/sbin usr/lib usr/lib64 .
ln -s /run var/run
mount -t overlay -o "lowerdir=/usr,upperdir=$root/upper,workdir=$root/work" machine usr
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mount -t cgroup2 cgroup2 sys/fs/cgroup
for d in null zero full random urandom tty; do
	touch dev/$d
	mount --bind /dev/$d dev/$d
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
# What is written here is the kernel’s log, for the journal; somebody holds it open
# so that no writer waits for a reader.
mkfifo dev/kmsg
sleep infinity <>dev/kmsg &
touch dev/console
mount --bind "$dir/log" dev/console

cp /etc/passwd /etc/group etc/
cp /etc/dbus-1/system.conf etc/dbus-1/ 2>/dev/null || true
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >etc/nsswitch.conf
mkdir -p etc/pam.d
for service in runuser other; do
	printf 'auth sufficient pam_rootok.so\naccount sufficient pam_permit.so\nsession optional pam_permit.so\n' >etc/pam.d/$service
done
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
echo machine >etc/hostname

# Of Debian's units only those that a service or a restart needs: the others
# would set up hardware.
u=etc/systemd/system
for unit in basic.target sysinit.target sockets.target timers.target paths.target slices.target multi-user.target \
	shutdown.target umount.target final.target reboot.target poweroff.target network.target network-online.target \
	local-fs.target sound.target time-sync.target graphical.target \
	systemd-reboot.service systemd-poweroff.service dbus.service dbus.socket polkit.service \
	systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket \
	systemd-logind.service systemd-logind-varlink.socket user.slice; do
	[ ! -e "usr/lib/systemd/system/$unit" ] || ln -s "/usr/lib/systemd/system/$unit" $u/
done
ln -s systemd-logind.service $u/dbus-org.freedesktop.login1.service
cp -rT "$dir/files" .
systemd-sysusers --root="$root"
systemd-tmpfiles --root="$root" --create --prefix=/var/lib
# As Debian sets up the journal's folder: readable to its group.
journal=run/log/journal/$(cat etc/machine-id)
mkdir -p "$journal"
chgrp "$(sed -n 's/^systemd-journal:[^:]*:\([0-9]*\):.*/\1/p' etc/group)" run/log/journal "$journal"
chmod 2755 run/log/journal "$journal"

cat >$u/boot.target <<-END
	[Unit]
	Requires=basic.target dbus.socket systemd-journald.socket
	Wants=systemd-journald.service dbus.service booted.service $*
	After=basic.target
	AllowIsolate=yes
END
cat >$u/booted.service <<-END
	[Unit]
	After=dbus.service systemd-journald.service
	[Service]
	Type=oneshot
	RemainAfterExit=yes
	ExecStart=/usr/bin/touch /run/booted
END

pivot_root . old
umount -l /old
rmdir /old
exec env -i container=parvis-test PATH=/usr/sbin:/usr/bin SYSTEMD_UNIT_PATH=/etc/systemd/system LANG=C.UTF-8 \
	/usr/lib/systemd/systemd --system --unit=boot.target --log-target=journal --show-status=no
