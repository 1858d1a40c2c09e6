# The program in access(3) compiles as printed and does what it says.

# The literal text of the EXAMPLES section.
example_print()
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh ERRORS/p' "$1" |
	    sed -n '/^\.Bd -literal/,/^\.Ed/p' |
	    sed -e '/^\.[BE]d/d' -e 's/\\e/\\/g' -e 's/\\&//g'
}

atf_test_case example
example_head()
{
	atf_set descr "the example of access(3)"
	atf_set require.progs "cc"
}
example_body()
{
	objects=$(atf_get_srcdir)/../../..
	flags=
	[ -z "${SANITIZED}" ] || flags="-fsanitize=address,undefined"
	example_print "${SOURCE:?}/lib/libaccess/access.3" > judge.c
	# The standard include path, as the tree's makefiles set it.
	atf_check -e empty cc -Wall -Wextra -Werror $flags -D_GNU_SOURCE \
	    -I"${SOURCE}/lib/libaccess" -o judge judge.c \
	    "$objects/lib/libaccess/libaccess.a"
	printf '%s\n' '1.2.3.:allow,A="1",B="2"' '1.2.3.4:deny' > rules
	atf_check "${STAGE:?}/bin/tcprules" rules.cdb rules.tmp < rules
	atf_check -o inline:'denied\n' ./judge rules.cdb 1.2.3.4
	atf_check -o inline:'A=1\nB=2\nallowed\n' ./judge rules.cdb 1.2.3.5
	atf_check -o inline:'allowed\n' ./judge rules.cdb 2.2.3.5
	echo > rules.cdb
	atf_check -s exit:1 -e match:'rules.cdb: Protocol error' \
	    ./judge rules.cdb 1.2.3.4
	atf_check -s exit:1 -e match:'usage' ./judge rules.cdb nowhere
}

atf_init_test_cases()
{
	atf_add_test_case example
}
