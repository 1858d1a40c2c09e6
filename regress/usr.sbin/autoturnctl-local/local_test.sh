# autoturnctl import, add and check, on the files of a qmail site of its own
# in ./q; its users exist on every host.

ctl=${STAGE:?}/sbin/autoturnctl

fail_with()
{
	cat "$1"
	atf_fail "$2"
}

# Root's spool is nobody's, an ordinary user's his own.
names_find()
{
	q=$(pwd -P)/q
	user=$(id -un)
	[ "$(id -u)" -ne 0 ] || user=nobody
	uid=$(id -u "$user")
	gid=$(id -g "$user")
}

give()
{
	[ "$(id -u)" -ne 0 ] || chown -R "$user" "$@"
}

# maildir NAME
maildir()
{
	mkdir -p "q/autoturn/$1/new" "q/autoturn/$1/cur" "q/autoturn/$1/tmp"
	chmod -R 700 "q/autoturn/$1"
	give "q/autoturn/$1"
}

# message CUSTOMER NAME RECIPIENT
message()
{
	printf 'Return-Path: <a@b.example>\nDelivered-To: %s\nSubject: x\n\nx\n' \
	    "$3" >"q/autoturn/$1/new/$2"
	give "q/autoturn/$1/new/$2"
}

# A site without a slip: two customers by address, one by name.
site_make()
{
	names_find
	mkdir -p q/users q/control q/bin q/autoturn
	chmod 755 q/autoturn
	printf '+autoturn-:%s:%s:%s:%s:-::\n.\n' "$user" "$uid" "$gid" \
	    "$q/autoturn" >q/users/assign
	: >q/users/cdb
	printf '#!/bin/sh\n' >q/bin/qmail-queue
	chmod 755 q/bin/qmail-queue
	echo mail.example.org >q/control/me
	echo local.example >q/control/locals
	printf 'one.example\n.two.example\nacme.example\nwww.acme.example\n' \
	    >q/control/rcpthosts
	printf '%s\n' one.example:autoturn-192.0.2.7 \
	    a.two.example:autoturn-2001:db8::7 \
	    acme.example:autoturn-acme www.acme.example:autoturn-acme \
	    other.example:other >q/control/virtualdomains
	for name in 192.0.2.7 2001:db8::7 acme; do
		maildir $name
		message $name 1.a.b "autoturn-$name-x@y.example"
	done
	echo ./192.0.2.7/ >q/autoturn/.qmail-192:0:2:7-default
	echo ./2001:db8::7/ >q/autoturn/.qmail-2001:db8::7-default
	echo ./acme/ >q/autoturn/.qmail-acme-default
	chmod 644 q/autoturn/.qmail*
	cat >at.conf <<END
hostname mail.example.org
reports by qmail "$q/bin/qmail-queue"
state "$q/state"
spool "$q/autoturn" user $user group $(slip_group)
customer acme {
	address 192.0.2.9
	domain acme.example, www.acme.example
}
END
}

# A group that is not root's, whoever we are.
slip_group()
{
	[ "$gid" -ne 0 ] && echo "$gid" || echo daemon
}

check()
{
	"$ctl" -f at.conf -q "$q" check "$@"
}

# quiet [NAME]: there is nothing to say
quiet()
{
	check "$@" >said 2>&1 || fail_with said "said"
	[ ! -s said ] || fail_with said "said, and 0"
}

# slip WANTED: exactly this is said, in a line, of the site as it is now
slip()
{
	status=0
	check >said 2>&1 || status=$?
	[ $status -eq 1 ] || fail_with said "exit status $status: $1"
	sed "s,$q/,,g" said >short
	grep -qxF -- "$1" short || fail_with short "not said: $1"
	[ "$(grep -c . short)" -eq "${2:-1}" ] ||
	    fail_with short "more than: $1"
	rm -rf q
	site_make
}

