#!/bin/sh
# Boots a real systemd as PID 1 of namespaces of its own, over a throw-away copy of this machine's root.
# Usage: boot_systemd.sh SCRATCH PAYLOAD PYTHON_PREFIX CGROUP HIERARCHY...
#
# SCRATCH: an empty folder, mounted over in the new namespace only. PAYLOAD: laid over the copy.
# PYTHON_PREFIX: shown as /opt/python, for an interpreter that a home hides; else empty.
# CGROUP: the name of an empty cgroup of our own in each HIERARCHY, a folder of /sys/fs/cgroup: "." where version 2 is
# all there is; else "unified" and those of version 1 that set limits, with which systemd runs in its hybrid mode.
# All mounts belong to the new mount namespace: they are gone when the last process in it is.
set -eu

if [ "$1" != "--inside" ]; then
    cgroup=$4
    for hierarchy in $(shift 4 && echo "$@"); do
        echo $$ >"/sys/fs/cgroup/$hierarchy/$cgroup/cgroup.procs" # becomes the root in the new cgroup namespace
    done
    exec unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child sh -eu "$0" --inside "$@"
fi
scratch=$2 payload=$3 prefix=$4
shift 5

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$scratch"
root=$scratch/root
mkdir "$scratch/upper" "$scratch/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$root"

rm -rf "$root"/etc/systemd/system/*.wants # nothing of the host's is started
cp -a "$payload/." "$root/"
cat >"$root/etc/systemd/system/test.target" <<END
[Unit]
DefaultDependencies=no
Wants=systemd-journald.service
AllowIsolate=yes
END

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
[ "$1" = "." ] || mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
for hierarchy in "$@"; do
    [ "$hierarchy" = "." ] || mkdir "$root/sys/fs/cgroup/$hierarchy"
    case $hierarchy in
    . | unified) mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/$hierarchy" ;;
    systemd) mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd" ;;
    *) mount -t cgroup -o "$hierarchy" cgroup "$root/sys/fs/cgroup/$hierarchy" ;;
    esac
done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
ip link set lo up

if [ -n "$prefix" ]; then
    mkdir -p "$root/opt/python"
    mount --bind "$prefix" "$root/opt/python"
fi
mkdir -p "$root/oldroot"
cd "$root"
pivot_root . oldroot
umount -l /oldroot
mount --make-rshared / # without this LoadCredential= shows an empty folder
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=test.target --log-target=console
