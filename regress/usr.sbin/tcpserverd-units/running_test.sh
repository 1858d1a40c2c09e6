# What the processes of a running tcpserver hold, and what they are: proc(5)
# tells.  SECURITY.md and tcpserverd-privsep(7) say what it should be.

tcpserver=$STAGE/bin/tcpserver
NOBODY=65534

need_proc()
{
	[ -r /proc/self/status ] || atf_skip "looks at Linux's proc(5)"
}

wait_for()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || atf_fail "waited in vain: $*"
		sleep 0.02
	done
}

field()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

children()
{
	for status in /proc/[0-9]*/status; do
		[ "$(sed -n 's/^PPid:[[:space:]]*//p' "$status" \
		    2>/dev/null)" != "$1" ] || {
			child=${status%/status}
			echo "${child#/proc/}"
		}
	done
}

title()
{
	tr '\0' ' ' <"/proc/$1/cmdline"
}

# serve OPTION ...: a server with rules and one running program; sets
# parent, engine, launcher, resolver, program.
serve()
{
	need_proc
	printf ':allow\n' >rules.txt
	atf_check "$STAGE/bin/tcprules" rules.cdb rules.tmp <rules.txt
	chmod 755 .
	chmod 644 rules.cdb
	mkfifo hold
	"$tcpserver" -1 -v "$@" -x rules.cdb 127.0.0.1 0 \
	    /bin/sh -c 'echo $$; read -r line' >port 2>log &
	parent=$!
	echo $parent >parent.pid
	wait_for grep -q 'status: 0/' log
	python3 -c '
import socket, sys, os
s = socket.create_connection(("127.0.0.1", int(open("port").read())))
print(s.recv(100).decode().strip(), flush=True)
open("hold").read()
' >program.pid &
	wait_for test -s program.pid
	program=$(cat program.pid)
	engine= launcher= resolver=
	for pid in $(children $parent); do
		case $(title "$pid") in
		*engine*)	engine=$pid ;;
		*launcher*)	launcher=$pid ;;
		*resolver*)	resolver=$pid ;;
		esac
	done
	[ -n "$engine" ] && [ -n "$launcher" ] && [ -n "$resolver" ] ||
	    atf_fail "not all processes are there: $(children $parent)"
	port=$(cat port)
	listener=$(awk -v "p=$(printf ':%04X' "$port")" \
	    'index($2, p) && $4 == "0A" { print $10 }' /proc/net/tcp)
	[ -n "$listener" ] || atf_fail "no listening socket on $port"
}

serve_end()
{
	[ ! -f parent.pid ] || kill "$(cat parent.pid)" 2>/dev/null
	[ ! -p hold ] || : 1<>hold >hold
}

