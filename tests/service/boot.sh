#!/bin/bash
# Boots systemd over a copy of this machine's own root that vanishes with it. To be run as root and
# in a mount namespace of its own; becomes systemd-nspawn.
#
#     boot.sh FOLDER NAME NETWORK-OPTION NSPAWN-OPTION...
#
# FOLDER is an empty one for the root, NAME also that of a cgroup, which remains.
set -euo pipefail
folder=$1 name=$2 network=$3
shift 3

mount -t tmpfs -o mode=755 p2pchat-machine "$folder"
mkdir "$folder"/{changes,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$folder/changes,workdir=$folder/work" p2pchat-machine \
    "$folder/root"
root=$folder/root
units=$root/etc/systemd/system

# A machine without a past, that starts nothing by itself.
rm -rf "$root"/{etc/machine-id,run,var/log/journal,var/lib/p2pchat,etc/p2pchat} "$units"/*.wants
mkdir -p "$root"/{run,var/log/journal} "$units"
: >"$root/etc/machine-id"
printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" >"$root/etc/hosts"
rm -f "$root/etc/resolv.conf"
for unit in console-getty.service getty.target dev-hugepages.mount dev-mqueue.mount e2scrub_reap.service \
    keyboard-setup.service kmod-static-nodes.service ldconfig.service logrotate.timer \
    systemd-binfmt.service systemd-firstboot.service systemd-hwdb-update.service \
    systemd-journal-catalog-update.service systemd-journal-flush.service \
    systemd-machine-id-commit.service systemd-modules-load.service systemd-pstore.service \
    systemd-random-seed.service systemd-remount-fs.service systemd-sysctl.service \
    systemd-udev-trigger.service systemd-udevd.service systemd-update-done.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service; do
    ln -sfn /dev/null "$units/$unit"
done

# A cgroup of our own, and the tree as a stock Debian has it even where the old layout is mounted.
groups=/sys/fs/cgroup
[ -d $groups/unified ] && groups=$groups/unified
mkdir -p "$groups/$name"
echo $$ >"$groups/$name/cgroup.procs"
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi

mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn
# Its own filter of system calls would deny services what a machine of metal allows them.
export SYSTEMD_SECCOMP=0
exec systemd-nspawn --quiet --boot --directory="$root" --machine="$name" --register=no --keep-unit \
    --capability=all --resolv-conf=off --timezone=off --link-journal=no --console=read-only \
    "$network" "$@" systemd.unit=basic.target systemd.show_status=no
