#!/bin/bash
# SPDX-License-Identifier: MIT
# install.sh install|uninstall|list - called by make, which sets the variables
#
# `list` is the whole truth: one line for each file, "how<TAB>source<TAB>destination".
#   644, 755   copy with that mode
#   link       symbolic link, source is its text
#   text       source is the file's one line
#   pc, comp   generated: the pkg-config file, the shell completion
#   conf       copied once; the administrator's afterwards
# Both other commands walk it, so that one removes exactly what the other put.
set -euo pipefail

: "${B:?called by make}" "${PREFIX:?}" "${LIBDIR:?}" "${SYSCONFDIR:?}" "${MANDIR:?}"
: "${DOCDIR:?}" "${INCLUDEDIR:?}" "${COMPDIR:?}" "${ZSHDIR:?}" "${VERSION:?}" "${SOVERSION:?}"
DESTDIR=${DESTDIR-}

entry() {
	printf '%s\t%s\t%s\n' "$1" "$2" "$DESTDIR$3"
}

# man_names PAGE: the names of its NAME section that are not its own.
man_names() {
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([^ ]*\).*/\1/p' "$1" |
		grep -vxF "$(basename "${1%.*}")" || true
}

list_man() {
	local page sec name
	for page in man/*.[1-8]; do
		sec=${page##*.}
		entry 644 "$page" "$MANDIR/man$sec/${page#man/}"
		for name in $(man_names "$page"); do
			entry text ".so man$sec/${page#man/}" "$MANDIR/man$sec/$name.$sec"
		done
	done
}

list() {
	local f
	entry 755 "$B/rtmem" "$PREFIX/bin/rtmem"
	entry 755 "$B/librtpreload.so.$SOVERSION" "$LIBDIR/librtpreload.so.$SOVERSION"
	entry link "librtpreload.so.$SOVERSION" "$LIBDIR/librtpreload.so"
	entry pc - "$LIBDIR/pkgconfig/rtpreload.pc"
	find include -name '*.h' -o -name '*.hpp' | sort | while read -r f; do
		entry 644 "$f" "$INCLUDEDIR/${f#include/}"
	done
	list_man
	find conf/examples conf/limits.d conf/systemd -type f | sort | while read -r f; do
		f=${f#conf/}
		entry 644 "conf/$f" "$DOCDIR/examples/${f#examples/}"
	done
	entry comp bash "$COMPDIR/rtmem"
	entry comp zsh "$ZSHDIR/_rtmem"
	entry conf conf/rtmem.conf "$SYSCONFDIR/rtmem.conf"
}

pc_file() {
	cat <<-END
		prefix=$PREFIX
		libdir=$LIBDIR
		includedir=$INCLUDEDIR

		Name: rtpreload
		Description: Realtime memory pools: locked, touched, bounded
		Version: $VERSION
		Cflags: -I\${includedir}
		Libs: -L\${libdir} -lrtpreload
	END
}

# A configuration file that is there is not ours any more.
install_conf() {
	local to=$2
	if [ -e "$to" ] && ! cmp -s "$1" "$to"; then
		to=$to.new
		echo "$2 was changed and stays; the new one is $to"
	fi
	install -m 644 "$1" "$to"
}

install_one() {
	local how=$1 from=$2 to=$3
	mkdir -p "$(dirname "$to")"
	case $how in
	link) ln -sfn "$from" "$to" ;;
	text) echo "$from" >"$to" ;;
	pc) pc_file >"$to" ;;
	comp) "$B/rtmem" completion "$from" >"$to" ;;
	conf) install_conf "$from" "$to" ;;
	*) install -m "$how" "$from" "$to" ;;
	esac
}

after_install() {
	# the loader finds the library by its soname only after this
	if [ -z "$DESTDIR" ] && [ "$(id -u)" -eq 0 ]; then
		ldconfig
	fi
	if [ "$SYSCONFDIR" != /etc ]; then
		echo "programs read /etc/rtmem.conf and ~/.config/rtmem/rtmem.conf, not" \
			"$SYSCONFDIR/rtmem.conf: copy it, or set RTMEM_CONF"
	fi
}

uninstall_one() {
	local how=$1 from=$2 to=$3
	if [ "$how" = conf ]; then
		rm -f "$to.new"
		cmp -s "$from" "$to" || return 0
	fi
	rm -f "$to"
}

# Directories that are nobody else's.
remove_directories() {
	local dir
	for dir in "$DESTDIR$INCLUDEDIR" "$DESTDIR$DOCDIR"; do
		if [ -d "$dir" ]; then
			find "$dir" -depth -type d -empty -delete
		fi
	done
}

each() {
	local how from to
	list | while IFS=$'\t' read -r how from to; do
		"$1" "$how" "$from" "$to"
	done
}

case ${1-} in
list) list ;;
install)
	each install_one
	after_install
	;;
uninstall)
	each uninstall_one
	remove_directories
	;;
*)
	echo "usage: conf/install.sh install|uninstall|list" >&2
	exit 2
	;;
esac
