# autoturnd's scripts that "bmake install" put into share/examples, with the
# real daemon, under stand-ins of rc.subr(8).

examples=$STAGE/share/examples/tcpserverd
autoturnd=$STAGE/sbin/autoturnd

# A short path: control sockets go there.
room_make()
{
	[ -x "$autoturnd" ] || atf_fail "\$STAGE: no autoturnd there"
	[ -d /proc/self ] || atf_skip "looks at processes through Linux's proc(5)"
	room=$(mktemp -d /tmp/svc.XXXXXX) || atf_fail "mktemp"
	echo "$room" >room
	chmod 755 "$room"
	cd "$room" || atf_fail "$room"
	pidfile=$room/pid
	spool_make one
	spool_make two
	config_write one
}

# The owner is another user, where we can choose.
spool_make()
{
	for dir in new cur tmp; do
		mkdir -p "$1/192.0.2.1/$dir"
	done
	[ "$(id -u)" != 0 ] || chown -R nobody "$1"/*
}

# config_write SPOOL ...
config_write()
{
	{
		echo "control socket \"$room/control\""
		echo "state \"$room/state\""
		echo "reports by sendmail \"/bin/true\""
		echo "hostname isp.example"
		echo "events off"
		for spool; do
			echo "spool \"$room/$spool\""
		done
	} >conf.new
	mv conf.new conf
}

config_break()
{
	echo 'spool "/nonexistent"' >>conf
}

# The socket of a spool that is looked after.
poke() { echo "$room/state/$(echo "${room#/}/$1" | tr / -).poke"; }

served()
{
	[ -S "$(poke "$1")" ] || atf_fail "spool $1 is not looked after"
}

served_soon()
{
	tries=0
	until [ -S "$(poke "$1")" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || atf_fail "spool $1 is never looked after"
		sleep 0.02
	done
}

unserved()
{
	[ ! -e "$(poke "$1")" ] || atf_fail "spool $1 is looked after"
}

parent() { cat "$pidfile"; }

relay() { pgrep -P "$(parent)" -f '^autoturnd: relay'; }

# Nothing of ours is there any more: no process, no file of its own.
nothing_left()
{
	tries=0
	while [ -n "$(pgrep -f "$room/conf")" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || atf_fail "still there: $(pgrep -af "$room")"
		sleep 0.02
	done
	unserved one
	unserved two
	[ ! -e "$pidfile" ] || atf_fail "the pid file stays"
	[ ! -e control ] || atf_fail "the control socket stays"
}

room_clean()
{
	[ -r room ] || return 0
	read -r room <room
	for pid in $(pgrep -f "$room/conf"); do
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

# The parent is the one process that a pattern or file leads to.
life()
{
	run 0 "$@" start
	served one
	first=$(parent) relay=$(relay)
	config_write one two
	run 0 "$@" configtest
	unserved two
	run 0 "$@" reload
	served_soon two
	[ "$(parent)" = "$first" ] || atf_fail "another parent"
	[ "$(relay)" = "$relay" ] || atf_fail "another relay"
	run 0 "$@" restart
	served two
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
	config_write one
	run 0 "$@" start
	first=$(parent) relay=$(relay)
	config_break
	for action in reload restart; do
		run 1 "$@" $action
		grep -q 'conf:[0-9]*: ' out || atf_fail "no line named"
	done
	[ "$(parent)" = "$first" ] || atf_fail "another parent"
	[ "$(relay)" = "$relay" ] || atf_fail "another relay"
	run 0 "$@" stop
	nothing_left
}

# OpenBSD

openbsd_start()
{
	room_make
	command -v pkill >/dev/null || atf_skip "no pkill(1)"
	shell=$(command -v mksh || command -v ksh || echo /bin/sh)
	sed "s|^\. /etc/rc.d/rc.subr\$|. $(atf_get_srcdir)/rc.subr.openbsd|" \
	    "$examples/rc.d/autoturnd.openbsd" >autoturnd
	grep -q '^\. .*/rc.subr.openbsd$' autoturnd || atf_fail "no rc.subr"
	export RC_CONF_LOCAL="$room/rc.conf.local"
	echo "autoturnd_flags='-p $pidfile -f $room/conf'" >rc.conf.local
}

atf_test_case openbsd_life cleanup
openbsd_life_body()
{
	openbsd_start
	run 1 $shell autoturnd check
	life $shell autoturnd
	run 1 $shell autoturnd check
}
openbsd_life_cleanup() { room_clean; }

atf_test_case openbsd_broken cleanup
openbsd_broken_body()
{
	openbsd_start
	broken $shell autoturnd
}
openbsd_broken_cleanup() { room_clean; }

