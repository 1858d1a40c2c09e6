#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# Debian's tcpclient and rblsmtpd and ours over the same cases (see
# differ.py): what differs must be exactly what the manuals' DEVIATIONS
# sections name.

export PYTHONDONTWRITEBYTECODE=1
SHARDS=6

# What has to be there; in a subshell atf_skip would not end the case.
ready()
{
	command -v python3 >/dev/null ||
	    atf_skip "no python3, which the differential test is written in"
	[ -x "${PEERS:-/nowhere}/usr/bin/tcpclient" ] ||
	    atf_skip "no Debian ucspi-tcp under PEERS to compare with"
	[ -x "${STAGE:-/nowhere}/bin/tcpclient" ] ||
	    atf_skip "no tcpclient under STAGE (see regress/check)"
}

differ()
{
	${inside:-} python3 "$(atf_get_srcdir)/differ.py" "$@"
}

# shards GROUP [OPTION ...]: side by side, each in a network of its own.
shards()
{
	inside=${SOURCE:-/nowhere}/regress/tools/netns
	[ -x "$inside" ] ||
	    atf_skip "SOURCE does not name the source tree (see regress/check)"
	"$inside" true 2>why || atf_skip "$(cat why)"
	n=0
	while [ $n -lt $SHARDS ]; do
		n=$((n + 1))
		{
			differ check "$@" --shard $n/$SHARDS >out.$n 2>&1 ||
			    : >failed.$n
		} &
	done
	wait
	cat out.*
	[ "$(cat out.* | grep -c '^[1-9][0-9]* cases, ')" = $SHARDS ] &&
	    ! ls failed.* >/dev/null 2>&1
}

atf_test_case client
client_head()
{
	atf_set descr "tcpclient: command line, patience, what a program gets"
	atf_set timeout 300
}
client_body()
{
	ready
	differ check client || atf_fail "see what differs"
}

atf_test_case client_net
client_net_head()
{
	atf_set descr "tcpclient: names, addresses with names, ident"
	atf_set timeout 600
}
client_net_body()
{
	ready
	shards client-net || atf_fail "see what differs"
}

atf_test_case lists
lists_head()
{
	atf_set descr "rblsmtpd: command line, RBLSMTPD, the conversation"
	atf_set timeout 300
}
lists_body()
{
	ready
	differ check lists || atf_fail "see what differs"
}

atf_test_case lists_net
lists_net_head()
{
	atf_set descr "rblsmtpd: what lists say, in which order options act"
	atf_set timeout 600
}
lists_net_body()
{
	ready
	shards lists-net || atf_fail "see what differs"
}

atf_test_case names
names_head()
{
	atf_set descr "what the DEVIATIONS sections name are cases"
}
names_body()
{
	ready
	differ names || atf_fail "see the names"
}

# must_differ GROUP CASE PROGRAM COMMAND: Debian's program, altered so, is
# caught by that case.
must_differ()
{
	rm -rf altered
	mkdir altered
	for program in tcpclient rblsmtpd; do
		printf '#!/bin/sh\nexec %s/usr/bin/%s "$@"\n' "$PEERS" \
		    $program >altered/$program
	done
	printf '#!/bin/sh\nreal=%s/usr/bin/%s\n%s\n' "$PEERS" "$3" "$4" \
	    >"altered/$3"
	chmod 755 altered/*
	! differ check "$1" "$2" --same --ours "$PWD/altered" \
	    >out 2>&1 || atf_fail "$2 did not notice"
	cat out
	grep -q "^differs: $2\$" out || atf_fail "$2 is not named"
}

atf_test_case can_fail
can_fail_head()
{
	atf_set descr "Debian's own do not differ; altered ones do, by name"
	atf_set timeout 300
}
can_fail_body()
{
	ready
	differ check lists --same --ours "$PEERS/usr/bin" ||
	    atf_fail "Debian's differ from themselves"
	must_differ lists lists-dialogue-all rblsmtpd \
	    '$real "$@" | sed s/rblsmtpd.local/rblsmtpd.loca1/'
	must_differ lists lists-said-201 rblsmtpd \
	    'RBLSMTPD=$(printf %.199s "$RBLSMTPD") exec $real "$@"'
	must_differ lists lists-environment-untouched rblsmtpd \
	    'A=b exec $real "$@"'
	must_differ client client-conversation tcpclient \
	    'printf x; exec $real "$@"'
	must_differ client client-signals tcpclient \
	    'trap "" TTIN; exec $real "$@"'
}

atf_init_test_cases()
{
	atf_add_test_case client
	atf_add_test_case client_net
	atf_add_test_case lists
	atf_add_test_case lists_net
	atf_add_test_case names
	atf_add_test_case can_fail
}
