# tcprules as a user meets it.  What it makes of each form of rule is in
# lib/libaccess; how it compares with 0.88, case by case, in tcpserver's
# differential test.

PATH=${STAGE:?}/bin:$PATH

old_make()
{
	echo '1.2.3.4:deny' | tcprules rules.cdb rules.tmp ||
	    atf_fail "no old database"
	cp rules.cdb old.cdb
}

# The old database is intact, and in force.
old_check()
{
	atf_check cmp old.cdb rules.cdb
}

many_make()
{
	awk 'BEGIN {
		for (i = 0; i < 50000; i++)
			printf "10.%d.%d.:deny\n", i / 256, i % 256
	}'
}

atf_test_case usage
usage_body()
{
	usage='tcprules: usage: tcprules rules.cdb rules.tmp\n'
	atf_check -s exit:100 -e inline:"$usage" tcprules
	atf_check -s exit:100 -e inline:"$usage" tcprules rules.cdb
	echo ':deny' > rules
	atf_check tcprules rules.cdb rules.tmp surplus -x < rules
	# No options: these are names of files.
	atf_check tcprules -v -x < rules
	atf_check cmp rules.cdb ./-v
	atf_check test ! -e ./-x
}

atf_test_case syntax
syntax_body()
{
	old_make
	printf '1.1.1.1:deny\nbad:rule \t \n:allow\n' > rules
	atf_check -s exit:100 \
	    -e inline:'tcprules: fatal: unable to parse this line: bad:rule\n' \
	    tcprules rules.cdb rules.tmp < rules
	old_check
	atf_check test -f rules.tmp
	# Cut at NUL.
	printf 'a:b\0c' > rules
	atf_check -s exit:100 \
	    -e inline:'tcprules: fatal: unable to parse this line: a:b\n' \
	    tcprules rules.cdb rules.tmp < rules
	printf '2001:db8::/129:deny\n' > rules
	atf_check -s exit:100 -e match:'parse this line: 2001:db8::/129:deny$' \
	    tcprules rules.cdb rules.tmp < rules
	old_check
	# A good run uses the tmp that stayed behind.
	echo '1.2.3.4:deny' > rules
	atf_check tcprules rules.cdb rules.tmp < rules
	old_check
	atf_check test ! -e rules.tmp
}

atf_test_case files
files_body()
{
	old_make
	echo ':deny' > rules
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to create none/rules.tmp: file does not exist\n' \
	    tcprules rules.cdb none/rules.tmp < rules
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to move rules.tmp to none/rules.cdb: file does not exist\n' \
	    tcprules none/rules.cdb rules.tmp < rules
	atf_check test -f rules.tmp
	mkdir directory
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to move rules.tmp to directory: is a directory\n' \
	    tcprules directory rules.tmp < rules
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to read input: is a directory\n' \
	    tcprules rules.cdb rules.tmp < .
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to read input: file descriptor not open\n' \
	    sh -c 'tcprules rules.cdb rules.tmp <&-'
	old_check
}

atf_test_case modes
modes_body()
{
	for mask in 000 022 077; do
		(umask $mask; echo ':deny' | tcprules cdb.$mask tmp) ||
		    atf_fail "umask $mask"
	done
	atf_check -o inline:'-rw-r--r--\n' sh -c 'ls -l cdb.000 | cut -c1-10'
	atf_check -o inline:'-rw-r--r--\n' sh -c 'ls -l cdb.022 | cut -c1-10'
	atf_check -o inline:'-rw-------\n' sh -c 'ls -l cdb.077 | cut -c1-10'
}

atf_test_case unwritable
unwritable_head()
{
	atf_set descr "a directory that may not be written to"
	atf_set require.user "unprivileged"
}
unwritable_body()
{
	mkdir closed
	(cd closed && old_make)
	chmod 555 closed
	echo ':allow' > rules
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to create closed/rules.tmp: access denied\n' \
	    tcprules closed/rules.cdb closed/rules.tmp < rules
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to move rules.tmp to closed/rules.cdb: access denied\n' \
	    tcprules closed/rules.cdb rules.tmp < rules
	atf_check cmp closed/old.cdb closed/rules.cdb
	chmod 755 closed
}

atf_test_case disk_full
disk_full_head()
{
	atf_set descr "a file system that fills up"
	atf_set require.user "root"
	atf_set require.progs "unshare mount"
}
disk_full_body()
{
	unshare -m true || atf_skip "no mount namespaces here"
	many_make > rules
	mkdir small
	cat > run <<-'END'
	mount -t tmpfs -o size=256k tmpfs small || exit 99
	echo '1.2.3.4:deny' | tcprules small/rules.cdb small/rules.tmp ||
	    exit 98
	cp small/rules.cdb old.cdb
	tcprules small/rules.cdb small/rules.tmp < rules
	echo $?
	cmp old.cdb small/rules.cdb
	END
	atf_check -o inline:'111\n' -e inline:'tcprules: fatal: unable to write to small/rules.tmp: out of disk space\n' \
	    unshare -m sh run
}

