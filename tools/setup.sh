#!/usr/bin/env bash
# Gets what the tests need and this machine lacks: Debian packages when we may
# install them, and servers that build from Go modules into .tools/bin.
# What can't be had is named, with the command that would bring it, and the tests
# that need it skip themselves. VIGIL_INSTALL=no installs no packages.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! type -P go >/dev/null; then
	echo "setup: Go is missing: install Go 1.26 or newer from https://go.dev/dl/" >&2
	exit 1
fi

# What a test needs, how to see that it is there, and the package that has it.
# Programs are looked up with type -P, which sees no shell function.
has_postgres() {
	[ -x /usr/lib/postgresql/15/bin/postgres ] && return
	type -P postgres >/dev/null && postgres --version | grep -q ' 15\.'
}
has_pgaudit() {
	[ -e /usr/share/postgresql/15/extension/pgaudit.control ] && return
	type -P pg_config >/dev/null && [ -e "$(pg_config --sharedir)/extension/pgaudit.control" ]
}
has_browser() {
	local name
	for name in chromium chromium-browser google-chrome headless-shell; do
		type -P "$name" >/dev/null && return
	done
	return 1
}
# MariaDB comes without its package of a service, which would set up and start one: the
# server alone, and the audit plugin out of that package in .tools/mariadb.
has_mariadb() { (PATH=$PATH:/usr/sbin && type -P mariadbd mariadb-install-db my_print_defaults >/dev/null); }
has_mariadb_audit() {
	local dir
	for dir in .tools/mariadb /usr/lib/mysql/plugin /usr/lib64/mysql/plugin /usr/lib/mariadb/plugin; do
		[ -e "$dir/server_audit.so" ] && return
	done
	return 1
}
get_mariadb_audit() {
	local dir status=0
	dir=$(mktemp -d) || return 1
	(
		cd "$dir" && apt-get -qq download mariadb-server </dev/null 2>/dev/null && dpkg-deb -x mariadb-server_*.deb x
	) || status=1
	if [ "$status" = 0 ] && [ -e "$dir/x/usr/lib/mysql/plugin/server_audit.so" ]; then
		mkdir -p .tools/mariadb && cp "$dir/x/usr/lib/mysql/plugin/server_audit.so" .tools/mariadb/
	fi
	rm -rf "$dir"
}
# nginx comes without installing its package, which would start a service: the program
# alone, in .tools/nginx.
has_nginx() { [ -x .tools/nginx/nginx ] || (PATH=$PATH:/usr/sbin && type -P nginx >/dev/null); }
get_nginx() {
	local dir status=0
	dir=$(mktemp -d) || return 1
	(
		cd "$dir" && apt-get -qq download nginx </dev/null 2>/dev/null && dpkg-deb -x nginx_*.deb x
	) || status=1
	if [ "$status" = 0 ] && [ -x "$dir/x/usr/sbin/nginx" ]; then
		mkdir -p .tools/nginx && cp "$dir/x/usr/sbin/nginx" .tools/nginx/
	fi
	rm -rf "$dir"
}
# rsyslog comes the same way: the program, its modules and the libraries that it needs, in
# .tools/rsyslog.
has_rsyslog() {
	[ -x .tools/rsyslog/rsyslogd ] && return
	(PATH=$PATH:/usr/sbin && type -P rsyslogd >/dev/null) && compgen -G '/usr/lib*/*/rsyslog/omrelp.so' >/dev/null
}
get_rsyslog() {
	local dir status=0 deb
	dir=$(mktemp -d) || return 1
	(
		cd "$dir" && apt-get -qq download rsyslog rsyslog-relp rsyslog-openssl librelp0 libestr0 libfastjson4 </dev/null 2>/dev/null &&
			for deb in *.deb; do dpkg-deb -x "$deb" x || exit 1; done
	) || status=1
	if [ "$status" = 0 ] && [ -x "$dir/x/usr/sbin/rsyslogd" ]; then
		mkdir -p .tools/rsyslog/modules .tools/rsyslog/lib
		cp "$dir"/x/usr/lib/*/rsyslog/*.so .tools/rsyslog/modules/
		cp -P "$dir"/x/usr/lib/*/*.so* .tools/rsyslog/lib/
		cp "$dir/x/usr/sbin/rsyslogd" .tools/rsyslog/
	fi
	rm -rf "$dir"
}
has_compiler() { type -P "$(go env CC)" >/dev/null && [ -e /usr/include/stdlib.h ]; }

# The demo is recorded from network addresses of its own.
has_ip() { (PATH=$PATH:/usr/sbin:/sbin && type -P ip >/dev/null); }

