#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rtmem run: what it starts, with which environment, and what it warns about
#
# The tool is copied beside a stand-in library, in a directory that everybody can read: the
# questions here are about the tool, not about the library.
#
# shellcheck disable=SC2016 # what stands in single quotes is for the shells that are started
load helper

bats_require_minimum_version 1.5.0

setup_file() {
	DIR=$(mktemp -d /tmp/rtmem-run.XXXXXX)
	export DIR
	chmod 755 "$DIR"
	local src=$BATS_TEST_DIRNAME/prog/whoami.c
	mkdir "$DIR/build"
	cp "$BATS_TEST_DIRNAME/../build/rtmem" "$DIR/build/rtmem"
	gcc -shared -o "$DIR/build/librtpreload.so.1" -x c - <<<'void nothing(void){}'
	gcc -shared -o "$DIR/other.so" -x c - <<<'void nothing_else(void){}'
	gcc -D_GNU_SOURCE -o "$DIR/whoami" "$src"
	gcc -D_GNU_SOURCE -static -o "$DIR/static" "$src"
	gcc -D_GNU_SOURCE -static-pie -o "$DIR/static-pie" "$src"
	gcc -D_GNU_SOURCE -fsanitize=address -o "$DIR/asan" "$src"
	gcc -D_GNU_SOURCE -fsanitize=thread -o "$DIR/tsan" "$src"
	gcc -D_GNU_SOURCE -fsanitize=undefined -o "$DIR/ubsan" "$src"
}

teardown_file() {
	rm -rf "$DIR"
}

setup() {
	clean_environment
	RTMEM=$DIR/build/rtmem
	OURS=$DIR/build/librtpreload.so.1
	cd "$BATS_TEST_TMPDIR" || return
}

# bytes OFFSET TEXT FILE: overwrite a few bytes of an ELF header; TEXT as for printf.
bytes() {
	# shellcheck disable=SC2059
	printf "$2" | dd of="$3" bs=1 seek="$1" conv=notrunc status=none
}

# as_nobody CMD…: without root's rights, where file capabilities and set-id bits count.
as_nobody() {
	as_somebody "$@"
}

@test "run becomes the program, with its arguments and its exit code" {
	run "$RTMEM" run "$DIR/whoami" a 'b c' --conf
	assert_success
	assert_output "secure=0 preloaded=1 [a] [b c] [--conf]"
	run "$RTMEM" run -- sh -c 'exit 7'
	assert_failure 7
	run bash -c 'echo $$; exec "$0" run sh -c "echo \$\$"' "$RTMEM"
	[ "${lines[0]}" = "${lines[1]}" ]
}

@test "the library comes first, and what was preloaded before stays" {
	run env LD_PRELOAD="$DIR/other.so" "$RTMEM" run printenv LD_PRELOAD
	assert_output "$OURS:$DIR/other.so"
	run "$RTMEM" run printenv LD_PRELOAD
	assert_output "$OURS"
}

@test "the library is not named twice" {
	run env LD_PRELOAD="$DIR/other.so $OURS" "$RTMEM" run printenv LD_PRELOAD
	assert_output "$DIR/other.so $OURS"
}

@test "nothing else in the environment changes" {
	diff <(env -u _ | sort) <("$RTMEM" run env -u _ -u LD_PRELOAD | sort)
}

@test "an installed tool finds the library of its own prefix" {
	local multiarch
	multiarch=$(gcc -print-multiarch)
	mkdir -p prefix/bin "prefix/lib/$multiarch"
	cp "$RTMEM" prefix/bin
	cp "$OURS" "prefix/lib/$multiarch"
	run prefix/bin/rtmem run printenv LD_PRELOAD
	assert_output "$PWD/prefix/lib/$multiarch/librtpreload.so.1"
	mv "prefix/lib/$multiarch/librtpreload.so.1" prefix/lib
	run prefix/bin/rtmem run printenv LD_PRELOAD
	assert_output "$PWD/prefix/lib/librtpreload.so.1"
}

