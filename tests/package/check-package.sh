#!/bin/sh
# shellcheck disable=SC2317 # check() calls what it is given by name
# shellcheck disable=SC2016 # the formats of dpkg and apt stand in single quotes
# check-package.sh PACKAGE NEWER FILTER: the package in a Debian of its own.
# Installs it with apt, runs it as its unit would, upgrades it to NEWER,
# removes and purges it.  TAP, and "N passed, N failed" at the end.
#
# The root is made from this machine's own apt sources, and deleted.  There is
# no systemd in it: what the unit asks for is done by hand here (account,
# capabilities, system calls, read-only root), FILTER being filter.c.

set -u
cd "$(dirname "$0")/../.." || exit 2
if [ "$(id -u)" != 0 ]; then
	echo "check-package needs root, for chroot and mount" >&2
	exit 2
fi
# Mounts are seen by nobody else, and gone when this is.
if [ -z "${LN_MOUNTS:-}" ]; then
	LN_MOUNTS=own exec unshare --mount --propagation private \
	    sh "$0" "$@"
fi

package=$1
newer=$2
filter=$3
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
unset LOCALNEURAL_DB SECRET_KEY LOCALNEURAL_LISTEN

data=/var/lib/localneural
backups=/var/backups/localneural
env=/etc/localneural/localneural.env
unit=docs/systemd/localneural.service
work=$(mktemp -d) || exit 2
root=$work/root
log=$work/log
server=
tests=0
failed=0

