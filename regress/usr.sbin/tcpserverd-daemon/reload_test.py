#!/usr/bin/env python3
# A new configuration is put in force under load, or is refused: what had to
# stay stayed, to the last client.

import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, 'tcpserverd'))
from daemons import *


def launchers_of(d, before):
    return [pid for pid in d.children('launcher') if pid not in before]


@case()
def listeners_kept():
    """Ports come, go and stay; who stays loses not one client"""
    stays, goes, comes = Place(), Place(), Place()
    kept = service('kept', stays, 'sessions 100', run('answer'))
    d = Daemon(kept + service('old', goes, run('answer')))
    load = stays.load()
    load.wait_served(20)
    goes.ask(b'x\n')
    d.reload(kept + service('new', comes, run('answer')))
    same(comes.ask(b'x\n').split()[1], b'x', 'the new port')
    # Who just became a launcher had all the parent's descriptors until then.
    require(goes.refused(), 'the old port is still there')
    load.wait_served(20)
    # Another backlog for one that stays, another port beside it.
    d.reload(service('kept', stays, goes, 'sessions 100', run('answer')) +
             service('new', 'listen on %s port %d backlog 5' % (
                 comes.host, comes.port), run('answer')))
    goes.ask(b'x\n')
    load.wait_served(20)
    d.reload(kept)
    require(goes.refused() and comes.refused(), 'ports that went')
    load.wait_served(20)
    served_all(load)
    same(d.stop(), 0, 'exit code')


@case()
def listener_moved():
    """A port that another service gets keeps the clients that wait"""
    one, two = Place(), Place()
    a = ['exec "/bin/echo" "a"', 'sessions 100']
    b = ['exec "/bin/echo" "b"', 'sessions 100']
    d = Daemon(service('a', one, *a) + service('b', two, *b))
    same((one.ask(), two.ask()), (b'a\n', b'b\n'), 'programs')
    d.order('pause', 'a')
    waiting = [one.connect() for _ in range(20)]
    d.reload(service('a', two, *a) + service('b', one, *b))
    # Paused was the service, not the port.
    same([read_all(s) for s in waiting], [b'b\n'] * 20, 'those that waited')
    same(one.ask(), b'b\n', 'the first port')
    same(d.state('a')['state'], 'paused', 'state')
    d.order('continue', 'a')
    same(two.ask(), b'a\n', 'the second port')


@case()
def listener_moved_under_load():
    """The same fifteen times there and back while clients come"""
    one, two = Place(), Place()
    tail = ['sessions 100', run('answer')]
    d = Daemon(service('a', one, *tail) + service('b', two, *tail))
    loads = one.load(3), two.load(3)
    for i in range(30):
        places = (two, one) if i % 2 == 0 else (one, two)
        d.reload(service('a', places[0], *tail) +
                 service('b', places[1], *tail))
    for load in loads:
        load.wait_served(5)
    served_all(*loads)


@case()
def exec_changed():
    """New clients get the new program; the old ones go on, counted"""
    place = Place()
    d = Daemon(service('a', place, 'sessions 3', run('hold')))
    held = [place.hold() for _ in range(2)]
    old = d.children('launcher')
    d.reload(service('a', place, 'sessions 3',
                     'environment set NEW yes', run('hold')))
    new = wait_for(lambda: launchers_of(d, old), 'a new launcher')
    s, pid = place.hold()
    same(process_parent(pid), new[0], 'parent of the new program')
    same(d.state('a')['sessions'], 3, 'sessions')
    # Full: the fourth waits for one of the old ones.
    fourth = place.connect()
    require(nothing_served(fourth), 'above the limit')
    held[0][0].close()
    fourth_pid = int(read_line(fourth))
    same(process_parent(fourth_pid), new[0], 'parent')
    held[1][0].close()
    wait_for(lambda: not process_alive(old[0]), 'the old launcher\'s end')
    s.close()
    fourth.close()
    wait_for(lambda: d.state('a')['sessions'] == 0, 'no session')
    d.wait_lines('event=end .*', 4)


def user_of(pid):
    return os.stat('/proc/%d' % pid).st_uid


