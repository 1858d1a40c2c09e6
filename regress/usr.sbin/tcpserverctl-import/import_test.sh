# What import makes of files/*: printed as their .out files say, told as
# their .err files say, and every output is a configuration that the daemon
# accepts.  Run with UPDATE=yes by hand it writes these anew.

data=${SOURCE:?}/regress/usr.sbin/tcpserverctl-import

importread()
{
	"$(atf_get_srcdir)/importread" "$@"
}

accepted()
{
	"$(atf_get_srcdir)/../tcpserverd-conf/confread" "$1" >refused ||
	    { cat "$1" refused; atf_fail "the daemon refuses it"; }
}

# one TEXT: a script; out and err are what comes of it
one()
{
	printf '%s\n' "$1" >script
	status=0
	importread script >out 2>err || status=$?
	[ $status -eq 2 ] || accepted out
}

has()
{
	grep -qxF "$1" out || { cat out err; atf_fail "no line \"$1\""; }
}

tells()
{
	grep -qxF "script:$1" err || { cat err; atf_fail "untold: \"$1\""; }
}

atf_test_case files
files_head()
{
	atf_set descr "scripts and tables as people have them"
}
files_body()
{
	cp -R "$data/files" .
	cd files || atf_fail "no copy"
	for out in *.out; do
		name=${out%.out}
		status=0
		importread "$name" >../out 2>../err || status=$?
		accepted ../out
		# What a resolver says depends on the host.
		sed 's/^\(.*\.invalid"\): .*/\1: why/' ../err >../told
		if [ -n "${UPDATE:-}" ]; then
			cp ../out "$data/files/$out"
			cp ../told "$data/files/$name.err"
		fi
		diff -u "$out" ../out || atf_fail "$name: otherwise"
		diff -u "$name.err" ../told || atf_fail "$name: said otherwise"
		wanted=1
		[ -s ../told ] || wanted=0
		[ $status -eq $wanted ] || atf_fail "$name: status $status"
	done
}

