# autoturnd.conf as the daemon reads it: good/*.conf print as their .out
# files say, and what they print prints as itself; of bad/*.conf is said what
# their .err files say.  Run with UPDATE=yes by hand it writes these anew.

data=${SOURCE:?}/regress/usr.sbin/autoturnd-conf

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

# What every file here needs; the directory is a spool that can be read.
head='hostname mail.example.org reports by sendmail "/bin/cat"'

# global TEXT [LINE]: it is good outside of blocks, and prints this line
global()
{
	printf '%s spool "/usr" %s\n' "$head" "$1" >global.conf
	stable global.conf
	[ -z "${2:-}" ] || grep -qxF "$2" once ||
	    fail_with once "no line \"$2\""
}

# everywhere WORDS [LINE]: a directive of all places, and what it prints there
everywhere()
{
	line="	${2:-$1}"
	printf '%s %s spool "/usr" customer x { relay ::1 }\n' "$head" "$1" \
	    >for_all.conf
	printf '%s spool "/usr" { %s } customer x { relay ::1 }\n' "$head" \
	    "$1" >for_spool.conf
	printf '%s spool "/usr" customer x { relay ::1 %s }\n' "$head" "$1" \
	    >for_one.conf
	for file in for_all.conf for_spool.conf; do
		stable $file
		[ "$(grep -cxF "$line" once)" -eq 2 ] ||
		    fail_with once "$file: not two lines \"$line\""
	done
	stable for_one.conf
	sed -n '/^customer/,$p' once | grep -qxF "$line" ||
	    fail_with once "no line \"$line\""
}

# within BLOCK WORDS [LINE]: a spool's, or a customer's
within()
{
	case $1 in
	spool)	text="spool \"/usr\" { $2 }" ;;
	*)	text="spool \"/usr\" customer x { relay ::1 $2 }" ;;
	esac
	printf '%s %s\n' "$head" "$text" >within.conf
	stable within.conf
	grep -qxF "	${3:-$2}" once || fail_with once "no line \"${3:-$2}\""
}

# refuse TEXT WANTED: exactly this is said of it, with the line's number 1
refuse()
{
	printf '%s spool "/usr" %s\n' "$head" "$1" >refuse.conf
	atf_check -s exit:1 -o inline:"refuse.conf:1: $2\n" \
	    "$(atf_get_srcdir)/confread" refuse.conf
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
		[ -z "${UPDATE:-}" ] || cp once "${file%.conf}.out"
		diff -u "${file%.conf}.out" once || atf_fail "$file"
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
		[ -z "${UPDATE:-}" ] || {
			cp ../shown "${file%.conf}.err"
			cp ../shown "$data/bad/${file%.conf}.err"
		}
		diff -u "${file%.conf}.err" ../shown || atf_fail "$file"
		[ $status -eq 1 ] || atf_fail "$file: exit status $status"
	done
}

# Each value that a directive can have.
atf_test_case values
values_body()
{
	for word in auth authpriv cron daemon ftp local0 local7 lpr mail news \
	    syslog user uucp; do
		global "log facility $word" "log facility $word"
	done
	global "log format text" "log format text"
	global "log format json" "log format json"
	global "events off" "events off"
	global 'events from "/x"' 'events from "/x"'
	global 'control socket "/tmp/x" group 0' \
	    'control socket "/tmp/x" group 0'
	global 'restricted control socket "/tmp/x"' \
	    'restricted control socket "/tmp/x"'
	global 'state "/nonexistent//"' 'state "/nonexistent"'
	global 'postmaster a.b+c@x.example' 'postmaster "a.b+c@x.example"'
	printf 'hostname h reports by qmail "/bin/sh" spool "/usr"' >a.conf
	stable a.conf
	grep -qx 'reports by qmail "/bin/sh"' once || fail_with once "reports"
	grep -qx 'postmaster "postmaster@h"' once || fail_with once "postmaster"
	grep -qx '	helo h' once || fail_with once "helo"
	within spool 'addresses on'
	within spool 'addresses off'
	for n in 1 1000; do within spool "concurrency $n"; done
	for n in 0 1000000; do within spool "watches $n"; done
	within spool 'scan 1s'
	within spool 'scan 90s'
	within spool 'scan 1440m' 'scan 1d'
	within customer 'domain X.example' 'domain x.example'
	within customer 'domain "on"'
	within customer 'domain on' 'domain "on"'
	within customer 'prefix ""'
	within customer 'prefix a+b' 'prefix "a+b"'
	within customer 'maildir a/b' 'maildir "a/b"'
	within customer 'address [2001:db8::7]' 'address 2001:db8::7'
	within customer 'address 192.0.2.7/32' 'address 192.0.2.7'
	within customer 'address ::ffff:192.0.2.7' 'address 192.0.2.7'
	within customer 'address 128.0.0.0/1' 'address 128.0.0.0/1'
	within customer 'address 2001:db8::/127' 'address 2001:db8::/127'
}

