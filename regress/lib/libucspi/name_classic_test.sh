#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# The classic tcpclient and our library look up the same host words under the
# same configuration: they must ask the same questions and find the same.

tools=${SOURCE:-/nowhere}/regress/tools
classic=${PEERS:-/nowhere}/usr/bin/tcpclient

classic_require()
{
	[ -x "$classic" ] ||
	    atf_skip "no classic tcpclient: PEERS holds no ucspi-tcp"
	[ -x "$tools/netns" ] ||
	    atf_skip "SOURCE does not name the source tree (see regress/check)"
	command -v python3 >/dev/null ||
	    atf_skip "no python3, which the name server of the tests needs"
	"$tools/netns" true 2>why || atf_skip "$(cat why)"
}

# In the namespace: compare WORD ...
compare_write()
{
	cat >compare <<E
PATH=$(atf_get_srcdir):$tools:\$PATH
export DNSCACHEIP=127.0.0.1
unset DNSREWRITEFILE LOCALDOMAIN
E
	cat >>compare <<'E'
dnsd -l log -p pid zone 127.0.0.1 || exit 1

# Questions one after the other, then whether there was an address.
classic_ask()
{
	: >log
	$CLASSIC -RH -l0 -T 1+0 -- "$1" 1 true >said 2>&1
	# Our question comes again after SERVFAIL, another number of times.
	uniq log
	case $(cat said) in
	*"no IP address for"*)		echo none ;;
	*"temporarily unable"*)		sed 's/.*: /error: /' said ;;
	*"unable to connect to"*)	sed 's/.* to \(.*\) port.*/\1/' said |
					    sort ;;
	*)				cat said ;;
	esac
}

ours_ask()
{
	: >log
	found=$(namelook host "$1")
	uniq log
	found=${found#"$1":}
	case $found in
	"")		echo none ;;
	" error:"*)	echo "${found# }" ;;
	*)		printf '%s\n' $found | sort ;;
	esac
}

ask()
{
	for word; do
		classic_ask "$word" >classic.out
		ours_ask "$word" >ours.out
		asked=$((asked + 1))
		cmp -s classic.out ours.out && continue
		echo "differs: $setting: $word"
		diff classic.out ours.out
	done
}

with()
{
	setting=$1
	export "$1"
}

rewrite()
{
	setting="rewrite $1"
	printf '%b' "$1" >rewrite
	export DNSREWRITEFILE=$PWD/rewrite
}
asked=0
E
	cat >>compare
	cat >>compare <<'E'
kill $(cat pid)
cat pid.err >&2
[ $asked -gt 0 ] || echo "nothing was asked"
echo "$asked words" >&2
E
}

atf_test_case words
words_head()
{
	atf_set descr "host words, literals, and the bounds of names"
	atf_set timeout 120
}
words_body()
{
	classic_require
	cat >zone <<E
www.example A 127.0.0.5
localhost A 127.0.0.1
many.x A 127.0.0.6
many.x A 127.0.0.7
many.x A 127.0.0.8
alias.x CNAME www.example
sf.x * do servfail
em.x * do empty
tr.x A 127.0.0.5
tr.x * do truncate
tc.x A 127.0.0.5
cut.x A 127.0.0.5
cut.x * do cut 2
rdl.x A 127.0.0.5
rdl.x * do rdlength 3
cnt.x A 127.0.0.5
cnt.x * do count 2
loop.x * do cname-loop
chain.x A 127.0.0.5
chain.x * do chain 20
wt.x A 127.0.0.5
wt.x * do wrong-type
wc.x A 127.0.0.5
wc.x * do wrong-class
E
	l63=$(printf 'a%.0s' $(seq 63))
	l61=$(printf 'b%.0s' $(seq 61))
	compare_write <<E
with LOCALDOMAIN="d1.x d2.x"
ask plain localhost www.example www.example. dot.. a..b .a '[' '[x' 'x]' 5 \\
    127.1 1..2.3 127.000.000.001 '[127.0.0.1]' 256.1.1.257 127.0.0.1. \\
    127.0.0.1.127.0.0.2 a+b+c a.b+c+d x+ + +a A.B 'a b' 'a\\052b.c' \\
    'a\\.b.c' 'a\\c.d' 1.2.3.4:5 many.x alias.x sf.x em.x tr.x cut.x \\
    rdl.x cnt.x loop.x chain.x wt.x wc.x nosuch.x 127.0.0.4294967297 \\
    'a\\' 'a.b\\'
ask $l63.x a$l63.x $l63.$l63.$l63.$l61 $l63.$l63.$l63.b$l61 \\
    $l63.$l63.$l63.$l63.$l63
E
	atf_check -e match:'^5[0-9] words' env CLASSIC="$classic" \
	    "$tools/netns" sh ./compare
}

