# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# setlock: what it does, and that daemontools' does the same.

setlock=$STAGE/bin/setlock

# compare ARGUMENT ...: ours and Debian's print the same and leave the same.
compare()
{
	rm -rf ours theirs box
	if [ ! -x "$PEERS/usr/bin/setlock" ]; then
		atf_skip "Debian's daemontools is not unpacked"
	fi
	record ours "$STAGE/bin" "$@"
	record theirs "$PEERS/usr/bin" "$@"
	cat ours
	diff -u theirs ours || atf_fail "not as daemontools': setlock $*"
}

# record FILE DIRECTORY ARGUMENT ...: one run and what it leaves.
record()
{
	file=$1
	path=$2
	shift 2
	rm -rf box
	mkdir box box/directory
	mkfifo box/fifo
	echo kept >box/file
	(
		cd box
		PATH=$path:$PATH
		status=0
		setlock "$@" </dev/null || status=$?
		echo "status $status"
		ls -l | cut -c 1-10
		cat file
		[ ! -f made ] || cat made
	) >"$file" 2>&1
}

atf_test_case as_daemontools
as_daemontools_head()
{
	atf_set descr "The same as daemontools' in all that can be seen"
}
as_daemontools_body()
{
	compare
	compare file
	compare -q file true
	compare -n -x
	compare file sh -c 'echo ran; exit 7'
	compare made sh -c 'echo ran >>made'
	compare -n file true
	compare -nx file false
	compare -nX file echo x
	compare -xX nowhere/file echo ran
	compare -Xx nowhere/file echo ran
	compare nowhere/file echo ran
	compare -nx nowhere/file echo ran
	compare directory echo ran
	compare -x directory echo ran
	compare fifo echo ran
	compare file nowhere/program
	compare -x file no-such-program
	compare -- file echo ran
	compare -n -- file echo -n ran
	compare file setlock -n file echo inner
	compare file setlock -nx file echo inner
	compare file setlock -nX file echo inner
	compare file setlock -xn file echo inner
	compare file setlock -nN other echo inner
}

atf_test_case waits
waits_head()
{
	atf_set descr "Waits for the lock, and not a moment longer"
}
waits_body()
{
	mkfifo go held
	"$setlock" lock sh -c 'echo >held; read x <go; echo first >>order' &
	read x <held
	"$setlock" lock sh -c 'echo second >>order' &
	# The second one is at it: its descriptor is in the lock's queue.
	if [ -r /proc/locks ]; then
		until grep -q -e '-> FLOCK' /proc/locks; do :; done
	fi
	atf_check -s exit:111 -e inline:"setlock: fatal: unable to lock lock: \
temporary failure\n" "$setlock" -n lock echo no
	atf_check "$setlock" -nx lock echo no
	echo >go
	wait
	atf_check -o inline:"first\nsecond\n" cat order
}

atf_test_case outlives
outlives_head()
{
	atf_set descr "The lock is held until the last child of the program ends"
}
outlives_body()
{
	mkfifo go
	"$setlock" lock sh -c 'read x <go & exit 0' ||
	    atf_fail "the program failed"
	atf_check -s exit:111 -e match:"temporary failure" \
	    "$setlock" -n lock true
	echo >go
	atf_check "$setlock" lock true
	# Killed, it is no longer held either.
	"$setlock" lock sh -c 'kill -9 $$' 2>/dev/null
	atf_check "$setlock" -n lock true
}

atf_test_case descriptors
descriptors_head()
{
	atf_set descr "A closed standard descriptor stays closed"
}
descriptors_body()
{
	"$setlock" lock sh -c 'cat' <&- 2>err && atf_fail "there is an input"
	cat err
	atf_check -o inline:"3\n" "$setlock" lock sh -c \
	    'cd /proc/$$/fd 2>/dev/null || { echo 3; exit; }
	    for f in *; do case $(readlink $f) in */lock) echo $f;; esac; done'
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
	    "$STAGE/share/man/man1/setlock.1"
}

atf_init_test_cases()
{
	atf_add_test_case as_daemontools
	atf_add_test_case waits
	atf_add_test_case outlives
	atf_add_test_case descriptors
	atf_add_test_case examples
}
