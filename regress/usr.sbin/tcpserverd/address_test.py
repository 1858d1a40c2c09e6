#!/usr/bin/env python3
# Which addresses are listened to, and what programs are told of clients of
# either family.

from world import *

NAMES = ('IP', 'PORT', 'HOST', 'INFO')


def need_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(('::1', 0))
    except OSError as why:
        skip('no address ::1 here: %s' % why)


def serve(options, host, **more):
    server = Server(['-vRHl', 'here'] + options, [helper('state')],
                    host=host, **more)
    return server


def told(server, client_host):
    """The variables of TCP and TCP6 that the program of a client sees"""
    with server.connect(host=client_host) as s:
        port = str(s.getsockname()[1])
        variables = state_variables(state_parse(read_all(s)))
    got = {name: value for name, value in variables.items()
           if name.startswith('TCP') or name == 'PROTO'}
    return got, port


def refused(server, client_host):
    try:
        server.connect(host=client_host).close()
    except ConnectionRefusedError:
        return True
    return False


def wanted_v4(server, port):
    return {'PROTO': 'TCP', 'TCPLOCALIP': '127.0.0.1',
            'TCPLOCALPORT': str(server.port), 'TCPLOCALHOST': 'here',
            'TCPREMOTEIP': '127.0.0.1', 'TCPREMOTEPORT': port}


def wanted_v6(server, port):
    wanted = {'PROTO': 'TCP6'}
    for prefix in ('TCP', 'TCP6'):
        wanted.update({prefix + 'LOCALIP': '::1',
                       prefix + 'LOCALPORT': str(server.port),
                       prefix + 'LOCALHOST': 'here',
                       prefix + 'REMOTEIP': '::1',
                       prefix + 'REMOTEPORT': port})
    return wanted


def check_v4(server):
    got, port = told(server, '127.0.0.1')
    same(got, wanted_v4(server, port), 'variables of an IPv4 client')


def check_v6(server):
    got, port = told(server, '::1')
    same(got, wanted_v6(server, port), 'variables of an IPv6 client')


@case()
def loopback_v4():
    """127.0.0.1: that address alone"""
    server = serve([], '127.0.0.1')
    check_v4(server)
    require(refused(server, '127.0.0.9'), 'listens to 127.0.0.9 as well')
    server.wait_lines(r'pid \d+ from 127\.0\.0\.1', 1)
    server.wait_lines(r'ok \d+ here:127\.0\.0\.1:%d :127\.0\.0\.1::\d+' %
                      server.port, 1)


@case()
def loopback_v6():
    """::1: PROTO is TCP6 and both sets of variables are there"""
    need_ipv6()
    server = serve([], '::1')
    check_v6(server)
    require(refused(server, '127.0.0.1'), 'listens to 127.0.0.1 as well')
    server.wait_lines(r'pid \d+ from ::1', 1)
    # As ucspi-tcp-ipv6 writes it: an address keeps its colons.
    server.wait_lines(r'ok \d+ here:::1:%d :::1::\d+' % server.port, 1)


@case()
def zero_is_v4():
    """0 and the empty word: every IPv4 address, no IPv6"""
    for host in ('0', ''):
        server = serve([], host)
        check_v4(server)
        got, _ = told(server, '127.0.0.9')
        same(got['TCPLOCALIP'], '127.0.0.9', 'TCPLOCALIP')
        if socket.has_ipv6:
            try:
                require(refused(server, '::1'), 'listens to ::1 as well')
            except OSError:
                pass                    # no such address here
        server.stop()


@case()
def both_families():
    """:: listens to both, with one port"""
    need_ipv6()
    server = serve([], '::')
    check_v4(server)
    check_v6(server)
    check_v4(server)
    got, _ = told(server, '127.0.0.9')
    same(got['TCPLOCALIP'], '127.0.0.9', 'TCPLOCALIP')
    server.wait_lines(r'end \d+ status 0', 4)
    server.wait_status(0)
    log_exact(server)


@case()
def both_families_fixed_port():
    """:: with a port that is told, and again at once after SIGTERM"""
    own_network()
    for _ in range(3):
        server = serve([], '::', port=1789)
        check_v4(server)
        check_v6(server)
        same(server.stop(), 0, 'exit status')