atf_test_case delivery
delivery_head()
{
	atf_set descr "what may stand in all three places, in each of them"
}
delivery_body()
{
	everywhere 'protocol smtp'
	everywhere 'protocol qmtp'
	for n in 1 65535; do everywhere "port $n"; done
	everywhere 'helo x.example'
	for n in 1 100; do everywhere "window $n"; done
	for n in 1 1000; do everywhere "hops $n"; done
	for n in 1 1000000000 all; do everywhere "messages $n"; done
	everywhere 'lifetime 1s'
	everywhere 'lifetime 3650d'
	everywhere 'warn after 1s'
	everywhere 'warn never'
	everywhere 'interval 0' 'interval 0s'
	everywhere 'interval 61m'
	everywhere 'retry never'
	everywhere 'retry 5s' 'retry 5s max 4h'
	everywhere 'retry 5h' 'retry 5h max 5h'
	everywhere 'retry 90m max 180m' 'retry 90m max 3h'
}

# has NAME LINE: in that block of what was printed
has()
{
	awk -v begins="$1" '
	/^(spool|customer)/ { in_it = index($0, begins) == 1 }
	in_it' once >block
	grep -qxF "	$2" block || fail_with block "$1: no line \"$2\""
}

atf_test_case inherit
inherit_head()
{
	atf_set descr "global, spool, customer: in whatever order they stand"
}
inherit_body()
{
	echo 'customer c { relay ::1 spool "/usr" window 3 }
	customer d { relay ::1 spool "/etc" }
	spool "/usr" { window 2 hops 2 }
	customer e { relay ::1 spool "/etc" warn after 2d lifetime 3d }
	spool "/etc"
	window 1 hops 1 lifetime 1d retry never
	hostname mail.example.org reports by sendmail "/bin/cat"' >a.conf
	stable a.conf
	has 'spool "/usr"' 'window 2'
	has 'spool "/usr"' 'lifetime 1d'
	has 'customer c' 'window 3'
	has 'customer c' 'hops 2'
	has 'customer c' 'lifetime 1d'
	has 'customer c' 'retry never'
	has 'customer d' 'window 1'
	has 'customer d' 'hops 1'
	has 'customer e' 'warn after 2d'
	has 'customer e' 'helo mail.example.org'
	# A port belongs to its protocol.
	echo 'port 2525
	spool "/usr" { protocol qmtp }
	spool "/etc" { protocol smtp }
	customer c { relay ::1 spool "/usr" }
	customer d { relay ::1 spool "/usr" protocol smtp }
	customer e { relay ::1 spool "/usr" protocol smtp port 26 }
	customer f { relay ::1 spool "/etc" }
	customer g { relay ::1 spool "/usr" port 2090 }
	hostname mail.example.org reports by sendmail "/bin/cat"' >a.conf
	stable a.conf
	has 'spool "/usr"' 'port 209'
	has 'spool "/etc"' 'port 2525'
	has 'customer c' 'port 209'
	has 'customer d' 'port 25'
	has 'customer e' 'port 26'
	has 'customer f' 'port 2525'
	has 'customer g' 'protocol qmtp'
	has 'customer g' 'port 2090'
}