atf_test_case good
good_head()
{
	atf_set descr "where nothing is wrong nothing is said"
}
good_body()
{
	site_make
	quiet
	for name in acme 192.0.2.7 2001:db8::7; do
		quiet $name
	done
	# The lock as setlock(1) makes it, files that are no mail.
	: >q/autoturn/acme/seriallock
	: >q/autoturn/acme/new/.hidden
	chmod 600 q/autoturn/acme/seriallock
	give q/autoturn/acme
	mkdir q/autoturn/lost+found
	quiet
	# No qmail: what is not there can't be wrong.
	rm -r q/users q/control
	atf_check "$ctl" -f at.conf check
}

atf_test_case maildirs
maildirs_head()
{
	atf_set descr "slips of Maildirs and their modes"
}
maildirs_body()
{
	site_make
	rm -r q/autoturn/acme
	slip "autoturn/acme: Maildir of customer acme: No such file or directory: maildirmake it as $user"
	rm -r q/autoturn/acme
	echo file >q/autoturn/acme
	slip "autoturn/acme: Maildir of customer acme: Not a directory"
	for part in new cur tmp; do
		rm -r q/autoturn/192.0.2.7/$part
		slip "autoturn/192.0.2.7/$part: not there, or no directory: a Maildir has new, cur and tmp: install -d -o $user -m 700 autoturn/192.0.2.7/$part"
		chmod 770 q/autoturn/acme/$part
		slip "autoturn/acme/$part: mode 0770: others can write there: chmod go-w autoturn/acme/$part"
	done
	chmod 702 q/autoturn/acme
	slip "autoturn/acme: mode 0702: others can write there: chmod go-w autoturn/acme"
	chmod 500 q/autoturn/acme/tmp
	slip "autoturn/acme/tmp: mode 0500: $user himself can't do all there: chmod u+rwx autoturn/acme/tmp"
	chmod 1755 q/autoturn
	slip "autoturn: mode 1755: while its sticky bit is set, qmail puts all mail off: chmod -t autoturn"
	chmod 777 q/autoturn
	slip "autoturn: mode 0777: others can put Maildirs there: chmod go-w autoturn"
	mkdir q/autoturn/acme/seriallock
	slip "autoturn/acme/seriallock: no regular file: nobody gets this lock: remove it"
	: >q/autoturn/acme/seriallock
	chmod 400 q/autoturn/acme/seriallock
	give q/autoturn/acme/seriallock
	slip "autoturn/acme/seriallock: mode 0400: $user can't open it, so no run gets the lock: chmod 600 autoturn/acme/seriallock"
}

atf_test_case owners
owners_head()
{
	atf_set descr "slips of owners"
	atf_set require.user root
}
owners_body()
{
	site_make
	chown daemon q/autoturn/acme
	slip "autoturn/acme: belongs to daemon, not to nobody: chown nobody autoturn/acme"
	chown daemon q/autoturn/acme/cur
	slip "autoturn/acme/cur: belongs to daemon, not to nobody: chown nobody autoturn/acme/cur"
	chown daemon q/autoturn
	slip "autoturn: belongs to daemon, who can put other Maildirs there: chown root autoturn"
	: >q/autoturn/acme/seriallock
	slip "autoturn/acme/seriallock: belongs to root: nobody can't open it, so no run gets the lock: chown nobody autoturn/acme/seriallock"
	chown root q/autoturn/acme/new/1.a.b
	chmod 600 q/autoturn/acme/new/1.a.b
	slip "autoturn/acme/new/1.a.b: belongs to another user, who alone may read it"
	chmod 640 q/autoturn/.qmail-acme-default
	slip "autoturn/.qmail-acme-default: mode 0640: nobody can't read it: chmod a+r autoturn/.qmail-acme-default"
	# Without a user in the file it is the Maildirs' own.
	sed 's/ user .*//' at.conf >no-user.conf
	cp no-user.conf at.conf
	quiet
	chown daemon q/autoturn/acme
	check >said 2>&1
	atf_check -o inline:"$q/autoturn: its Maildirs have several owners: say user in at.conf\n" cat said
	chown root q/autoturn/*
	check >said 2>&1
	atf_check -o inline:"$q/autoturn: its Maildirs are root's: say user in at.conf\n" cat said
}

atf_test_case heads
heads_head()
{
	atf_set descr "messages that no rule will send"
}
heads_body()
{
	site_make
	message acme 2.a.b autoturn-acm-x@y.example
	slip "autoturn/acme/new/2.a.b: its recipient does not begin with autoturn-acme-: no rule will send it"
	message 192.0.2.7 2.a.b autoturn-192.0.2.8-x@y.example
	slip "autoturn/192.0.2.7/new/2.a.b: its recipient does not begin with autoturn-192.0.2.7-: no rule will send it"
	echo 'Subject: x' >q/autoturn/acme/cur/3.a.b
	give q/autoturn/acme/cur/3.a.b
	check >said 2>&1
	atf_check -o match:'^.*/autoturn/acme/cur/3.a.b: .+$' cat said
	rm q/autoturn/acme/cur/3.a.b
	ln -s nowhere q/autoturn/acme/new/4.a.b
	check >said 2>&1
	atf_check -o match:'^.*/autoturn/acme/new/4.a.b: .+$' cat said
	rm q/autoturn/acme/new/4.a.b
	# Of many the first are named, and how many more there are.
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do
		message acme $i.x.y x@y.example
	done
	slip "autoturn/acme: 3 more such messages" 11
}

