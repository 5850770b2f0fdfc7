#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs from Debian do under the library what they do without it: with no policy, and with
# every thread of theirs in a locked pool.
load helper
load programs

python() {
	python3 - <<-'END'
		import collections, hashlib, json, random, re, threading, zlib
		random.seed(7)
		words = [''.join(random.choice('abcdef') for _ in range(random.randrange(1, 30)))
		         for _ in range(40000)]
		count = collections.Counter(words)
		out = [None] * 8
		def work(i):
		    data = json.dumps(sorted(count.items())[i::8]).encode()
		    out[i] = hashlib.sha256(zlib.compress(data * 3)).hexdigest()
		threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
		[t.start() for t in threads]
		[t.join() for t in threads]
		print(out, len(count), 7 ** 2000 % 10 ** 50, re.sub('a+', 'x', words[5]))
		import subprocess, multiprocessing
		print(subprocess.run(['echo', 'child'], capture_output=True).stdout)
		with multiprocessing.Pool(3) as pool:
		    print(pool.map(abs, range(-20, 0)))
	END
}

@test "python3: threads, subprocesses, a pool of forked workers" {
	same_output python
}

perl_script() {
	perl -e '
		my %h; my $x = 1;
		for my $i (1 .. 200000) { $x = ($x * 1103515245 + 12345) % 2147483648; $h{"k" . $x % 5000} .= chr(97 + $x % 26); }
		my $s = join ",", map { "$_=" . length $h{$_} } sort keys %h;
		print length($s), " ", unpack("%32C*", $s), "\n";
		for (1 .. 20) { my $pid = fork; if (!$pid) { my @a = map { $_ x 10 } 1 .. 2000; exit scalar(@a) % 7 } waitpid $pid, 0; print $? >> 8; }
		print `echo back quotes`;
	'
}

@test "perl: hashes, fork, back quotes" {
	same_output perl_script
}

compile() {
	seq 1 300 | sed 's/.*/int f&(int x) { return x * & + (x >> (& % 7)); }/' >a.c
	printf '#include <stdio.h>\nint f300(int);\nint main(void) { printf("%%d\\n", f300(5)); }\n' >b.c
	gcc -O2 -g0 -frandom-seed=1 -o prog a.c b.c && ./prog && md5sum <prog
	printf '#include <map>\n#include <string>\n#include <iostream>\nint main() { std::map<std::string, int> m; for (int i = 0; i < 5000; i++) m[std::to_string(i * 37)]++; std::cout << m.size() << std::endl; }\n' >c.cc
	g++ -O1 -o cprog c.cc && ./cprog
}

@test "gcc and g++ build the same binary, and it runs" {
	same_output compile
}

git_session() {
	export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
	git init -q -b main repo && cd repo || return
	for i in 1 2 3 4 5; do
		seq 1 $((i * 2000)) >file
		git add file && git commit -q -m "change $i"
	done
	git checkout -q -b side HEAD~2 && echo more >other && git add other && git commit -q -m side
	git merge -q -m merged main && git log --format='%H %s' && git repack -adq && git fsck --full &&
		git grep -c 99 && git diff HEAD~1 | md5sum
}

@test "git: commits, merge, repack with threads, fsck" {
	same_output git_session
}

node_script() {
	cat >work.js <<-'END'
		const zlib = require('zlib'), crypto = require('crypto');
		const { Worker, isMainThread, parentPort } = require('worker_threads');
		function sum() {
		    const a = [];
		    for (let i = 0; i < 30000; i++) a.push({ i, s: 'x'.repeat(i % 50), n: [i, i * 2] });
		    return crypto.createHash('md5').update(zlib.deflateSync(JSON.stringify(a))).digest('hex');
		}
		if (isMainThread) {
		    let left = 3;
		    for (let i = 0; i < 3; i++)
		        new Worker(__filename).on('message', m => { console.log(m); if (--left == 0)
		            console.log(require('child_process').execSync('echo child').toString()); });
		    console.log(sum());
		} else parentPort.postMessage(sum());
	END
	node work.js
}

@test "node: workers, zlib, a child process" {
	same_output node_script
}

sqlite_session() {
	sqlite3 db <<-'END'
		create table t(a integer primary key, b text, c real);
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
		insert into t select i, printf('%d-%s', i, hex(i * i)), i / 7.0 from n;
		create index tb on t(b);
		select count(*), sum(length(b)), round(total(c), 3) from t where b like '%7%';
		select group_concat(b) from (select b from t order by c desc limit 5);
		pragma integrity_check;
		vacuum;
	END
}

@test "sqlite3: recursive insert, index, integrity check, vacuum" {
	same_output sqlite_session
}

redis_session() {
	local pid

	redis-server --port 0 --unixsocket "$PWD/s" --save '' --daemonize no --dir . >log &
	pid=$!
	wait_until 10 redis-cli -s s ping || return
	redis-cli -s s set key value && redis-cli -s s get key
	redis-benchmark -s s -q -n 3000 -c 10 -d 100 -t set,get,lpush,lrange_100 >/dev/null && echo benchmarked
	redis-cli -s s eval 'local t = {} for i = 1, 5000 do t[i] = redis.call("incr", "n") end return #t' 0
	redis-cli -s s save
	redis-cli -s s config set activedefrag yes >/dev/null
	redis-cli -s s memory purge
	redis-cli -s s info memory | grep -o 'mem_allocator:jemalloc'
	redis-cli -s s shutdown nosave
	wait "$pid"
}