# The server's own program is in Debian's package of tools, under another name.
has_redis() { type -P redis-cli >/dev/null && { type -P redis-server >/dev/null || type -P redis-check-rdb >/dev/null; }; }

# Debian's package has no service of its own; a timer of systemd comes with it, which rotates
# what the system has set up.
has_logrotate() { (PATH=$PATH:/usr/sbin && type -P logrotate >/dev/null); }

wanted() {
	has_compiler || echo "gcc libc6-dev"
	has_postgres || echo postgresql-15
	has_pgaudit || echo postgresql-15-pgaudit
	has_browser || echo chromium
	has_mariadb || echo "mariadb-server-core mariadb-client-core"
	has_ip || echo iproute2
	has_redis || echo redis-tools
	has_logrotate || echo logrotate
}

# as_root runs a command as root, or fails when we can't.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# Debian starts a database server when its package comes in. Tests start their
# own, so that is held back, and the setting put back as it was.
without_cluster() {
	local conf=/etc/postgresql-common/createcluster.conf
	get install --no-install-recommends postgresql-common
	as_root cp -p "$conf" "$conf.vigil"
	as_root sh -c "echo 'create_main_cluster = false' >> $conf"
	local status=0
	get install --no-install-recommends "$@" || status=$?
	as_root mv "$conf.vigil" "$conf"
	return "$status"
}

install_packages() {
	echo "setup: installing $*" >&2
	get update || return 1
	local plain=() database=() p
	for p in "$@"; do
		case $p in
		postgresql-*) database+=("$p") ;;
		*) plain+=("$p") ;;
		esac
	done
	local status=0
	# One that can't be had must not keep the others away.
	for p in ${plain[@]+"${plain[@]}"}; do
		get install --no-install-recommends "$p" >/dev/null || status=1
	done
	if [ ${#database[@]} -gt 0 ]; then
		without_cluster "${database[@]}" >/dev/null || status=1
	fi
	return "$status"
}

read -ra missing <<<"$(wanted | tr '\n' ' ')"
if [ ${#missing[@]} -gt 0 ] && [ "${VIGIL_INSTALL:-yes}" != no ] && type -P apt-get >/dev/null; then
	if [ "$(id -u)" = 0 ] || { type -P sudo >/dev/null && sudo -n true 2>/dev/null; }; then
		install_packages "${missing[@]}" || true
		read -ra missing <<<"$(wanted | tr '\n' ' ')"
	fi
fi
if [ "${VIGIL_INSTALL:-yes}" != no ] && has_mariadb && ! has_mariadb_audit; then
	if type -P apt-get >/dev/null && type -P dpkg-deb >/dev/null; then
		get_mariadb_audit
		has_mariadb_audit || { get update && get_mariadb_audit; } || true
	fi
	has_mariadb_audit || echo "setup: missing: MariaDB's plugin server_audit; the test with a real MariaDB will be listed as skipped" >&2
fi
if [ "${VIGIL_INSTALL:-yes}" != no ] && ! has_nginx; then
	if type -P apt-get >/dev/null && type -P dpkg-deb >/dev/null; then
		get_nginx
		has_nginx || { get update && get_nginx; } || true
	fi
	has_nginx || echo "setup: missing: nginx; the test with a real nginx will be listed as skipped" >&2
fi
if [ "${VIGIL_INSTALL:-yes}" != no ] && ! has_rsyslog; then
	if type -P apt-get >/dev/null && type -P dpkg-deb >/dev/null; then
		get_rsyslog
		has_rsyslog || { get update && get_rsyslog; } || true
	fi
	has_rsyslog || echo "setup: missing: rsyslog with omrelp; the tests with a real rsyslog will be listed as skipped" >&2
fi
if [ ${#missing[@]} -gt 0 ]; then
	{
		echo "setup: missing: ${missing[*]}"
		echo "setup: on Debian 12:  sudo apt-get install --no-install-recommends ${missing[*]}"
		echo "setup: elsewhere: a C compiler (race detector), PostgreSQL 15 with pgaudit, MariaDB with server_audit, Chromium, iproute2, Redis 7, logrotate"
		echo "setup: going on without; the tests that need them will be listed as skipped"
	} >&2
fi

tools/influxd.sh || echo "setup: influxd could not be built; its tests will be listed as skipped" >&2
tools/alertmanager.sh || echo "setup: the Alertmanager could not be built; the test with a real one will be listed as skipped" >&2
tools/openid.sh || echo "setup: no OpenID provider could be built; the tests that sign in with a real one will be listed as skipped" >&2