atf_test_case qmail_files
qmail_files_head()
{
	atf_set descr "slips of .qmail files"
}
qmail_files_body()
{
	site_make
	f=autoturn/.qmail-acme-default
	rm q/$f
	slip "$f: is missing: echo ./acme/ >$f"
	echo ./acme >q/$f
	slip "$f: \"./acme\" has no final slash, so that qmail takes it for an mbox: echo ./acme/ >$f"
	echo ./192.0.2.7/ >q/$f
	slip "$f: \"./192.0.2.7/\" is not the Maildir of customer acme: echo ./acme/ >$f"
	echo "$q/autoturn/acme/" >q/$f
	quiet
	echo "# ./acme/" >q/$f
	slip "$f: has no line that delivers: echo ./acme/ >$f"
	echo '|cat' >q/$f
	slip "$f: delivers by a program or an address, not to ./acme/"
	echo '&a@b.example' >q/$f
	slip "$f: delivers by a program or an address, not to ./acme/"
	printf '# his mail\n&a@b.example\n./acme/\n' >q/$f
	quiet
	chmod 664 q/$f
	slip "$f: mode 0664: others can write it: chmod go-w $f"
	g=autoturn/.qmail-192:0:2:7-default
	mv q/$g q/autoturn/.qmail-192.0.2.7-default
	slip "autoturn/.qmail-192.0.2.7-default: qmail looks for .qmail-192:0:2:7-default, with colons for dots: mv autoturn/.qmail-192.0.2.7-default $g"
	# The file systems that know no letters' case can't tell.
	maildir Beta
	echo 'customer Beta { address 192.0.2.10 domain one.example }' >>at.conf
	echo 'one.example:autoturn-Beta' >q/control/virtualdomains
	echo ./Beta/ >q/autoturn/.qmail-Beta-default
	if [ ! -e q/autoturn/.qmail-beta-default ]; then
		check Beta >said 2>&1
		atf_check -o inline:"$q/autoturn/.qmail-Beta-default: qmail looks for .qmail-beta-default, with small letters: mv $q/autoturn/.qmail-Beta-default $q/autoturn/.qmail-beta-default\n" \
		    cat said
	fi
}