# At their limits, and one beyond.
atf_test_case limits
limits_body()
{
	name=$(repeat n 63)
	within customer "address 192.0.2.1" # the template is good
	global "customer $name { relay ::1 }" "customer $name {"
	refuse "customer n$name { relay ::1 }" \
	    "customer \"n$name\": a name is 1 to 63 letters, digits, \"-\", \"_\", \".\", the first a letter or digit, or an address"
	label=$(repeat l 63)
	host=$label.$label.$label.$(repeat h 63)
	within customer "domain $host"
	refuse "customer x { relay ::1 domain l$label }" \
	    "domain \"l$label\": not a domain"
	refuse "customer x { relay ::1 domain $host.x }" \
	    "domain \"$host.x\": not a domain"
	refuse "helo $host.x" "helo: \"$host.x\": not the name of a host"
	prefix=$(repeat p 255)
	within customer "prefix \"$prefix\""
	refuse "customer x { relay ::1 prefix p$prefix }" \
	    "prefix \"p$prefix\": not at most 255 printable characters"
	within customer "maildir \"$prefix\""
	refuse "customer x { relay ::1 maildir m$prefix }" \
	    "maildir \"m$prefix\": the name is too long"
	for pair in "window 1 100" "hops 1 1000" "messages 1 1000000000" \
	    "port 1 65535"; do
		# shellcheck disable=SC2086
		set -- $pair
		refuse "$1 $(($2 - 1))" \
		    "$1: \"$(($2 - 1))\": not a number from $2 to $3"
		refuse "$1 $(($3 + 1))" \
		    "$1: \"$(($3 + 1))\": not a number from $2 to $3"
	done
	for time in 3651d 87601h 5256001m 315360001s 9999999999999d \
	    99999999999999999999d 5 5w 5ms s "" 1h30m; do
		refuse "lifetime \"$time\"" \
		    "lifetime: \"$time\": not a time from 1s to 3650d, such as 30s, 5m, 4h or 14d"
	done
	for time in 3650d 87600h 5256000m 315360000s; do
		everywhere "lifetime $time" 'lifetime 3650d'
	done
	path=/tmp/$(repeat p 86)
	global "events from \"$path\"" "events from \"$path\""
	path=/tmp/$(repeat p 120)
	printf '%s events from "%s" spool "/usr"\n' "$head" "$path" >long.conf
	atf_check -s exit:1 -o match:'longer than 10[0-9] bytes$' \
	    "$(atf_get_srcdir)/confread" long.conf
	mailbox=$(repeat m 900)@x.example
	global "postmaster $mailbox" "postmaster \"$mailbox\""
	mailbox=$(repeat m 1014)@x.example
	refuse "postmaster $mailbox" \
	    "postmaster: \"$mailbox\": not of the form user@host"
}

atf_test_case many
many_head()
{
	atf_set descr "20,000 customers with domains and networks"
}
many_body()
{
	awk -v head="$head" 'BEGIN {
		print head " spool \"/usr\""
		for (i = 0; i < 20000; i++)
			printf "customer c%d {\n\taddress 10.%d.%d.0/25, " \
			    "2001:db8:%x::/48\n\tdomain c%d.example\n" \
			    "\trelay 10.%d.%d.1\n}\n", i, i / 256, i % 256, \
			    i + 1, i, i / 256, i % 256
	}' >many.conf
	stable many.conf
	atf_check -o inline:'20000\n' grep -c '^customer' once
	# One of them twice is found.
	echo 'customer last { address 10.7.3.0/25 relay ::1 }' >>many.conf
	atf_check -s exit:1 -o match:'address 10.7.3.0/25: customer c1795 has it' \
	    "$(atf_get_srcdir)/confread" many.conf
}

atf_test_case defaults
defaults_head()
{
	atf_set descr "what is not said has the manual's default"
}
defaults_body()
{
	echo "$head spool \"/usr\" customer a { address 192.0.2.7 }" >a.conf
	delivery='	protocol smtp
	port 25
	helo mail.example.org
	window 16
	hops 50
	messages all
	lifetime 14d
	warn never
	interval 10s
	retry 5m max 4h
}'
	atf_check -o inline:'control socket "/var/run/autoturnd.sock"
events from "/var/run/tcpserverd.events"
hostname mail.example.org
postmaster "postmaster@mail.example.org"
reports by sendmail "/bin/cat"
state "/var/db/autoturnd"
log facility mail
log format text