@test "redis-server, which links jemalloc: set, get, benchmark, save, purge, shutdown" {
	same_output redis_session
}

postgres_session() {
	local bin

	bin=$(echo /usr/lib/postgresql/*/bin)
	chmod 777 . && mkdir -m 700 data && chown postgres data
	as_postgres() {
		setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
	}
	as_postgres "$bin/initdb" -D "$PWD/data" --no-sync -A trust >/dev/null || return
	as_postgres "$bin/pg_ctl" -D "$PWD/data" -w -l "$PWD/data/log" \
		-o "-c listen_addresses='' -k $PWD -c fsync=off" start >/dev/null || return
	as_postgres psql -h "$PWD" -d postgres -At <<-'END'
		create table t as select i, md5(i::text) m from generate_series(1, 50000) i;
		create index on t(m);
		select count(*), max(m) from t where m like 'a%';
		select sum(i) from t group by i % 7 order by 1;
	END
	as_postgres "$bin/pg_ctl" -D "$PWD/data" -w -m fast stop
}

# The directory of the session must be in reach of the user postgres.
@test "postgres: initdb, tables, parallel query, stop" {
	in_public same_output postgres_session
}

chromium_page() {
	cat >page.html <<-'END'
		<!doctype html><title>t</title><body><script>
		let s = 0, a = [];
		for (let i = 0; i < 100000; i++) { a.push('n' + i); s += a[i].length; }
		for (let i = 0; i < 50; i++) { let d = document.createElement('p'); d.textContent = i * s; document.body.append(d); }
		</script></body>
	END
	timeout 150 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$PWD/profile" --dump-dom "file://$PWD/page.html"
}

# Its zygote insists on being single-threaded, down to counting /proc/self/task.
@test "chromium headless renders the same document" {
	same_output chromium_page
}

# As an ordinary user it puts its renderers into its own sandbox, which ends whoever makes a call
# that it does not know.
sandboxed_page() {
	cat >page.html <<-'END'
		<!doctype html><title>t</title><body><script>document.body.append('s' + 6 * 7)</script></body>
	END
	chmod a+r page.html
	HOME=$PWD timeout 150 setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
		chromium --headless --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$PWD/profile" --dump-dom "file://$PWD/page.html"
}

@test "chromium headless in its sandbox, as an ordinary user" {
	in_public same_output sandboxed_page
}

java_program() {
	cat >Work.java <<-'END'
		import java.util.*;
		import java.util.stream.*;
		public class Work {
		    public static void main(String[] args) throws Exception {
		        Map<Integer, String> m = new TreeMap<>();
		        for (int i = 0; i < 50000; i++) m.put(i * 31 % 7919, "v" + i);
		        System.out.println(m.hashCode());
		        System.out.println(IntStream.range(0, 200000).parallel().mapToLong(i -> (long) i * i).sum());
		        Thread[] t = new Thread[20];
		        for (int i = 0; i < 20; i++) (t[i] = new Thread(() -> new StringBuilder("x".repeat(100000)).reverse())).start();
		        for (Thread x : t) x.join();
		        System.out.println(new String(new ProcessBuilder("echo", "child").start().getInputStream().readAllBytes()));
		    }
		}
	END
	javac Work.java && java -Xshare:auto -cp . Work
}

@test "java: compiler, parallel streams, threads, a child process" {
	same_output java_program
}

fork_storm() {
	bash -c '
		for i in {1..150}; do echo "$(echo "$(echo $i)")"; done | sort -n | tail -n 3
		for i in {1..20}; do (for j in {1..5}; do (exit $j) || :; done) & done; wait
		seq 1 3000 | xargs -n 200 -P 4 echo | wc -w
		echo ${BASHPID:+done}
	'
}

@test "bash: a storm of forks, pipes and command substitutions" {
	same_output fork_storm
}

tar_pipe() {
	seq 1 100000 >f && tar cf - f | xz -T2 -1 | xz -d | tar xOf - | sort -R --random-source=f |
		sort -n --parallel=4 | md5sum
	awk '{ a[$1 % 1000] = a[$1 % 1000] $1 } END { for (i in a) s += length(a[i]); print s }' f
	find /usr/include -name 'std*.h' | sort | md5sum
	make -s -f - <<<'all: ; @echo made'
}

@test "tar, xz with threads, sort with threads, awk, find, make" {
	same_output tar_pipe
}

@test "the policy of these tests does reach the programs" {
	everything_policy
	sed -i '1i [realtime]\nreport = yes' "$RTMEM_CONF"
	LD_PRELOAD=$LIB run python3 -c 'print(sum(len(str(i)) for i in range(1000)))'
	assert_success
	assert_contains 'rtmem: pool "p" (rule "all")'
	refute_contains 'peak 0 KiB'
}