@test "where the loader resolves the soname to this library, the soname is preloaded" {
	ldconfig -X -C cache -f <(echo "$DIR/build") 2>/dev/null
	run unshare -m sh -c 'mount --bind cache /etc/ld.so.cache && exec "$0" run printenv LD_PRELOAD' "$RTMEM"
	assert_output librtpreload.so.1
	# a file of that name that is another library is not ours
	mkdir elsewhere
	cp "$OURS" elsewhere
	ldconfig -X -C cache -f <(echo "$PWD/elsewhere") 2>/dev/null
	run unshare -m sh -c 'mount --bind cache /etc/ld.so.cache && exec "$0" run printenv LD_PRELOAD' "$RTMEM"
	assert_output "$OURS"
}

@test "without a library it says so and starts nothing" {
	cp "$RTMEM" alone
	run ./alone run echo started
	assert_failure 1
	assert_contains "install it"
	refute_contains started
}

@test "a library below a path that LD_PRELOAD cannot carry is refused" {
	mkdir "a b"
	cp "$RTMEM" "$OURS" "a b"
	run "./a b/rtmem" run echo started
	assert_failure 1
	assert_contains "space or a colon"
	refute_contains started
}

@test "exit codes: 127 not found, 126 cannot start, 2 wrong usage" {
	run -127 "$RTMEM" run no-such-program-here
	assert_output "rtmem: no-such-program-here: command not found"
	touch file
	run "$RTMEM" run ./file
	assert_failure 126
	run "$RTMEM" run "$DIR"
	assert_failure 126
	run "$RTMEM" run
	assert_failure 2
	run "$RTMEM" run --nonsense ls
	assert_failure 2
}

@test "PATH is searched as the shell does it" {
	mkdir one two
	echo 'echo one' >one/prog
	printf '#!/bin/sh\necho two\n' >two/prog
	chmod +x two/prog
	PATH=$PWD/one:$PWD/two:$PATH run "$RTMEM" run prog
	assert_output two
	PATH=$PWD/one run "$RTMEM" run prog
	assert_failure 126
}

@test "a script without a first line goes to the shell; a broken binary does not" {
	echo 'echo "hello from $0"' >plain
	chmod +x plain
	run "$RTMEM" run ./plain
	assert_output "hello from ./plain"
	head -c 30 "$DIR/whoami" >broken
	chmod +x broken
	run "$RTMEM" run ./broken
	assert_failure 126
	assert_contains "damaged"
}

@test "the policy file is named by its full path, so it holds in other directories too" {
	cat >my.conf <<-END
		[pool p]
		size = 1M
		[rule r]
		sched = rt
		pool = p
	END
	run "$RTMEM" run --conf my.conf sh -c 'cd / && cat "$RTMEM_CONF"'
	assert_success
	assert_contains "[rule r]"
	run "$RTMEM" run --conf="$PWD/my.conf" printenv RTMEM_CONF
	assert_output "$PWD/my.conf"
	RTMEM_CONF=my.conf run "$RTMEM" run printenv RTMEM_CONF
	assert_output "$PWD/my.conf"
	RTMEM_CONF='' run "$RTMEM" run printenv RTMEM_CONF
	assert_output ""
}

@test "with --conf every error is printed and nothing is started" {
	cat >bad.conf <<-END
		[pool p]
		siez = 1M
		size = lots
		[rule r]
		pool = q
	END
	run "$RTMEM" run --conf bad.conf echo started
	assert_failure 1
	assert_contains "bad.conf:2: "
	assert_contains "bad.conf:3: "
	assert_contains "bad.conf:5: "
	refute_contains started
	run "$RTMEM" run --conf missing.conf echo started
	assert_failure 1
	assert_contains missing.conf
	refute_contains started
}

@test "without --conf a bad policy does not stop the program" {
	echo nonsense | policy
	run "$RTMEM" run echo started
	assert_success
	assert_contains started
}

@test "-v says library, policy, rules, environment and program" {
	policy <<-END
		[pool p]
		size = 1M
		[rule mine]
		sched = rt
		pool = p
		[rule not-mine]
		app = somebody-else
		pool = p
	END
	run "$RTMEM" run -v "$DIR/whoami"
	assert_success
	assert_contains "library  $OURS"
	assert_contains "policy   $RTMEM_CONF"
	assert_contains "rules    mine ($RTMEM_CONF:3)"
	refute_contains not-mine
	assert_contains "LD_PRELOAD=$OURS"
	assert_contains "program  $DIR/whoami"
	RTMEM_CONF='' run "$RTMEM" run -v "$DIR/whoami"
	assert_contains "policy   none"
}

@test "without -v nothing is printed but the program's own output" {
	run "$RTMEM" run "$DIR/whoami"
	assert_output "secure=0 preloaded=1"
}

