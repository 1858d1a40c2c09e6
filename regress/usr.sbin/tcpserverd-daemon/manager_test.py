#!/usr/bin/env python3
# The service manager: LISTEN_FDS, NOTIFY_SOCKET, what systemd waits for.

import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, 'tcpserverd'))
from daemons import *



def inherit(*sockets):
    """In the child: from 3 on, as sd_listen_fds(3) has them"""
    def place():
        high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(sockets)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
            os.close(fd)
    return place


def environment(count):
    """LISTEN_PID is of who execs: a shell can say that"""
    return dict(os.environ, LISTEN_FDS=str(count))


class Activated(Daemon):
    """As Daemon, with sockets of ours"""

    def __init__(self, text, *sockets):
        stage = scratch(0o755)
        os.mkdir(stage + '/sbin')
        with open(stage + '/sbin/tcpserverd', 'w') as f:
            f.write('#!/bin/sh\nLISTEN_PID=$$ exec %s/sbin/tcpserverd "$@"\n'
                    % STAGE)
        os.chmod(stage + '/sbin/tcpserverd', 0o755)
        # The wrapper keeps descriptors from 3 on: Popen must not close them.
        self.inherited = sockets
        real = subprocess.Popen

        def popen(*args, **more):
            more['close_fds'] = False
            return real(*args, **more)
        subprocess.Popen = popen
        try:
            super().__init__(text, env=environment(len(sockets)),
                             prepare=inherit(*sockets), stage=stage)
        finally:
            subprocess.Popen = real


def listening(host, port=0, both=False):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
    s.bind((host, port))
    s.listen(16)
    return s


@case()
def socket_inherited():
    """A listening socket of the manager's is used; clients wait in it"""
    where = own_address()
    s = listening(where)
    place = Place(where, s.getsockname()[1])
    early = place.connect()
    early.sendall(b'early\n')
    d = Activated(service('a', place, run('answer')), s)
    s.close()
    same(read_all(early).split()[1], b'early', 'answer')
    d.reload()
    place.ask(b'x\n')
    d.reload(service('a', place, run('state')))
    seen = state_variables(state_parse(place.ask()))
    for variable in ('LISTEN_FDS', 'LISTEN_PID', 'NOTIFY_SOCKET'):
        require(variable not in seen, variable)
    same(d.stop(), 0, 'exit code')


@case()
def socket_unwanted():
    """One that no service wants is closed and named"""
    where = own_address()
    s = listening(where)
    port = s.getsockname()[1]
    place = Place()
    d = Activated(service('a', place, run('answer')), s)
    s.close()
    require(Place(where, port).refused(), 'still listens')
    require('no service listens on %s port %d' % (where, port) in d.log(),
            d.log())
    place.ask(b'x\n')


@case()
def socket_for_both():
    """systemd's [::]: IPv4 too, through reloads and a drain"""
    own_network()
    try:
        s = listening('::', both=True)
    except OSError as why:
        skip('no IPv6 here: %s' % why)
    port = s.getsockname()[1]
    text = service('a', 'listen on * port %d' % port, 'sessions 50',
                   run('answer'))
    d = Activated(text, s)
    s.close()
    v4, v6 = Place('127.0.0.1', port), Place('::1', port)
    load = v4.load(2)
    v6.ask(b'x\n')
    d.reload()
    d.reload('# the same\n' + text)
    v4.ask(b'x\n')
    v6.ask(b'x\n')
    served_all(load)
    d.order('drain')
    require(v4.refused() and v6.refused(), 'not drained')
    d.order('continue')
    v4.ask(b'x\n')
    v6.ask(b'x\n')
    d.reload()
    v4.ask(b'x\n')


@case()
def told():
    """READY once all serve; RELOADING with the clock, READY; STOPPING"""
    place = Place()
    d = Daemon(service('a', place, run('answer')))
    place.ask(b'x\n')
    before = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    d.hup()
    wait_for(lambda: d.manager.count('READY=1') == 2, 'READY again')
    text = d.manager.heard[1].split('\n')
    same(text[0], 'RELOADING=1', 'what comes first')
    at = int(text[1].partition('MONOTONIC_USEC=')[2])
    now = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    require(before <= at <= now, '%d is not in %d...%d' % (at, before, now))
    d.write('nonsense')
    code, _ = d.ctl('reload')
    same(code, 1, 'exit code')
    wait_for(lambda: d.manager.count('READY=1') == 3, 'READY after all')
    same(d.stop(), 0, 'exit code')
    wait_for(lambda: d.manager.count('STOPPING=1') == 1, 'STOPPING')
    same([text.split('\n')[0] for text in d.manager.heard],
         ['READY=1', 'RELOADING=1', 'READY=1', 'RELOADING=1', 'READY=1',
          'STOPPING=1'], 'all that was told')


@case()
def manager_gone():
    """A manager that is not there, or does not read, delays little"""
    place = Place()
    d = Daemon(service('a', place, run('answer')))
    os.unlink(d.manager.path)
    d.reload()
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    deaf.bind(d.manager.path)
    os.chmod(d.manager.path, 0o666)
    for _ in range(6):
        d.reload()
    place.ask(b'x\n')
    same(d.stop(), 0, 'exit code')


if __name__ == '__main__':
    main()