atf_test_case assign
assign_head()
{
	atf_set descr "slips of users/assign"
}
assign_body()
{
	site_make
	touch -t 202001010000 q/users/cdb
	slip "users/cdb: older than users/assign: $(echo bin/qmail-newu)"
	rm q/users/cdb
	slip "users/cdb: older than users/assign: bin/qmail-newu"
	sed '$d' q/users/assign >x && mv x q/users/assign
	touch q/users/cdb
	slip "users/assign: does not end in a line with a dot: qmail-newu will refuse it"
	sed 's/::$/:/' q/users/assign >x && mv x q/users/assign
	touch q/users/cdb
	check >said 2>&1
	atf_check -o match:'users/assign:1: not a line of qmail-users\(5\): qmail-newu will refuse it$' \
	    -o match:"users/assign: customer acme: no line is for autoturn-acme-...: .autoturn-:$user:$uid:" \
	    cat said
	rm -r q && site_make
	sed "s,$q/autoturn,/nonexistent," q/users/assign >x &&
	    mv x q/users/assign
	touch q/users/cdb
	slip "users/assign:1: customer acme: mail for autoturn-acme-... goes to /nonexistent, not to $(echo autoturn)" 3 ||
	    atf_fail "home"
	sed "s/:$uid:$gid:/:1999999999:$gid:/" q/users/assign >x &&
	    mv x q/users/assign
	touch q/users/cdb
	slip "users/assign:1: customer acme: delivers as uid 1999999999, but $user is $uid" 3
	# The longest that fits counts.
	printf '+:alias:1:1:/:-::\n+autoturn-acme-:%s:%s:%s:%s:-:acme-:\n' \
	    "$user" "$uid" "$gid" "$q/autoturn" >x
	cat q/users/assign >>x && mv x q/users/assign
	touch q/users/cdb
	quiet
}

atf_test_case domains
domains_head()
{
	atf_set descr "slips of virtualdomains, locals and rcpthosts"
}
domains_body()
{
	site_make
	v=control/virtualdomains
	edit()
	{
		sed "$1" "q/$v" >x && mv x "q/$v"
	}
	edit '/^acme/d'
	slip "$v: customer acme: no line for his domain: acme.example:autoturn-acme"
	edit 's/^acme.*/&-/'
	slip "$v:3: customer acme: acme.example makes recipients that begin with autoturn-acme--, not with autoturn-acme-: acme.example:autoturn-acme"
	edit 's/^acme.*/acme.example:autoturn-192.0.2.7/'
	slip "$v:3: customer acme: acme.example makes recipients that begin with autoturn-192.0.2.7-, not with autoturn-acme-: acme.example:autoturn-acme"
	edit '/^one/d'
	slip "$v: customer 192.0.2.7: no line leads to autoturn-192.0.2.7"
	# A wildcard is as good.
	edit 's/^www.acme/.acme/'
	quiet
	echo acme.example >>q/control/locals
	slip "control/locals: customer acme: has acme.example, so that virtualdomains is not asked for it: take it out"
	sed '/^www/d' q/control/rcpthosts >x && mv x q/control/rcpthosts
	slip "control/rcpthosts: customer acme: www.acme.example is not there, so that qmail-smtpd refuses its mail: add it"
	sed '/^www/d' q/control/rcpthosts >x && mv x q/control/rcpthosts
	echo www.acme.example >q/control/morercpthosts
	quiet
	sed 's/domain acme/prefix acme domain acme/' at.conf >x && mv x at.conf
	check acme >said 2>&1
	atf_check -o match:'^customer acme: prefix "acme" does not end in a dash, which virtualdomains always puts there$' \
	    cat said
}

atf_test_case strangers
strangers_head()
{
	atf_set descr "Maildirs that are nobody's"
}
strangers_body()
{
	site_make
	maildir nobodys
	slip "autoturn/nobodys: a Maildir that no customer has"
	maildir 2001:DB8::8
	if [ ! -e q/autoturn/2001:db8::8 ]; then
		slip "autoturn/2001:DB8::8: is no customer: his address is written 2001:db8::8: rename it"
	fi
	rm -rf q
	site_make
	sed 's/^spool.*/& { addresses off }/' at.conf >x && mv x at.conf
	check >said 2>&1
	atf_check -o inline:"$q/autoturn/192.0.2.7: is no customer: the spool has \"addresses off\"
$q/autoturn/2001:db8::7: is no customer: the spool has \"addresses off\"\n" \
	    cat said
}

