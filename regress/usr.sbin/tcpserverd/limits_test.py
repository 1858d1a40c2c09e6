#!/usr/bin/env python3
# The limit, the log's reader, and clients that are slow, rude or many.

from world import *


@case()
def one_at_a_time():
    """-c 1: the others wait in the backlog and hear nothing, no banner"""
    server = Server(['-vRHl0', '-c', '1', '-B', 'welcome\n'],
                    [helper('hold')])
    first = server.connect()
    same(read_line(first), b'welcome\n', 'banner')
    read_line(first)
    waiting = [server.connect() for _ in range(5)]
    for s in waiting:
        require(nothing_served(s, 0.1), 'a deferred client heard something')
    quiet(server)
    same(server.status(), (1, 1), 'status')
    first.close()
    for s in waiting:
        same(read_line(s), b'welcome\n', 'banner')
        read_line(s)
        s.close()
    server.wait_lines(r'end \d+ status 0', 6)
    server.wait_status(0)
    same(max(server.status_sequence()), 1, 'highest status')
    log_exact(server)


@case()
def never_serve():
    """-c 0, and a word that is no number: nobody is ever served"""
    for word in ('0', 'abc'):
        server = Server(['-vRHl0', '-c', word], [helper('hold')])
        waiting = [server.connect() for _ in range(3)]
        for s in waiting:
            require(nothing_served(s, 0.2), 'served')
        quiet(server)
        same(server.status_sequence(), [0], 'status lines')
        same(server.status(), (0, 0), 'status')
        for s in waiting:
            s.close()
        same(server.stop(), 0, 'exit status')


@case()
def a_thousand_through_five():
    """Each of 1,000 clients at 60 a time is served, 5 at most run"""
    server = Server(['-vRHl0', '-c', '5', '-b', '128'], [helper('answer')])
    same(Load(server, threads=60, total=1000).wait(), (1000, 0),
         'served, lost')
    server.wait_lines(r'end \d+ status 0', 1000)
    server.wait_status(0)
    same(max(server.status_sequence()), 5, 'highest status')
    log_exact(server)


@case()
def refused_count_too():
    """A client that is denied counts while it is there, and then no more"""
    rules_compile('127.:deny\n')
    server = Server(['-vRHl0', '-c', '2', '-x', 'rules.cdb'],
                    [helper('answer')])
    same(Load(server, threads=10, total=200).wait(), (0, 200),
         'served, lost')
    server.wait_lines(r'end \d+ status 25600', 200)
    server.wait_status(0)
    require(max(server.status_sequence()) <= 2, 'status above the limit')
    log_exact(server)
    same(len(server.lines(r'deny \d+ 0:127\.0\.0\.1:.*')), 200, 'denied')


# The log's reader

@case()
def log_reader_stalls():
    """Nothing is lost, nothing spins; when it reads again all goes on"""
    reader, writer = os.pipe()
    server = Server(['-vRHl0'], [helper('answer')], log=writer)
    os.close(writer)
    load = Load(server, threads=10, total=1500)

    def standstill():
        before = load.served
        select.select([], [], [], 0.3)
        return before == load.served
    wait_for(standstill, 'a standstill, the log is not read')
    require(load.served < 1500, 'the log is not read and all are served')
    quiet(server)
    sys.stderr.write('%d served before the log stood still\n' % load.served)
    drain_start(reader, server)
    same(load.wait(), (1500, 0), 'served, lost')
    server.wait_lines(r'end \d+ status 0', 1500)
    server.wait_status(0)
    log_exact(server)
    require('lost' not in server.log(), 'log lines were lost')


def drain_start(reader, server):
    """Copies the log's pipe to where server.log() looks for it"""
    def drain():
        with open(server.log_path, 'ab', buffering=0) as f:
            while True:
                data = os.read(reader, 65536)
                if not data:
                    return
                f.write(data)
    threading.Thread(target=drain, daemon=True).start()


@case()
def log_reader_stalls_and_term():
    """SIGTERM is obeyed while nobody reads the log"""
    reader, writer = os.pipe()
    server = Server(['-vRHl0'], [helper('answer')], log=writer)
    os.close(writer)
    load = Load(server, threads=10)

    def standstill():
        before = load.served
        select.select([], [], [], 0.3)
        return before == load.served
    wait_for(standstill, 'a standstill, the log is not read')
    same(server.stop(), 0, 'exit status')
    server.wait_gone()
    require(port_free(server.host, server.port), 'the port is not free')
    load.ending = True
    os.close(reader)


@case()
def log_reader_dies():
    """Nobody reads the log any more: the service goes on"""
    reader, writer = os.pipe()
    server = Server(['-vRHl0'], [helper('answer')], log=writer)
    os.close(writer)
    load = Load(server, threads=4)
    load.wait_served(20)
    os.close(reader)
    load.wait_served(200)
    same(load.end()[1], 0, 'lost')
    quiet(server)
    before = set(server.ours())
    same(Load(server, threads=4, total=50).wait(), (50, 0), 'served, lost')
    require(before <= set(server.ours()), 'one of them died')
    same(server.stop(), 0, 'exit status')


