#!/bin/sh
# Install crowdd as services of this machine, or upgrade it: the package into PREFIX, units, users, first configuration.
# Usage, as root, from the source tree: install_systemd.sh [PREFIX]. What you configured stays; nothing is started.
set -eu
umask 022
prefix=${1:-/opt/crowdd}
lib=/usr/local/lib

if [ "$(id -u)" != 0 ]; then
    echo "This needs root: sudo make install-systemd" >&2
    exit 1
fi
for unit in crowdd.service crowdd-router.service; do
    if [ -f "/etc/systemd/system/$unit" ]; then
        echo "/etc/systemd/system/$unit would hide the unit that is installed now: move it away first," >&2
        echo "and put what you changed into /etc/systemd/system/$unit.d/local.conf." >&2
        exit 1
    fi
done

echo "Installing crowdd into $prefix ..."
[ -x "$prefix/bin/python" ] || "${PYTHON:-python3}" -m venv "$prefix"
PIP_CONSTRAINT=constraints.txt "$prefix/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade .
ln -sf "$prefix/bin/crowdd" "$prefix/bin/crowdctl" /usr/local/bin/

install -d "$lib/systemd/system" "$lib/sysusers.d"
for unit in systemd/*.service systemd/*.socket; do
    sed "s|/opt/crowdd/|$prefix/|" "$unit" >"$lib/systemd/system/$(basename "$unit")"
done
install -m 644 systemd/sysusers.conf "$lib/sysusers.d/crowdd.conf"
systemd-sysusers crowdd.conf

install -d /etc/crowdd /etc/crowdd-router /etc/systemd/system/crowdd.service.d
install -d -m 700 /etc/crowdd/secrets
install -m 644 systemd/crowdd.service.d/*.conf.example /etc/systemd/system/crowdd.service.d/
[ -e /etc/crowdd/routers.toml ] || install -m 644 systemd/routers.toml /etc/crowdd/
[ -e /etc/crowdd-router/router.toml ] || install -m 644 systemd/router.toml /etc/crowdd-router/
if [ ! -e /etc/crowdd-router/secret ] && [ ! -e /etc/crowdd/secrets/crowd ]; then
    (umask 077 && head -c 32 /dev/urandom | base64 >/etc/crowdd-router/secret)
    install -m 600 /etc/crowdd-router/secret /etc/crowdd/secrets/crowd
fi

systemctl daemon-reload
cat <<END_OF_WORDS
Installed. Start the daemon and, if this is its machine, the router:
  systemctl enable --now crowdd.socket crowdd.service
  systemctl enable --now crowdd-router.socket crowdd-router.service
After an upgrade instead: crowdctl restart; systemctl restart crowdd-router
Configure: /etc/crowdd, /etc/crowdd-router. Who may ask the daemon: adduser ann crowdd. More: docs/production.md
END_OF_WORDS
