# tcpserverd.conf as the daemon reads it: good/*.conf print as their .out
# files say, and what they print prints as itself; of bad/*.conf is said what
# their .err files say.  Run with UPDATE=yes by hand it writes these anew.

data=${SOURCE:?}/regress/usr.sbin/tcpserverd-conf

confread()
{
	"$(atf_get_srcdir)/confread" "$@"
}

# fail_with FILE REASON
fail_with()
{
	cat "$1"
	atf_fail "$2"
}

# What a file prints is read as the same.
stable()
{
	confread -v "$@" >once || fail_with once "otherwise"
	confread -v once >twice || fail_with twice "what was printed is refused"
	diff -u once twice || atf_fail "printed: otherwise"
}

# accept TEXT [WANTED]: it is a good file, and prints a line that is WANTED.
accept()
{
	printf '%s\n' "$1" >accept.conf
	stable accept.conf
	[ -z "${2:-}" ] || grep -qxF "	$2" once ||
	    fail_with once "no line \"$2\""
}

# refuse TEXT WANTED: exactly this is said of it, with the line's number 1.
refuse()
{
	printf '%s\n' "$1" >refuse.conf
	atf_check -s exit:1 -o inline:"refuse.conf:1: $2\n" \
	    "$(atf_get_srcdir)/confread" refuse.conf
}

# a service on one line
service()
{
	echo "service x { listen on 127.0.0.1 port 0 $* }"
}

repeat()
{
	awk -v text="$1" -v n="$2" \
	    'BEGIN { while (n-- > 0) printf "%s", text }'
}