@case(user='root')
def user_changed():
    """The user before starts who was let in, and gets at nobody after"""
    place = Place()
    text = [service('a', place, 'user %d group %d' % (n, n), run('hold'))
            for n in (NOT_OURS, NOT_OURS + 1)]
    d = Daemon(text[0])
    held = [place.hold()]
    same(user_of(held[0][1]), NOT_OURS, 'the first user')
    old = d.child('launcher')
    os.kill(old, signal.SIGSTOP)
    waiting = place.connect()
    wait_for(lambda: d.state('a')['sessions'] == 2, 'it to be let in')
    d.reload(text[1])
    new = wait_for(lambda: launchers_of(d, [old]), 'a new launcher')[0]
    held.append(place.hold())
    same(user_of(held[1][1]), NOT_OURS + 1, 'the other user')

    def sockets(pid):
        # Of the start queue, of the reports; not what every program has.
        return {name for fd, name in process_fds(pid).items()
                if fd > 3 and name.startswith('socket:')}
    same(len(sockets(old) & sockets(new)), 1, 'queues that both have')
    os.kill(old, signal.SIGCONT)
    pid = int(read_line(waiting))
    same((user_of(pid), process_parent(pid)), (NOT_OURS, old), 'who waited')
    waiting.close()
    for s, _ in held:
        s.close()
    wait_for(lambda: not process_alive(old), 'the old launcher\'s end')
    d.wait_lines('event=end .*', 3)
    same(d.state('a')['sessions'], 0, 'sessions')


@case(user='root')
def user_changed_under_load():
    """Thirty times there and back, and no client notices"""
    place = Place()
    text = [service('a', place, 'sessions 100',
                    'user %d group %d' % (NOT_OURS + n, NOT_OURS + n),
                    run('answer')) for n in (0, 1)]
    d = Daemon(text[0])
    load = place.load()
    for i in range(1, 31):
        d.reload(text[i % 2])
    load.wait_served(10)
    served_all(load)
    wait_for(lambda: len(d.children('launcher')) == 1, 'one launcher')


@case()
def exec_changed_under_load():
    """Launchers change thirty times and no client notices"""
    place = Place()
    text = [service('a', place, 'sessions 100',
                    'environment set N "%d"' % i, run('answer'))
            for i in range(30)]
    d = Daemon(text[0])
    load = place.load()
    for t in text[1:]:
        d.reload(t)
    load.wait_served(10)
    served_all(load)
    wait_for(lambda: len(d.children('launcher')) == 1, 'one launcher')


@case()
def service_removed():
    """Its sessions live, count, and still do when it is back"""
    place, other = Place(), Place()
    rest = service('b', other, run('answer'))
    a = service('a', place, 'sessions 2', run('hold'))
    d = Daemon(a + rest)
    held = [place.hold() for _ in range(2)]
    d.reload(rest)
    require(place.refused(), 'still listens')
    same(d.state('a')['state'], 'removed', 'state')
    same(d.state('a')['sessions'], 2, 'sessions')
    code, text = d.ctl('drain', 'a')
    require(code == 1, 'drained what is not there: %s' % text)
    d.reload(a + rest)
    same(d.state('a')['sessions'], 2, 'sessions')
    third = place.connect()
    require(nothing_served(third), 'above the limit')
    held[0][0].close()
    read_line(third)
    same(d.state('a')['sessions'], 2, 'sessions')
    # Gone for good once nothing is left of it.
    d.reload(rest)
    held[1][0].close()
    third.close()
    wait_for(lambda: d.state('a') is None, 'the end of the service')
    same(len(d.children('launcher')), 1, 'launchers')
    d.reload(a + rest)
    s, _ = place.hold()
    same(d.state('a')['sessions'], 1, 'sessions')


@case()
def removed_forgets_pause():
    """A service that was drained, removed and is back listens"""
    place, other = Place(), Place()
    rest = service('b', other, run('answer'))
    a = service('a', place, run('hold'))
    d = Daemon(a + rest)
    s, _ = place.hold()
    d.order('drain', 'a')
    require(place.refused(), 'drained')
    d.reload()
    require(place.refused(), 'a reload undoes no drain')
    d.reload(rest)
    d.reload(a + rest)
    place.hold()[0].close()


@case()
def limit_lowered():
    """Below what runs: nobody is cut off, nobody is let in"""
    place = Place()
    d = Daemon(service('a', place, 'sessions 5', run('hold')))
    held = [place.hold() for _ in range(4)]
    d.reload(service('a', place, 'sessions 2', run('hold')))
    waiting = place.connect()
    for s, _ in held[:2]:
        require(nothing_served(waiting, 0.2), 'above the limit')
        s.close()
    wait_for(lambda: d.state('a')['sessions'] == 2, 'two sessions')
    require(nothing_served(waiting, 0.2), 'above the limit')
    held[2][0].close()
    read_line(waiting)
    d.reload(service('a', place, 'sessions 5', run('hold')))
    place.hold()[0].close()


