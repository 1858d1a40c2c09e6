# The scripts that "bmake install" put into share/examples, with the real
# daemon, under stand-ins of rc.subr(8); the unit under a small manager.

examples=$STAGE/share/examples/tcpserverd
tcpserverd=$STAGE/sbin/tcpserverd

# A short path: control sockets go there.
room_make()
{
	[ -x "$tcpserverd" ] || atf_fail "\$STAGE: no tcpserverd there"
	[ -d /proc/self ] || atf_skip "looks at processes through Linux's proc(5)"
	room=$(mktemp -d /tmp/svc.XXXXXX) || atf_fail "mktemp"
	echo "$room" >room
	cd "$room" || atf_fail "$room"
	# A loopback address of our own, and two ports free there.
	set -- $(python3 - <<-'END'
	import os, socket
	address = '127.%d.%d.%d' % tuple(b % 250 + 2 for b in os.urandom(3))
	sockets = [socket.socket() for _ in range(2)]
	for s in sockets:
	    s.bind((address, 0))
	print(address, *(s.getsockname()[1] for s in sockets))
	END
	)
	address=$1 port_one=$2 port_two=$3
	pidfile=$room/pid
	config_write one "$port_one"
}

# config_write WORD PORT [WORD PORT]
config_write()
{
	{
		echo "control socket \"$room/control\""
		while [ $# -gt 0 ]; do
			echo "service $1 {"
			echo "	listen on $address port $2"
			echo "	exec \"/bin/echo\" \"$1\""
			echo "}"
			shift 2
		done
	} >conf.new
	mv conf.new conf
}

config_break()
{
	echo 'service broken { listen on nowhere }' >>conf
}

# What a client of that port is told; nothing where nobody listens.
hear()
{
	"$STAGE/bin/tcpclient" -HRl0 -T 20 "$address" "$1" \
	    /bin/sh -c 'cat <&6' 2>/dev/null
}

answers()
{
	got=$(hear "$1")
	[ "$got" = "$2" ] || atf_fail "port $1 says \"$got\", not $2"
}

# Until it is so: a reload is told of before it is done.
answers_soon()
{
	tries=0
	until [ "$(hear "$1")" = "$2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || atf_fail "port $1 never says $2"
		sleep 0.02
	done
}

silent()
{
	[ -z "$(hear "$1")" ] || atf_fail "port $1 is served"
}

parent() { cat "$pidfile"; }

engine() { pgrep -P "$(parent)" -f '^tcpserverd: engine'; }

# Nothing of ours is there any more: no process, no file of its own.
nothing_left()
{
	tries=0
	while [ -n "$(pgrep -f "$room/conf")" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || atf_fail "still there: $(pgrep -af "$room")"
		sleep 0.02
	done
	silent "$port_one"
	[ ! -e "$pidfile" ] || atf_fail "the pid file stays"
	[ ! -e control ] || atf_fail "the control socket stays"
}

room_clean()
{
	[ -r room ] || return 0
	read -r room <room
	for pid in $(pgrep -f "$room/conf"); do
		kill -CONT "$pid"
		kill -KILL "$pid"
	done
	rm -rf "$room"
}

# run STATUS COMMAND ...
run()
{
	wanted=$1
	shift
	status=0
	"$@" >out 2>&1 </dev/null || status=$?
	cat out
	[ "$status" -eq "$wanted" ] ||
	    atf_fail "$*: exit status $status, not $wanted"
}

# The parent is the one process that a pattern or file leads to; a reload
# reaches it alone: its children do not change, and take no harm.
life()
{
	run 0 "$@" start
	answers "$port_one" one
	silent "$port_two"
	first=$(parent) engine=$(engine)
	config_write one "$port_one" two "$port_two"
	run 0 "$@" configtest
	silent "$port_two"
	run 0 "$@" reload
	answers_soon "$port_two" two
	answers "$port_one" one
	[ "$(parent)" = "$first" ] || atf_fail "another parent"
	[ "$(engine)" = "$engine" ] || atf_fail "another engine"
	run 0 "$@" restart
	answers "$port_one" one
	[ "$(parent)" != "$first" ] || atf_fail "not restarted"
	run 0 "$@" stop
	nothing_left
}

# A broken file is told of with its line, and changes nothing.
broken()
{
	config_break
	run 1 "$@" configtest
	grep -q 'conf:[0-9]*: ' out || atf_fail "no line named"
	run 1 "$@" start
	nothing_left
	config_write one "$port_one"
	run 0 "$@" start
	first=$(parent) engine=$(engine)
	config_break
	for action in reload restart; do
		run 1 "$@" $action
		grep -q 'conf:[0-9]*: ' out || atf_fail "no line named"
		answers "$port_one" one
	done
	[ "$(parent)" = "$first" ] || atf_fail "another parent"
	[ "$(engine)" = "$engine" ] || atf_fail "another engine"
	run 0 "$@" stop
	nothing_left
}

# OpenBSD

openbsd_make()
{
	command -v pkill >/dev/null || atf_skip "no pkill(1)"
	shell=$(command -v mksh || command -v ksh || echo /bin/sh)
	sed "s|^\. /etc/rc.d/rc.subr\$|. $(atf_get_srcdir)/rc.subr.openbsd|" \
	    "$examples/rc.d/tcpserverd.openbsd" >"$1"
	grep -q '^\. .*/rc.subr.openbsd$' "$1" || atf_fail "no rc.subr"
	grep -q '^rc_cmd \$1$' "$1" || atf_fail "no rc_cmd"
	export RC_CONF_LOCAL="$room/rc.conf.local"
}

openbsd_start()
{
	room_make
	openbsd_make tcpserverd
	echo "tcpserverd_flags='-p $pidfile -f $room/conf'" >rc.conf.local
}

atf_test_case openbsd_life cleanup
openbsd_life_body()
{
	openbsd_start
	run 1 $shell tcpserverd check
	life $shell tcpserverd
	run 1 $shell tcpserverd check
}
openbsd_life_cleanup() { room_clean; }

atf_test_case openbsd_broken cleanup
openbsd_broken_body()
{
	openbsd_start
	broken $shell tcpserverd
}
openbsd_broken_cleanup() { room_clean; }

# The pattern of rc.subr(8) fits the parent and none of its children.
atf_test_case openbsd_pexp cleanup
openbsd_pexp_body()
{
	openbsd_start
	run 0 $shell tcpserverd start
	pids=$(pgrep -xf "$tcpserverd -p $pidfile -f $room/conf")
	[ "$pids" = "$(parent)" ] || atf_fail "pexp fits $pids"
	[ -n "$(pgrep -P "$pids")" ] || atf_fail "no children"
	run 0 $shell tcpserverd start
	[ "$(parent)" = "$pids" ] || atf_fail "started twice"
	run 0 $shell tcpserverd stop
	nothing_left
}
openbsd_pexp_cleanup() { room_clean; }

atf_test_case openbsd_two cleanup
openbsd_two_body()
{
	openbsd_start
	openbsd_make tcpserverd2
	sed -e "s|$room/control|$room/control2|" -e "s|$port_one|$port_two|" \
	    -e 's|one|two|' conf >conf2
	echo "tcpserverd2_flags='-p $room/pid2 -f $room/conf2'" >>rc.conf.local
	run 0 $shell tcpserverd start
	run 0 $shell tcpserverd2 start
	answers "$port_two" two
	run 0 $shell tcpserverd stop
	answers "$port_two" two
	silent "$port_one"
	run 0 $shell tcpserverd2 stop
	nothing_left
	silent "$port_two"
}
openbsd_two_cleanup() { room_clean; }

# FreeBSD

freebsd_start()
{
	room_make
	sed "s|^\. /etc/rc.subr\$|. $(atf_get_srcdir)/rc.subr.freebsd|" \
	    "$examples/rc.d/tcpserverd.freebsd" >tcpserverd
	grep -q '^\. .*/rc.subr.freebsd$' tcpserverd || atf_fail "no rc.subr"
	export RC_CONF="$room/rc.conf"
	cat >rc.conf <<-END
	tcpserverd_enable=YES
	tcpserverd_config=$room/conf
	tcpserverd_pidfile=$pidfile
	END
}

atf_test_case freebsd_life cleanup
freebsd_life_body()
{
	freebsd_start
	run 1 sh tcpserverd status
	run 1 sh tcpserverd reload
	life sh tcpserverd
	run 1 sh tcpserverd status
}
freebsd_life_cleanup() { room_clean; }

atf_test_case freebsd_broken cleanup
freebsd_broken_body()
{
	freebsd_start
	broken sh tcpserverd
}
freebsd_broken_cleanup() { room_clean; }

atf_test_case freebsd_enabled cleanup
freebsd_enabled_body()
{
	freebsd_start
	sed -i '/enable/d' rc.conf
	run 1 sh tcpserverd start
	grep -q 'Set tcpserverd_enable to YES' out || atf_fail "no word why"
	nothing_left
	run 0 sh tcpserverd onestart
	answers "$port_one" one
	run 0 sh tcpserverd onestop
	mv conf conf.away
	run 1 sh tcpserverd onestart
	grep -q "$room/conf is not readable" out || atf_fail "no word why"
	nothing_left
}
freebsd_enabled_cleanup() { room_clean; }

# System V

sysv_start()
{
	room_make
	sed -e "s|^pidfile=.*|pidfile=$pidfile|" \
	    -e "s|^config=.*|config=$room/conf|" \
	    -e "s|^control=.*|control=/nonexistent|" \
	    "$examples/init.d/tcpserverd" >tcpserverd
}

atf_test_case sysv_life cleanup
sysv_life_body()
{
	sysv_start
	run 3 sh tcpserverd stat
	run 7 sh tcpserverd reload
	run 0 sh tcpserverd stop
	life sh tcpserverd
	run 2 sh tcpserverd
	run 2 sh tcpserverd nonsense
}
sysv_life_cleanup() { room_clean; }

atf_test_case sysv_broken cleanup
sysv_broken_body()
{
	sysv_start
	broken sh tcpserverd
}
sysv_broken_cleanup() { room_clean; }

# As svc -p and svc -c do it: clients wait meanwhile.
atf_test_case sysv_pause cleanup
sysv_pause_body()
{
	sysv_start
	run 0 sh tcpserverd start
	run 0 sh tcpserverd start
	grep -q 'runs already' out || atf_fail "started twice"
	run 0 sh tcpserverd stat
	grep -q "runs, pid $(parent)\$" out || atf_fail "stat"
	run 0 sh tcpserverd pause
	run 0 sh tcpserverd stat
	grep -q "paused, pid $(parent)\$" out || atf_fail "stat"
	sleep 0.4			# the parent's word is good for 0.2 s
	hear "$port_one" >heard &
	client=$!
	sleep 0.3
	[ ! -s heard ] || atf_fail "served while paused"
	run 0 sh tcpserverd cont
	wait $client
	[ "$(cat heard)" = one ] || atf_fail "not served after"
	# A paused one can be stopped.
	run 0 sh tcpserverd pause
	run 0 sh tcpserverd stop
	nothing_left
}
sysv_pause_cleanup() { room_clean; }

# A pid file of a dead one, whose number is another's by now.
atf_test_case sysv_stale cleanup
sysv_stale_body()
{
	sysv_start
	sleep 1000 &
	other=$!
	echo $other >"$pidfile"
	run 1 sh tcpserverd stat
	run 7 sh tcpserverd reload
	run 0 sh tcpserverd stop
	kill -0 $other || atf_fail "another's process was killed"
	run 0 sh tcpserverd start
	answers "$port_one" one
	kill -0 $other || atf_fail "another's process was killed"
	kill $other
	run 0 sh tcpserverd stop
	nothing_left
}
sysv_stale_cleanup() { room_clean; }

# systemd

atf_test_case systemd_units
systemd_units_body()
{
	command -v systemd-analyze >/dev/null || atf_skip "no systemd-analyze"
	mkdir units
	for unit in tcpserverd.service tcpserverd.socket; do
		cp "$examples/systemd/$unit" units
	done
	# What it says of other units of this machine is not ours to mend.
	systemd-analyze verify --man=no units/tcpserverd.service \
	    units/tcpserverd.socket >out 2>&1 || :
	grep tcpserverd out && atf_fail "$(cat out)"
	:
}

# The unit's own command lines, under a manager of ours.
atf_test_case systemd_life cleanup
systemd_life_body()
{
	room_make
	unit=$examples/systemd/tcpserverd.service
	command=$(sed -n 's|^ExecStart=||p' "$unit" |
	    sed "s|-f [^ ]*|-p $pidfile -f $room/conf|")
	before=$(sed -n 's|^ExecStartPre=||p' "$unit" |
	    sed "s|-f [^ ]*|-f $room/conf|")
	run 0 $before
	run 0 python3 "$(atf_get_srcdir)/manager.py" "$room" "$address" \
	    "$port_one" $command
	nothing_left
}
systemd_life_cleanup() { room_clean; }

atf_init_test_cases()
{
	atf_add_test_case openbsd_life
	atf_add_test_case openbsd_broken
	atf_add_test_case openbsd_pexp
	atf_add_test_case openbsd_two
	atf_add_test_case freebsd_life
	atf_add_test_case freebsd_broken
	atf_add_test_case freebsd_enabled
	atf_add_test_case sysv_life
	atf_add_test_case sysv_broken
	atf_add_test_case sysv_pause
	atf_add_test_case sysv_stale
	atf_add_test_case systemd_units
	atf_add_test_case systemd_life
}