@test "beside auditors, the loader is asked for more thread-local storage" {
	run env LD_AUDIT=/nonexistent.so "$RTMEM" run printenv GLIBC_TUNABLES
	assert_contains "glibc.rtld.optional_static_tls=8192"
	run env LD_AUDIT=/nonexistent.so GLIBC_TUNABLES=glibc.malloc.check=0 \
		"$RTMEM" run printenv GLIBC_TUNABLES
	assert_contains "glibc.malloc.check=0:glibc.rtld.optional_static_tls=8192"
	run env LD_AUDIT=/nonexistent.so GLIBC_TUNABLES=glibc.rtld.optional_static_tls=999 \
		"$RTMEM" run printenv GLIBC_TUNABLES
	refute_contains 8192
	run "$RTMEM" run printenv GLIBC_TUNABLES
	assert_failure
}

@test "the real library starts beside a real auditor, which it cannot without that" {
	gcc -shared -fPIC -o audit.so -x c - <<-END
		__thread char some[400];
		unsigned la_version(unsigned v)
		{
			some[0] = 1;
			return v;
		}
	END
	run env LD_AUDIT="$PWD/audit.so" "$ROOT/build/rtmem" run "$DIR/whoami"
	assert_success
	assert_output "secure=0 preloaded=1"
	run -127 env LD_AUDIT="$PWD/audit.so" LD_PRELOAD="$LIB" "$DIR/whoami"
	assert_contains "static TLS"
}

@test "an ordinary program draws no warning, nor does one with the undefined-behaviour sanitizer" {
	for prog in whoami ubsan; do
		run "$RTMEM" run "$DIR/$prog"
		assert_output "secure=0 preloaded=1"
	done
	run "$RTMEM" run /lib64/ld-linux-x86-64.so.2 "$DIR/whoami"
	refute_contains warning
	assert_contains preloaded=1
}

