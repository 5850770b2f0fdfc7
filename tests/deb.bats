#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Debian packaging of conf/debian, without building it: it fits what make install does
load helper

DEBIAN=$ROOT/conf/debian

# installed: every file of `make install` as the package build calls it, without the slash.
installed() {
	B=$ROOT/build PREFIX=/usr LIBDIR=/usr/lib/x SYSCONFDIR=/etc MANDIR=/usr/share/man \
		DOCDIR=/usr/share/doc/rtmem INCLUDEDIR=/usr/include/rtpreload \
		COMPDIR=/usr/share/bash-completion/completions \
		ZSHDIR=/usr/share/zsh/vendor-completions VERSION=0 SOVERSION=1 \
		"$ROOT/conf/install.sh" list | cut -f3 | sed 's,^/,,'
}

@test "each installed file is in exactly one package" {
	local file pattern
	cd "$ROOT"
	[ "$(installed | wc -l)" -gt 20 ]
	while read -r file; do
		n=0
		while read -r pattern; do
			# shellcheck disable=SC2053 # a pattern is meant
			[[ $file != $pattern && $file != $pattern/* ]] || n=$((n + 1))
		done < <(cat "$DEBIAN"/*.install)
		[ "$n" -eq 1 ] || explain "$file is in $n packages"
	done < <(installed)
}

@test "no package lists what is not installed" {
	local pattern file found
	cd "$ROOT"
	while read -r pattern; do
		found=
		while read -r file; do
			# shellcheck disable=SC2053 # a pattern is meant
			[[ $file != $pattern && $file != $pattern/* ]] || found=1
		done < <(installed)
		[ -n "$found" ] || explain "$pattern"
	done < <(cat "$DEBIAN"/*.install)
}

@test "versions, packages and build dependencies are those of the sources" {
	local package
	[ "$(sed -n '1s/.*(\(.*\)).*/\1/p' "$DEBIAN/changelog")" = \
		"$("$RTMEM" --version | cut -d' ' -f2)" ]
	diff <(sed -n 's/^Package: //p' "$DEBIAN/control" | sort) \
		<(cd "$DEBIAN" && printf '%s\n' *.install | sed 's/\.install$//' | sort)
	for package in $(sed -n '/^BUILD_DEPS/,/[^\\]$/p' "$ROOT/conf/deps.mk" | tr -d '\134' |
		sed 1d | grep -vxE '\s*(binutils|gcc|libc6-dev|make)\s*'); do
		sed -n '/^Build-Depends/,/^Standards/p' "$DEBIAN/control" | grep -qw -- "$package" ||
			explain "$package is no build dependency"
	done
	[ -x "$DEBIAN/rules" ]
}