@case()
def close_and_exec():
    """close becomes a program and the other way round"""
    place = Place()
    closed = service('a', place, 'banner "gone\\r\\n"', 'close')
    d = Daemon(closed)
    same(place.ask(), b'gone\r\n', 'banner')
    same(d.children('launcher'), [], 'launchers')
    d.reload(service('a', place, run('hold')))
    s, pid = place.hold()
    d.reload(closed)
    same(place.ask(), b'gone\r\n', 'banner')
    require(process_alive(pid), 'the program was ended')
    s.close()
    wait_for(lambda: d.children('launcher') == [], 'the launcher\'s end')
    same(place.ask(), b'gone\r\n', 'banner')


@case()
def refused():
    """Whatever is wrong: caller and log hear it, and all is as before"""
    place, other, free = Place(), Place(), Place()
    where = scratch(0o755)
    with open(where + '/rules', 'w') as f:
        f.write('127.:allow\n')
    good = service('a', place, 'rules "%s/rules"' % where, 'sessions 100',
                   run('answer'))
    d = Daemon(good)
    load = place.load()
    bad = service('new', free, run('answer'))
    d.write(bad + 'service x { nonsense }\n')
    d.refuses(r'tcpserverd.conf:\d+: ')
    d.write(bad + service('b', other, 'rules "%s/none"' % where,
                          run('answer')))
    d.refuses('none.*No such file')
    with open(where + '/bad', 'w') as f:
        f.write('127.0.0.1:maybe\n')
    d.write(bad + service('b', other, 'rules "%s/bad"' % where,
                          run('answer')))
    d.refuses('bad:1: ')
    with socket.socket() as s:
        s.bind((other.host, other.port))
        s.listen()
        d.write(bad + service('b', other, run('answer')))
        d.refuses('unable to bind.*Address already in use')
        d.hup('(?:warning: )?configuration not reloaded, the old one stays')
    d.write(bad + 'control socket "%s/nowhere/sock"\n' % where +
            'restricted control socket "%s/nowhere/sock"\n' % where)
    d.refuses('nowhere')
    os.unlink(d.conf)
    d.refuses('tcpserverd.conf')
    require(free.refused(), 'half of a bad file is in force')
    same([row['service'] for row in d.show('services')['services']], ['a'],
         'services')
    same(d.show('status')['reloads'], 0, 'reloads that succeeded')
    served_all(load)
    d.reload(good + bad)
    free.ask(b'x\n')


@case(user='unprivileged')
def rules_unreadable():
    """Rules that may not be read"""
    place = Place()
    where = scratch(0o755)
    good = service('a', place, run('answer'))
    d = Daemon(good)
    with open(where + '/rules', 'w') as f:
        f.write('127.:allow\n')
    os.chmod(where + '/rules', 0)
    d.write(service('a', place, 'rules "%s/rules"' % where, run('answer')))
    d.refuses('Permission denied')
    place.ask(b'x\n')


@case()
def descriptors_out():
    """No descriptors left for what is new: refused, and it all goes on"""
    place = Place()
    good = service('a', place, 'sessions 100', run('answer'))
    d = Daemon(good)
    load = place.load(2)
    old = limit_set(d.pid, resource.RLIMIT_NOFILE,
                    60)
    d.write(good + ''.join(service('s%d' % i, Place(), run('answer'))
                           for i in range(30)))
    d.refuses('Too many open files')
    limit_set(d.pid, resource.RLIMIT_NOFILE, old)
    d.reload()
    same(len(d.show('services')['services']), 31, 'services')
    served_all(load)


