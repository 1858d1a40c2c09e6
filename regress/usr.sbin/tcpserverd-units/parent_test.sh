# The parent, the real one, with children that lie: whatever they say ends
# them, and never it.

lie()
{
	role=$1
	word=$2
	rm -rf mark
	mkdir mark
	echo "$role $word"
	atf_check -s exit:0 -e save:err -o empty \
	    env SCENARIO="$role $word" MARK="$PWD/mark" \
	    timeout 30 "$(atf_get_srcdir)/liar"
	atf_check -o ignore grep "the parent is well" err
}

# It was ended for what it said, and another took its place.
lie_ends()
{
	lie "$1" "$2"
	atf_check -o ignore -e ignore grep -E \
	    "liar: warning: $1 [0-9]*: (died of signal 9|exited with [0-9]*), s" err
}

refused()
{
	lie_ends "$1" "$2"
	atf_check -o ignore grep \
	    "liar: warning: $1: message [0-9]* not understood, ending it" err
}

atf_test_case engine
engine_head()
{
	atf_set descr "what an engine must not say"
	atf_set timeout 300
}
engine_body()
{
	for word in ready-twice unknown-type parents-type launchers-type \
	    hello-again unknown-service word-with-bytes rules-without \
	    orphan-short orphan-empty orphan-everybody orphan-init \
	    orphan-many sync-short sync-future sync-twice resolver-short; do
		refused engine $word
	done
	for word in garbage endless hang-up; do
		lie_ends engine $word
	done
}

atf_test_case launcher
launcher_head()
{
	atf_set descr "what a launcher must not say"
	atf_set timeout 300
}
launcher_body()
{
	for word in ready-twice unknown-type engines-type rules-wanted \
	    word-with-bytes synced-future; do
		refused launcher $word
	done
	for word in garbage hang-up; do
		lie_ends launcher $word
	done
}

atf_test_case flood
flood_head()
{
	atf_set descr "an engine that asks without end and reads nothing"
	atf_set timeout 120
}
flood_body()
{
	lie engine flood
	atf_check -o ignore grep \
	    "flood: parent took some, grew by little" err
}

atf_test_case descriptors
descriptors_head()
{
	atf_set descr "an engine that sends descriptors nobody asked for"
	atf_set timeout 120
}
descriptors_body()
{
	lie engine descriptors
	atf_check -o ignore grep "descriptors: all were answered" err
}

atf_test_case kills
kills_head()
{
	atf_set descr "an engine that ends sessions that are none"
	atf_set timeout 120
}
kills_body()
{
	lie engine kills
	grep "^liar: kill: " err >told
	# Exit status 7 of its own, twice; nothing; SIGTERM.
	atf_check -o file:told cat <<END
liar: kill: bystander: status 1792
liar: kill: bystander: status 1792
liar: kill: engine: left alone
liar: kill: orphan: status 15
END
}

atf_test_case launchers
launchers_head()
{
	atf_set descr "an engine that wants launchers where none belong"
	atf_set timeout 120
}
launchers_body()
{
	lie engine wants-launchers
	atf_check -o ignore grep "launchers: all was answered" err
}

# Before anything was served a child that can't begin is the end.
atf_test_case hello
hello_head()
{
	atf_set descr "children that are none, or of another build"
	atf_set timeout 120
}
hello_body()
{
	for role in engine launcher; do
		for word in no-hello short-hello other-build; do
			rm -rf mark
			mkdir mark
			atf_check -s exit:111 -e save:err -o empty \
			    env SCENARIO="$role $word" MARK="$PWD/mark" \
			    timeout 30 "$(atf_get_srcdir)/liar"
			atf_check -o ignore grep "liar: warning: $role: " err
		done
		atf_check -o ignore grep "build 0.0-1 is installed" err
	done
}

atf_init_test_cases()
{
	atf_add_test_case engine
	atf_add_test_case launcher
	atf_add_test_case flood
	atf_add_test_case descriptors
	atf_add_test_case kills
	atf_add_test_case launchers
	atf_add_test_case hello
}
