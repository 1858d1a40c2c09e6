#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# Debian's ucspi-tcp and ours over the same cases (see differential.py): what
# differs must be exactly what the manuals' DEVIATIONS sections name.

export PYTHONDONTWRITEBYTECODE=1

# differential WORD ...: inside the command that $inside names, if any.
differential()
{
	command -v python3 >/dev/null ||
	    atf_skip "no python3, which the differential test is written in"
	[ -x "${PEERS:-/nowhere}/usr/bin/tcpserver" ] ||
	    atf_skip "no Debian ucspi-tcp under PEERS to compare with"
	[ -x "${STAGE:-/nowhere}/bin/tcpserver" ] ||
	    atf_skip "no tcpserver under STAGE (see regress/check)"
	${inside:-} python3 "$(atf_get_srcdir)/differential.py" "$@"
}

# netns: sets inside to a network namespace of the test's own.
netns()
{
	inside=${SOURCE:-/nowhere}/regress/tools/netns
	[ -x "$inside" ] ||
	    atf_skip "SOURCE does not name the source tree (see regress/check)"
	"$inside" true 2>why || atf_skip "$(cat why)"
}

# group NAME ROOT DESCRIPTION: one ATF case that checks a group of cases.
group()
{
	atf_test_case "$1"
	eval "$1_head() {
		atf_set descr '$3'
		atf_set timeout 600
		$2 && atf_set require.user root || :
	}
	$1_body() {
		if $2; then netns; fi
		differential check $1 || atf_fail 'see what differs'
	}"
}

group command false "usage errors, operands that name nothing"
group rules false "rules compiled and looked up, good, bad and damaged"
group random false "random rules compiled"
group serve false "serving: log, environment, programs, limits, signals"
group root true "identities and privileged ports"
group network true "name servers and ident servers, good and bad"

atf_test_case names
names_head()
{
	atf_set descr "what the DEVIATIONS sections name are cases"
}
names_body()
{
	differential names || atf_fail "see the names"
}

# altered PROGRAM COMMAND: Debian's programs in the directory "altered", one
# of them replaced by a script.
altered()
{
	rm -rf altered
	mkdir altered
	cp "$PEERS"/usr/bin/tcpserver "$PEERS"/usr/bin/tcprules \
	    "$PEERS"/usr/bin/tcprulescheck altered
	mv "altered/$1" "altered/real"
	printf '#!/bin/sh\n%s\n' "$2" >"altered/$1"
	chmod 755 "altered/$1"
}

# must_differ GROUP CASE: with the altered programs that case is reported.
must_differ()
{
	if differential check "$1" "$2" --same --ours "$PWD/altered" >out
	then
		cat out
		atf_fail "$2 did not notice"
	fi
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
	differential check command --same --ours "$PEERS/usr/bin" ||
	    atf_fail "Debian's differ from themselves"
	altered tcprulescheck "exec $PWD/altered/real \"\$@\" | tr w W"
	must_differ rules check-ip
	altered tcprules "$PWD/altered/real \"\$@\"; echo x >>\"\$1\""
	must_differ rules tcprules-one
	altered tcpserver "exec $PWD/altered/real -c 41 \"\$@\""
	must_differ serve option-verbose
	altered tcpserver "A=b exec $PWD/altered/real \"\$@\""
	must_differ serve program-environment
}

atf_init_test_cases()
{
	atf_add_test_case command
	atf_add_test_case rules
	atf_add_test_case random
	atf_add_test_case serve
	atf_add_test_case root
	atf_add_test_case network
	atf_add_test_case names
	atf_add_test_case can_fail
}
