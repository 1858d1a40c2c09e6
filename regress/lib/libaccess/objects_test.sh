# What a daemon gets when it links libaccess: a reader, and nothing that
# makes databases.

# The undefined symbols of the members that access_open(3) needs.
reader_symbols()
{
	archive=$(atf_get_srcdir)/../../../lib/libaccess/libaccess.a
	mkdir members
	(cd members && ar x "$archive" access.o lookup.o database.o network.o)
	nm -u members/*.o | awk 'NF == 2 && $1 == "U" { print $2 }' | sort -u
}

atf_test_case reader_is_alone
reader_is_alone_head()
{
	atf_set descr "the reader needs neither libcdb, the compiler nor names"
	atf_set require.progs "ar nm"
}
reader_is_alone_body()
{
	reader_symbols > symbols || atf_fail "no archive"
	grep -q '^database_find$' symbols || atf_fail "nm shows nothing"
	atf_check -s exit:1 grep -E '^(cdb_|compile_|rules_|address_|netaddr_)' \
	    symbols
	# Nor anything that reaches beyond the descriptor it is given.
	atf_check -s exit:1 grep -E \
	    '^(open|openat|fopen|socket|connect|exec.*|fork|system|write)$' \
	    symbols
}

atf_test_case daemon_has_no_maker
daemon_has_no_maker_head()
{
	atf_set descr "tcpserverd as installed holds no maker of databases"
	atf_set require.progs "nm"
}
daemon_has_no_maker_body()
{
	daemon=${STAGE:?}/sbin/tcpserverd
	nm "$daemon" > symbols || atf_fail "nm $daemon"
	grep -q ' access_check$' symbols ||
	    atf_fail "$daemon does not hold the reader"
	atf_check -s exit:1 grep -E ' (cdb_|compile_rules)' symbols
}

atf_init_test_cases()
{
	atf_add_test_case reader_is_alone
	atf_add_test_case daemon_has_no_maker
}