@case()
def hundred_under_load():
    """A hundred reloads in a row: no client, descriptor or process lost"""
    place, second = Place(), Place()
    text = service('a', place, 'sessions 100', run('answer')) + \
        service('b', second, 'banner "x\\r\\n"', 'sessions 100', 'close')
    d = Daemon(text)
    d.reload()

    def counts():
        return {role: (len(d.children(role)),
                       [len(process_fds(pid) or ()) for pid in
                        d.children(role)])
                for role in ('engine', 'launcher')}

    pids = d.ours()
    # Nobody has still to notice that the client who ordered it is gone.
    wait_for(lambda: all(process_state(pid) == 'S' for pid in pids), 'rest')
    before, parent = counts(), len(process_fds(d.pid) or ())
    load = place.load(3)
    load.wait_served(20)
    for i in range(100):
        if i % 10 == 0:
            d.reload()
        else:
            d.hup()
    served_all(load)
    same(sorted(d.ours()), sorted(pids), 'processes')
    same(second.ask(), b'x\r\n', 'banner')
    # A client of the last instant may still be in the engine.
    wait_for(lambda: d.state('a')['connections'] == 0, 'no connection')
    # Not everybody may look.
    wait_for(lambda: len(process_fds(d.pid) or ()) == parent,
             'as many descriptors in the parent as before, %d' % parent)
    if process_fds(d.child('engine')):
        wait_for(lambda: counts() == before,
                 'as many descriptors as before: %r, %r' % (
                     before, counts()))


@case()
def engine_killed_around():
    """A reload just after the engine died, and an engine's death after it"""
    one, two = Place(), Place()
    a = service('a', one, 'sessions 4', run('hold'))
    d = Daemon(a)
    s, _ = one.hold()
    for i in range(4):
        engine = d.child('engine')
        os.kill(engine, signal.SIGKILL)
        d.write(service('a', one, 'sessions 4', 'environment set N "%d"' % i,
                        run('hold')) +
                (service('b', two, 'banner "%d\\r\\n"' % i, 'close')
                 if i % 2 else ''))
        d.hup()
        one.hold()[0].close()
        if i % 2:
            same(two.ask(), b'%d\r\n' % i, 'the new service')
    # Now the other way round: the new engine knows what the last one did.
    d.reload(a + service('b', two, 'banner "new\\r\\n"', 'close'))
    d.kill(d.child('engine'))
    same(two.ask(), b'new\r\n', 'the new banner')
    wait_for(lambda: d.state('a')['sessions'] == 1, 'one session')
    held = [one.hold() for _ in range(3)]
    fifth = one.connect()
    require(nothing_served(fifth), 'above the limit')
    s.close()
    read_line(fifth)


@case()
def launcher_killed_around():
    """Launchers die as the reload retires them; a retired one with sessions"""
    place = Place()

    def text(i):
        return service('a', place, 'sessions 3', 'environment set N "%d"' % i,
                       run('hold'))

    d = Daemon(text(0))
    s, pid = place.hold()
    old = d.child('launcher')
    d.reload(text(1))
    new = wait_for(lambda: launchers_of(d, [old]), 'a new launcher')[0]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: not process_alive(old), 'its end')
    # Nobody starts another in the place of one that had retired.
    held = [place.hold() for _ in range(2)]
    same(d.children('launcher'), [new], 'launchers')
    same(d.state('a')['sessions'], 3, 'sessions')
    require(process_alive(pid), 'the program died with its launcher')
    fourth = place.connect()
    require(nothing_served(fourth), 'above the limit')
    s.close()
    read_line(fourth)
    for i in range(2, 8):
        # That may be one that is just leaving: it was retired.
        kill_quietly(d.child('launcher'), signal.SIGKILL)
        d.write(text(i))
        d.hup()
    for s, _ in held:
        s.close()
    fourth.close()
    place.hold()[0].close()
    wait_for(lambda: d.state('a')['sessions'] == 0, 'no session')
    wait_for(lambda: len(d.children('launcher')) == 1, 'one launcher')


@case()
def retires_while_syncing():
    """A launcher that leaves while it is asked keeps nobody waiting"""
    place = Place()
    d = Daemon(service('a', place, 'sessions 4', run('hold')))
    s, _ = place.hold()
    for i in range(4):
        d.write(service('a', place, 'sessions 4',
                        'environment set N "%d"' % i, run('hold')))
        # The engine's death and the end of the retired one's last session
        # fall together with the reload.
        old = s
        os.kill(d.child('engine'), signal.SIGKILL)
        os.kill(d.pid, signal.SIGHUP)
        old.close()
        s, _ = place.hold()
    wait_for(lambda: d.state('a')['sessions'] == 1, 'one session')