atf_test_case settings
settings_head()
{
	atf_set descr "LOCALDOMAIN, DNSREWRITEFILE and DNSCACHEIP"
	atf_set timeout 120
}
settings_body()
{
	classic_require
	: >zone
	compare_write <<'E'
for l in "" a " a" "a  b" "a b " "a	b" .a a. "a.b c.d"; do
	with LOCALDOMAIN="$l"
	ask plain www.example. a.b a+b
done
with LOCALDOMAIN=l
for c in 127.0.0.1 .127.0.0.1 127.0.0.1x 127.0.0.1.127.0.0.2 \
    127.0.0.257 "127.0.0.1 127.0.0.2"; do
	with DNSCACHEIP="$c"
	ask p a.b
done
with DNSCACHEIP=127.0.0.1
rewrite '?:.suf\n*.:\n'; ask plain plain. p.q p[ p]
rewrite '=a:b.c\n*.d:.e.f\n'; ask a A aa x.d X.D .d d
rewrite '-.d:whole.x\n'; ask a.d b d x.D
rewrite '?.d:.e.x\n'; ask a.d a.b.d 'a].d'
rewrite ' =a:b.c\n=a:c.c \t \n'; ask a
rewrite '#=a:b.c\n=a:d.c:e'; ask a
rewrite '=a\n=a:'; ask a
rewrite '=a:b\r\n'; ask a
rewrite ''; ask a a.
rewrite '?:+.m+.n\n*.:\n'; ask a a. a.b
rewrite '=a:b\n=b:c\n*:.z'; ask a b
rewrite '=b:c\n=a:b\n'; ask a
rewrite '=a:127.0.0.5'; ask a
rewrite '*:\n'; ask a
rewrite '?:a+b\n'; ask x
with DNSREWRITEFILE=$PWD/none; ask a
with DNSREWRITEFILE=$PWD; ask a
with DNSREWRITEFILE=; ask a
E
	atf_check -e match:'^[89][0-9] words' env CLASSIC="$classic" \
	    "$tools/netns" sh ./compare
}

atf_test_case system_files
system_files_head()
{
	atf_set descr "resolv.conf and the host's own name"
	atf_set require.user root
	atf_set timeout 120
}
system_files_body()
{
	classic_require
	[ -f /etc/resolv.conf ] || atf_skip "no /etc/resolv.conf to cover"
	unshare -mu true 2>why ||
	    atf_skip "no mount namespace of our own: $(cat why)"
	: >zone
	compare_write <<'E'
unset DNSCACHEIP
resolv()
{
	setting="resolv.conf $1"
	printf '%b' "$1" >resolv
	mount --bind resolv /etc/resolv.conf
	ask p p.q. a.b
}
hostname my.host.name
for n in '' 'nameserver 127.0.0.1\n' ' nameserver 127.0.0.9\n' \
    'nameserver127.0.0.9' 'nameserver \t127.0.0.1x\n' \
    '#nameserver 127.0.0.9' 'nameserver 0\nnameserver 127.0.0.1\r\n'; do
	resolv "$n"
done
for s in 'search aa bb\n' 'domain dd\nsearch aa bb\n' \
    'search  \taa\t bb \ndomain dd' ' search aa\ndomain dd # c' \
    'searchaa bb\n' 'search\n' 'search\naa' 'search aa.\n' '#x\n' \
    'domain a b\n' 'DOMAIN a\n' 'search .aa'; do
	resolv "$s"
done
hostname nodot
resolv ''
E
	atf_check -e match:'^[67][0-9] words' env CLASSIC="$classic" \
	    "$tools/netns" unshare -mu sh ./compare
}

atf_init_test_cases()
{
	atf_add_test_case words
	atf_add_test_case settings
	atf_add_test_case system_files
}