atf_test_case device_full
device_full_body()
{
	[ -c /dev/full ] || atf_skip "no /dev/full on this system"
	many_make > rules
	old_make
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to write to /dev/full: out of disk space\n' \
	    tcprules rules.cdb /dev/full < rules
	# Even where all of it would fit into the buffer.
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to write to /dev/full: out of disk space\n' \
	    tcprules rules.cdb /dev/full < /dev/null
	old_check
}

atf_test_case file_size_limit
file_size_limit_head()
{
	atf_set descr "a limit on file sizes is reported, not died of"
}
file_size_limit_body()
{
	many_make > rules
	old_make
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to write to rules.tmp: file too big\n' \
	    sh -c 'ulimit -f 100; exec tcprules rules.cdb rules.tmp < rules'
	old_check
}

atf_test_case memory
memory_head()
{
	atf_set descr "lines and rules for which there is no memory"
}
memory_body()
{
	[ -z "${SANITIZED}" ] ||
	    atf_skip "sanitizers need more memory than the limit here"
	old_make
	head -c 60000000 /dev/zero | tr '\0' a > rules
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to read input: out of memory\n' \
	    sh -c 'ulimit -v 40000; exec tcprules rules.cdb rules.tmp < rules'
	# And without the limit such a line is one without a rule.
	atf_check tcprules empty.cdb rules.tmp < rules
	awk 'BEGIN {
		for (i = 0; i < 12000; i++)
			printf "0-255.%d:deny\n", i
	}' > rules
	atf_check -s exit:111 -e inline:'tcprules: fatal: unable to write to rules.tmp: out of memory\n' \
	    sh -c 'ulimit -v 24000; exec tcprules rules.cdb rules.tmp < rules'
	old_check
}

# Each part of the way to the new database is interrupted for good.
atf_test_case killed
killed_body()
{
	old_make
	many_make > rules
	mkfifo input
	tcprules rules.cdb rules.tmp < input &
	pid=$!
	exec 3> input
	# More than a pipe holds: when cat returns, some was read and written.
	cat rules >&3
	atf_check test -s rules.tmp
	kill -KILL $pid
	exec 3>&-
	wait $pid
	atf_check_equal 137 $?
	old_check
	atf_check tcprules rules.cdb rules.tmp < rules
	atf_check -s exit:1 -o ignore cmp old.cdb rules.cdb
}

# To disk first, and only then into place, the directory last.
atf_test_case order
order_head()
{
	atf_set require.progs "strace"
}
order_body()
{
	[ -z "${SANITIZED}" ] ||
	    atf_skip "the leak checker does not run under strace"
	echo ':deny' > rules
	strace -o trace -e trace=fsync,rename,renameat,renameat2 \
	    tcprules rules.cdb rules.tmp < rules ||
	    atf_skip "no tracing here"
	sed -n 's/^\([a-z]*\)[a-z0-9]*(.*= 0$/\1/p' trace > calls
	atf_check -o inline:'fsync\nrename\nfsync\n' cat calls
}

# Readers see the old or the new database at any time.
atf_test_case replaced_while_read
replaced_while_read_body()
{
	echo '1.2.3.4:allow,A="1"' > one
	many_make | cat - one > two
	old_make
	atf_check tcprules rules.cdb rules.tmp < one
	while [ ! -e stop ]; do
		tcprules rules.cdb rules.tmp < two
		tcprules rules.cdb rules.tmp < one
	done &
	i=0
	while [ $i -lt 200 ]; do
		TCPREMOTEIP=1.2.3.4 tcprulescheck rules.cdb >> seen 2>&1
		i=$((i + 1))
	done
	: > stop
	wait
	atf_check -o inline:'allow connection\nrule 1.2.3.4:\nset environment variable A=1\n' \
	    sort -u seen
}

atf_test_case long_lines
long_lines_body()
{
	# Around the size of the reading buffer, without a final line feed.
	for length in 65530 65535 65536 65537 131072 1000000; do
		value=$(head -c $length /dev/zero | tr '\0' x)
		{
			echo '1.1.1.1:deny'
			printf '1.2.3.4:allow,A="%s"\n' "$value"
			printf '1.2.3.5:deny'
		} > rules
		atf_check tcprules rules.cdb rules.tmp < rules
		printf 'rule 1.2.3.4:\nset environment variable A=%s\n' \
		    "$value" > wanted
		echo 'allow connection' >> wanted
		TCPREMOTEIP=1.2.3.4 atf_check -o file:wanted \
		    tcprulescheck rules.cdb
		TCPREMOTEIP=1.2.3.5 atf_check \
		    -o inline:'rule 1.2.3.5:\ndeny connection\n' \
		    tcprulescheck rules.cdb
	done
}