fds()
{
	for fd in "/proc/$1/fd"/*; do
		readlink "$fd"
	done
}

holds()
{
	fds "$1" | grep -qF "$2" || atf_fail "$3 does not hold $2"
}

holds_not()
{
	! fds "$1" | grep -F "$2" || atf_fail "$3 holds $2"
}

# only PID NAME PATTERN: nothing it holds is of another kind.
only()
{
	fds "$1" | grep -vE "$3" >other || return 0
	atf_fail "$2 holds $(cat other)"
}

identity()
{
	same "$(field "$1" Uid)" "$(printf '%s\t%s\t%s\t%s' $2 $2 $2 $2)" \
	    "$4: uid"
	same "$(field "$1" Gid)" "$(printf '%s\t%s\t%s\t%s' $3 $3 $3 $3)" \
	    "$4: gid"
}

same()
{
	[ "$1" = "$2" ] || atf_fail "$3: $1, should be $2"
}

confined()
{
	same "$(field "$1" Seccomp)" 2 "$2: seccomp mode"
	same "$(field "$1" NoNewPrivs)" 1 "$2: no_new_privs"
	same "$(field "$1" CapEff)" 0000000000000000 "$2: capabilities"
	same "$(field "$1" CapPrm)" 0000000000000000 "$2: capabilities"
}

free()
{
	same "$(field "$1" Seccomp)" "$(field self Seccomp)" "$2: seccomp mode"
	same "$(field "$1" NoNewPrivs)" "$(field self NoNewPrivs)" \
	    "$2: no_new_privs"
}

rooted()
{
	same "$(readlink "/proc/$1/root")" "$2" "$3: root"
}

# The sanitizers open what they like, and need what the filter forbids.
plain_build()
{
	[ -z "${SANITIZED:-}" ] || atf_skip "a sanitizer build holds more"
}

atf_test_case held cleanup
held_head()
{
	atf_set descr "the descriptors of each process"
	atf_set require.user root
	atf_set require.progs python3
	atf_set timeout 60
}
held_body()
{
	plain_build
	serve -u $NOBODY -g $NOBODY
	rules=$(pwd -P)/rules.cdb
	log=$(pwd -P)/log
	plumbing='^(socket:|pipe:|anon_inode:\[(eventpoll|eventfd|signalfd|timerfd)\])'

	# The engine: listener, rules, log, queues; no directory, no other
	# file.
	holds "$engine" "socket:[$listener]" engine
	holds "$engine" "$rules" engine
	only "$engine" engine "$plumbing|^/dev/null\$|^$rules\$|^$log\$"
	same "$(fds "$engine" | grep -c "^$rules\$")" 1 "copies of the rules"

	# The launcher: neither listener nor rules.
	holds_not "$launcher" "socket:[$listener]" launcher
	holds_not "$launcher" "$rules" launcher
	only "$launcher" launcher "$plumbing|^/dev/null\$|^$log\$"

	# The resolver: the same.
	holds_not "$resolver" "socket:[$listener]" resolver
	holds_not "$resolver" "$rules" resolver
	only "$resolver" resolver "$plumbing|^/dev/null\$|^$log\$"

	# The parent: the listener; the rules only while it passes them on.
	holds "$parent" "socket:[$listener]" parent
	holds_not "$parent" "$rules" parent
	only "$parent" parent "$plumbing|^/dev/null\$|^$log\$"

	# The program: its client, the log, nothing else (10 is the shell's).
	holds_not "$program" "socket:[$listener]" program
	only "$program" program "^socket:|^$log\$"
	same "$(fds "$program" | sort -u | wc -l)" 2 "what a program holds"

	# Who has a queue has one end of it: no socket of the launcher's is
	# the engine's, but for those the parent keeps for both.
	fds "$launcher" | grep '^socket:' | sort -u >a
	fds "$engine" | grep '^socket:' | sort -u >b
	same "$(comm -12 a b | wc -l)" 0 "sockets that both hold"
}
held_cleanup()
{
	serve_end
}

atf_test_case who_root cleanup
who_root_head()
{
	atf_set descr "identity and confinement, started as root"
	atf_set require.user root
	atf_set require.progs python3
	atf_set timeout 60
}
who_root_body()
{
	serve -u 4711 -g 4712
	uid=$NOBODY gid=$(id -g nobody 2>/dev/null || echo $NOBODY)
	if id _tcpserverd >/dev/null 2>&1; then
		uid=$(id -u _tcpserverd) gid=$(id -g _tcpserverd)
	else
		uid=4711 gid=4712
	fi
	identity "$parent" 0 0 parent
	identity "$engine" "$uid" "$gid" engine
	identity "$resolver" "$uid" "$gid" resolver
	identity "$launcher" 4711 4712 launcher
	identity "$program" 4711 4712 program
	for pid in "$engine" "$resolver"; do
		same "$(field "$pid" Groups | tr -d ' ')" "$gid" groups
	done
	for pid in "$launcher" "$program"; do
		same "$(field "$pid" Groups | tr -d ' ')" 4712 groups
		same "$(field "$pid" CapEff)" 0000000000000000 capabilities
		same "$(field "$pid" CapPrm)" 0000000000000000 capabilities
	done
	confined "$engine" engine
	confined "$resolver" resolver
	free "$parent" parent
	free "$launcher" launcher
	free "$program" program
	empty=$(cd "$STAGE/empty" && pwd -P)
	rooted "$engine" "$empty" engine
	rooted "$resolver" "$empty" resolver
	rooted "$parent" / parent
	rooted "$launcher" / launcher
	rooted "$program" / program
}
who_root_cleanup()
{
	serve_end
}

atf_test_case who_user cleanup
who_user_head()
{
	atf_set descr "identity and confinement, started by a user"
	atf_set require.user unprivileged
	atf_set require.progs python3
	atf_set timeout 60
}
who_user_body()
{
	serve
	for pid in "$parent" "$engine" "$launcher" "$resolver" "$program"; do
		identity "$pid" "$(id -u)" "$(id -g)" "$(title "$pid")"
	done
	confined "$engine" engine
	confined "$resolver" resolver
	free "$parent" parent
	free "$launcher" launcher
	free "$program" program
}
who_user_cleanup()
{
	serve_end
}

# A program of the same user, the worst neighbour there is.
atf_test_case neighbours cleanup
neighbours_head()
{
	atf_set descr "nothing of one user can look into our processes"
	atf_set require.progs python3
	atf_set timeout 60
}
neighbours_body()
{
	if [ "$(id -u)" = 0 ]; then
		command -v setpriv >/dev/null ||
		    atf_skip "no setpriv to become another user"
		serve -u 4711 -g 4712
		as="setpriv --reuid=4711 --regid=4712 --clear-groups"
		as_engine="setpriv --reuid=$(field "$engine" Uid | cut -f1)
		    --regid=$(field "$engine" Gid | cut -f1) --clear-groups"
	else
		serve
		as= as_engine=
	fi
	peek=$(atf_get_srcdir)/peek
	atf_check -o inline:"closed\n" $as "$peek" "$launcher"
	atf_check -o inline:"closed\n" $as "$peek" "$parent"
	atf_check -o inline:"closed\n" $as_engine "$peek" "$engine"
	atf_check -o inline:"closed\n" $as_engine "$peek" "$resolver"
	# The test itself works: a program of that user is open to it.
	[ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null)" != 3 ] ||
	    return 0
	atf_check -o match:"/proc/$program/fd" $as "$peek" "$program"
}
neighbours_cleanup()
{
	serve_end
}

# A rule with more than a start record can carry: that client is dropped,
# the service goes on.
atf_test_case rule_too_large cleanup
rule_too_large_head()
{
	atf_set require.progs python3
	atf_set timeout 60
}
rule_too_large_body()
{
	serve
	before=$(grep -c ' ok ' log)
	awk 'BEGIN { printf ":allow"; for (i = 0; i < 4000; i++)
	    printf ",V%d=\"%d\"", i, i; print "" }' >rules.txt
	atf_check "$STAGE/bin/tcprules" rules.cdb rules.tmp <rules.txt
	atf_check -o empty python3 -c '
import socket
s = socket.create_connection(("127.0.0.1", int(open("port").read())))
print(s.recv(100).decode(), end="")'
	wait_for grep -q 'dropping connection, unable to start: ' log
	same "$(grep -c ' ok ' log)" "$before" "programs started"
	printf ':allow\n' >rules.txt
	atf_check "$STAGE/bin/tcprules" rules.cdb rules.tmp <rules.txt
	atf_check -o match:'^[0-9]+$' python3 -c '
import socket
s = socket.create_connection(("127.0.0.1", int(open("port").read())))
print(s.recv(100).decode(), end="")'
	same "$(kill -0 "$engine" 2>&1)" "" "the engine"
}
rule_too_large_cleanup()
{
	serve_end
}

atf_init_test_cases()
{
	atf_add_test_case held
	atf_add_test_case who_root
	atf_add_test_case who_user
	atf_add_test_case neighbours
	atf_add_test_case rule_too_large
}
