#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# Questions over the network: the library against a name server that answers
# in every way there is, in a network namespace of the test's own.

tools=${SOURCE:-/nowhere}/regress/tools

# The script on standard input, with a name server for ./zone on 127.0.0.1.
names_run()
{
	[ -x "$tools/netns" ] ||
	    atf_skip "SOURCE does not name the source tree (see regress/check)"
	command -v python3 >/dev/null ||
	    atf_skip "no python3, which the name server of the tests needs"
	"$tools/netns" true 2>why || atf_skip "$(cat why)"
	{
		echo "PATH=$(atf_get_srcdir):$tools:\$PATH"
		echo 'unset DNSREWRITEFILE'
		echo 'export DNSCACHEIP=127.0.0.1 LOCALDOMAIN=local'
		echo 'dnsd -l log -p pid zone 127.0.0.1 127.0.0.2 ::1 || exit'
		cat
		echo 'kill $(cat pid)'
		echo 'cat pid.err >&2'
	} >script
	: >log
	atf_check -o save:out "$tools/netns" sh ./script
}

atf_test_case hosts
hosts_head()
{
	atf_set descr "host words, IPv4 and IPv6, through aliases"
}
hosts_body()
{
	cat >zone <<E
a.x A 192.0.2.1
b.x A 192.0.2.2
b.x AAAA 2001:db8::2
c.x CNAME b.x
d.local A 192.0.2.4
txt.x TXT "one" "two"
txt.x TXT "three\x00four"
E
	names_run <<E
namelook host a.x b.x c.x nosuch.x 127.1 1.2.3.4
namelook host46 a.x b.x c.x d :: [::1] ::ffff:1.2.3.4
namelook host ::1
namelook a d.local d
namelook txt txt.x a.x nosuch.x
E
	cat >expected <<E
a.x: 192.0.2.1
b.x: 192.0.2.2
c.x: 192.0.2.2
nosuch.x:
127.1:
1.2.3.4: 1.2.3.4
a.x: 192.0.2.1
b.x: 192.0.2.2 2001:db8::2
c.x: 192.0.2.2 2001:db8::2
d: 192.0.2.4
::: ::
[::1]: ::1
::ffff:1.2.3.4: 1.2.3.4
::1:
d.local: 192.0.2.4
d:
txt.x: 3 16 "onetwothree"
a.x: 0 0 ""
nosuch.x: 0 0 ""
E
	atf_check -o file:expected cat out
}

atf_test_case errors
errors_head()
{
	atf_set descr "what counts as failed, and its text"
}
errors_body()
{
	cat >zone <<E
servfail.x * do servfail
refused.x * do refused
notimp.x * do notimp
formerr.x * do formerr
nxdomain.x * do nxdomain
empty.x * do empty
E
	label=$(printf '%064d' 0)
	long=$(printf 'a%.0s.' $(seq 127))
	names_run <<E
namelook host servfail.x refused.x notimp.x formerr.x
namelook host nxdomain.x empty.x
namelook host x$label.x $long ${long}a
wc -l <log
DNSCACHEIP=127.0.0.3 namelook host a.x
DNSCACHEIP=192.0.2.1 namelook host a.x
DNSREWRITEFILE=/ namelook host a.x
E
	cat >expected <<E
servfail.x: error: temporary failure
refused.x: error: temporary failure
notimp.x: error: temporary failure
formerr.x: error: temporary failure
nxdomain.x:
empty.x:
x$label.x: error: protocol error
$long:
${long}a: error: protocol error
16
a.x: error: connection refused
a.x: error: network unreachable
a.x: error: is a directory
E
	atf_check -o file:expected cat out
}

