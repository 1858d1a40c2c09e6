# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# maildirmake: three directories in one, and nobody else's business.

maildirmake=$STAGE/bin/maildirmake

atf_test_case makes
makes_head()
{
	atf_set descr "Four directories with mode 0700, whatever the umask"
}
makes_body()
{
	umask 0
	atf_check "$maildirmake" 1.2.3.4
	atf_check -o inline:"1.2.3.4\n1.2.3.4/cur\n1.2.3.4/new\n1.2.3.4/tmp\n" \
	    sh -c 'find 1.2.3.4 -type d | sort'
	atf_check find 1.2.3.4 ! -perm 700
	atf_check "$maildirmake" -- ./-x
	atf_check test -d ./-x/new
	atf_check "$maildirmake" "$PWD/a b"
	atf_check test -d "a b/tmp"
}

atf_test_case refuses
refuses_head()
{
	atf_set descr "What exists or can't be made"
}
refuses_body()
{
	mkdir there
	atf_check -s exit:111 -e inline:"maildirmake: fatal: unable to mkdir \
there: file already exists\n" "$maildirmake" there
	atf_check -s exit:111 -e inline:"maildirmake: fatal: unable to mkdir \
no/where: file does not exist\n" "$maildirmake" no/where
	atf_check test ! -e there/new
	for words in "" "a b" "-x" "--"; do
		# shellcheck disable=SC2086
		atf_check -s exit:100 \
		    -e inline:"maildirmake: usage: maildirmake dir\n" \
		    "$maildirmake" $words
	done
	atf_check -s exit:100 -e ignore "$maildirmake" ""
}

atf_test_case inherits
inherits_head()
{
	atf_set descr "A directory's group goes to what is made in it (2755)"
	atf_set require.user root
}
inherits_body()
{
	mkdir autoturn
	chgrp 65534 autoturn
	chmod 2755 autoturn
	atf_check "$maildirmake" autoturn/1.2.3.4
	atf_check -o inline:"autoturn/1.2.3.4\n" \
	    find autoturn/1.2.3.4 -prune -group 65534
	chown -R 65534 autoturn/1.2.3.4
	atf_check -o inline:"4\n" sh -c \
	    'find autoturn/1.2.3.4 -type d -user 65534 | wc -l'
}

atf_test_case examples
examples_head()
{
	atf_set descr "The manual's examples"
}
examples_body()
{
	PATH=$STAGE/bin:$PATH
	PYTHONPATH=$SOURCE/regress/tools atf_check -o ignore python3 -B \
	    "$SOURCE/regress/usr.bin/streams/examples.py" \
	    "$STAGE/share/man/man1/maildirmake.1"
}

atf_init_test_cases()
{
	atf_add_test_case makes
	atf_add_test_case refuses
	atf_add_test_case inherits
	atf_add_test_case examples
}