# Byte by byte as Debian's tcprules: records, their order, hash tables.
atf_test_case bytes
bytes_head()
{
	atf_set require.progs "python3"
}
bytes_body()
{
	[ -x "${PEERS:?}/usr/bin/tcprules" ] ||
	    atf_skip "Debian's ucspi-tcp could not be had"
	atf_check -o match:'seed [0-9]* .* 0 differ' \
	    python3 "$(atf_get_srcdir)/peer.py" "$PEERS/usr/bin" "$STAGE/bin"
}

atf_test_case large
large_head()
{
	atf_set descr "100,000 mixed rules: bytes as Debian's, and in force"
}
large_body()
{
	awk 'BEGIN {
		srand(4)
		for (i = 0; i < 100000; i++) {
			a = int(rand() * 256) "." int(rand() * 256) "."
			if (i % 5 == 0)
				print "=h" i ".example.net:allow,H=\"" i "\""
			else if (i % 5 == 1)
				print a ":deny"
			else if (i % 5 == 2)
				print "u" i "@" a "3.4:allow,RELAYCLIENT=\"\""
			else
				print a int(rand() * 256) "." i % 256 ":deny"
		}
		print "1.2.3.4:allow,LAST=/yes/"
	}' > rules
	atf_check tcprules rules.cdb rules.tmp < rules
	TCPREMOTEIP=300.1.1.1 TCPREMOTEHOST=h99995.example.net \
	    atf_check -o match:'variable H=99995$' -o match:'^allow' \
	    tcprulescheck rules.cdb
	TCPREMOTEIP=1.2.3.4 atf_check -o match:'variable LAST=yes$' \
	    -o match:'^allow' tcprulescheck rules.cdb
	[ -x "${PEERS:?}/usr/bin/tcprules" ] ||
	    atf_skip "Debian's ucspi-tcp could not be had"
	atf_check "$PEERS/usr/bin/tcprules" peer.cdb peer.tmp < rules
	atf_check cmp peer.cdb rules.cdb
}

# Debian's reader with our file: the record of lengths does not disturb it.
atf_test_case classic_reader
classic_reader_body()
{
	peer=${PEERS:?}/usr/bin/tcprulescheck
	[ -x "$peer" ] || atf_skip "Debian's ucspi-tcp could not be had"
	printf '%s\n' '10.0.0.0/8:deny' '2001:db8::/32:deny' \
	    '1.2.3.:allow,A="1"' '2001:DB8::1:allow,B="2"' > rules
	atf_check tcprules rules.cdb rules.tmp < rules
	TCPREMOTEIP=1.2.3.4 atf_check -o inline:'rule 1.2.3.:\nset environment variable A=1\nallow connection\n' \
	    "$peer" rules.cdb
	TCPREMOTEIP=2001:db8::1 atf_check -o inline:'rule 2001:db8::1:\nset environment variable B=2\nallow connection\n' \
	    "$peer" rules.cdb
	TCPREMOTEIP=10.1.1.1 atf_check -o inline:'default:\nallow connection\n' \
	    "$peer" rules.cdb
}

atf_test_case manual
manual_body()
{
	srcdir=$(atf_get_srcdir)
	for manual in usr.bin/tcprules/tcprules.1 \
	    usr.bin/tcprulescheck/tcprulescheck.1 share/man/man5/tcprules.5
	do
		mkdir run
		(cd run && atf_check sh "$srcdir/examples" \
		    "${SOURCE:?}/$manual") || atf_fail "$manual"
		rm -rf run
	done
	# The usage line is the SYNOPSIS.
	atf_check -s exit:100 -e match:' tcprules rules.cdb rules.tmp$' tcprules
	# And the runner sees a difference.
	sed 's/^deny connection/allow connection/' \
	    "$SOURCE/usr.bin/tcprules/tcprules.1" > wrong.1
	atf_check -s exit:1 -o match:'^-allow connection' \
	    sh "$srcdir/examples" wrong.1
}

atf_init_test_cases()
{
	atf_add_test_case usage
	atf_add_test_case syntax
	atf_add_test_case files
	atf_add_test_case modes
	atf_add_test_case unwritable
	atf_add_test_case disk_full
	atf_add_test_case device_full
	atf_add_test_case file_size_limit
	atf_add_test_case memory
	atf_add_test_case killed
	atf_add_test_case order
	atf_add_test_case replaced_while_read
	atf_add_test_case long_lines
	atf_add_test_case bytes
	atf_add_test_case large
	atf_add_test_case classic_reader
	atf_add_test_case manual
}
