# tcprulescheck as a user meets it.

PATH=${STAGE:?}/bin:$PATH

rules_make()
{
	printf '%s\n' "$@" | tcprules rules.cdb rules.tmp ||
	    atf_fail "rules do not compile"
}

# check "VARIABLE=VALUE ..." LINE ...: the client and what must be said.
check()
{
	client=$1
	shift
	printf '%s\n' "$@" > wanted
	# shellcheck disable=SC2086
	atf_check -o file:wanted env -u TCPREMOTEIP -u TCPREMOTEHOST \
	    -u TCPREMOTEINFO $client tcprulescheck rules.cdb
}

atf_test_case usage
usage_body()
{
	atf_check -s exit:100 \
	    -e inline:'tcprulescheck: usage: tcprulescheck rules.cdb\n' \
	    tcprulescheck
	rules_make '0.0.0.0:deny'
	atf_check -o match:'^deny' tcprulescheck rules.cdb surplus -x
	mv rules.cdb ./-x
	atf_check -o match:'^deny' tcprulescheck -x
}

atf_test_case verdicts
verdicts_body()
{
	rules_make '1.2.3.4:allow,A="1",B="x y",A="2",="e"' '1.2.3.5:deny,A="1"' \
	    '1.2.3.6:allow' '=h.x:allow,H=""' 'joe@1.2.3.4:deny' '0.0.0.0:deny'
	check 'TCPREMOTEIP=1.2.3.4' 'rule 1.2.3.4:' \
	    'set environment variable A=1' 'set environment variable B=x y' \
	    'set environment variable A=2' 'set environment variable =e' \
	    'allow connection'
	check 'TCPREMOTEIP=1.2.3.5' 'rule 1.2.3.5:' 'deny connection'
	check 'TCPREMOTEIP=1.2.3.6' 'rule 1.2.3.6:' 'allow connection'
	check 'TCPREMOTEIP=1.2.3.7' 'default:' 'allow connection'
	check 'TCPREMOTEIP=1.2.3.4 TCPREMOTEINFO=joe' 'rule joe@1.2.3.4:' \
	    'deny connection'
	check 'TCPREMOTEIP=1.2.3.7 TCPREMOTEHOST=h.x' 'rule =h.x:' \
	    'set environment variable H=' 'allow connection'
	# Without an address in the environment.
	check '' 'rule 0.0.0.0:' 'deny connection'
	rules_make ':deny'
	check 'TCPREMOTEIP=' 'rule :' 'deny connection'
}

atf_test_case networks
networks_body()
{
	rules_make '10.0.0.0/8:allow,N="8"' '10.128.0.0/9:deny' \
	    '2001:db8::/32:allow,N="32"' '2001:db8:8000::/33:deny' \
	    '::/0:allow,N="0"' '2001:DB8::1:deny' '0.0.0.0/0:deny'
	check 'TCPREMOTEIP=10.1.2.3' 'rule 10.0.0.0/8:' \
	    'set environment variable N=8' 'allow connection'
	check 'TCPREMOTEIP=10.200.2.3' 'rule 10.128.0.0/9:' 'deny connection'
	check 'TCPREMOTEIP=11.200.2.3' 'rule 0.0.0.0/0:' 'deny connection'
	check 'TCPREMOTEIP=2001:db8:7::1' 'rule 2001:db8::/32:' \
	    'set environment variable N=32' 'allow connection'
	check 'TCPREMOTEIP=2001:db8:8000::1' 'rule 2001:db8:8000::/33:' \
	    'deny connection'
	check 'TCPREMOTEIP=fe80::1' 'rule ::/0:' \
	    'set environment variable N=0' 'allow connection'
	# Any spelling, also of an IPv4 address.
	for ip in 2001:db8::1 2001:DB8:0:0:0:0:0:1 '[2001:0db8::0001]'; do
		check "TCPREMOTEIP=$ip" 'rule 2001:db8::1:' 'deny connection'
	done
	check 'TCPREMOTEIP=::ffff:10.1.2.3' 'rule 10.0.0.0/8:' \
	    'set environment variable N=8' 'allow connection'
	# What is no address is only text.
	check 'TCPREMOTEIP=10.1.2' 'default:' 'allow connection'
}

atf_test_case damaged
damaged_body()
{
	says='tcprulescheck: fatal: unable to read'
	atf_check -s exit:111 -e inline:"$says rules.cdb: file does not exist\n" \
	    tcprulescheck rules.cdb
	mkdir directory
	atf_check -s exit:111 -e inline:"$says directory: is a directory\n" \
	    tcprulescheck directory
	mkfifo fifo
	atf_check -s exit:111 -e inline:"$says fifo: invalid argument\n" \
	    tcprulescheck fifo
	: > rules.cdb
	atf_check -s exit:111 -e inline:"$says rules.cdb: protocol error\n" \
	    tcprulescheck rules.cdb
	echo '1.2.3.4:deny' > rules.cdb
	atf_check -s exit:111 -e inline:"$says rules.cdb: protocol error\n" \
	    tcprulescheck rules.cdb
	rules_make '1.2.3.4:deny'
	head -c 2060 rules.cdb > cut.cdb
	atf_check -s exit:111 -e inline:"$says cut.cdb: protocol error\n" \
	    tcprulescheck cut.cdb
	# Damage that only the look-up meets: the record's key length.
	{
		head -c 2048 rules.cdb
		printf '\377\377\377\177'
		tail -c +2053 rules.cdb
	} > bad.cdb
	TCPREMOTEIP=1.2.3.4 atf_check -s exit:111 \
	    -e inline:"$says bad.cdb: protocol error\n" tcprulescheck bad.cdb
}

atf_test_case unreadable
unreadable_head()
{
	atf_set require.user "unprivileged"
}
unreadable_body()
{
	rules_make ':deny'
	chmod 0 rules.cdb
	atf_check -s exit:111 -e inline:'tcprulescheck: fatal: unable to read rules.cdb: access denied\n' \
	    tcprulescheck rules.cdb
}

atf_test_case output
output_body()
{
	[ -c /dev/full ] || atf_skip "no /dev/full on this system"
	rules_make ':deny'
	atf_check -s exit:111 -e inline:'tcprulescheck: fatal: unable to write output: out of disk space\n' \
	    sh -c 'tcprulescheck rules.cdb > /dev/full'
}

atf_init_test_cases()
{
	atf_add_test_case usage
	atf_add_test_case verdicts
	atf_add_test_case networks
	atf_add_test_case damaged
	atf_add_test_case unreadable
	atf_add_test_case output
}
