#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install and make uninstall, below a directory of our own
load helper

setup() {
	clean_environment
	STAGE=$BATS_TEST_TMPDIR/stage
	LIBDIR=/usr/local/lib/$(gcc -print-multiarch)
}

# staged TARGET [VARIABLE=VALUE…]: make install or uninstall into $STAGE.
staged() {
	make -s -C "$ROOT" "$1" DESTDIR="$STAGE" PREFIX=/usr/local "${@:2}"
}

# under FIND-ARGUMENT…: what is below the stage, without the stage's own name.
under() {
	find "$STAGE" "$@" -printf '/%P\n' | sort
}

@test "everything is where it belongs" {
	staged install
	for file in /usr/local/bin/rtmem "$LIBDIR/librtpreload.so.1" \
		"$LIBDIR/librtpreload.so" "$LIBDIR/pkgconfig/rtpreload.pc" \
		/usr/local/include/rtpreload/media/RealtimeAlloc.h \
		/usr/local/include/rtpreload/rtmem.h \
		/usr/local/include/rtpreload/rtmem.hpp \
		/usr/local/share/man/man1/rtmem.1 /usr/local/share/man/man5/rtmem.conf.5 \
		/usr/local/share/man/man7/librtpreload.7 \
		/usr/local/share/man/man3/rtm_alloc.3 \
		/usr/local/share/bash-completion/completions/rtmem \
		/usr/local/share/zsh/site-functions/_rtmem \
		/usr/local/share/doc/rtmem/examples/jack-client.conf \
		/usr/local/share/doc/rtmem/examples/limits.d/rtmem.conf \
		/etc/rtmem.conf; do
		[ -f "$STAGE$file" ] || explain "$file is missing"
	done
	[ "$(readlink "$STAGE$LIBDIR/librtpreload.so")" = librtpreload.so.1 ]
	cmp "$STAGE/etc/rtmem.conf" "$ROOT/conf/rtmem.conf"
}

@test "every header is installed, and compiles from there in C and C++" {
	local header
	staged install
	cd "$STAGE/usr/local/include/rtpreload"
	diff <(find . -name '*.h' | sort) <(cd "$ROOT/include" && find . -name '*.h' | sort)
	while read -r header; do
		for lang in c c++; do
			gcc -x $lang -Wall -Wextra -Werror -fsyntax-only -I. -include "$header" - \
				</dev/null || explain "$header in $lang"
		done
	done < <(find . -name '*.h')
}

@test "a program is built by pkg-config and runs with the installed library" {
	local -a flags
	staged install
	cat >"$BATS_TEST_TMPDIR/prog.c" <<-END
		#include <media/RealtimeAlloc.h>
		#include <stdio.h>
		int main(void)
		{
			rtm_pool *pool = 0;
			void *p;

			if (rtm_create_pool(&pool, 100000, "mine") != B_OK)
				return 1;
			p = rtm_alloc(pool, 1000);
			printf("%zd\n", p ? rtm_size_for(p) : -1);
			return rtm_free(p) != B_OK || rtm_delete_pool(pool) != B_OK;
		}
	END
	export PKG_CONFIG_PATH=$STAGE$LIBDIR/pkgconfig PKG_CONFIG_SYSROOT_DIR=$STAGE
	[ "$(pkg-config --modversion rtpreload)" = "$("$RTMEM" --version | cut -d' ' -f2)" ]
	read -ra flags < <(pkg-config --cflags --libs rtpreload)
	gcc -o "$BATS_TEST_TMPDIR/prog" "$BATS_TEST_TMPDIR/prog.c" "${flags[@]}"
	LD_LIBRARY_PATH=$STAGE$LIBDIR run "$BATS_TEST_TMPDIR/prog"
	assert_success
	assert_output 1000
}

@test "sources of the other families are built against what is installed, linked or only preloaded, in C and C++" {
	local include=$STAGE/usr/local/include/rtpreload lang driver=$BATS_TEST_TMPDIR/driver
	staged install
	for lang in c c++; do
		gcc -x $lang -Wall -Wextra -Werror -o "$driver" -I"$include" \
			"$ROOT/tests/prog/compat_all.c" -L"$STAGE$LIBDIR" -lrtpreload
		LD_LIBRARY_PATH=$STAGE$LIBDIR run "$driver"
		assert_success
		assert_output "blocks 6"
		gcc -x $lang -Wall -Wextra -Werror -o "$driver" -DRTM_WEAK -I"$include" \
			"$ROOT/tests/prog/compat_all.c"
		LD_PRELOAD=$STAGE$LIBDIR/librtpreload.so.1 run "$driver"
		assert_success
		assert_output "blocks 6"
	done
}

@test "the installed tool preloads the installed library" {
	staged install
	run "$STAGE/usr/local/bin/rtmem" run grep -o '/[^ ]*librtpreload.*' /proc/self/maps
	assert_success
	[ "${lines[0]}" = "$STAGE$LIBDIR/librtpreload.so.1" ]
}

@test "each page is found by every name that it documents" {
	local name page
	staged install
	for page in "$ROOT"/man/*.3; do
		while read -r name; do
			output=$(cd "$STAGE/usr/local/share/man" && mandoc -T ascii "man3/$name.3" |
				sed 's/.\x08//g')
			assert_contains "$name"
		done < <(sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([^ ]*\).*/\1/p' "$page")
	done
}

@test "a changed /etc/rtmem.conf is kept, and the new one put beside it" {
	staged install
	echo '; mine' >>"$STAGE/etc/rtmem.conf"
	run staged install
	assert_success
	assert_contains "/etc/rtmem.conf.new"
	[ "$(tail -n 1 "$STAGE/etc/rtmem.conf")" = '; mine' ]
	cmp "$STAGE/etc/rtmem.conf.new" "$ROOT/conf/rtmem.conf"
}

@test "installing twice changes nothing" {
	staged install
	under -type f >"$BATS_TEST_TMPDIR/first"
	staged install
	diff "$BATS_TEST_TMPDIR/first" <(under -type f)
}

@test "uninstall leaves nothing but a changed conf" {
	staged install
	staged uninstall
	run under -not -type d
	assert_output ""
	staged install
	echo '; mine' >>"$STAGE/etc/rtmem.conf"
	staged install
	staged uninstall
	run under -not -type d
	assert_output /etc/rtmem.conf
	run under -type d -name '*rt*'
	assert_output ""
}

@test "uninstall leaves other people's files alone" {
	mkdir -p "$STAGE/usr/local/bin" "$STAGE/usr/local/share/doc/rtmem"
	touch "$STAGE/usr/local/bin/other" "$STAGE/usr/local/share/doc/rtmem/notes"
	staged install
	staged uninstall
	diff <(under -type f) <(printf '/usr/local/%s\n' bin/other share/doc/rtmem/notes)
}

@test "another prefix, another library directory: both are honoured, and said when no program reads the conf there" {
	run staged install PREFIX=/opt/rt LIBDIR=/opt/rt/lib
	assert_success
	assert_contains "/etc/rtmem.conf"
	[ -f "$STAGE/opt/rt/lib/librtpreload.so.1" ]
	run "$STAGE/opt/rt/bin/rtmem" run printenv LD_PRELOAD
	assert_output "$STAGE/opt/rt/lib/librtpreload.so.1"
	staged uninstall PREFIX=/opt/rt LIBDIR=/opt/rt/lib
	run under -not -type d
	assert_output ""
}