@case()
def log_is_closed():
    """Started with 2>&-: it serves"""
    host = own_address()
    port = own_port(host)
    server = Server(['-vRHl0'], [helper('answer')], host=host, port=port,
                    prepare=lambda: os.close(2), tells_port=False)
    wait_for(lambda: can_connect(server), 'a listening socket')
    same(Load(server, threads=4, total=50).wait(), (50, 0), 'served, lost')


@case()
def log_file_is_full():
    """No room for the log: the service goes on"""
    if not os.path.exists('/dev/full'):
        skip('no /dev/full on this system')
    with open('/dev/full', 'w') as full:
        server = Server(['-vRHl0'], [helper('answer')], log=full.fileno())
    same(Load(server, threads=4, total=100).wait(), (100, 0), 'served, lost')
    quiet(server)
    same(server.stop(), 0, 'exit status')


def can_connect(server):
    try:
        server.connect().close()
        return True
    except ConnectionRefusedError:
        return False


# Clients

@case()
def banner_never_read():
    """Clients that don't take the banner hold up nobody else"""
    own_network()
    for name in ('tcp_wmem', 'tcp_rmem'):
        with open('/proc/sys/net/ipv4/' + name, 'w') as f:
            f.write('4096 4096 4096')
    banner = 'x' * 100000 + '\n'
    server = Server(['-vRHl0', '-c', '50', '-B', banner], [helper('hold')])
    slow = [server.connect() for _ in range(30)]
    server.wait_status(30)
    # None of them has a program yet: the banner is not out.
    same(server.programs(), [], 'programs')
    quiet(server)
    for _ in range(5):
        s = server.connect()
        same(read_exactly(s, len(banner)), banner.encode(), 'banner')
        read_line(s)
        s.close()
    server.wait_lines(r'end \d+ status 0', 5)
    # A slow one that reads at last is served as well.
    same(read_exactly(slow[0], len(banner)), banner.encode(), 'banner')
    read_line(slow[0])
    for s in slow:
        s.close()
    server.wait_status(0)
    same(len(server.lines('warning: dropping connection, unable to print '
                          'banner: .*')), 29, 'dropped')
    log_exact(server)


def read_exactly(s, size):
    data = b''
    while len(data) < size:
        part = s.recv(size - len(data))
        require(part, 'connection closed after %d bytes' % len(data))
        data += part
    return data


@case()
def connect_and_reset():
    """5,000 clients that reset at once: counts exact, nothing left open"""
    subreaper()
    server = Server(['-vRHl0', '-b', '500', '-c', '100'],
                    [helper('answer')])
    same(Load(server, total=20).wait(), (20, 0), 'served, lost')
    pids = [server.child('engine'), server.child('launcher')]

    def open_files():
        return [len(fds) if fds is not None else None
                for fds in map(process_fds, pids)]
    server.wait_status(0)
    before = open_files()
    total = 5000 if not SANITIZED else 1000
    for _ in range(total):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack('ii', 1, 0))
        s.settimeout(DEADLINE_S)
        s.connect((server.host, server.port))
        s.close()
    # One that is served after all of them.
    same(Load(server, total=20).wait(), (20, 0), 'served, lost')
    server.wait_status(0)
    wait_for(lambda: open_files() == before, 'as many descriptors as before')
    require(set(pids) <= set(server.ours()), 'one of them died')
    log_exact(server)
    quiet(server)
    sys.stderr.write('%d programs were started, %s descriptors\n' % (
        len(server.lines(r'pid \d+ from \S+')), before))


@case()
def half_closed():
    """A client that sends all and closes its side is served"""
    server = Server(['-vRHl0'], [helper('answer')])
    with server.connect() as s:
        s.sendall(b'early words\n')
        s.shutdown(socket.SHUT_WR)
        require(read_all(s).endswith(b' early words\n'), 'answer')


@case()
def urgent_data():
    """Out-of-band bytes are the program's business"""
    server = Server(['-vRHl0'], [helper('answer')])
    with server.connect() as s:
        s.send(b'x', socket.MSG_OOB)
        s.sendall(b'words\n')
        require(read_all(s).endswith(b'words\n'), 'answer')


@case()
def silent_clients():
    """Clients that say nothing hold a place each, and no more"""
    server = Server(['-vRHl0', '-c', '30'], [helper('answer')])
    silent = [server.connect() for _ in range(25)]
    server.wait_status(25)
    same(Load(server, threads=5, total=100).wait(), (100, 0), 'served, lost')
    quiet(server)
    for s in silent:
        s.close()
    server.wait_status(0)
    log_exact(server)


if __name__ == '__main__':
    main()