atf_test_case good
good_head()
{
	atf_set descr "each good file prints as it should, and again as that"
}
good_body()
{
	for file in "$data"/good/*.conf; do
		stable "$file"
		sed "s,$data/,DATA/,g" once >shown
		[ -z "${UPDATE:-}" ] || cp shown "${file%.conf}.out"
		diff -u "${file%.conf}.out" shown || atf_fail "$file"
	done
}

atf_test_case bad
bad_head()
{
	atf_set descr "all errors of each bad file are told, in one run"
}
bad_body()
{
	cp -R "$data/bad" .
	cd bad || atf_fail "no copy"
	for file in *.conf; do
		status=0
		confread -v "$file" >../shown || status=$?
		[ -z "${UPDATE:-}" ] || cp ../shown "$data/bad/${file%.conf}.err"
		diff -u "${file%.conf}.err" ../shown || atf_fail "$file"
		[ $status -eq 1 ] || atf_fail "$file: exit status $status"
	done
}

# Each value that a directive can have.
atf_test_case values
values_body()
{
	close=$(service close)
	for word in auth authpriv cron daemon ftp local0 local7 lpr mail news \
	    syslog user uucp; do
		accept "log facility $word $close" "log facility $word"
		accept "$(service "log facility $word close")" \
		    "log facility $word"
	done
	for word in brief sessions verbose; do
		accept "$(service "log $word close")" "log $word"
	done
	for word in off on paranoid; do
		accept "$(service "lookup $word close")" "lookup $word"
	done
	accept "$(service ident off close)" "ident off"
	accept "$(service ident on close)" "ident on timeout 26"
	accept "$(service ident on timeout 1 close)" "ident on timeout 1"
	accept "log format text $close"
	accept "log format json $close"
	grep -qx "log format json" once || atf_fail "format"
	for word in coredumpsize datasize filesize memorylocked stacksize; do
		accept "$(service "rlimit $word 4k 1G exec \"/bin/cat\"")" \
		    "rlimit $word 4096 1073741824"
	done
	for word in cputime maxproc openfiles; do
		accept "$(service "rlimit $word 5 exec \"/bin/cat\"")" \
		    "rlimit $word 5 5"
	done
	accept "$(service 'rlimit datasize infinity exec "/bin/cat"')" \
	    "rlimit datasize unlimited unlimited"
	accept "$(service 'user 0 group 0 exec "/bin/cat"')" \
	    'user 0 group 0'
	accept "$(service 'user 1999999999 group 1 exec "/bin/cat"')" \
	    'user 1999999999 group 1'
	accept "$(service 'group daemon close')" 'group daemon'
	accept "$(service 'environment set on "a$b" exec "/bin/cat"')" \
	    'environment set "on" "a$b"'
	accept "$(service 'environment set A 007 exec "/bin/cat"')" \
	    'environment set A "007"'
	accept "$(service 'environment set A B=C exec "/bin/cat"' |
	    sed 's/B=C/"B=C"/')" 'environment set A "B=C"'
	accept "$(service 'local name name close')" 'local name "name"'
}

# At their limits, and one beyond.
atf_test_case limits
limits_body()
{
	name=$(repeat n 31)
	accept "service $name { listen on 127.0.0.1 port 0 close }"
	refuse "service ${name}n { listen on 127.0.0.1 port 0 close }" \
	    "service \"${name}n\": a name is 1 to 31 letters, digits, \"-\", \"_\", \".\", the first a letter or digit"
	for pair in "sessions 1 1000000" "backlog 1 65535"; do
		# shellcheck disable=SC2086
		set -- $pair
		accept "$(service "$1 $2 close")"
		accept "$(service "$1 $3 close")"
		refuse "$(service "$1 $(($2 - 1)) close")" \
		    "$1: \"$(($2 - 1))\": not a number from $2 to $3"
		refuse "$(service "$1 $(($3 + 1)) close")" \
		    "$1: \"$(($3 + 1))\": not a number from $2 to $3"
	done
	accept "$(service "local name $(repeat l 1024) close")"
	refuse "$(service "local name $(repeat l 1025) close")" \
	    "local name: \"$(repeat l 1025)\": not 1 to 1024 printable characters"
	accept "$(service "banner \"$(repeat b 4096)\" close")"
	refuse "$(service "banner \"$(repeat b 4097)\" close")" \
	    "a word is longer than 4096 bytes"
	accept "$(service "listen on 127.0.0.1 port { $(repeat '0 ' 255) } close")"
	refuse "$(service "listen on 127.0.0.1 port { $(repeat '0 ' 256) } close")" \
	    "listen: 257 sockets, more than 256 in one service"
	printf 'service a { close listen on 127.0.0.1 port { %s } }\n' \
	    "$(repeat '0 ' 257)" >ports.conf
	atf_check -s exit:1 -o inline:'ports.conf:1: listen on 127.0.0.1: more than 256 ports\n' \
	    "$(atf_get_srcdir)/confread" ports.conf
	accept "$(service 'rlimit datasize 9223372036854775807 exec "/bin/cat"')"
	refuse "$(service 'rlimit datasize 9007199254740992k exec "/bin/cat"')" \
	    'rlimit datasize: "9007199254740992k": not a number, with k, m or g perhaps, nor unlimited'
	path=/tmp/$(repeat p 86)
	accept "control socket \"$path\" $(service close)"
	path=/tmp/$(repeat p 120)
	confread accept.conf && printf 'control socket "%s"\n' "$path" >long.conf
	atf_check -s exit:1 -o match:'longer than 10[0-9] bytes$' \
	    "$(atf_get_srcdir)/confread" long.conf
}

# Many services, many arguments.
atf_test_case many
many_body()
{
	awk 'BEGIN {
		for (i = 0; i < 500; i++)
			printf "service s%d { listen on 127.0.%d.1 port %d " \
			    "close }\n", i, i % 256, 1000 + i
		printf "service e { listen on 127.0.0.1 port 1 exec \"/bin/cat\""
		for (i = 0; i < 1000; i++)
			printf " \"%d\"", i
		print "}"
	}' >many.conf
	stable many.conf
	atf_check -o inline:'501\n' grep -c '^service' once
	atf_check -o inline:'1002\n' sh -c \
	    "sed -n 's/^	exec//p' once | wc -w | tr -d ' ' |
	    awk '{ print \$1 + 1 }'"
}

atf_test_case defaults
defaults_head()
{
	atf_set descr "what is not said has the manual's default"
}
defaults_body()
{
	echo 'service a { listen on 127.0.0.1 port 1 exec "/bin/cat" }' >a.conf
	atf_check -o inline:'control socket "/var/run/tcpserverd.sock"
log facility daemon
log format text

service a {
	listen on 127.0.0.1 port 1 backlog 128
	sessions 40
	lookup off
	ident off
	log sessions
	log facility daemon
	exec "/bin/cat"
}
' "$(atf_get_srcdir)/confread" -v a.conf
	: >empty.conf
	atf_check -o match:'^log format text$' "$(atf_get_srcdir)/confread" \
	    -v empty.conf
	# The last word on a service's facility is not the first.
	echo 'log facility mail' >>a.conf
	stable a.conf
	grep -q '^	log facility mail' once || atf_fail "facility"
}

atf_test_case macros
macros_body()
{
	echo 'p = "25" arg = "\"a b\" 007 close"
	service a {
		listen on 127.0.0.1 port $p
		exec "/bin/cat" $arg $p
		$more
	}' >a.conf
	stable -D more= a.conf
	grep -qxF '	exec "/bin/cat" "a b" "007" "close" "25"' once ||
	    fail_with once "otherwise"
	stable -D 'more=sessions 5' -D p=smtp -D 'arg="x"' a.conf
	grep -qxF '	exec "/bin/cat" "x" "smtp"' once ||
	    fail_with once "otherwise"
	grep -qxF '	sessions 5' once || fail_with once "otherwise"
	grep -q ' port 25 ' once || fail_with once "otherwise"
	for define in "" more = =x 5=x a-b=c; do
		atf_check -s exit:1 \
		    -o inline:"$define: not of the form name=value\n" \
		    "$(atf_get_srcdir)/confread" -D "$define" a.conf
	done
}

atf_test_case include
include_body()
{
	mkdir sub
	echo 'include "sub/one.inc"
	service a {
		listen on 127.0.0.1 port 1
		include "sub/two.inc"
		close
	}' >a.conf
	echo 'log format json include "two.inc"' >sub/one.inc
	echo '# nothing' >sub/two.inc
	stable a.conf
	grep -q '^log format json' once || atf_fail "not included"
	echo 'sesions 5' >sub/two.inc
	atf_check -s exit:1 -o inline:'./sub/two.inc:1: "sesions": unknown word here\n./sub/two.inc:1: "sesions": unknown word here\n' \
	    "$(atf_get_srcdir)/confread" a.conf
	# A directory's files, by name.
	mkdir dir
	echo 'include "dir/" log format $how' >b.conf
	echo 'how = "json"' >dir/10.conf
	echo 'service b { listen on 127.0.0.1 port 2 close }' >dir/9.conf
	echo 'service a { listen on 127.0.0.1 port 1 close }' >dir/1.conf
	stable b.conf
	atf_check -o inline:'service a {\nservice b {\n' grep '^service' once
	grep -q '^log format json' once || atf_fail "not included"
	# An unclosed block in it is closed by nobody.
	echo 'service b {' >sub/two.inc
	atf_check -s exit:1 -o match:'is a } missing' \
	    "$(atf_get_srcdir)/confread" a.conf
}

atf_test_case files
files_head()
{
	atf_set descr "a file that can't be read"
}
files_body()
{
	read=$(atf_get_srcdir)/confread
	atf_check -s exit:1 -o inline:'none: No such file or directory\n' \
	    "$read" none
	atf_check -s exit:1 -o inline:'/: not a regular file\n' "$read" /
	mkfifo fifo
	atf_check -s exit:1 -o inline:'fifo: not a regular file\n' "$read" fifo
	atf_check -s exit:1 -o inline:'/dev/null: not a regular file\n' \
	    "$read" /dev/null
}

atf_test_case rules
rules_body()
{
	read=$(atf_get_srcdir)/confread
	pwd=$(pwd -P)
	service 'rules "r" close' >a.conf
	printf '# text\n127.:allow\n:deny\n' >r
	stable a.conf
	grep -qxF "	rules \"$pwd/r\"" once || fail_with once "otherwise"
	# Every bad line with its number, up to ten.
	printf '1.1.1.1:bad\n:allow\n2001:db8::/129:deny\nx:deny,\n' >r
	atf_check -s exit:1 -o inline:"$pwd/r:1: rules: \"1.1.1.1:bad\": not a rule, see tcprules(5)
$pwd/r:3: rules: \"2001:db8::/129:deny\": not a rule, see tcprules(5)
$pwd/r:4: rules: \"x:deny,\": not a rule, see tcprules(5)
" "$read" a.conf
	repeat 'a:bad
' 12 >r
	"$read" a.conf >out
	atf_check -o inline:'11\n' grep -c . out
	atf_check -o inline:"a.conf:1: rules \"$pwd/r\": 2 more lines are no rules\n" tail -n 1 out
	rm r
	atf_check -s exit:1 -o inline:"a.conf:1: rules \"$pwd/r\": No such file or directory\n" "$read" a.conf
	mkdir r
	atf_check -s exit:1 -o match:'r": (not a regular file|Is a directory)' \
	    "$read" a.conf
	rmdir r
	mkfifo r
	atf_check -s exit:1 -o inline:"a.conf:1: rules \"$pwd/r\": not a regular file\n" "$read" a.conf
	service 'rules "r" optional close' >a.conf
	rm r
	stable a.conf
	grep -qxF "	rules \"$pwd/r\" optional" once || fail_with once "otherwise"
	echo bad:rule >r
	atf_check -s exit:1 -o match:'r:1: rules: "bad:rule": not a rule' \
	    "$read" a.conf
	refuse "$(service 'rules "" close')" 'rules "": no file'
}

atf_test_case databases
databases_body()
{
	read=$(atf_get_srcdir)/confread
	pwd=$(pwd -P)
	service 'rules "r.cdb" close' >a.conf
	echo :deny >r
	"$STAGE/bin/tcprules" r.cdb r.tmp <r || atf_fail "tcprules"
	touch -t 202001010000 r
	stable a.conf
	touch -t 203001010000 r
	warning="warning: a.conf:1: rules \"$pwd/r.cdb\": older than $pwd/%s: run tcprules(1)\n"
	# shellcheck disable=SC2059
	atf_check -o inline:"$(printf "$warning" r)\n" "$read" a.conf
	mv r r.txt
	# shellcheck disable=SC2059
	atf_check -o inline:"$(printf "$warning" r.txt)\n" "$read" a.conf
	echo damaged >r.cdb
	rm r.txt
	atf_check -s exit:1 -o inline:"a.conf:1: rules \"$pwd/r.cdb\": not a database of tcprules(1)\n" "$read" a.conf
}

atf_test_case unreadable
unreadable_head()
{
	atf_set require.user unprivileged
}
unreadable_body()
{
	service 'rules "r" close' >a.conf
	echo :deny >r
	chmod 0 r
	atf_check -s exit:1 -o match:'r": Permission denied$' \
	    "$(atf_get_srcdir)/confread" a.conf
	chmod 0 a.conf
	atf_check -s exit:1 -o inline:'a.conf: Permission denied\n' \
	    "$(atf_get_srcdir)/confread" a.conf
}

# program DIRECTIVES: nothing, or what is said of it
program()
{
	service "$@" >p.conf
	confread p.conf | sed 's/^p.conf:1: //'
}

says()
{
	wanted=$1
	shift
	got=$(program "$@")
	[ "$got" = "$wanted" ] || atf_fail "$*: \"$got\", not \"$wanted\""
}

atf_test_case programs
programs_head()
{
	atf_set descr "the program is looked for where it will be started"
}
programs_body()
{
	pwd=$(pwd -P)
	none='No such file or directory'
	mkdir bin bin/dir
	echo '#!/bin/sh' >bin/here
	cp bin/here bin/off
	chmod 755 bin/here
	chmod 644 bin/off
	says "" 'exec "sh"'
	says "exec: \"here\": $none" 'exec "here"'
	says "" "exec \"here\" environment set PATH \"/bin:$pwd/bin\""
	says "exec: \"sh\": $none" 'exec "sh" environment set PATH "/nonexistent"'
	says "" 'exec "sh" environment unset PATH'
	says "exec: \"here\": $none" "environment unset PATH exec \"here\""
	says "" "exec \"bin/here\" directory \"$pwd\""
	says "exec: \"bin/here\": $none" 'exec "bin/here" directory "/"'
	says "exec: \"$pwd/bin/off\": Permission denied" "exec \"$pwd/bin/off\""
	says "exec: \"off\": Permission denied" \
	    "exec \"off\" environment set PATH \"$pwd/bin:/nonexistent\""
	says "exec: \"$pwd/bin/dir\": Is a directory" "exec \"$pwd/bin/dir\""
	ln -s here bin/link
	says "" "exec \"$pwd/bin/link\""
	# Who is in the group, who is not.
	chmod 710 bin/here
	says "exec: \"$pwd/bin/here\": Permission denied for user 1999999999" \
	    "exec \"$pwd/bin/here\" user 1999999999 group 1999999999"
	says "" "exec \"$pwd/bin/here\" user 1999999999 group $(id -g)"
	chmod 705 bin/here
	says "" "exec \"$pwd/bin/here\" user 1999999999 group 1999999999"
}

atf_test_case chroots
chroots_body()
{
	pwd=$(pwd -P)
	mkdir -p root/bin root/sub
	printf '#!/bin/sh\n' >root/bin/prog
	chmod 755 root/bin/prog
	cp root/bin/prog outside
	within="within \"$pwd/root\""
	c="chroot \"$pwd/root\" exec"
	says "" "$c \"/bin/prog\""
	says "" "$c \"/bin/../bin/./prog\""
	says "exec: \"$pwd/root/bin/prog\": No such file or directory $within" \
	    "$c \"$pwd/root/bin/prog\""
	# Links begin at the new root, and there is nothing above it.
	ln -s /bin/prog root/bin/absolute
	ln -s ../bin/prog root/bin/relative
	ln -s ../../../../bin/prog root/bin/above
	ln -s loop root/bin/loop
	ln -s /bin root/sbin
	ln -s ../outside root/bin/out
	says "" "$c \"/bin/absolute\""
	says "" "$c \"/bin/relative\""
	says "" "$c \"/bin/above\""
	says "" "$c \"/sbin/prog\""
	says "" "$c \"/../bin/prog\""
	says "exec: \"/bin/out\": No such file or directory $within" \
	    "$c \"/bin/out\""
	says "exec: \"/bin/loop\": Too many levels of symbolic links $within" \
	    "$c \"/bin/loop\""
	says "exec: \"/bin/prog/x\": No such file or directory $within" \
	    "$c \"/bin/prog/x\""
	says "" "directory \"/sub\" $c \"../bin/prog\""
	says "directory \"/none\": No such file or directory within $pwd/root" \
	    "directory \"/none\" $c \"/bin/prog\""
	says "" "$c \"prog\" environment set PATH \"/bin\""
	says "exec: \"prog\": No such file or directory $within" \
	    "$c \"prog\" environment set PATH \"$pwd/root/bin\""
}

loopback()
{
	case $(uname -s) in
	Linux)	echo lo ;;
	*)	echo lo0 ;;
	esac
}

atf_test_case interfaces
interfaces_head()
{
	atf_set descr "an interface is all its addresses"
	atf_set require.user root
	atf_set require.progs "ip unshare"
}
interfaces_body()
{
	# shellcheck disable=SC2016
	unshare -n true || atf_skip "no network namespaces here"
	cat >in.sh <<'EOF'
set -e
read=$1
ip link set lo up
ip link add name t0 type veth peer name t1
ip addr add 192.0.2.1/24 dev t0
ip addr add 192.0.2.2/24 dev t0
ip addr add 2001:db8::1/64 dev t0 nodad
ip link set t0 up
service() {
	echo "service x { listen on $1 port 25 close }
	service y { listen on $2 port 25 close }" >a.conf
	"$read" a.conf | sed 's/^[^ ]* //'
}
[ -z "$(service t0 127.0.0.1)" ]
for taken in 192.0.2.1 192.0.2.2 2001:db8::1; do
	service t0 $taken | grep -q "service x does so already"
	service "t0 inet6" $taken | grep -q "service x does" ||
	    [ $taken != 2001:db8::1 ]
	service "t0 inet" $taken | grep -q "service x does" ||
	    [ $taken = 2001:db8::1 ]
done
[ "$(service t1 127.0.0.1)" = 'listen on "t1": has no address' ]
# Link-local addresses need their interface.
local=fe80::5
ip addr add $local/64 dev t0 nodad
[ -z "$(service "$local%t0" 127.0.0.1)" ]
service "$local%t0" t0 | grep -q "service x does so already"
EOF
	unshare -n sh -x in.sh "$(atf_get_srcdir)/confread" >trace 2>&1 ||
	    fail_with trace "in.sh failed"
}

atf_test_case groups
groups_head()
{
	atf_set descr "a group of interfaces is all of theirs"
}
groups_body()
{
	[ "$(uname -s)" = Linux ] || atf_skip "only Linux's groups are tried"
	[ -r /sys/class/net/lo/netdev_group ] || atf_skip "no /sys"
	cat /etc/iproute2/group /usr/share/iproute2/group \
	    /usr/lib/iproute2/group 2>/dev/null | grep -q '^0[ 	]*default' ||
	    atf_skip "no names of groups: iproute2 is not here"
	[ "$(cat /sys/class/net/lo/netdev_group)" = 0 ] ||
	    atf_skip "lo is not in the group default"
	echo 'service a { listen on default inet port 25 close }
	    service b { listen on 127.0.0.1 port 25 close }' >a.conf
	atf_check -s exit:1 \
	    -o match:'127.0.0.1 port 25: service a does so already' \
	    "$(atf_get_srcdir)/confread" a.conf
}

# Those examples of the manual that stand in SERVICES are directives, to be
# put into a service; the names of a site become what every host has.
example_make()
{
	awk -v section="${1##*.}" '
	{ text = text "\n" $0 }
	END {
		if (section != "SERVICES" || text ~ /^\nservice/) {
			print text
			exit
		}
		print "service example {"
		if (text !~ /\nlisten/)
			print "\tlisten on 127.0.0.1 port 0"
		if (text !~ /\n(exec|close)/)
			print "\texec \"/bin/cat\""
		print text "\n}"
	}' "$1" |
	sed -e 's,"/var/qmail/bin/[a-z0-9-]*","/bin/cat",g' \
	    -e 's,"/usr/sbin/popa3d","/bin/cat",' \
	    -e 's,"/var/www","/",' -e 's,"/var/empty","/",' \
	    -e 's,qmaild,nobody,;s,_autoturnd,nobody,' \
	    -e 's,nofiles,daemon,;s,group operator,group daemon,' \
	    -e 's,"em0","lo_name",;s,egress inet6,lo_name inet,' \
	    -e "s,lo_name,$(loopback)," \
	    -e "s,/etc/tcpserverd/[a-z]*.rules,$(pwd -P)/rules," \
	    -e "s,/etc/tcpserverd.local,$(pwd -P)/local,"
}

atf_test_case manual
manual_head()
{
	atf_set descr "each example of tcpserverd.conf(5) is a good file"
}
manual_body()
{
	: >rules
	: >local
	awk -f "$SOURCE/regress/tools/manual_examples.awk" \
	    "$SOURCE/share/man/man5/tcpserverd.conf.5"
	set -- example.*
	[ $# -ge 30 ] || atf_fail "only $# examples"
	for example; do
		example_make "$example" >example.conf
		if grep -q "login class" example.conf &&
		    [ "$(uname -s)" = Linux ]; then
			atf_check -s exit:1 -o match:'no login classes$' \
			    "$(atf_get_srcdir)/confread" example.conf
		else
			stable example.conf
		fi
	done
	# Every directive has one.
	for word in include 'control socket' 'restricted control' \
	    'event socket' 'log facility' 'log format' 'listen on' rules \
	    sessions banner 'local name' lookup ident 'option nodelay' \
	    'option ipoptions' 'log verbose' notify close exec user group \
	    'login class' chroot directory rlimit 'environment set' \
	    'environment unset'; do
		cat example.* | grep -q "^	*$word" ||
		    atf_fail "no example: $word"
	done
}

atf_test_case installed
installed_head()
{
	atf_set descr "the example that is installed is a good file"
}
installed_body()
{
	: >rules
	sed -e "s,@PREFIX@/share/examples/tcpserverd/examples/tcpserverd.rules,$(pwd -P)/rules," \
	    -e 's,@RUNDIR@,/tmp,' "$SOURCE/etc/examples/tcpserverd.conf" >a.conf
	stable a.conf
	# With what is commented out as well.
	sed -e 's/^#\([a-z	}]\)/\1/' -e 's,qmaild,nobody,;s,nofiles,daemon,' \
	    -e 's,group operator,group daemon,' \
	    -e 's,"/var/qmail/bin/[a-z-]*","/bin/cat",' \
	    -e "s,@SYSCONFDIR@/[a-z./]*,$(pwd -P)/rules," \
	    a.conf | grep -v '^	tcpserverd -n' >b.conf
	stable b.conf
	atf_check -o inline:'3\n' grep -c '^service' once
}

atf_init_test_cases()
{
	atf_add_test_case good
	atf_add_test_case bad
	atf_add_test_case values
	atf_add_test_case limits
	atf_add_test_case many
	atf_add_test_case defaults
	atf_add_test_case macros
	atf_add_test_case include
	atf_add_test_case files
	atf_add_test_case rules
	atf_add_test_case databases
	atf_add_test_case unreadable
	atf_add_test_case programs
	atf_add_test_case chroots
	atf_add_test_case interfaces
	atf_add_test_case groups
	atf_add_test_case manual
	atf_add_test_case installed
}
