# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# The manuals: their EXAMPLES run as printed, their SYNOPSIS is the usage
# message.

# And what they have in common: ucspi(7).
MANUALS="argv0 addcr delcr fixcrio recordio mconnect-io
    mconnect who@ date@ finger@ http@ tcpcat ucspi"

manual()
{
	echo "$STAGE"/share/man/man?/"$1".?
}

# Names of cases can't have every character that names of programs have.
case_name()
{
	echo "$1" | sed 's/-/_/g; s/@/_at/'
}

examples_run()
{
	if [ ! -x "$PEERS/usr/sbin/smtpfront-echo" ]; then
		atf_skip "Debian's mailfront is not unpacked"
	fi
	PATH=$STAGE/bin:$PATH:$PEERS/usr/sbin:$PEERS/bin
	LD_LIBRARY_PATH=$PEERS/usr/lib
	MODULE_PATH=$PEERS/usr/lib/mailfront
	export PATH LD_LIBRARY_PATH MODULE_PATH
	status=0
	"$SOURCE/regress/tools/netns" \
	    python3 "$(atf_get_srcdir)/examples.py" "$(manual "$1")" \
	    >output 2>&1 || status=$?
	cat output
	[ $status -ne 77 ] || atf_skip "$(tail -n 1 output)"
	[ $status -eq 0 ] || atf_fail "$(tail -n 1 output)"
}

for program in $MANUALS; do
	name=$(case_name "$program")
	eval "
	atf_test_case $name
	${name}_head()
	{
		atf_set descr 'the examples of $program'
		atf_set timeout 120
	}
	${name}_body()
	{
		examples_run '$program'
	}"
done

atf_test_case usage
usage_head()
{
	atf_set descr "SYNOPSIS and usage message are the same"
	atf_set require.progs mandoc
}
usage_body()
{
	for program in argv0 fixcrio recordio; do
		atf_check -s exit:100 -e save:usage "$STAGE/bin/$program"
		mandoc -Tascii -Owidth=200 "$(manual "$program")" | col -b |
		    sed -n '/^SYNOPSIS/{n;p;}' | tr -d ' []' >synopsis
		sed "s/^$program: usage: //" usage | tr -d ' []' >wanted
		atf_check -o file:wanted cat synopsis
	done
}

atf_test_case lint
lint_head()
{
	atf_set descr "the manuals are clean but for what they refer to"
	atf_set require.progs mandoc
}
lint_body()
{
	for program in $MANUALS; do
		mandoc -Tlint -W style "$(manual "$program")" 2>/dev/null |
		    grep -v 'referenced manual not found'
	done >complaints
	atf_check cat complaints
}

atf_init_test_cases()
{
	for program in $MANUALS; do
		atf_add_test_case "$(case_name "$program")"
	done
	atf_add_test_case usage
	atf_add_test_case lint
}
