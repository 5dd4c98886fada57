#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
# /init of the guest's initramfs: the host's / over 9p, read-only, below a tmpfs; in it runs guest.sh, then power off.
bb=/bin/busybox

$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs dev /dev
for module in /modules/*; do
  $bb insmod "$module" || echo "insmod $module failed"
done
$bb mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose host /lower || echo "no host file system"
$bb mount -t tmpfs tmpfs /memory
$bb mkdir /memory/upper /memory/work
$bb mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work overlay /root || echo "no overlay"
$bb mount -t tmpfs tmpfs /root/run
$bb mkdir /root/run/vm
# What host and guest tell each other must not come from a cache.
$bb mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none work /root/run/vm || echo "no work directory"
for directory in proc sys dev; do
  $bb mount --bind /$directory /root/$directory
done
$bb chroot /root /bin/bash /run/vm/guest.sh >/root/run/vm/guest.log 2>&1
echo $? >/root/run/vm/status
$bb umount /root/run/vm
$bb poweroff -f