spool "/usr" {
	addresses on
	concurrency 20
	scan 10m
	watches 128
'"$delivery"'

customer a {
	spool "/usr"
	address 192.0.2.7
	prefix "autoturn-a-"
	maildir "a"
	relay 192.0.2.7
'"$delivery
" "$(atf_get_srcdir)/confread" -v a.conf
}

atf_test_case host
host_head()
{
	atf_set descr "this host's own name, its own programs for reports"
}
host_body()
{
	echo 'reports by sendmail "/bin/cat" spool "/usr"' >a.conf
	name=$(hostname)
	if echo "$name" | grep -Eq '^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$'; then
		stable a.conf
		grep -qxF "hostname $name" once || fail_with once "hostname"
	else
		atf_check -s exit:1 -o inline:"a.conf: hostname: this host calls itself \"$name\", which is no full name of a host: give one, as in: hostname mail.example.org\n" \
		    "$(atf_get_srcdir)/confread" a.conf
	fi
	echo 'hostname mail.example.org spool "/usr"' >a.conf
	for path in /usr/sbin/sendmail /usr/lib/sendmail \
	    /var/qmail/bin/qmail-queue; do
		[ -x $path ] || continue
		stable a.conf
		grep -qx "reports by [a-z]* \"$path\"" once ||
		    fail_with once "reports"
		return
	done
	atf_check -s exit:1 -o match:'a.conf: reports: none of /usr/sbin/sendmail, /usr/lib/sendmail and /var/qmail/bin/qmail-queue is here' \
	    "$(atf_get_srcdir)/confread" a.conf
}

atf_test_case macros
macros_body()
{
	echo "$head"' homes = "192.0.2.7, 192.0.2.8" more = "5"
	spool "/usr"
	customer a { address $homes, 192.0.2.9 relay $to window $more }' >a.conf
	stable -D to=192.0.2.7 a.conf
	has 'customer a' 'address 192.0.2.8'
	has 'customer a' 'address 192.0.2.9'
	stable -D to=192.0.2.7 -D 'more=6 hops 7' a.conf
	has 'customer a' 'window 6'
	has 'customer a' 'hops 7'
	for define in "" more = =x 5=x a-b=c; do
		atf_check -s exit:1 \
		    -o inline:"$define: not of the form name=value\n" \
		    "$(atf_get_srcdir)/confread" -D "$define" a.conf
	done
}

atf_test_case include
include_body()
{
	mkdir customers
	echo "$head"' spool "/usr" include "customers"' >a.conf
	stable a.conf
	atf_check -s exit:1 -o empty grep '^customer' once
	for name in b a; do
		echo "customer $name { address 192.0.2.$((0x$name)) }" \
		    >customers/$name.conf
	done
	echo nonsense >customers/c.conf~
	stable a.conf
	atf_check -o inline:'customer a {\ncustomer b {\n' grep '^customer' once
	# Who stands where is told.
	echo 'customer c { address 192.0.2.10 }' >customers/c.conf
	atf_check -s exit:1 -o inline:'./customers/c.conf:1: customer c: address 192.0.2.10: customer a has it in ./customers/a.conf:1\n' \
	    "$(atf_get_srcdir)/confread" a.conf
}

atf_test_case spools
spools_head()
{
	atf_set descr "by whatever path: a spool is one, and apart from others"
}
spools_body()
{
	pwd=$(pwd -P)
	mkdir -p a/in b state
	ln -s a link
	: >file
	chmod 700 a
	try()
	{
		printf '%s %s\n' "$head" "$1" >try.conf
		confread try.conf | sed "s,$pwd/,,g" >said
		[ "$(cat said)" = "${2:-}" ] || fail_with said "$1"
	}
	try "spool \"$pwd/a\" spool \"$pwd/b\""
	try "spool \"$pwd/a/\" customer c { relay ::1 spool \"$pwd/a///\" }"
	try "spool \"$pwd/a\" spool \"$pwd/link\"" \
	    'try.conf:1: spool "link": given already in try.conf:1'
	try "spool \"$pwd/a\" spool \"$pwd/a/in\"" \
	    'try.conf:1: spool "a/in": the spool of try.conf:1 and this: one is within the other'
	try "spool \"$pwd/link/in\" spool \"$pwd/a\"" \
	    'try.conf:1: spool "a": the spool of try.conf:1 and this: one is within the other'
	try "spool \"$pwd/file\"" 'try.conf:1: spool "file": not a directory'
	try "spool \"$pwd/a\" state \"$pwd/state\""
	try "spool \"$pwd/a\" state \"$pwd/link/state\""  \
	    'try.conf:1: spool "a": the state directory "link/state" and this: one is within the other'
	try "spool \"$pwd/a\" state \"$pwd/a\""  \
	    'try.conf:1: spool "a": the state directory "a" and this: one is within the other'
}

atf_test_case programs
programs_head()
{
	atf_set descr "what takes reports must be a program"
}
programs_body()
{
	pwd=$(pwd -P)
	: >off
	chmod 644 off
	mkdir dir
	for pair in 'off:Permission denied' 'dir:Is a directory' \
	    'none:No such file or directory'; do
		for kind in sendmail qmail; do
			echo "hostname h spool \"/usr\" reports by $kind" \
			    "\"$pwd/${pair%%:*}\"" >a.conf
			atf_check -s exit:1 -o inline:"a.conf:1: reports: \"$pwd/${pair%%:*}\": ${pair#*:}\n" \
			    "$(atf_get_srcdir)/confread" a.conf
		done
	done
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
}

atf_test_case unreadable
unreadable_head()
{
	atf_set require.user unprivileged
}
unreadable_body()
{
	mkdir closed closed/spool
	echo "$head spool \"$(pwd -P)/closed/spool\"" >a.conf
	chmod 0 closed
	atf_check -s exit:1 -o match:'closed/spool": Permission denied$' \
	    "$(atf_get_srcdir)/confread" a.conf
	chmod 700 closed
	chmod 0 a.conf
	atf_check -s exit:1 -o inline:'a.conf: Permission denied\n' \
	    "$(atf_get_srcdir)/confread" a.conf
}

# An example of the manual: what is not a whole file is put into the block
# that its section is about; the names of a site become what every host has.
example_make()
{
	awk -v section="${1##*.}" -v head="$head" '
	{ text = text "\n" $0 }
	END {
		if (section == "SPOOLS" && text !~ /^\nspool/)
			text = "\nspool \"/usr\" {" text "\n}"
		if (section == "CUSTOMERS" && text !~ /^\ncustomer/)
			text = "\ncustomer example { " text \
			    (text ~ /\nrelay/ ? "" : " relay ::1") "\n}"
		if (text !~ /\nhostname/)
			text = text "\nhostname mail.example.org"
		if (text !~ /\nreports/)
			text = text "\nreports by sendmail \"/bin/cat\""
		if (section == "CUSTOMERS" || text !~ /\nspool/)
			text = text "\nspool \"/var/qmail/autoturn\""
		print text
	}' "$1" |
	sed -e 's,"/var/qmail/autoturn","/usr",;s,"/var/spool/autoturn","/usr",' \
	    -e 's,"/var/qmail/bin/[a-z0-9-]*","/bin/cat",' \
	    -e 's,user qmaild,user nobody,;s,group nofiles,group daemon,' \
	    -e 's,user vmail,user nobody group daemon,' \
	    -e 's,"/var/run,"/tmp,;s,group operator,group daemon,' \
	    -e "s,/etc/autoturnd.d,$(pwd -P)/autoturnd.d,"
}

atf_test_case manual
manual_head()
{
	atf_set descr "each example of autoturnd.conf(5) is a good file"
}
manual_body()
{
	mkdir autoturnd.d
	awk -f "$SOURCE/regress/tools/manual_examples.awk" \
	    "$SOURCE/share/man/man5/autoturnd.conf.5"
	set -- example.*
	[ $# -ge 35 ] || atf_fail "only $# examples"
	for example; do
		example_make "$example" >example.conf
		confread example.conf >said || {
			cat example.conf
			fail_with said "$example"
		}
		stable example.conf
	done
	# Every directive has one.
	for word in include 'control socket' 'restricted control' events \
	    hostname postmaster 'reports by' state 'log facility' \
	    'log format' protocol port helo window hops messages lifetime \
	    'warn after' interval retry spool addresses concurrency scan \
	    watches customer address domain prefix maildir relay; do
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
	sed -e 's,@RUNDIR@,/tmp,;s,"/var/qmail/autoturn","/usr",' \
	    "$SOURCE/etc/examples/autoturnd.conf" >a.conf
	echo "$head" >>a.conf
	stable a.conf
	# With what is commented out as well.
	mkdir autoturnd.d
	sed -e 's/^#\([a-z	}]\)/\1/' -e 's,group operator,group daemon,' \
	    -e "s,@SYSCONFDIR@,$(pwd -P)," a.conf |
	    grep -v '^	autoturnd -n' >b.conf
	stable b.conf
	grep -q '^customer acme' once || fail_with once "no customer"
}

atf_init_test_cases()
{
	atf_add_test_case good
	atf_add_test_case bad
	atf_add_test_case values
	atf_add_test_case delivery
	atf_add_test_case inherit
	atf_add_test_case limits
	atf_add_test_case many
	atf_add_test_case defaults
	atf_add_test_case host
	atf_add_test_case macros
	atf_add_test_case include
	atf_add_test_case spools
	atf_add_test_case programs
	atf_add_test_case files
	atf_add_test_case unreadable
	atf_add_test_case manual
	atf_add_test_case installed
}