cleanup()
{
	[ -z "$server" ] || kill "$server" 2>/dev/null
	umount -R "$root/proc" 2>/dev/null
	umount -R "$root" 2>/dev/null
	rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# check NAME COMMAND...: one test; the log of a failed one is shown.
check()
{
	name=$1
	shift
	tests=$((tests + 1))
	if "$@" >"$log" 2>&1; then
		echo "ok $tests - $name"
	else
		echo "not ok $tests - $name"
		tail -n 40 "$log" | sed 's/^/# /'
		failed=$((failed + 1))
		return 1
	fi
}

finish()
{
	echo "1..$tests"
	echo "$((tests - failed)) passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}

inside()
{
	chroot "$root" "$@"
}

# --- the root ---------------------------------------------------------------

make_root()
{
	# shellcheck disable=SC1091
	release=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' \
	    'Created-By: Packages' | sed -n "s/^$release //p" | head -n 1)
	[ -n "$mirror" ] || {
		echo "apt knows no mirror of $release; try apt-get update"
		return 1
	}
	proxy=
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	http_proxy=${proxy:-${http_proxy:-}} debootstrap --variant=minbase \
	    "$release" "$root" "$mirror" || return 1
	# apt in there reaches what it reaches here.
	rm -f "$root/etc/apt/sources.list"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
	    /etc/apt/sources.list.d/*.sources /etc/apt/apt.conf.d/* \
	    /etc/apt/auth.conf.d/* /etc/apt/trusted.gpg.d/* \
	    /etc/apt/keyrings/* /usr/share/keyrings/* /etc/resolv.conf \
	    /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
		[ -f "$f" ] || continue
		mkdir -p "$root${f%/*}" && cp -L "$f" "$root$f" || return 1
	done
	mount -t proc proc "$root/proc" &&
	    inside apt-get update -q &&
	    cp "$package" "$root/root/old.deb" &&
	    cp "$newer" "$root/root/new.deb" &&
	    cp "$filter" "$root/usr/local/bin/filter"
}

apt()
{
	inside apt-get -q -y -o Dpkg::Use-Pty=false \
	    --no-install-recommends "$@"
}

# --- what the unit asks for ---------------------------------------------------

# calls SET-OR-NAME...: the system calls that systemd means by it.
calls()
{
	for word; do
		case $word in
		@*)
			# shellcheck disable=SC2046 # a list of names
			calls $(systemd-analyze syscall-filter "$word" |
			    sed 1d | grep -v '#')
			;;
		*)
			echo "$word"
			;;
		esac
	done
}

# The calls that the lines SystemCallFilter= leave, in their order.
allowed_calls()
{
	: >"$work/allowed"
	sed -n 's/^SystemCallFilter=//p' "$unit" | while read -r line; do
		# shellcheck disable=SC2086 # a list of sets
		calls ${line#\~} | sort -u >"$work/words"
		case $line in
		\~*)
			comm -23 "$work/allowed" "$work/words"
			;;
		*)
			sort -u "$work/allowed" "$work/words"
			;;
		esac >"$work/next"
		mv "$work/next" "$work/allowed"
	done
	grep -qx read "$work/allowed" && ! grep -qx mount "$work/allowed"
}

start_server()
{
	: >"$work/server"
	chroot "$root" sh -c "cd $data && exec setpriv --reuid localneural \
	    --regid localneural --clear-groups --no-new-privs \
	    --bounding-set=-all --inh-caps=-all /usr/local/bin/filter \
	    /usr/sbin/localneural-server --env-file $env \
	    --listen localhost:0" <"$work/allowed" >"$work/server" 2>&1 &
	server=$!
	tries=0
	until url=$(grep -o 'https://localhost:[0-9]*' "$work/server"); do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ] || ! kill -0 "$server" 2>/dev/null
		then
			cat "$work/server"
			return 1
		fi
		sleep 0.1
	done
	url=$(echo "$url" | head -n 1)
}

stop_server()
{
	kill "$server" && wait "$server"
	status=$?
	server=
	cat "$work/server"
	[ "$status" = 0 ]
}

# serves PATH TEXT: the answer over HTTPS, by the certificate of the server.
serves()
{
	if ! curl -sS --cacert "$root$data/tls.crt" --max-time 60 "$url$1" \
	    >"$work/answer" || ! grep -q "$2" "$work/answer"; then
		cat "$work/answer" "$work/server"
		return 1
	fi
}

runs_as_localneural()
{
	wanted=$(inside id -u localneural)
	pids="$server $(pgrep -P "$server")"
	for pid in $pids; do
		grep -qx "Uid:	$wanted	$wanted	$wanted	$wanted" \
		    "/proc/$pid/status" || return 1
		grep -qx 'CapEff:	0000000000000000' \
		    "/proc/$pid/status" || return 1
	done
}

# --- what has to be so ----------------------------------------------------------

version_is()
{
	[ "$(inside dpkg-query -W -f '${Version}' localneural)" = \
	    "$(dpkg-deb -f "$1" Version)" ] && inside lnctl --version
}

env_is_private()
{
	[ "$(inside stat -c '%a %U' "$env")" = "600 localneural" ] &&
	    grep -Eq '^SECRET_KEY=.{64}$' "$root$env" &&
	    ! grep -rq "$(sed -n 's/^SECRET_KEY=//p' "$root$env")" \
	    "$root/var/lib/dpkg" "$root/var/log" "$root/var/cache/debconf" &&
	    [ -z "$(inside dpkg-query -W -f '${Conffiles}' localneural)" ]
}

all_owned()
{
	found=$(inside find "$data" "$backups" "${env%/*}" ! -user localneural)
	echo "$found"
	[ -z "$found" ]
}

make_admin()
{
	echo Operator-pass-0001 | inside lnctl admin seed \
	    --email operator@example.test --password-stdin
}

make_data()
{
	inside lnctl user create alice --email alice@example.test --random &&
	    inside lnctl ask --user alice "Where is the blue lighthouse?"
}

data_is_there()
{
	inside lnctl user list | grep -q alice@example.test &&
	    inside lnctl history list --user alice |
	    grep -q "blue lighthouse" && cmp "$work/env" "$root$env"
}

files_are_there()
{
	[ -s "$root$data/neural_memory.db" ] && cmp "$work/env" "$root$env"
}

backs_up()
{
	words=$(sed -n 's/^ExecStart=lnctl //p' \
	    docs/systemd/localneural-backup.service)
	# shellcheck disable=SC2086 # the words of the unit
	inside setpriv --reuid localneural --regid localneural \
	    --clear-groups --no-new-privs env -C "$data" lnctl $words &&
	    inside lnctl backup status --max-age 1h
}

backup_is_there()
{
	ls "$root$backups"/*.db.zst
}

# Only the data may be written, and /proc shows processes only.
make_readonly()
{
	umount "$root/proc" && mount --bind "$root" "$root" &&
	    mount -o remount,bind,ro "$root" &&
	    mount --bind "$root$data" "$root$data" &&
	    mount -o remount,bind,rw "$root$data" &&
	    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp" &&
	    mount -t proc -o subset=pid proc "$root/proc" &&
	    ! touch "$root/etc/written"
}

make_writable()
{
	umount -R "$root" && mount -t proc proc "$root/proc" &&
	    touch "$root/etc/written"
}

programs_are_gone()
{
	for f in usr/bin/lnctl usr/sbin/localneural-server \
	    usr/libexec/localneural lib/systemd/system/localneural.service
	do
		[ ! -e "$root/$f" ] || return 1
	done
}

answer_purge()
{
	echo "localneural localneural/delete-data boolean $1" |
	    inside debconf-set-selections
}

data_is_gone()
{
	[ ! -e "$root$data" ] && [ ! -e "$root${env%/*}" ]
}

units_are_sound()
{
	systemd-analyze --root="$root" --man=no --recursive-errors=no \
	    verify "$root/lib/systemd/system/localneural.service" \
	    "$root/lib/systemd/system/localneural-backup.timer"
}

# In tenths.
exposure()
{
	systemd-analyze security --no-pager --offline=yes --threshold=15 "$unit"
}

enabled()
{
	[ -L "$root/etc/systemd/system/multi-user.target.wants/localneural.service" ] &&
	    [ -L "$root/etc/systemd/system/timers.target.wants/localneural-backup.timer" ]
}

# --- the story -----------------------------------------------------------------

check "a minimal Debian, from this machine's apt sources" make_root || finish
check "apt installs the package and what it needs" \
    apt install /root/old.deb || finish
check "lnctl runs and the version is the package's" version_is "$package"
check "the settings hold a key of their own, private and nowhere else" \
    env_is_private
cp "$root$env" "$work/env"
check "server and nightly backup are enabled" enabled
check "the units are sound" units_are_sound
check "exposure of the unit is at most 1.5" exposure
check "root makes the administrator" make_admin
check "people and conversations are made" make_data
check "the doctor finds no error" inside lnctl doctor
check "everything belongs to localneural" all_owned

check "the filter of the unit can be told" allowed_calls || finish
if check "the server starts as the unit starts it" start_server; then
	check "it runs as localneural, without capabilities" \
	    runs_as_localneural
	check "it serves its pages over HTTPS" serves /login LocalNeural
	check "it is healthy" serves /healthz ok
	check "it stops when told" stop_server
fi
check "the nightly backup is taken and verified" backs_up

check "apt upgrades to a newer package" apt install /root/new.deb
check "the version is the newer one" version_is "$newer"
check "data and settings are still there" data_is_there

check "the root becomes read-only" make_readonly
if check "the server starts on it, with only its data to write" start_server
then
	check "it serves from there" serves /login LocalNeural
	check "and stops" stop_server
fi
check "lnctl works on it" data_is_there
check "the root becomes writable again" make_writable

check "apt removes the package" apt remove localneural
check "its programs are gone" programs_are_gone
check "data and settings are kept" files_are_there
check "purge with the answer no" answer_purge false
check "apt purges the package" apt purge localneural
check "data and settings are kept again" files_are_there
check "the package comes back" apt install /root/new.deb
check "and has its data" data_is_there
check "purge with the answer yes" answer_purge true
check "apt purges it again" apt purge localneural
check "data and settings are gone" data_is_gone
check "backups are kept in any case" backup_is_there
finish