atf_test_case errors
errors_head()
{
	atf_set descr "what can't be looked at"
}
errors_body()
{
	site_make
	atf_check -s exit:1 \
	    -e inline:"autoturnctl: add, check and import have no -j\n" \
	    "$ctl" -j -f at.conf check
	atf_check -s exit:2 -e inline:"nobody: no such customer\n" \
	    "$ctl" -f at.conf -q q check nobody
	atf_check -s exit:2 -e inline:"none: No such file or directory\n" \
	    "$ctl" -f none check
	atf_check -s exit:2 -e inline:"./none: no directory of qmail\n" \
	    "$ctl" -f at.conf -q ./none check
	atf_check -s exit:1 -e inline:"./none: no directory of qmail\n" \
	    "$ctl" -f at.conf -q ./none add x 192.0.2.1 x.example
	atf_check -s exit:2 -e inline:"none: No such file or directory\n" \
	    "$ctl" import none
	atf_check -s exit:2 -e inline:"q: there is no Maildir in it\n" \
	    "$ctl" import q
}

atf_test_case add
add_head()
{
	atf_set descr "with what add prints done, check has nothing to say"
}
add_body()
{
	site_make
	atf_check -o save:printed "$ctl" -f at.conf -q "$q" add gamma \
	    192.0.2.11 gamma.example
	cat >wanted <<END
# made: $q/autoturn/gamma, $user:$(id -gn "$user"), mode 0700

# DNS:
gamma.example.	IN	MX	10 mail.example.org.

# $q/autoturn/.qmail-gamma-default:
./gamma/
# by:
#	echo ./gamma/ >$q/autoturn/.qmail-gamma-default

# $q/control/virtualdomains, then: pkill -HUP -x qmail-send
gamma.example:autoturn-gamma

# $q/control/rcpthosts:
gamma.example

# at.conf, then: autoturnctl reload
customer gamma {
	address 192.0.2.11
	domain gamma.example
}
END
	sed '1s/:[^:]*, mode/:GROUP, mode/' wanted >w
	sed '1s/:[^:]*, mode/:GROUP, mode/' printed >p
	diff -u w p || atf_fail "printed otherwise"
	for part in . new cur tmp; do
		atf_check -o match:'^drwx------' \
		    ls -ld "q/autoturn/gamma/$part"
		[ "$(stat_user "q/autoturn/gamma/$part")" = "$uid" ] ||
		    atf_fail "owner of $part"
	done
	printed_do gamma
	quiet
	# An address as a name: colons for dots.
	atf_check -o save:printed "$ctl" -f at.conf -q "$q" add 192.0.2.12 \
	    192.0.2.12 delta.example
	printed_do 192.0.2.12
	[ -f q/autoturn/.qmail-192:0:2:12-default ] || atf_fail "colons"
	quiet
}

stat_user()
{
	# shellcheck disable=SC2012
	ls -ldn "$1" | awk '{ print $3 }'
}

# What is printed, done: names of files stand in comments before their lines.
printed_do()
{
	sed -n 's/^#	\(echo .*\)/\1/p' printed >do.sh
	sh -eu do.sh
	awk -v q="$q/" '
	/^# / { file = index($2, q) == 1 || $2 ~ /^at.conf/ ? $2 : "" }
	/^#/ || /^$/ { next }
	file ~ /control/ { sub(/[:,]$/, "", file); print >>file }
	file ~ /^at.conf/ { print >>"at.conf" }
	' printed
}

atf_test_case add_first
add_first_head()
{
	atf_set descr "the first customer of a site: the line of users/assign"
}
add_first_body()
{
	site_make
	rm -r q/autoturn/* q/autoturn/.qmail*
	: >q/control/virtualdomains
	echo . >q/users/assign
	sed '/^customer/,$d' at.conf >x && mv x at.conf
	atf_check -o save:printed "$ctl" -f at.conf -q "$q" add acme \
	    2001:db8::9 acme.example
	# in the spool's group
	line="+autoturn-:$user:$uid:$(sed -n 's/^+autoturn-:[^:]*:[^:]*:\([0-9]*\):.*/\1/p' printed):$q/autoturn:-::"
	grep -qxF "$line" printed || fail_with printed "no line for assign"
	atf_check -o match:"^# $q/users/assign, before the line with the dot:$" \
	    -o match:"^#	$q/bin/qmail-newu$" cat printed
	{ echo "$line"; echo .; } >q/users/assign
	touch q/users/cdb
	printed_do
	quiet
	rm -r q/autoturn/acme
	: >q/users/append
	echo . >q/users/assign
	sed '/^customer/,$d' at.conf >x && mv x at.conf
	atf_check -o match:"^# $q/users/append:$" \
	    -o match:"^#	$q/bin/qmail-pw2u </etc/passwd >$q/users/assign &&$" \
	    "$ctl" -f at.conf -q "$q" add acme 2001:db8::9 acme.example
}

