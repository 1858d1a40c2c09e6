# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# Ours and Debian's ucspi-tcp, case by case: those that differ are those that
# the manuals' DEVIATIONS sections name, and no others.

# differ_run COMMAND ...: the driver, however it is run.
differ_run()
{
	if [ ! -x "$PEERS/usr/bin/recordio" ]; then
		atf_skip "Debian's ucspi-tcp is not unpacked"
	fi
	status=0
	env PYTHONDONTWRITEBYTECODE=1 "$@" >output 2>&1 || status=$?
	cat output
	[ $status -ne 77 ] || atf_skip "$(tail -n 1 output)"
	[ $status -eq 0 ] || atf_fail "$(tail -n 1 output)"
}

check()
{
	differ_run python3 "$(atf_get_srcdir)/differ.py" check "$1"
}

atf_test_case filters
filters_head()
{
	atf_set descr "argv0, addcr and delcr"
}
filters_body()
{
	check filters
}

atf_test_case copiers
copiers_head()
{
	atf_set descr "fixcrio and recordio"
}
copiers_body()
{
	check copiers
}

atf_test_case mconnect
mconnect_head()
{
	atf_set descr "mconnect-io"
}
mconnect_body()
{
	check mconnect
}

atf_test_case clients
clients_head()
{
	atf_set descr "who@, date@, finger@, http@, tcpcat and mconnect"
}
clients_body()
{
	differ_run "$SOURCE/regress/tools/netns" \
	    python3 "$(atf_get_srcdir)/differ.py" check clients
}

atf_test_case names
names_head()
{
	atf_set descr "a DEVIATIONS section names cases only"
}
names_body()
{
	differ_run python3 "$(atf_get_srcdir)/differ.py" names
}

atf_init_test_cases()
{
	atf_add_test_case filters
	atf_add_test_case copiers
	atf_add_test_case mconnect
	atf_add_test_case clients
	atf_add_test_case names
}