@test "a static program: warned, and started" {
	for prog in static static-pie; do
		run "$RTMEM" run "$DIR/$prog"
		assert_success
		assert_contains "warning: $DIR/$prog is statically linked"
		assert_contains "preloaded=0"
		[ ${#lines[@]} -eq 2 ]
	done
}

@test "a setuid or setgid program: warned when it gains rights by it, and only then" {
	for mode in 4755 2755; do
		cp "$DIR/whoami" "$DIR/setid"
		chown daemon:daemon "$DIR/setid"
		chmod $mode "$DIR/setid"
		run as_nobody "$RTMEM" run "$DIR/setid"
		assert_success
		assert_contains "warning: $DIR/setid is setuid or setgid"
		assert_contains "ambient"
		assert_contains "secure=1 preloaded=0"
		# the owner gains nothing: nor does anybody who may not
		run setpriv --reuid=daemon --regid=daemon --clear-groups "$RTMEM" run "$DIR/setid"
		assert_output "secure=0 preloaded=1"
		run as_nobody setpriv --no-new-privs "$RTMEM" run "$DIR/setid"
		assert_output "secure=0 preloaded=1"
	done
}

@test "a program with file capabilities: warned, except for root, who gains nothing by them" {
	cp "$DIR/whoami" "$DIR/capable"
	setcap cap_sys_nice+ep "$DIR/capable"
	run as_nobody "$RTMEM" run "$DIR/capable"
	assert_success
	assert_contains "warning: $DIR/capable has file capabilities"
	assert_contains "AmbientCapabilities="
	assert_contains "secure=1 preloaded=0"
	run "$RTMEM" run "$DIR/capable"
	assert_output "secure=0 preloaded=1"
}

@test "no cure is a file capability" {
	run grep -n 'setcap *cap_' "$ROOT/policy/system/preflight.c"
	assert_failure
}

@test "ambient capabilities keep the preload, as the warnings say" {
	run as_somebody --inh-caps=+sys_nice \
		--ambient-caps=+sys_nice "$RTMEM" run "$DIR/whoami"
	assert_output "secure=0 preloaded=1"
}

@test "a 32-bit program: warned" {
	# class 32, machine 386: all that is looked at, and enough for the kernel to refuse it
	cp "$DIR/whoami" old
	bytes 4 '\x01' old
	bytes 18 '\x03\x00' old
	run "$RTMEM" run ./old
	assert_contains "warning: ./old is a 32-bit program"
}

@test "a program for another machine: warned" {
	cp "$DIR/whoami" arm
	bytes 18 '\xb7\x00' arm
	run "$RTMEM" run ./arm
	assert_contains "warning: ./arm is built for another machine"
	assert_failure 126
}

@test "a program for the musl C library: warned" {
	gcc -D_GNU_SOURCE -o musl -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 "$ROOT/tests/prog/whoami.c"
	run "$RTMEM" run ./musl
	assert_contains "warning: ./musl runs on the musl C library"
}

@test "a program with a sanitizer that brings its own malloc: warned" {
	run "$RTMEM" run "$DIR/asan"
	assert_contains "warning: $DIR/asan is built with AddressSanitizer"
	run "$RTMEM" run "$DIR/tsan"
	assert_contains "warning: $DIR/tsan is built with ThreadSanitizer"
}

@test "a program that cannot be read: warned, and started" {
	cp "$DIR/whoami" "$DIR/secret"
	chmod 711 "$DIR/secret"
	run as_nobody "$RTMEM" run "$DIR/secret"
	assert_success
	assert_contains "warning: $DIR/secret cannot be read"
	assert_contains "preloaded="
}

@test "a script is judged by the program it runs on, also behind env" {
	printf '#!%s/static with arguments\n' "$DIR" >script
	chmod +x script
	run "$RTMEM" run ./script
	assert_contains "warning: $DIR/static is statically linked"
	printf '#!/usr/bin/env -S A=b static -x\n' >script
	PATH=$DIR:$PATH run "$RTMEM" run ./script
	assert_contains "warning: $DIR/static is statically linked"
	printf '#!./script\n' >outer
	chmod +x outer
	PATH=$DIR:$PATH run "$RTMEM" run ./outer
	assert_contains "warning: $DIR/static is statically linked"
	printf '#!/no/such/interpreter\n' >script
	run -127 "$RTMEM" run ./script
	assert_contains "/no/such/interpreter is not there"
}

@test "a command that keeps the preload from what it starts: warned, with what to write" {
	local word
	printf '#!/bin/sh\n' >sudo
	chmod +x sudo
	for word in 'env -i true' 'env - true' 'env -vi true' 'env --ignore-environment true' \
		'env -u LD_PRELOAD true' 'env --unset=LD_PRELOAD true' 'env LD_PRELOAD=x true' \
		'nice -n 1 env -i true' 'timeout 9 nice env A=b env -uLD_PRELOAD true' \
		'setpriv --reset-env true' "$PWD/sudo true" 'nice ./sudo -u root true'; do
		# shellcheck disable=SC2086 # words
		run "$RTMEM" run $word
		assert_contains "warning: "
		assert_contains "the program gets no preload; write: "
	done
	for word in 'env A=-i true' 'env true -i' "env -i LD_PRELOAD=$OURS true" \
		'nice -n 1 true' 'setpriv --inh-caps=-all true' 'echo sudo env -i' ; do
		# shellcheck disable=SC2086 # words
		run "$RTMEM" run $word
		refute_contains "warning"
	done
}

@test "a program that another starts in its place is judged, too" {
	run "$RTMEM" run nice -n 1 "$DIR/static"
	assert_contains "warning: $DIR/static is statically linked"
}

@test "a script that runs on itself ends" {
	printf '#!./loop\n' >loop
	chmod +x loop
	run timeout 150 "$RTMEM" run ./loop
	assert_failure 126
}

@test "a shell that passes no preload on: said when a script runs on it" {
	printf '#!/bin/sh\nexec true\n' >script
	chmod +x script
	policy <<-END
		[pool p]
		size = 1M
		[rule r]
		sched = rt
		pool = p
	END
	run "$RTMEM" run ./script
	assert_output ""
	printf '[app dash]\ninherit = no\n' >>"$RTMEM_CONF"
	run "$RTMEM" run ./script
	assert_contains "section for dash says inherit = no"
}

@test "any damage to an ELF file is survived by the tool" {
	local i
	for i in {16..120} {700..760}; do
		cp "$DIR/asan" victim
		bytes "$i" '\xff' victim
		chmod 755 victim
		run -- sh -c 'timeout 150 "$0" run -v ./victim; true' "$RTMEM"
		# what the victim does afterwards is its own affair
		assert_contains "program  ./victim" || explain "byte $i"
	done
}