# The pattern of rc.subr(8) fits the parent and none of its children.
atf_test_case openbsd_pexp cleanup
openbsd_pexp_body()
{
	openbsd_start
	run 0 $shell autoturnd start
	pids=$(pgrep -xf "$autoturnd -p $pidfile -f $room/conf")
	[ "$pids" = "$(parent)" ] || atf_fail "pexp fits $pids"
	[ -n "$(pgrep -P "$pids")" ] || atf_fail "no children"
	run 0 $shell autoturnd stop
	nothing_left
}
openbsd_pexp_cleanup() { room_clean; }

# FreeBSD

freebsd_start()
{
	room_make
	sed "s|^\. /etc/rc.subr\$|. $(atf_get_srcdir)/rc.subr.freebsd|" \
	    "$examples/rc.d/autoturnd.freebsd" >autoturnd
	grep -q '^\. .*/rc.subr.freebsd$' autoturnd || atf_fail "no rc.subr"
	export RC_CONF="$room/rc.conf"
	cat >rc.conf <<-END
	autoturnd_enable=YES
	autoturnd_config=$room/conf
	autoturnd_pidfile=$pidfile
	END
}

atf_test_case freebsd_life cleanup
freebsd_life_body()
{
	freebsd_start
	run 1 sh autoturnd status
	run 1 sh autoturnd reload
	life sh autoturnd
	run 1 sh autoturnd status
}
freebsd_life_cleanup() { room_clean; }

atf_test_case freebsd_broken cleanup
freebsd_broken_body()
{
	freebsd_start
	broken sh autoturnd
}
freebsd_broken_cleanup() { room_clean; }

# System V

sysv_start()
{
	room_make
	sed -e "s|^pidfile=.*|pidfile=$pidfile|" \
	    -e "s|^config=.*|config=$room/conf|" \
	    -e "s|^control=.*|control=/nonexistent|" \
	    "$examples/init.d/autoturnd" >autoturnd
}

atf_test_case sysv_life cleanup
sysv_life_body()
{
	sysv_start
	run 3 sh autoturnd stat
	run 7 sh autoturnd reload
	run 0 sh autoturnd stop
	life sh autoturnd
	run 2 sh autoturnd nonsense
	run 0 sh autoturnd start
	run 0 sh autoturnd start
	grep -q 'runs already' out || atf_fail "started twice"
	run 0 sh autoturnd stat
	grep -q "runs, pid $(parent)\$" out || atf_fail "stat"
	run 0 sh autoturnd stop
	nothing_left
}
sysv_life_cleanup() { room_clean; }

atf_test_case sysv_broken cleanup
sysv_broken_body()
{
	sysv_start
	broken sh autoturnd
}
sysv_broken_cleanup() { room_clean; }

# systemd

atf_test_case systemd_unit
systemd_unit_body()
{
	command -v systemd-analyze >/dev/null || atf_skip "no systemd-analyze"
	mkdir units
	cp "$examples/systemd/autoturnd.service" units
	# What it says of other units of this machine is not ours to mend.
	systemd-analyze verify --man=no units/autoturnd.service >out 2>&1 || :
	grep autoturnd out && atf_fail "$(cat out)"
	:
}

# The file to begin with is right, but for the spool, which is not here.
atf_test_case example
example_body()
{
	[ -x "$autoturnd" ] || atf_fail "\$STAGE: no autoturnd there"
	mkdir -p spool/192.0.2.1/new spool/192.0.2.1/cur spool/192.0.2.1/tmp
	chmod 755 .
	[ "$(id -u)" != 0 ] || chown -R nobody spool/*
	sed -e "s|\"/var/qmail/autoturn\"|\"$PWD/spool\"|" \
	    "$examples/examples/autoturnd.conf" >conf
	{
		echo "hostname isp.example"
		echo "reports by sendmail \"/bin/true\""
	} >>conf
	"$autoturnd" -n -f conf >out 2>&1 || :
	cat out
	grep '^[^ ]*conf:' out | grep -v 'Permission denied' &&
	    atf_fail "the example is wrong"
	grep -q 'configuration OK\|Permission denied' out ||
	    atf_fail "not checked"
}

atf_init_test_cases()
{
	atf_add_test_case openbsd_life
	atf_add_test_case openbsd_broken
	atf_add_test_case openbsd_pexp
	atf_add_test_case freebsd_life
	atf_add_test_case freebsd_broken
	atf_add_test_case sysv_life
	atf_add_test_case sysv_broken
	atf_add_test_case systemd_unit
	atf_add_test_case example
}