atf_test_case add_refused
add_refused_head()
{
	atf_set descr "nothing is made where something is wrong"
}
add_refused_body()
{
	site_make
	ls -laR q >before
	try()
	{
		wanted=$1
		shift
		atf_check -s exit:1 -e inline:"$wanted\n" \
		    "$ctl" -f at.conf -q "$q" add "$@"
	}
	try 'a/b: a name is 1 to 63 letters, digits, "-", "_", ".", the first a letter or digit, or an address' \
	    a/b 192.0.2.20 x.example
	try '2001:DB8::1: an address as a name is written in its shortest form' \
	    2001:DB8::1 192.0.2.20 x.example
	try '192.0.2.300: not an address' x 192.0.2.300 x.example
	try '192.0.2.0/24: a network: give the one address where his mail goes' \
	    x 192.0.2.0/24 x.example
	try 'x_y: not a domain' x 192.0.2.20 x_y
	try 'acme: customer acme has that name, see at.conf:5' \
	    acme 192.0.2.20 x.example
	try 'x: customer acme has that address, see at.conf:5' \
	    x 192.0.2.9 x.example
	try 'x: customer acme has that domain, see at.conf:5' \
	    x 192.0.2.20 ACME.example
	try 'at.conf: has no spool "/nonexistent"' \
	    x 192.0.2.20 x.example /nonexistent
	mkdir q/autoturn/there
	try "$q/autoturn/there: File exists" there 192.0.2.20 x.example
	rmdir q/autoturn/there
	mkdir b
	echo "spool \"$(pwd -P)/b\" user $user group $(slip_group)" >>at.conf
	sed 's/address 192/spool "'"$(echo "$q" | sed 's,/,\\/,g')"'\/autoturn" &/' \
	    at.conf >x && mv x at.conf
	try 'at.conf: has several spools: say which' x 192.0.2.20 x.example
	touch before
	[ -z "$(ls b)" ] || atf_fail "made"
	atf_check -o match:'spool ".*/b"' "$ctl" -f at.conf -q "$q" add x \
	    192.0.2.20 x.example "$(pwd -P)/b"
	[ -d b/x/new ] || atf_fail "not made"
}

atf_test_case import
import_head()
{
	atf_set descr "a configuration for a classic spool, and what is missing"
}
import_body()
{
	site_make
	rm -r q/autoturn/acme q/autoturn/.qmail-acme-default
	sed '/acme/d' q/control/virtualdomains >x && mv x q/control/virtualdomains
	maildir 192.0.2.8
	atf_check -s exit:1 -o save:got \
	    -e inline:"$q/autoturn/192.0.2.8: qmail delivers no mail there\n" \
	    "$ctl" -q "$q" import "$q/autoturn/"
	cat >wanted <<END
# $q/autoturn, as autoturnctl import found it
hostname mail.example.org
reports by qmail "$q/bin/qmail-queue"
spool "$q/autoturn" user $user

customer 192.0.2.7 {
	address 192.0.2.7
	domain one.example
}

# 192.0.2.8: a customer, by its name

customer 2001:db8::7 {
	address 2001:db8::7
	domain a.two.example
}
END
	diff -u wanted got || atf_fail "otherwise"
	# With a whole site there is nothing to say, and check agrees.
	rm -r q/autoturn/192.0.2.8
	atf_check -o save:got "$ctl" -q "$q" import "$q/autoturn"
	sed "s/^spool.*/& group $(slip_group)/" got >at.conf
	quiet
}