@case()
def retires_before_it_answers():
    """The engine was told to expect an answer of one that has left since"""
    place = Place()

    def text(i):
        return service('a', place, 'environment set N "%d"' % i, run('hold'))

    d = Daemon(text(0))
    engine, first = d.child('engine'), d.child('launcher')
    os.kill(engine, signal.SIGSTOP)
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: launchers_of(d, [first]), 'another')[0]
    # It sleeps once it is ready; only then is the engine asked to count it.
    wait_for(lambda: process_state(second) == 'S' and
             'launcher' in process_command(second), 'a launcher that waits')
    select.select([], [], [], 0.3)
    d.write(text(1))
    d.hup()
    wait_for(lambda: not process_alive(second), 'its end')
    os.kill(engine, signal.SIGCONT)
    place.hold()[0].close()


@case()
def stopped_during_reload():
    """SIGTERM into a reload that takes its time"""
    place, other = Place(), Place()
    where = scratch(0o755)
    with open(where + '/rules', 'w') as f:
        for i in range(60000):
            f.write('10.%d.%d.%d:allow,A="b"\n' % (
                i >> 16, i >> 8 & 255, i & 255))
    d = Daemon(service('a', place, run('answer')))
    d.write(service('a', place, 'rules "%s/rules"' % where, run('answer')) +
            service('b', other, run('answer')))
    os.kill(d.pid, signal.SIGHUP)
    wait_for(lambda: d.manager.count('RELOADING=1'), 'the reload')
    os.kill(d.pid, signal.SIGTERM)
    same(d.wait(), 0, 'exit code')
    d.wait_gone()
    require(place.refused() and other.refused(), 'a listener was left')
    same(os.path.lexists(d.socket) or os.path.lexists(d.pid_path), False,
         'socket or pid file left')


@case()
def sockets_changed():
    """Control sockets come and go, and their modes and owners are right"""
    where = scratch(0o755)
    place = Place()
    a = service('a', place, run('answer'))
    d = Daemon(a)
    extra = 'restricted control socket "%s/look"\nevent socket "%s/ev"\n' % (
        where, where)
    d.reload(extra + a)
    modes = {name: os.stat('%s/%s' % (where, name)).st_mode & 0o7777
             for name in ('look', 'ev')}
    same(modes, {'look': 0o666, 'ev': 0o600}, 'modes')

    def look():
        done = subprocess.run([STAGE + '/sbin/tcpserverctl', '-s',
                               where + '/look', 'drain'], check=False,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode()
    code, text = look()
    require(code == 1 and 'looking only' in text, '%d %s' % (code, text))
    place.ask(b'x\n')
    clients = [socket.socket(socket.AF_UNIX) for _ in modes]
    for s, name in zip(clients, modes):
        s.settimeout(DEADLINE_S)
        s.connect('%s/%s' % (where, name))
    d.reload(a)
    same(os.listdir(where), [], 'sockets that went')
    for s in clients:
        read_all(s)             # who may not hear is told so first
    d.reload(extra + a)
    same(look()[0], 1, 'exit code')
    # What somebody else put in its place is not ours to remove.
    os.unlink(where + '/ev')
    with open(where + '/ev', 'w') as f:
        f.write('mine')
    same(d.stop(), 0, 'exit code')
    same(os.listdir(where), ['ev'], 'sockets after the end')


@case(user='root')
def socket_group_changed():
    """The operators' group in the file is that of the socket after a reload"""
    where = scratch(0o755)
    a = service('a', Place(), run('answer'))
    done = {}
    for group in (None, 'daemon', 'bin', None):
        text = '' if group is None else ' group %s' % group
        text = 'control socket "%s/ctl"%s\n' % (where, text) + a
        if not done:
            d = Daemon(text, options=['-s', where + '/ctl'])
            d.socket = where + '/ctl'
        else:
            d.reload(text)
        done[group] = 1
        import grp
        st = os.stat(where + '/ctl')
        same((st.st_gid, st.st_mode & 0o7777),
             (grp.getgrnam(group).gr_gid if group else os.getegid(), 0o660),
             'group and mode')


@case()
def log_changed():
    """What launchers say of failures follows the file, too"""
    place = Place()
    where = scratch(0o755)
    shutil.copy('/bin/echo', where + '/program')
    text = service('a', place, 'exec "%s/program"' % where)
    d = Daemon(text)
    same(place.ask(), b'\n', 'echo')
    d.reload('log format json\n' + text)
    os.chmod(where + '/program', 0)
    os.unlink(where + '/program')
    same(place.ask(), b'', 'no program')
    wait_for(lambda: 'unable to run' in d.log(), 'what went wrong')
    for line in d.log().splitlines():
        if 'unable to run' in line:
            require('{' in line, 'not JSON: ' + line)


if __name__ == '__main__':
    main()