@case()
def both_families_port_taken():
    """:: where one family's port is taken: refused, nothing half open"""
    own_network()
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 1789))
        taken.listen(1)
        done = subprocess.run([STAGE + '/bin/tcpserver', '-1RHl0', '::',
                               '1789', '/bin/true'], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    same(done.returncode, 111, 'exit status')
    same(done.stdout, b'', 'output')
    same(done.stderr, b'tcpserver: fatal: unable to bind: address already '
         b'used\n', 'message')
    require(port_free('::1', 1789), 'the other port stays bound')


@case()
def port_of_a_dying_one():
    """The port that is left a moment later is bound; one in use is not"""
    own_network()
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(('127.0.0.1', 1789))
    taken.listen(1)
    begin = time.monotonic()
    done = subprocess.run([STAGE + '/bin/tcpserver', '-RHl0', '127.0.0.1',
                           '1789', '/bin/true'], check=False,
                          stderr=subprocess.PIPE)
    took = time.monotonic() - begin
    same(done.returncode, 111, 'exit status')
    same(done.stderr, b'tcpserver: fatal: unable to bind: address already '
         b'used\n', 'message')
    timer = threading.Timer(took / 3, taken.close)
    timer.start()
    server = serve([], '127.0.0.1', port=1789)
    check_v4(server)


@case()
def forced_v4():
    """-4: IPv4 only, whatever the host word"""
    for host in ('::', '0'):
        server = serve(['-4'], host)
        check_v4(server)
        try:
            require(refused(server, '::1'), 'listens to ::1 as well')
        except OSError:
            pass                        # no such address here
        server.stop()


@case()
def forced_v6():
    """-6: IPv6 only"""
    need_ipv6()
    for host in ('::', '0', '::1'):
        server = serve(['-6'], host)
        check_v6(server)
        require(refused(server, '127.0.0.1'), 'listens to IPv4 as well')
        server.stop()


@case()
def rules_for_both():
    """Rules judge each client by its own kind of address"""
    need_ipv6()
    rules_compile('127.0.0.1:allow,R="v4"\n::1:allow,R="v6"\n:deny\n')
    server = serve(['-x', 'rules.cdb'], '::')
    for host, wanted in (('127.0.0.1', 'v4'), ('::1', 'v6')):
        state = state_parse(server.ask(host=host))
        same(state_variables(state)['R'], wanted, 'R of ' + host)
    same(server.ask('127.0.0.2', '127.0.0.1'), b'',
         'a denied client')
    # Neither is a form of the other.
    rules_compile('0:0:0:0:0:0:0:1:allow,R="long"\n'
                  '[::ffff:127.0.0.1]:allow,R="mapped"\n:deny\n')
    state = state_parse(server.ask(host='::1'))
    same(state_variables(state)['R'], 'long', 'R of ::1')


@case()
def held_on_both():
    """The limit is one for both families"""
    need_ipv6()
    server = Server(['-vRHl0', '-c', '2'], [helper('hold')], host='::')
    held = [server.hold(host='127.0.0.1'), server.hold(host='::1')]
    waiting = [server.connect(host='127.0.0.1'), server.connect(host='::1')]
    for s in waiting:
        require(nothing_served(s, 0.2), 'served above the limit')
    for s, _ in held:
        s.close()
    for s in waiting:
        read_line(s)
        s.close()
    server.wait_lines(r'end \d+ status 0', 4)
    server.wait_status(0)
    same(max(server.status_sequence()), 2, 'highest status')


@case(user='root')
def scoped():
    """A link-local client: the interface it came by is told"""
    own_network()
    subprocess.run(['ip', 'address', 'add', 'fe80::1/64', 'dev', 'lo'],
                   check=True)
    server = serve([], '::')
    with socket.socket(socket.AF_INET6) as s:
        s.settimeout(DEADLINE_S)
        wait_for(lambda: connected(s, ('fe80::1', server.port, 0, 1)),
                 'an address that can be used')
        got = state_variables(state_parse(read_all(s)))
    same(got['TCP6INTERFACE'], 'lo', 'TCP6INTERFACE')
    require(got['TCPREMOTEIP'].startswith('fe80::1'), 'TCPREMOTEIP %s' %
            got['TCPREMOTEIP'])


def connected(s, address):
    try:
        s.connect(address)
        return True
    except OSError:
        return False


if __name__ == '__main__':
    main()
