#!/usr/bin/env python3
# What operators order: drain, pause, continue, kill, reload; also while
# processes die, and of a daemon whose engine lies.

import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, 'tcpserverd'))
from daemons import *



@case()
def paused():
    """Clients wait, none is refused; the others' notice nothing"""
    place, other = Place(), Place()
    d = Daemon(service('a', place, 'sessions 100', run('answer')) +
               service('b', other, 'sessions 100', run('answer')))
    load = other.load(2)
    d.order('pause', 'a')
    same(d.state('a')['state'], 'paused', 'state')
    waiting = [place.connect() for _ in range(5)]
    for s in waiting:
        s.sendall(b'x\n')
    require(nothing_served(waiting[0]), 'served')
    d.reload()
    require(nothing_served(waiting[0], 0.2), 'served after a reload')
    d.kill(d.child('engine'))
    require(nothing_served(waiting[0], 0.2), 'served by a new engine')
    d.order('continue', 'a')
    for s in waiting:
        same(read_all(s).split()[1], b'x', 'answer')
    served, lost = load.end()
    require(served > 0 and lost <= 2, 'lost %d' % lost)


@case()
def drained():
    """New clients are refused, sessions go on; continue binds again"""
    place, other = Place(), Place()
    d = Daemon(service('a', place, run('hold')) +
               service('b', other, 'sessions 100', run('answer')))
    load = other.load(2)
    s, pid = place.hold()
    d.order('drain', 'a')
    require(place.refused(), 'not drained')
    require(port_free(place.host, place.port), 'the port is still ours')
    same(d.state('a')['state'], 'drained', 'state')
    same(d.state('a')['sessions'], 1, 'sessions')
    require(process_alive(pid), 'the session was ended')
    d.reload()
    require(place.refused(), 'a reload undid it')
    d.order('drain', 'a')
    d.order('continue', 'a')
    place.hold()[0].close()
    served_all(load)


@case()
def drained_all():
    """Without a name: all of them, there and back"""
    places = [Place() for _ in range(3)]
    d = Daemon(''.join(service('s%d' % i, p, run('answer'))
                       for i, p in enumerate(places)))
    d.order('drain')
    require(all(p.refused() for p in places), 'one still listens')
    d.order('continue')
    for p in places:
        p.ask(b'x\n')


@case()
def continue_taken():
    """A port that somebody took meanwhile: said, and nothing changes"""
    place, other = Place(), Place()
    d = Daemon(service('a', place, run('answer')) +
               service('b', other, run('answer')))
    d.order('drain', 'a')
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((place.host, place.port))
        s.listen()
        d.refuses('unable to bind.*Address already in use', 'continue', 'a')
        same(d.state('a')['state'], 'drained', 'state')
        other.ask(b'x\n')
        # Who is drained needs no port: a reload goes through.
        d.reload()
    d.order('continue', 'a')
    place.ask(b'x\n')


@case()
def drain_with_broken_rules():
    """Rules that an editor has half saved are no reason not to drain"""
    place, other = Place(), Place()
    where = scratch(0o755)
    with open(where + '/rules', 'w') as f:
        f.write('127.:allow\n')
    d = Daemon(service('a', place, run('answer')) + service(
        'b', other, 'rules "%s/rules"' % where, run('answer')))
    with open(where + '/rules', 'w') as f:
        f.write('127.0.0.1:maybe\n')
    d.order('drain', 'a')
    require(place.refused(), 'not drained')
    other.ask(b'x\n')
    d.order('continue', 'a')
    place.ask(b'x\n')


@case()
def unknown():
    """What is not there is said"""
    d = Daemon(service('a', Place(), run('answer')))
    for words in (('drain', 'b'), ('pause', 'b'), ('continue', 'b')):
        code, text = d.ctl(*words)
        require(code == 1 and 'service b: there is none' in text, text)
    code, text = d.ctl('kill', 'session', '12345')
    require(code == 1 and 'session 12345' in text, text)


def deaf(signals='TERM'):
    return ('exec "/bin/sh" "-c" "trap \'\' %s; echo $$; while :; do '
            'read -r l || exec sleep 1000; done"' % signals)


def session_of(d, pid):
    return wait_for(lambda: [row['id'] for row in
                             d.show('sessions')['sessions']
                             if row['pid'] == pid], 'the session')[0]


@case()
def session_killed():
    """TERM, and KILL five seconds later for who does not hear it"""
    place, stubborn = Place(), Place()
    d = Daemon(service('a', place, run('hold')) +
               service('b', stubborn, deaf()))
    s, pid = place.hold()
    other, other_pid = place.hold()
    d.order('kill', 'session', str(session_of(d, pid)))
    same(s.recv(10), b'', 'end of the connection')
    d.wait_lines(r'event=end .*pid=%d signal=15 .*' % pid, 1)
    require(process_alive(other_pid), 'another one died')
    s, pid = stubborn.hold()
    began = time.monotonic()
    d.order('kill', 'session', str(session_of(d, pid)))
    same(s.recv(10), b'', 'end of the connection')
    took = time.monotonic() - began
    require(4.5 < took < 10, 'it took %.1f s' % took)
    d.wait_lines(r'event=end .*pid=%d signal=9 .*' % pid, 1)


@case()
def session_killed_of_orphan():
    """The same where the launcher died, or has retired"""
    place = Place()

    def text(i):
        return service('a', place, 'environment set N "%d"' % i, run('hold'))
    d = Daemon(text(0))
    held = [place.hold() for _ in range(2)]
    d.kill(d.child('launcher'))
    third = place.hold()
    d.order('kill', 'session', str(session_of(d, held[0][1])))
    same(held[0][0].recv(10), b'', 'end of the orphan')
    d.reload(text(1))
    d.order('kill', 'session', str(session_of(d, third[1])))
    same(third[0].recv(10), b'', 'end of one whose launcher retired')
    require(process_alive(held[1][1]), 'another one died')
    same(d.state('a')['sessions'], 1, 'sessions')


@case()
def orders_while_dying():
    """Orders while engines die: done or not, but no one hangs"""
    place = Place()
    d = Daemon(service('a', place, run('answer')))
    for _ in range(3):
        orders = [subprocess.Popen([STAGE + '/sbin/tcpserverctl', '-s',
                                    d.socket, word],
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
                  for word in ('reload', 'pause', 'continue', 'reload')]
        os.kill(d.child('engine'), signal.SIGKILL)
        for order in orders:
            require(order.wait(DEADLINE_S) in (0, 1, 2), 'exit code')
    d.order('continue')
    place.ask(b'x\n')


@case()
def verbose():
    """log verbose adds the starts, in the new engine as well"""
    place = Place()
    d = Daemon(service('a', place, run('answer')))
    place.ask(b'x\n')
    same(d.lines('event=start .*'), [], 'starts')
    d.order('log', 'verbose')
    place.ask(b'x\n')
    d.wait_lines('event=start .*', 1)
    d.wait_lines('event=end .*', 2)
    d.reload()
    d.kill(d.child('engine'))
    place.ask(b'x\n')
    d.wait_lines('event=start .*', 2)
    d.order('log', 'brief')
    place.ask(b'x\n')
    d.wait_lines('event=end .*', 4)
    same(len(d.lines('event=start .*')), 2, 'starts')


if __name__ == '__main__':
    main()
