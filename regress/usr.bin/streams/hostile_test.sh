# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# What nobody sends in peace: endless lines, floods both ways, signals in
# between; and hosts with hardly any memory or processes.  The amounts are such
# that whatever is kept would show.

bin=$STAGE/bin
much=100000000

# small COMMAND ...: in 16 MB.  A sanitizer wants terabytes.
small()
{
	(
		# shellcheck disable=SC3045
		[ -n "${SANITIZED:-}" ] || ulimit -v 16384
		exec "$@"
	)
}

# flood BYTE: nothing else, so one line or as many as there are bytes.
flood()
{
	head -c $much /dev/zero | tr '\0' "$1"
}

atf_test_case filters
filters_head()
{
	atf_set descr "addcr and delcr keep nothing of endless lines"
}
filters_body()
{
	for byte in 'x' '\0' '\r'; do
		flood "$byte" | small "$bin/addcr" | wc -c >size
		atf_check -o inline:"$much\n" cat size
		flood "$byte" | small "$bin/delcr" | wc -c >size
		atf_check -o inline:"$much\n" cat size
	done
	flood '\n' | small "$bin/addcr" | wc -c >size
	atf_check -o inline:"$((2 * much))\n" cat size
	yes "$(printf '\r')" | head -c $much | small "$bin/delcr" |
	    wc -c >size
	atf_check -o inline:"$((much / 2))\n" cat size
}

atf_test_case copiers
copiers_head()
{
	atf_set descr "fixcrio and recordio keep nothing of endless lines"
}
copiers_body()
{
	for byte in 'x' '\0'; do
		flood "$byte" | small "$bin/fixcrio" cat | wc -c >size
		atf_check -o inline:"$much\n" cat size
		flood "$byte" | small "$bin/recordio" cat 2>/dev/null |
		    wc -c >size
		atf_check -o inline:"$much\n" cat size
	done
	flood '\n' | small "$bin/fixcrio" wc -c >size
	atf_check -o match:"^$((2 * much))" cat size
}

atf_test_case records
records_head()
{
	atf_set descr "a flood is recorded whole, in lines of bounded length"
}
records_body()
{
	head -c 10000000 /dev/zero | tr '\0' x |
	    "$bin/recordio" wc -c >out 2>err
	atf_check -o inline:'10000000\n' tr -d ' \r' <out
	atf_check -o inline:'10000000\n' -x \
	    "sed -n 's/^[0-9]* < \(x*\)+\$/\1/p' err | tr -d '\n' | wc -c"
	awk 'length > 300' err >long
	atf_check cat long
}

# With a program that takes its time the copier has to wait for both ends.
atf_test_case both_ways
both_ways_head()
{
	atf_set descr "a program that writes as it reads, and a slow reader"
}
both_ways_body()
{
	for program in fixcrio recordio; do
		flood '\n' | head -c 4000000 |
		    small "$bin/$program" sed 's/^/0123456789/' \
		    2>/dev/null | {
			dd bs=1 count=300000 2>/dev/null
			cat
		} | tr -d '\r' | cksum >got
		flood '\n' | head -c 4000000 | tr -d '\r' |
		    sed 's/^/0123456789/' | tr -d '\r' | cksum >wanted
		atf_check -o file:wanted cat got
	done
}

# Debian's may sleep in writing and then wait for ever, so this is no case of
# the differential test.
atf_test_case deaf_client
deaf_client_head()
{
	atf_set descr "a client that sends all before it reads any"
}
deaf_client_body()
{
	cat >talk <<'EOF'
import fcntl, os, socket, subprocess, sys, threading
program, kind = sys.argv[1:]
if kind == 'socket':
    inner, outer = socket.socketpair()
    inner.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
    stdin = stdout = inner.detach()
    write = os.dup(outer.fileno())
    read = outer.detach()
else:
    stdin, write = os.pipe()
    read, stdout = os.pipe()
    fcntl.fcntl(stdout, getattr(fcntl, 'F_SETPIPE_SZ', 1031), 8192)
# Much more than descriptor 1 takes, and that at once; less than it, the
# copier and a pipe do.
much = 75000
say = 'import os; os.write(1, b"0123456789\\n" * 6818 + b"x\\n")'
child = subprocess.Popen([program, 'sh', '-c', "python3 -c '%s'; wc -c" % say],
                         stdin=stdin, stdout=stdout,
                         stderr=subprocess.DEVNULL)
for fd in {stdin, stdout}:
    os.close(fd)
watchdog = threading.Timer(30, lambda: os._exit(1))
watchdog.start()
text = memoryview(b'abcdefgh\r\n' * 100000)
while text:
    text = text[os.write(write, text):]
if kind == 'socket':
    socket.socket(fileno=write).shutdown(socket.SHUT_WR)
else:
    os.close(write)
data = b''
while True:
    more = os.read(read, 65536)
    if not more:
        break
    data += more
watchdog.cancel()
print(len(data.replace(b'\r', b'')) - much, data[-9:].split()[-1][-7:].decode(),
      child.wait())
EOF
	for program in fixcrio recordio; do
		for kind in pipe socket; do
			atf_check -o inline:'8 1000000 0\n' \
			    python3 talk "$bin/$program" $kind
		done
	done
}