atf_test_case none
none_head()
{
	atf_set descr "a file with no service in it, or none at all"
}
none_body()
{
	import=$(atf_get_srcdir)/importread
	atf_check -s exit:2 -e inline:'none: No such file or directory\n' \
	    "$import" none
	atf_check -s exit:2 -e inline:'/: not a text file, or too large\n' \
	    "$import" /
	printf 'tcpserver 0 1 \0cat\n' >binary
	atf_check -s exit:2 -e inline:'binary: not a text file, or too large\n' \
	    "$import" binary
	mkfifo fifo
	atf_check -s exit:2 -e match:'not a text file' "$import" fifo
	for text in '' 'echo tcpserver 0 1' 'killall tcpserver' \
	    '[ -x /usr/bin/tcpserver ]' "echo 'tcpserver 0 1 cat'" \
	    '# tcpserver 0 1 cat' 'if tcpserver; then' '"' "'" '`' '$(' '${' \
	    '<<' '>' '|||' '\' '((((' 'cat <<E'; do
		one "$text"
		[ $status -eq 2 ] || atf_fail "$text: $status"
		atf_check -o match:'no tcpserver command and no line' cat err
	done
}

# What cannot be understood must not pass for something else.
atf_test_case words
words_body()
{
	one "tcpserver -HR 127.0.0.1 2001 cat 'a b' \"c \\\"d\\\$\" e\\ f \"\" g''h"
	has '	exec "cat" "a b" "c \"d$" "e f" "" "gh"'
	one 'a="x y"; tcpserver -HR 127.0.0.1 2001 cat $a "$a" ${a} z$a${b:-q}'
	has '	exec "cat" "x" "y" "x y" "x" "y" "zx" "yq"'
	one 'tcpserver -HR 127.0.0.1 2001 cat "$a"'
	tells '1: program: $a: its value is not known here'
	has '#	exec "cat" ""'
	one 'tcpserver -HR 127.0.0.1 2001 cat `date` $(date) "${a%x}"'
	tells '1: program: `date`: its value is not known here'
	tells '1: program: ${...}: its value is not known here'
	one 'tcpserver -HR 127.0.0.1 2001 cat "a
b"	c # comment'
	has '	exec "cat" "a\nb" "c"'
	one 'tcpserver -HR 127.0.0.1 2001 "cat
} service evil {" x'
	has '#	exec "cat\n} service evil {" "x"'
	one 'tcpserver -HR 127.0.0.1 "2001
} service evil {" cat'
	has '#	listen on 127.0.0.1 port "2001\n} service evil {"'
}

# Every option of tcpserver.
atf_test_case options
options_body()
{
	base='127.0.0.1 2001 cat'
	one "tcpserver $base"
	has '	lookup on'
	has '	ident on'
	one "tcpserver -h -r -t 7 $base"
	has '	ident on timeout 7'
	one "tcpserver -HRp -d $base"
	has '	lookup paranoid'
	one "tcpserver -pP -Hh $base"
	has '	lookup on'
	one "tcpserver -HRoD $base"
	has '	option ipoptions'
	has '	option nodelay'
	one "tcpserver -HRoODd $base"
	grep -q option out && atf_fail "option"
	for pair in v:verbose Q:brief q:brief; do
		one "tcpserver -HR${pair%:*} $base"
		has "	log ${pair#*:}"
	done
	one "tcpserver -HR -c 7 -b 9 -l l.example.org -B 'hi' $base"
	has '	sessions 7'
	has '	listen on 127.0.0.1 port 2001 backlog 9'
	has '	local name l.example.org'
	has '	banner "hi"'
	one "tcpserver -HR -u nobody -g daemon $base"
	has '	user nobody group daemon'
	one "tcpserver -HR -u 0 -g 0 $base"
	grep -q 'user\|group' out && atf_fail "0 is nobody in particular"
	one "tcpserver -HR -g daemon $base"
	has '	group daemon'
	one "envuidgid nobody tcpserver -HRU $base"
	has '	user nobody'
	one "tcpserver -1 $base"
	tells '1: -1: the daemon prints no port'
	echo '127.:allow' | "$STAGE/bin/tcprules" r.cdb r.tmp ||
	    atf_fail tcprules
	one "tcpserver -HR -x $(pwd -P)/r.cdb $base"
	has "	rules \"$(pwd -P)/r.cdb\""
	one "tcpserver -HRX -x $(pwd -P)/none.cdb $base"
	has "	rules \"$(pwd -P)/none.cdb\" optional"
	# Without its rules it would be open to everybody.
	one "tcpserver -HR -x $(pwd -P)/none.cdb $base"
	grep -q '^service' out && atf_fail "open to everybody"
	for host in 0:'* inet' '"":* inet' 0.0.0.0:'* inet'; do
		one "tcpserver -HR ${host%%:*} 2001 cat"
		has "	listen on ${host#*:} port 2001"
	done
	one 'tcpserver -HR :: 2001 cat'
	has '	listen on * port 2001'
	one 'tcpserver -HR6 0 2001 cat'
	has '	listen on * inet6 port 2001'
	one 'tcpserver -HR ::1 2001 cat'
	has '	listen on ::1 port 2001'
	one 'tcpserver -HR localhost 2001 cat'
	has '	listen on 127.0.0.1 port 2001'
	tells '1: host "localhost": a name, not an address: 127.0.0.1 now'
	# And as 0.88 reads them: to the first operand.
	one 'tcpserver -HRc5 -- 127.0.0.1 2001 cat -v -c 7'
	has '	sessions 5'
	has '	exec "cat" "-v" "-c" "7"'
}

# What the daemon sets for each connection it takes from nobody else.
atf_test_case environment
environment_body()
{
	base='tcpserver -HR 127.0.0.1 2001 cat'
	one "env -u A -u PROTO -u TCPREMOTEIP -u TCP6REMOTEIP $base"
	has '	environment unset A'
	grep -q 'unset [PT]' out && atf_fail "unset: $(cat out)"
	one "env A=1 PROTO=2 PROTOS=3 TCPLOCALIP=4 TCP6INTERFACE=5 $base"
	has '	environment set "A" "1"'
	has '	environment set "PROTOS" "3"'
	grep -q '"[245]"' out && atf_fail "set: $(cat out)"
	:
}

# Facilities by name and, splogger's, by number.
atf_test_case facilities
facilities_body()
{
	for pair in '1 user' '2 mail' '11 ftp' '16 local0' '23 local7' \
	    'news news' 'mail.info mail'; do
		one "tcpserver -HR 127.0.0.1 2001 cat 2>&1 |
		    splogger x ${pair% *}"
		has "	log facility ${pair#* }"
	done
	for none in 0 15 24 99 100 kern nosuch; do
		one "tcpserver -HR 127.0.0.1 2001 cat 2>&1 | splogger x $none"
		tells "1: log facility $none: there is none"
		grep -q 'facility' out && atf_fail "$none: $(cat out)"
	done
	:
}

# It ends, whatever refers to itself.
atf_test_case bounds
bounds_body()
{
	{
		echo "a=x"
		awk 'BEGIN { for (i = 0; i < 60; i++) print "a=$a$a" }'
		echo 'tcpserver -HR 127.0.0.1 2001 cat $a'
	} >doubles
	atf_check -s exit:2 -e match:'^doubles: out of memory$' \
	    "$(atf_get_srcdir)/importread" doubles
	awk 'BEGIN { for (i = 0; i < 20; i++) print ". ./self" }' >self
	atf_check -s exit:2 -e ignore "$(atf_get_srcdir)/importread" self
	one "tcpserver -HR 127.0.0.1 2001 cat $(awk 'BEGIN {
		for (i = 0; i < 5000; i++) printf "x" }')"
	tells '1: a word is longer than 4096 bytes'
	awk 'BEGIN { for (i = 0; i < 2000; i++)
		printf "tcpserver -HR 127.0.0.1 %d cat &\n", i + 1 }' >many
	importread many >out || atf_fail "many"
	accepted out
	atf_check -o inline:'2000\n' grep -c '^service' out
}

atf_init_test_cases()
{
	atf_add_test_case files
	atf_add_test_case none
	atf_add_test_case words
	atf_add_test_case options
	atf_add_test_case environment
	atf_add_test_case facilities
	atf_add_test_case bounds
}