atf_test_case hostile
hostile_head()
{
	atf_set descr "answers nobody should send"
}
hostile_body()
{
	cat >zone <<E
1.2.0.192.in-addr.arpa * do pointer-self
2.2.0.192.in-addr.arpa * do pointer-loop
3.2.0.192.in-addr.arpa * do pointer-forward
4.2.0.192.in-addr.arpa * do pointer-out
5.2.0.192.in-addr.arpa * do label-long
6.2.0.192.in-addr.arpa PTR good.x
6.2.0.192.in-addr.arpa * do wrong-owner other.x
7.2.0.192.in-addr.arpa PTR good.x
7.2.0.192.in-addr.arpa * do wrong-class
8.2.0.192.in-addr.arpa PTR good.x
8.2.0.192.in-addr.arpa * do wrong-type
9.2.0.192.in-addr.arpa PTR first.x
9.2.0.192.in-addr.arpa PTR second.x
10.2.0.192.in-addr.arpa PTR \\000\\012\\377E\\056.x
11.2.0.192.in-addr.arpa PTR .
12.2.0.192.in-addr.arpa * do many-ptr 2500
count.x A 192.0.2.9
count.x * do count 2
rdlength.x A 192.0.2.9
rdlength.x * do rdlength 3
cut.x A 192.0.2.9
cut.x * do cut 1
loop.x * do cname-loop
chain.x A 192.0.2.9
chain.x * do chain 100
many.x * do many 4000
wrong-id.x A 192.0.2.9
wrong-id.x * do wrong-id-first
E
	names_run <<E
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do namelook ptr 192.0.2.\$n; done
namelook host count.x rdlength.x cut.x loop.x chain.x wrong-id.x
namelook host many.x | wc -w
namelook host many.x > one
namelook host many.x > two
cmp -s one two && echo "the same order twice"
E
	cat >expected <<E
192.0.2.1: error: protocol error
192.0.2.2: error: protocol error
192.0.2.3: error: protocol error
192.0.2.4: error: protocol error
192.0.2.5: error: protocol error
192.0.2.6: ""
192.0.2.7: ""
192.0.2.8: ""
192.0.2.9: "first.x"
192.0.2.10: "\\000\\012\\377e\\056.x"
192.0.2.11: "."
192.0.2.12: "h0.many"
count.x: error: protocol error
rdlength.x:
cut.x: error: protocol error
loop.x:
chain.x: 192.0.2.9
wrong-id.x: 192.0.2.9
257
E
	atf_check -o file:expected cat out
}

atf_test_case transport
transport_head()
{
	atf_set descr "UDP, TCP, the next server, a port per question"
}
transport_body()
{
	cat >zone <<E
trunc.x A 192.0.2.1
trunc.x * do truncate
closed.x * do truncate-refuse
once.x A 192.0.2.2
once.x * do silence 1
many.x * do many 20
E
	names_run <<E
namelook host trunc.x closed.x many.x
DNSCACHEIP=127.0.0.3.127.0.0.2 namelook host trunc.x
DNSCACHEIP=192.0.2.9.127.0.0.3.127.0.0.1 namelook host trunc.x
DNSCACHEIP=127.0.0.1 namelook host once.x
grep -c . log >/dev/null
E
	sed 's/^many.x:.*/many.x: '"$(sed -n 's/^many.x://p' out |
	    wc -w)"'/' out >counted
	cat >expected <<E
trunc.x: 192.0.2.1
closed.x: error: input/output error
many.x: 20
trunc.x: 192.0.2.1
trunc.x: 192.0.2.1
once.x: 192.0.2.2
E
	atf_check -o file:expected cat counted
	cat >questions <<E
udp A trunc.x
tcp A trunc.x
udp A closed.x
tcp A closed.x
tcp A closed.x
tcp A closed.x
tcp A closed.x
udp A many.x
udp A trunc.x
tcp A trunc.x
udp A trunc.x
tcp A trunc.x
udp A once.x
udp A once.x
E
	atf_check -o file:questions cat log
}

atf_test_case no_files
no_files_head()
{
	atf_set descr "once it has begun to ask it opens nothing"
	atf_set require.progs strace
}
no_files_body()
{
	cat >zone <<E
a.x A 192.0.2.1
trunc.x A 192.0.2.1
trunc.x * do truncate
1.2.0.192.in-addr.arpa PTR a.x
E
	strace -o trace true 2>why || atf_skip "no tracing: $(cat why)"
	names_run <<E
ASAN_OPTIONS=detect_leaks=0 strace -o trace namelook host46 a.x trunc.x nosuch.x b
E
	# From the first socket on, files are not for us.
	sed -n '/^socket(/,$p' trace >after
	atf_check -o not-empty grep '^sendmsg(' after
	atf_check -s exit:1 grep -E \
	    '^(open|openat|creat|stat|newfstatat|access|readlink)\(' after
	atf_check -o not-empty grep -E '^socket\(.*SOCK_CLOEXEC' after
	atf_check -s exit:1 -o empty sh -c \
	    "grep '^socket(' after | grep -v SOCK_CLOEXEC"
}

atf_init_test_cases()
{
	atf_add_test_case hosts
	atf_add_test_case errors
	atf_add_test_case hostile
	atf_add_test_case transport
	atf_add_test_case no_files
}
