# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# The small clients against real services: a web server, two mail servers,
# and programs under our tcpserver.  Each case runs in a network namespace of
# its own, since their ports are fixed.

bin=$STAGE/bin

# in_namespace CASE: runs the rest of a case as the only one there.
in_namespace()
{
	status=0
	export bin
	BODY=$1 "$SOURCE/regress/tools/netns" sh "$(atf_get_srcdir)/services" \
	    >output 2>&1 || status=$?
	cat output
	case $status in
	0)	;;
	77)	atf_skip "$(tail -n 1 output)" ;;
	*)	atf_fail "$(tail -n 1 output)" ;;
	esac
}

service_case()
{
	eval "
	atf_test_case $1
	${1}_head()
	{
		atf_set descr '$2'
		atf_set timeout 60
	}
	${1}_body()
	{
		in_namespace $1
	}"
}

service_case web "http@ and a web server"
service_case lists "who@, date@ and finger@ and programs that answer"
service_case quotes "tcpcat and a long answer"
service_case mailfront "mconnect and mailfront under our tcpserver"
service_case smtp_sink "mconnect and the smtp-sink of postfix"
service_case served "fixcrio and recordio between a client and a program"

atf_init_test_cases()
{
	for name in web lists quotes mailfront smtp_sink served; do
		atf_add_test_case $name
	done
}
