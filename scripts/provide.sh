#!/bin/sh
# Make sure that the programs which some tests drive are on this machine: a browser with its driver, nginx, systemd, promtool, strace.
# Installs Debian packages when run as root with apt-get; else says what to do and fails, so that no test is skipped in silence.
set -eu

missing=""
command -v chromium >/dev/null || missing="$missing chromium"
command -v chromedriver >/dev/null || missing="$missing chromium-driver"
PATH="$PATH:/usr/sbin"
command -v openssl >/dev/null || missing="$missing openssl"
command -v npm >/dev/null || missing="$missing nodejs npm" # pages are built of the published mephisto-task
[ "$(uname)" != Linux ] || command -v strace >/dev/null || missing="$missing strace" # kills at each system call
if [ "$(id -u)" = 0 ]; then # the tests of the unit file need root; without it they say that they were skipped
    [ -x /lib/systemd/systemd ] || missing="$missing systemd"
    command -v unshare >/dev/null || missing="$missing util-linux"
    command -v ip >/dev/null || missing="$missing iproute2"
    command -v mkfs.ext4 >/dev/null || missing="$missing e2fsprogs" # a disk whose power is cut
    # nginx and promtool; without them some tests say that they were skipped. Where systemd runs, their packages
    # would start servers.
    if [ ! -d /run/systemd/system ]; then
        command -v nginx >/dev/null || missing="$missing nginx-light"
        command -v promtool >/dev/null || missing="$missing prometheus"
    fi
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    exec apt-get install -y -qq --no-install-recommends $missing </dev/null
fi

cat >&2 <<END
The tests drive a real browser, and this machine lacks:$missing
Install it and run \`make test\` again. On Debian or Ubuntu:

    sudo apt-get install$missing

Elsewhere: any Chromium whose commands \`chromium\` and \`chromedriver\` are on the PATH will do.
END
exit 1