atf_test_case signals
signals_head()
{
	atf_set descr "stopped and continued all the time, nothing is lost"
}
signals_body()
{
	yes 0123456789 | head -c 20000000 >data
	for command in addcr delcr "fixcrio cat" "recordio cat"; do
		mkfifo in out
		# shellcheck disable=SC2086
		"$bin"/$command <in >out 2>/dev/null &
		pid=$!
		cat data >in &
		tr -d '\r' <out | cksum >got &
		reader=$!
		while kill -STOP $pid 2>/dev/null; do
			for child in $(cat /proc/$pid/task/$pid/children \
			    2>/dev/null); do
				kill -STOP "$child" 2>/dev/null
				kill -CONT "$child" 2>/dev/null
			done
			kill -CONT $pid 2>/dev/null
			read -r state </proc/$pid/stat || break
			case $state in
			*") Z "*)	break ;;
			esac
		done
		wait $pid
		wait $reader
		cksum <data >wanted
		atf_check -o file:wanted cat got
		rm in out
	done
}

atf_test_case mconnect_io
mconnect_io_head()
{
	atf_set descr "mconnect-io keeps nothing of endless lines"
}
mconnect_io_body()
{
	flood x >said
	small "$bin/mconnect-io" 6<said 7>/dev/null </dev/null | wc -c >size
	atf_check -o inline:"$much\n" cat size
	mkfifo server
	flood '\n' | small "$bin/mconnect-io" 6<server 7>heard &
	exec 9>server
	until [ "$(wc -c <heard)" -eq $((2 * much)) ]; do
		kill -0 $! || atf_fail "ended too early"
	done
	exec 9>&-
	wait $! || atf_fail "status $?"
}

# Needs a server: the answer of a hostile one is endless.
atf_test_case http_at
http_at_head()
{
	atf_set descr "http@ keeps nothing of the answer"
}
http_at_body()
{
	cat >http <<'EOF'
import os, resource, socket, subprocess, sys
program, place, much = sys.argv[1], sys.argv[2], int(sys.argv[3])
def small():
    if not os.environ.get('SANITIZED'):
        resource.setrlimit(resource.RLIMIT_AS, (1 << 26, 1 << 26))
with socket.socket() as listener:
    listener.bind(('127.0.0.1', 0))
    listener.listen(1)
    port = str(listener.getsockname()[1])
    asker = subprocess.Popen([program, '127.0.0.1', '', port],
                             stdout=subprocess.PIPE, preexec_fn=small)
    counter = subprocess.Popen(['wc', '-c'], stdin=asker.stdout)
    asker.stdout.close()
    connection, _ = listener.accept()
with connection:
    request = b''
    while not request.endswith(b'\r\n\r\n'):
        request += connection.recv(65536)
    if place == 'body':
        connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n')
    for _ in range(much // 100000):
        connection.sendall(b'x' * 100000)
    if place == 'header':
        connection.sendall(b'\r\n\r\nhello\n')
status = asker.wait()
counter.wait()
sys.exit(status)
EOF
	atf_check -o inline:'6\n' python3 http "$bin/http@" header $much
	atf_check -o inline:"$((much + 1))\n" \
	    python3 http "$bin/http@" body $much
}

atf_init_test_cases()
{
	atf_add_test_case filters
	atf_add_test_case copiers
	atf_add_test_case records
	atf_add_test_case both_ways
	atf_add_test_case deaf_client
	atf_add_test_case signals
	atf_add_test_case mconnect_io
	atf_add_test_case http_at
}