atf_test_case import_more
import_more_head()
{
	atf_set descr "names, other prefixes, and all that has no counterpart"
}
import_more_body()
{
	site_make
	echo bounces >q/control/bouncefrom
	echo double >q/control/doublebounceto
	echo bounce.example >q/control/doublebouncehost
	# A Maildir with a name, whose prefix tells the address.
	maildir beta
	echo ./beta/ >q/autoturn/.qmail-192:0:2:20-default
	# One that another MTA's habit has named.
	maildir 2001:DB8::21
	echo ./2001:DB8::21/ >q/autoturn/.qmail-x21-default
	# Two ways into one Maildir, one not a domain, one by a program.
	printf '%s\n' beta.example:autoturn-192.0.2.20 \
	    x21.example:autoturn-x21 second.example:autoturn-second \
	    .wild.example:autoturn-192.0.2.7 prog.example:autoturn-prog \
	    mbox.example:autoturn-mbox none.example:autoturn-none \
	    >>q/control/virtualdomains
	echo ./192.0.2.7/ >q/autoturn/.qmail-second-default
	echo '|true' >q/autoturn/.qmail-prog-default
	echo ./acme >q/autoturn/.qmail-mbox-default
	echo ./acme/ >q/autoturn/.qmail-unused
	printf './2001:db8::7/\n&copy@two.example\n' \
	    >q/autoturn/.qmail-2001:db8::7-default
	rm -r q/autoturn/2001:db8::7/tmp
	maildir 'not a name'
	"$ctl" -q "$q" import "$q/autoturn" >got 2>said
	[ $? -eq 1 ] || atf_fail "exit status"
	grep -v '^$' got | sed "s,$q/,,g" >short
	cat >wanted <<END
# autoturn, as autoturnctl import found it
hostname mail.example.org
postmaster "double@bounce.example"
reports by qmail "bin/qmail-queue"
spool "autoturn" user $user
customer 192.0.2.7 {
	address 192.0.2.7
	domain one.example
}
customer 2001:db8::21 {
	address 2001:db8::21
	domain x21.example
	prefix "autoturn-x21-"
	maildir "2001:DB8::21"
}
customer 2001:db8::7 {
	address 2001:db8::7
	domain a.two.example
}
# customer acme {
#	address ...
#	domain acme.example
#	domain www.acme.example
#	prefix "autoturn-acme-"
# }
customer beta {
	address 192.0.2.20
	domain beta.example
	prefix "autoturn-192.0.2.20-"
}
END
	diff -u wanted short || fail_with said "otherwise"
	sed "s,$q/,,g" said | sort >short
	sort >wanted <<END
autoturn/.qmail-2001:db8::7-default: other deliveries, 1, stay qmail's
autoturn/.qmail-mbox-default: "./acme" has no final slash: qmail delivers to an mbox, not to a Maildir
autoturn/.qmail-none-default: No such file or directory: mail for none.example is not delivered
autoturn/.qmail-prog-default: mail for prog.example does not go to a Maildir of $q/autoturn
autoturn/.qmail-unused: no virtual domain leads to it
autoturn/2001:db8::7: a Maildir without tmp
autoturn/acme: its customer's address is not known: complete his block
autoturn/not a name: not a name: a name is 1 to 63 letters, digits, "-", "_", ".", the first a letter or digit, or an address
autoturn/not a name: qmail delivers no mail there
control/bouncefrom: "bounces": reports are from MAILER-DAEMON at the hostname
control/virtualdomains:8: second.example: its mail is in "192.0.2.7" too, but begins with autoturn-second-, not with autoturn-192.0.2.7-: it would not be sent
control/virtualdomains:9: ".wild.example" is no domain to name: its mail is sent all the same
control/virtualdomains:11: mbox.example: its mail is in "acme" too, but begins with autoturn-mbox-, not with autoturn-acme-: it would not be sent
END
	sed "s,of autoturn$,of $q/autoturn," short >x && mv x short
	diff -u wanted short || atf_fail "said otherwise"
}

atf_init_test_cases()
{
	atf_add_test_case good
	atf_add_test_case maildirs
	atf_add_test_case owners
	atf_add_test_case heads
	atf_add_test_case qmail_files
	atf_add_test_case assign
	atf_add_test_case domains
	atf_add_test_case strangers
	atf_add_test_case errors
	atf_add_test_case add
	atf_add_test_case add_first
	atf_add_test_case add_refused
	atf_add_test_case import
	atf_add_test_case import_more
}
