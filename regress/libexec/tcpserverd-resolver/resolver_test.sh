#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# The resolver process, asked as engine and parent ask it, with name and
# ident servers of the test's own, in a network namespace of the test's own.

tools=${SOURCE:-/nowhere}/regress/tools
resolver=${STAGE:-/nowhere}/libexec/tcpserverd-resolver

# resolver_run: the script on standard input, with ./zone served on 127.0.0.1
# and 127.0.0.2, and ident servers as the arguments say.  "ask" asks.
resolver_run()
{
	[ -x "$tools/netns" ] ||
	    atf_skip "SOURCE does not name the source tree (see regress/check)"
	[ -x "$resolver" ] ||
	    atf_skip "STAGE holds no tcpserverd-resolver (see regress/check)"
	command -v python3 >/dev/null ||
	    atf_skip "no python3, which the servers of the tests need"
	"$tools/netns" true 2>why || atf_skip "$(cat why)"
	{
		echo "PATH=$(atf_get_srcdir):$tools:\$PATH"
		echo "resolver=$resolver"
		cat <<'E'
unset DNSREWRITEFILE
export DNSCACHEIP=127.0.0.1 LOCALDOMAIN=local
ask() { asker "$resolver" "$@"; }
dnsd -l log -p pid -s sources zone 127.0.0.1 127.0.0.2 || exit
E
		if [ $# -gt 0 ]; then
			printf 'identd -l ident.log -p ident.pid'
			printf " '%s'" "$@"
			echo
		fi
		cat
		echo 'kill $(cat pid ident.pid 2>/dev/null)'
		echo 'cat pid.err >&2'
	} >script
	: >log
	: >ident.log
	atf_check -o save:out ${errors:-} "$tools/netns" sh ./script
}

# Answers come as they come: compare sorted by number.
answers_check()
{
	sort -n out >sorted
	atf_check -o file:expected cat sorted
}

atf_test_case names
names_head()
{
	atf_set descr "PTR of both ends, and the way back with paranoia"
}
names_body()
{
	cat >zone <<'E'
1.0.0.127.in-addr.arpa PTR Server.Example
2.0.0.127.in-addr.arpa PTR client.example
client.example A 192.0.2.1
client.example A 127.0.0.2
3.0.0.127.in-addr.arpa PTR liar.example
liar.example A 192.0.2.1
4.0.0.127.in-addr.arpa PTR nowhere.example
5.0.0.127.in-addr.arpa PTR odd\056na\000me.example
odd\056na\000me.example A 127.0.0.5
6.0.0.127.in-addr.arpa PTR broken.example
broken.example * do servfail
7.0.0.127.in-addr.arpa CNAME 7.sub.0.0.127.in-addr.arpa
7.sub.0.0.127.in-addr.arpa PTR delegated.example
delegated.example CNAME real.example
real.example A 127.0.0.7
8.0.0.127.in-addr.arpa * do servfail
9.0.0.127.in-addr.arpa PTR six.example
six.example AAAA ::1
10.0.0.127.in-addr.arpa PTR crowd.example
crowd.example A do many 255
1.0.0.10.in-addr.arpa PTR crowd.example
E
	resolver_run <<'E'
for n in 2 3 4 5 6 7 8 9 10; do
	set -- "$@" l,lr,127.0.0.1,25,127.0.0.$n,1,1 wait \
	    l,rp,127.0.0.1,25,127.0.0.$n,1,1 wait
done
ask "$@" l,rp,127.0.0.1,25,10.0.0.1,1,1 l,l,127.0.0.1,25,127.0.0.2,1,1
E
	cat >expected <<'E'
1 local="server.example" remote="client.example" info=-
2 local=- remote="client.example" info=-
3 local="server.example" remote="liar.example" info=-
4 local=- remote=- info=-
5 local="server.example" remote="nowhere.example" info=-
6 local=- remote=- info=-
7 local="server.example" remote="odd\056na\000me.example" info=-
8 local=- remote="odd\056na\000me.example" info=-
9 local="server.example" remote="broken.example" info=-
10 local=- remote=- info=-
11 local="server.example" remote="delegated.example" info=-
12 local=- remote="delegated.example" info=-
13 local="server.example" remote=- info=-
14 local=- remote=- info=-
15 local="server.example" remote="six.example" info=-
16 local=- remote=- info=-
17 local="server.example" remote="crowd.example" info=-
18 local=- remote=- info=-
19 local=- remote="crowd.example" info=-
20 local="server.example" remote=- info=-
E
	answers_check
}

atf_test_case names_v6
names_v6_head()
{
	atf_set descr "the same for IPv6: ip6.arpa and AAAA"
}
names_v6_body()
{
	zeros=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0
	cat >zone <<E
1.$zeros.0.0.0.0.0.0.0.0.ip6.arpa PTR loop.example
loop.example A 127.0.0.1
loop.example AAAA ::1
1.$zeros.8.b.d.0.1.0.0.2.ip6.arpa PTR liar.example
liar.example AAAA 2001:db8::2
liar.example A 127.0.0.1
E
	resolver_run <<'E'
ask l,lrp,::1,25,::1,1,1 wait l,rp,::1,25,2001:db8::1,1,1 wait \
    l,r,::1,25,2001:db8::1,1,1 wait l,rp,127.0.0.1,1,::ffff:127.0.0.1,1,1
E
	cat >expected <<'E'
1 local="loop.example" remote="loop.example" info=-
2 local=- remote=- info=-
3 local=- remote="liar.example" info=-
4 local=- remote=- info=-
E
	answers_check
}

atf_test_case ident
ident_head()
{
	atf_set descr "ident answers, good and bad"
}
ident_body()
{
	: >zone
	long=$(printf 'x%.0s' $(seq 300))
	resolver_run 127.0.1.1=user:joe \
	    '127.0.1.2=reply:1,2: USERID : UNIX :\t a b:c : d \r\n' \
	    '127.0.1.3=reply:1,2:ERROR:NO-USER\r\n' \
	    '127.0.1.4=reply:\n' \
	    '127.0.1.5=reply:1,2:USERID:UNIX:joe' \
	    '127.0.1.6=close' \
	    "127.0.1.7=reply:1:2:3:$long\\n" \
	    "127.0.1.8=endless:1:2:3:x" \
	    '127.0.1.9=drip:1,2:USERID:UNIX:drop\r\n' \
	    '127.0.1.10=endless:x' \
	    '127.0.1.11=reply:1:2:3:a\000b\n' \
	    '127.0.1.12=reply:1:2:3:\n' \
	    '127.0.1.13=reply:1:2:3:\x01\xff%\r\n' \
	    '::1=user:six' <<'E'
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
	set -- "$@" l,i,127.0.0.9,25,127.0.1.$n,40000,5
done
ask "$@" l,i,::1,65535,::1,0,5 | cut -c 1-60
E
	x=$(printf 'x%.0s' $(seq 30))
	cat >expected <<E
1 local=- remote=- info="joe"
2 local=- remote=- info="ab:c:d"
3 local=- remote=- info=""
4 local=- remote=- info=""
5 local=- remote=- info=-
6 local=- remote=- info=-
7 local=- remote=- info="xxx$x"
8 local=- remote=- info="x1:2:3:x1:2:3:x1:2:3:x1:2:3:x1:2:3
9 local=- remote=- info="drop"
10 local=- remote=- info=-
11 local=- remote=- info="a"
12 local=- remote=- info=""
13 local=- remote=- info="$(printf '\001\377')%"
14 local=- remote=- info=-
15 local=- remote=- info="six"
E
	cut -c 1-50 out | sort -n >cut
	cut -c 1-50 expected >wanted
	atf_check -o file:wanted cat cut
	# From the connection's own address, about its two ports.
	atf_check -o inline:'127.0.0.9 40000 , 25\n::1 0 , 65535\n' \
	    sort -u ident.log
}

atf_test_case ident_bound
ident_bound_head()
{
	atf_set descr "257 bytes of ident answer, not one more"
}
ident_bound_body()
{
	: >zone
	x256=$(printf 'x%.0s' $(seq 256))
	resolver_run "127.0.1.1=reply:1:2:3:$x256\\n" \
	    "127.0.1.2=reply:1:2:3:${x256}y\\n" \
	    "127.0.1.3=reply:1:2:3:${x256}yz\\n" \
	    "127.0.1.4=reply:1:2:3:${x256}y" <<'E'
for n in 1 2 3 4; do
	set -- "$@" l,i,127.0.0.1,25,127.0.1.$n,4,5
done
ask "$@"
E
	cat >expected <<E
1 local=- remote=- info="$x256"
2 local=- remote=- info="${x256}y"
3 local=- remote=- info="${x256}y"
4 local=- remote=- info="${x256}y"
E
	answers_check
}

atf_test_case ident_timeout
ident_timeout_head()
{
	atf_set descr "connect and dialogue share one time-out"
}
ident_timeout_body()
{
	: >zone
	drip=$(printf '1:2:3:'; printf 'x%.0s' $(seq 200))
	resolver_run 127.0.1.1=silence "127.0.1.2=drip:$drip" <<'E'
ip route add 198.51.100.0/24 dev lo 2>/dev/null
start=$(date +%s%N)
ask l,i,127.0.0.1,25,127.0.1.1,4,1 l,i,127.0.0.1,25,127.0.1.2,4,1 \
    l,i,127.0.0.1,25,127.0.1.1,4,0
echo "100 $((($(date +%s%N) - start) / 100000000))"
E
	sort -n out >sorted
	cat >expected <<'E'
1 local=- remote=- info=-
2 local=- remote=- info=-
3 local=- remote=- info=-
E
	atf_check -o file:expected sed '$d' sorted
	# Tenths of a second: neither at once nor twice the time.
	atf_check -o match:'^100 1[0-9]$' tail -n 1 sorted
}

atf_test_case ident_crowd
ident_crowd_head()
{
	atf_set descr "silent ident servers never take the last descriptor"
}
ident_crowd_body()
{
	echo '2.0.0.127.in-addr.arpa PTR client.example' >zone
	errors='-e match:unable.to.create.socket'
	resolver_run 127.0.1.1=silence <<'E'
ulimit -n 64
ask n,100,l,i,127.0.0.1,25,127.0.1.1,4,2 l,r,127.0.0.1,25,127.0.0.2,1,1
E
	atf_check -o inline:'101 local=- remote="client.example" info=-\n' \
	    grep -v remote=- out
	atf_check -o inline:'100\n' grep -c remote=- out
}

atf_test_case ports
ports_head()
{
	atf_set descr "each question leaves from a port of its own"
}
ports_body()
{
	cat >zone <<'E'
2.0.0.127.in-addr.arpa PTR client.example
client.example A 127.0.0.2
E
	# The second question of a lookup is asked while the answer to the
	# first is being read.
	resolver_run <<'E'
ask l,rp,127.0.0.1,25,127.0.0.2,1,1 wait l,rp,127.0.0.1,25,127.0.0.2,1,1
E
	atf_check -o inline:'4\n' sh -c 'wc -l <sources'
	atf_check -o empty sh -c 'sort sources | uniq -d'
}

atf_test_case hosts
hosts_head()
{
	atf_set descr "host words, qualified and looked up"
}
hosts_body()
{
	cat >zone <<'E'
a.local A 192.0.2.1
a.local AAAA 2001:db8::1
sf.x * do servfail
many.x * do many 100
E
	resolver_run <<'E'
ask h,4,a wait h,6,a wait h,46,a wait h,46,127.0.0.1 wait h,6,127.0.0.1 \
    wait h,4,::1 wait h,46,[::1] wait h,4,127.1 wait h,4,sf.x wait \
    h,4,nosuch wait h,4,$(printf '%064d' 0)x.y wait h,,a wait h,4, wait
ask h,4,many.x | wc -w
DNSREWRITEFILE=/ ask h,4,a
DNSCACHEIP=127.0.0.3 ask h,4,a
E
	cat >expected <<'E'
1 addresses 192.0.2.1
2 addresses 2001:db8::1
3 addresses 192.0.2.1 2001:db8::1
4 addresses 127.0.0.1
5 addresses
6 addresses
7 addresses ::1
8 addresses
9 error temporary failure
10 addresses
11 error protocol error
12 addresses
13 addresses
66
1 error is a directory
1 error connection refused
E
	atf_check -o file:expected cat out
}

atf_test_case silence
silence_head()
{
	atf_set descr "a silent name server delays only who waits for it"
	atf_set timeout 120
}
silence_body()
{
	cat >zone <<'E'
1.0.0.127.in-addr.arpa PTR server.example
2.0.0.127.in-addr.arpa * do silence
3.0.0.127.in-addr.arpa PTR client.example
4.0.0.127.in-addr.arpa PTR slow.example
4.0.0.127.in-addr.arpa * do delay 1500
5.0.0.127.in-addr.arpa PTR once.example
5.0.0.127.in-addr.arpa * do silence 1
E
	resolver_run <<'E'
stamp() { while read -r line; do
	echo "$(((($(date +%s%N) - start) / 100000000))) $line"; done; }
start=$(date +%s%N)
ask l,lr,127.0.0.1,25,127.0.0.2,1,1 l,r,127.0.0.1,25,127.0.0.4,1,1 \
    l,r,127.0.0.1,25,127.0.0.5,1,1 \
    n,100,l,lr,127.0.0.1,25,127.0.0.3,1,1 | stamp
E
	# Tenths of a second.  The hundred wait for nobody; on a busy machine
	# they take their time all the same.
	atf_check -o inline:'100\n' grep -cE \
	    '^([0-9]|1[0-9]|2[0-9]) [0-9]* local="server.example" remote="client.example"' \
	    out
	atf_check -o match:'^(1[4-9]|2[0-9]) 2 .*remote="slow.example"' \
	    -o match:'^[34][0-9] 3 .*remote="once.example"' \
	    -o match:'^(4[4-9][0-9]|5[0-8][0-9]) 1 local="server.example" remote=- ' \
	    cat out
	atf_check -o inline:'103\n' grep -c . out
}

atf_test_case askers
askers_head()
{
	atf_set descr "an asker that sends nonsense goes, alone"
}
askers_body()
{
	cat >zone <<'E'
a.local A 192.0.2.1
slow.local A 192.0.2.2
slow.local * do delay 500
E
	errors="-e not-empty"
	resolver_run <<'E'
# Types 1001 (lookup) and 1002 (host) in wrong sizes, 1003 with a payload,
# a lookup with an impossible address, unknown types, an answer.
for m in bad,1001,0 bad,1001,61 bad,1001,8000 bad,1002,0 bad,1002,1040 \
    bad,1002,1036 bad,1003,4 bad,1000,0 bad,9999,0 bad,0,0 bad,1004,2312; do
	echo "$m"
	ask h,4,slow new "$m" new h,4,a h,4,slow
done
E
	for m in bad,1001,0 bad,1001,61 bad,1001,8000 bad,1002,0 \
	    bad,1002,1040 bad,1002,1036 bad,1003,4 bad,1000,0 bad,9999,0 \
	    bad,0,0 bad,1004,2312; do
		grep -A 4 -x "$m" out | sort >one
		grep -q 'asker lost' one || echo "$m: not lost" >>wrong
	done
	[ ! -f wrong ] || atf_fail "$(cat wrong)"
	# The others had their answers: the first and the last asker's.
	atf_check -o inline:'11\n' grep -c '^3 addresses 192.0.2.1$' out
	atf_check -o inline:'22\n' grep -c '^[14] addresses 192.0.2.2$' out
	atf_check -o inline:'11\n' grep -c '^asker lost$' out
}

atf_test_case asker_leaves
asker_leaves_head()
{
	atf_set descr "an asker that leaves takes its questions along"
}
asker_leaves_body()
{
	cat >zone <<'E'
a.local A 192.0.2.1
slow.local A 192.0.2.2
slow.local * do delay 300
E
	resolver_run 127.0.1.1=silence <<'E'
ask n,50,h,4,slow n,50,l,lri,127.0.0.1,25,127.0.1.1,4,60 eof new h,4,a wait \
    h,4,slow
E
	cat >expected <<'E'
101 addresses 192.0.2.1
102 addresses 192.0.2.2
E
	answers_check
}

atf_test_case cancel
cancel_head()
{
	atf_set descr "a cancelled lookup is not answered"
}
cancel_body()
{
	cat >zone <<'E'
a.local A 192.0.2.1
slow.local A 192.0.2.2
slow.local * do delay 300
E
	resolver_run 127.0.1.1=silence <<'E'
ask h,4,slow l,lri,127.0.0.1,25,127.0.1.1,4,60 h,4,slow c,2 c,1 c,1 c,77 \
    h,4,a
E
	cat >expected <<'E'
3 addresses 192.0.2.2
4 addresses 192.0.2.1
E
	answers_check
}

atf_test_case pending
pending_head()
{
	atf_set descr "beyond 4096 lookups the answer is: nothing, at once"
}
pending_body()
{
	echo '1.0.0.127.in-addr.arpa * do silence' >zone
	resolver_run <<'E'
: >full
asker -t 20 "$resolver" n,4096,l,l,127.0.0.1,25,127.0.0.1,1,1 \
    l,l,127.0.0.1,25,127.0.0.1,1,1 h,4,127.0.0.1 >full &
# The two beyond the bound are the ones that are answered.
n=0
until [ "$(wc -l <full)" = 2 ] || [ $n = 1000 ]; do
	sleep 0.01
	n=$((n + 1))
done
cat full
{ kill $!; wait $!; } 2>/dev/null
E
	cat >expected <<'E'
4097 local=- remote=- info=-
4098 error temporary failure
E
	answers_check
}

atf_test_case parent
parent_head()
{
	atf_set descr "without a parent, or with one that babbles, it ends"
}
parent_body()
{
	: >zone
	errors="-e not-empty"
	resolver_run <<'E'
ask h,4,127.0.0.1
ask parent-bad
"$resolver" 3<&-; echo "alone $?"
"$resolver" 3</dev/null; echo "null $?"
E
	cat >expected <<'E'
1 addresses 127.0.0.1
resolver ended 0
alone 111
null 111
E
	atf_check -o file:expected cat out
}

atf_test_case confined
confined_head()
{
	atf_set descr "its files are read before chroot, none after"
	atf_set require.user root
	atf_set require.progs strace
}
confined_body()
{
	cat >zone <<'E'
a.local A 192.0.2.1
trunc.local A 192.0.2.2
trunc.local * do truncate
1.0.0.127.in-addr.arpa PTR server.example
E
	strace -o trace true 2>why || atf_skip "no tracing: $(cat why)"
	mkdir empty
	resolver_run 127.0.0.1=user:joe <<'E'
ASKER_CHROOT=$PWD/empty
export ASKER_CHROOT
ASAN_OPTIONS=detect_leaks=0 strace -f -o trace asker "$resolver" h,46,a h,46,trunc \
    l,lrpi,127.0.0.1,25,127.0.0.1,1,5 n,50,h,4,a
E
	atf_check -o match:'^1 addresses 192.0.2.1$' \
	    -o match:'^2 addresses 192.0.2.2$' \
	    -o match:'^3 local="server.example" remote=- info="joe"$' \
	    cat out
	atf_check -o not-empty grep ' chroot("' trace
	# From chroot on, by the process that called it.
	pid=$(sed -n 's/^\([0-9]*\) .*chroot(".*/\1/p' trace)
	sed -n "/ chroot(/,\$s/^$pid  *//p" trace >after
	# A sanitizer's run-time looks at its own maps before the sandbox.
	[ -z "${SANITIZED:-}" ] || sed -i '\;"/proc/self/;d' after
	atf_check -o not-empty grep '^setresuid(65534' after
	atf_check -o not-empty grep '^sendmsg(' after
	atf_check -s exit:1 grep -E \
	    '^(open|openat|creat|stat|newfstatat|access|readlink|execve)\(.*"/*[a-z]' after
}

atf_init_test_cases()
{
	atf_add_test_case names
	atf_add_test_case names_v6
	atf_add_test_case ident
	atf_add_test_case ident_bound
	atf_add_test_case ident_timeout
	atf_add_test_case ident_crowd
	atf_add_test_case ports
	atf_add_test_case hosts
	atf_add_test_case silence
	atf_add_test_case askers
	atf_add_test_case asker_leaves
	atf_add_test_case cancel
	atf_add_test_case pending
	atf_add_test_case parent
	atf_add_test_case confined
}
