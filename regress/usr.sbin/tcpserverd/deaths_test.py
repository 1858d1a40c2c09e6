#!/usr/bin/env python3
# Processes that die, hang or run out of something, one by one, while there
# is work: nobody who waits is lost, nothing that runs is cut off, the counts
# are right again.

from world import *


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: process_state(pid) == 'T', 'a stopped process')


def another(server, role, old):
    """The one that is started for a dead one, serving"""
    return wait_for(lambda: [pid for pid in server.children(role)
                             if pid != old and process_command(pid) ==
                             'tcpserverd: ' + role], 'another ' + role)[0]


# Both have served one: nothing of the start is under way any more.

def hold_server(options=()):
    server = Server(['-vRHl0'] + list(options), [helper('hold')])
    server.hold()[0].close()
    server.wait_lines(r'end \d+ status 0', 1)
    server.wait_status(0)
    return server


def answer_server(options=()):
    server = Server(['-vRHl0'] + list(options), [helper('answer')])
    Load(server, threads=1, total=1).wait()
    server.wait_lines(r'end \d+ status 0', 1)
    server.wait_status(0)
    return server


def release(server, held):
    """Clients leave; each program has its end line, the count is 0"""
    for s, pid in held:
        require(process_alive(pid), 'program %d did not live on' % pid)
        s.close()
    for s, pid in held:
        server.wait_lines('end %d status 0' % pid, 1)
    server.wait_status(0)
    log_exact(server)


# Engine

@case()
def engine_killed_sessions_run():
    """Programs live on, are counted by the next engine, have their ends"""
    server = hold_server(['-c', '12'])
    held = [server.hold() for _ in range(10)]
    server.wait_status(10)
    old = server.child('engine')
    kill(old)
    another(server, 'engine', old)
    held += [server.hold(), server.hold()]
    server.wait_status(12)
    same(server.status(), (12, 12), 'status')
    # The limit holds: one more waits, until one leaves.
    waiting = server.connect()
    require(nothing_served(waiting), 'served above the limit')
    s, pid = held.pop(0)
    s.close()
    server.wait_lines('end %d status 0' % pid, 1)
    held.append((waiting, int(read_line(waiting))))
    require(max(server.status_sequence()) <= 12, 'status above the limit')
    release(server, held)


@case()
def engine_killed_backlog_waits():
    """Who waits in the backlog is served by the next engine"""
    server = hold_server()
    old = server.child('engine')
    stop(old)
    clients = [server.connect() for _ in range(15)]
    kill(old)
    held = [(s, int(read_line(s))) for s in clients]
    server.wait_status(15)
    release(server, held)


@case()
def engine_killed_starts_queued():
    """Starts that were under way reach a program and are counted"""
    server = hold_server(['-c', '15'])
    launcher = server.child('launcher')
    stop(launcher)
    clients = [server.connect() for _ in range(15)]
    server.wait_status(15)
    old = server.child('engine')
    kill(old)
    wait_for(lambda: not process_alive(old), 'its death')
    os.kill(launcher, signal.SIGCONT)
    held = [(s, int(read_line(s))) for s in clients]
    waiting = server.connect()
    require(nothing_served(waiting), 'served above the limit')
    waiting.close()
    release(server, held)


@case()
def engine_killed_programs_end_meanwhile():
    """Ends that came while there was no engine are told by the next one"""
    server = hold_server()
    held = [server.hold() for _ in range(6)]
    server.wait_status(6)
    old = server.child('engine')
    stop(old)
    for s, _ in held[:3]:
        s.close()
    wait_for(lambda: not any(process_alive(pid) for _, pid in held[:3]),
             'the ends')
    kill(old)
    another(server, 'engine', old)
    for _, pid in held[:3]:
        server.wait_lines('end %d status 0' % pid, 1)
    held = held[3:] + [server.hold()]
    release(server, held)


@case()
def engine_killed_under_load():
    """Every client is answered but those in the hands of the dead"""
    under_load('engine')


@case()
def launcher_killed_under_load():
    under_load('launcher')


def under_load(role):
    server = answer_server(['-c', '20'])
    load = Load(server, threads=8)
    load.wait_served(50)
    for _ in range(4):
        old = server.child(role)
        kill(old)
        another(server, role, old)
        load.wait_served(50)
    served, lost = load.end()
    # At most those that were accepted and not yet handed on.
    require(lost <= 4 * 8, '%d of %d lost' % (lost, served + lost))
    server.wait_status(0)
    log_exact(server, lost_ends=4 * 8 if role == 'engine' else 0)
    require(max(server.status_sequence()) <= 20, 'above the limit')
    quiet(server)


@case()
def engine_killed_again_and_again():
    """The parent never gives up, ever slower"""
    server = answer_server()
    times = []
    old = server.child('engine')
    for _ in range(5):
        kill(old)
        begin = time.monotonic()
        old = another(server, 'engine', old)
        times.append(time.monotonic() - begin)
    sys.stderr.write('back in %s s\n' % ', '.join('%.2f' % t for t in times))
    require(times[-1] > times[0], 'no back-off: %r' % times)
    Load(server, total=20).wait()
    same(len(server.lines(r'warning: engine \d+: died of signal 9, .*')), 5,
         'deaths told')


# Launcher

@case()
def launcher_killed_sessions_run():
    """Programs live on and are counted; the parent sees their ends"""
    server = hold_server(['-c', '12'])
    held = [server.hold() for _ in range(10)]
    server.wait_status(10)
    old = server.child('launcher')
    kill(old)
    another(server, 'launcher', old)
    held += [server.hold(), server.hold()]
    waiting = server.connect()
    require(nothing_served(waiting), 'served above the limit')
    s, pid = held.pop(0)
    s.close()
    server.wait_lines('end %d status 0' % pid, 1)
    held.append((waiting, int(read_line(waiting))))
    require(max(server.status_sequence()) <= 12, 'status above the limit')
    release(server, held)


@case()
def launcher_killed_statuses():
    """The status of an orphan's end is told as it was"""
    server = Server(['-vRHl0'], ['/bin/sh', '-c',
                                 'echo $$; read word; exit $word'])
    held = [server.hold() for _ in range(4)]
    server.wait_status(4)
    old = server.child('launcher')
    kill(old)
    another(server, 'launcher', old)
    for code, (s, pid) in enumerate(held[:3]):
        s.sendall(b'%d\n' % code)
        server.wait_lines('end %d status %d' % (pid, code << 8), 1)
    os.kill(held[3][1], signal.SIGKILL)
    server.wait_lines('end %d status 9' % held[3][1], 1)
    server.wait_status(0)
    log_exact(server)


@case()
def launcher_killed_starts_wait():
    """Who was let in and not yet started is started by the next launcher"""
    server = hold_server()
    old = server.child('launcher')
    stop(old)
    clients = [server.connect() for _ in range(15)]
    server.wait_status(15)
    kill(old)
    held = [(s, int(read_line(s))) for s in clients]
    release(server, held)


@case()
def launchers_all_killed():
    """Several launchers, killed at one blow"""
    server = Server(['-vRHl0', '-c', '200'], [helper('answer')])
    load = Load(server, threads=32)
    try:
        wait_for(lambda: len(server.children('launcher')) > 1 or
                 load.served > 6000, 'a second launcher')
        several = server.children('launcher')
        for pid in several:
            kill(pid)
        wait_for(lambda: not set(several) & set(server.children('launcher'))
                 and len(server.children('launcher')) >= len(several),
                 'as many launchers')
        load.wait_served(100)
    finally:
        served, lost = load.end()
    sys.stderr.write('%d launchers\n' % len(several))
    require(lost <= len(several), '%d of %d lost' % (lost, served + lost))
    server.wait_status(0)
    log_exact(server)


@case()
def launcher_killed_between_sessions_of_two():
    """Sessions of a second launcher are not touched by the first's death"""
    server = hold_server(['-c', '100'])
    first = [server.hold() for _ in range(5)]
    old = server.child('launcher')
    kill(old)
    new = another(server, 'launcher', old)
    second = [server.hold() for _ in range(5)]
    kill(new)
    another(server, 'launcher', new)
    third = [server.hold() for _ in range(5)]
    server.wait_status(15)
    same(server.status(), (15, 100), 'status')
    release(server, first + second + third)


@case()
def engine_killed_after_launcher():
    """Orphans are known to an engine that is younger than they"""
    server = hold_server(['-c', '8'])
    held = [server.hold() for _ in range(5)]
    for role in ('launcher', 'engine', 'launcher', 'engine'):
        old = server.child(role)
        kill(old)
        another(server, role, old)
        held.append(server.hold()) if len(held) < 8 else None
    waiting = server.connect()
    require(nothing_served(waiting), 'served above the limit')
    waiting.close()
    release(server, held)


@case()
def both_killed_at_once():
    """
    Engine and launcher at one blow: what ran is not counted any more, as
    the manual says, but runs on, and the service is there again
    """
    server = hold_server(['-c', '7'])
    held = [server.hold() for _ in range(5)]
    server.wait_status(5)
    engine, launcher = server.child('engine'), server.child('launcher')
    kill(engine)
    kill(launcher)
    another(server, 'engine', engine)
    another(server, 'launcher', launcher)
    later = [server.hold(), server.hold()]
    for s, pid in held:
        require(process_alive(pid), 'program %d did not live on' % pid)
        s.close()
    for s, pid in later:
        s.close()
        server.wait_lines('end %d status 0' % pid, 1)
    server.wait_status(0)
    wait_for(lambda: not server.programs(), 'the programs\' ends')
    require(min(server.status_sequence()) == 0, 'count below 0')


# Resolver

@case()
def resolver_killed_under_load():
    """Who waits for a name is served when there is a resolver again"""
    server = Server(['-vrHl0', '-c', '20'], [helper('answer')])
    load = Load(server, threads=8)
    load.wait_served(20)
    for _ in range(3):
        old = server.child('resolver')
        kill(old)
        wait_for(lambda: [pid for pid in server.children('resolver')
                          if pid != old], 'another resolver')
        load.wait_served(20)
    served, lost = load.end()
    same(lost, 0, 'clients lost')
    server.wait_status(0)
    log_exact(server)
    same(len(server.lines(r'warning: resolver \d+: died of signal 9, .*')),
         3, 'deaths told')
    quiet(server)


# Processes that hang

@case()
def launcher_hangs():
    """Nobody is lost, nothing spins; when it can again all is well"""
    server = answer_server(['-c', '300', '-b', '300'])
    launcher = server.child('launcher')
    stop(launcher)
    load = Load(server, threads=40, total=40)
    server.wait_lines('status: [1-9].*/300', 1)
    quiet(server)
    os.kill(launcher, signal.SIGCONT)
    same(load.wait(), (40, 0), 'served, lost')
    server.wait_status(0)
    log_exact(server)


@case()
def launcher_hangs_others_help():
    """Under load another one joins and serves them all"""
    server = answer_server(['-c', '300', '-b', '300'])
    launcher = server.child('launcher')
    stop(launcher)
    same(Load(server, threads=40, total=400).wait(), (400, 0),
         'served, lost')
    require(process_state(launcher) == 'T', 'it ran again')
    server.wait_status(0)
    log_exact(server)


@case()
def launcher_hangs_one_waits():
    """However few wait, another one joins in seconds"""
    server = answer_server()
    launcher = server.child('launcher')
    stop(launcher)
    same(Load(server, threads=1, total=3).wait(), (3, 0), 'served, lost')
    same(process_state(launcher), 'T', 'its state')
    server.wait_status(0)
    log_exact(server)


@case()
def launcher_hangs_engine_dies():
    """
    Who does not tell his sessions to a new engine is killed for it, in
    seconds; his programs run on, uncounted, as when both die at once
    """
    server = hold_server(['-c', '300'])
    held = [server.hold() for _ in range(5)]
    server.wait_status(5)
    stop(server.child('launcher'))
    kill(server.child('engine'))
    begin = time.monotonic()
    held.append(server.hold())
    took = time.monotonic() - begin
    sys.stderr.write('served after %.1f s\n' % took)
    require(took < 12 * (3 if SANITIZED else 1), 'frozen for %.1f s' % took)
    for s, pid in held:
        require(process_alive(pid), 'program %d did not live on' % pid)
        s.close()
    wait_for(lambda: not server.programs(), 'the programs\' ends')
    server.wait_status(0)


@case()
def launchers_all_hang():
    """Nobody is lost; beyond what may be under way all wait, no spin"""
    server = answer_server(['-c', '300', '-b', '300'])
    stopped = set()
    load = Load(server, threads=200, total=200)

    def stop_all():
        for pid in server.children('launcher'):
            if pid not in stopped:
                os.kill(pid, signal.SIGSTOP)
                stopped.add(pid)
        return len(server.lines(r'status: \d+/300')) == before
    before = -1
    for _ in range(20):
        before = len(server.lines(r'status: \d+/300'))
        stays(lambda: stop_all() or True, 0.05, '')
    quiet(server)
    sys.stderr.write('%d launchers, %d served\n' % (len(stopped),
                                                    load.served))
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    same(load.wait(), (200, 0), 'served, lost')
    server.wait_status(0)
    log_exact(server)


@case()
def engine_hangs():
    """Clients wait in the backlog and are served"""
    server = answer_server(['-b', '200'])
    engine = server.child('engine')
    stop(engine)
    load = Load(server, threads=50, total=50)
    stays(lambda: load.served == 0, 0.3, 'served without an engine')
    os.kill(engine, signal.SIGCONT)
    same(load.wait(), (50, 0), 'served, lost')
    server.wait_status(0)
    log_exact(server)


@case()
def parent_hangs():
    """SIGSTOP, as svc -p sends: nobody is let in; SIGCONT: all of them"""
    server = hold_server(['-b', '50'])
    running = server.hold()
    stop(server.pid)
    # The engine has the parent's word for a moment still.
    wait_for(lambda: paused(server), 'a pause')
    waiting = [server.connect() for _ in range(5)]
    for s in waiting:
        require(nothing_served(s, 0.1), 'served in a pause')
    quiet(server)
    # What runs goes on, and its end is told.
    running[0].close()
    server.wait_lines('end %d status 0' % running[1], 1)
    os.kill(server.pid, signal.SIGCONT)
    release(server, [(s, int(read_line(s))) for s in waiting])


def paused(server):
    s = server.connect()
    served = not nothing_served(s, 0.4)
    s.close()
    return not served


# Parent

@case()
def parent_killed():
    """Children leave at once, the port is free, programs live on"""
    subreaper()
    server = hold_server()
    held = [server.hold() for _ in range(5)]
    children = server.children()
    begin = time.monotonic()
    kill(server.pid)
    same(server.wait(), -signal.SIGKILL, 'status')
    wait_for(lambda: not any(process_alive(pid) for pid in children),
             'the end of the children')
    took = time.monotonic() - begin
    require(took < 2 * (5 if SANITIZED else 1), 'children left in %.1f s'
            % took)
    require(port_free(server.host, server.port), 'the port is not free')
    for s, pid in held:
        require(process_alive(pid), 'program %d did not live on' % pid)
        s.close()
    wait_for(lambda: not any(process_alive(pid) for _, pid in held),
             'the programs\' ends')


@case()
def parent_killed_under_load():
    """Nothing of ours is left, whatever was under way"""
    subreaper()
    server = answer_server()
    load = Load(server)
    load.wait_served(50)
    kill(server.pid)
    server.wait()
    server.wait_gone()
    load.ending = True
    require(port_free(server.host, server.port), 'the port is not free')
    wait_for(lambda: not session_processes(server.pid), 'no process')


@case()
def parent_killed_while_children_hang():
    """Stopped children go as well, once they can run"""
    subreaper()
    server = hold_server()
    held = server.hold()
    for pid in server.children():
        stop(pid)
    kill(server.pid)
    server.wait()
    for pid in session_processes(server.pid):
        if is_ours(pid):
            os.kill(pid, signal.SIGCONT)
    server.wait_gone()
    require(port_free(server.host, server.port), 'the port is not free')
    require(process_alive(held[1]), 'the program did not live on')


@case()
def parent_terminated():
    """SIGTERM: exit 0, all of ours reaped, the port free, programs live"""
    subreaper()
    server = hold_server()
    held = [server.hold() for _ in range(5)]
    server.wait_status(5)
    children = server.children()
    same(server.stop(), 0, 'exit status')
    # Reaped before it ended: not one is left, not even a zombie.
    for pid in children:
        same(process_state(pid), '', 'state of child %d' % pid)
    require(port_free(server.host, server.port), 'the port is not free')
    same(sorted(session_processes(server.pid)),
         sorted(pid for _, pid in held), 'what is left')
    for s, pid in held:
        s.close()
    wait_for(lambda: not session_processes(server.pid), 'the programs\' ends')


@case()
def parent_terminated_under_load():
    """Who was accepted is served"""
    subreaper()
    server = answer_server()
    load = Load(server)
    load.wait_served(100)
    same(server.stop(), 0, 'exit status')
    require(port_free(server.host, server.port), 'the port is not free')
    load.ending = True
    wait_for(lambda: not session_processes(server.pid), 'no process')
    for thread in load.threads:
        thread.join(DEADLINE_S)
    # Refused or reset is the fate of who came too late; nonsense is not.
    for wrong in load.wrong:
        require('refused' in wrong or 'reset' in wrong, wrong)
    log = server.log()
    require('fatal' not in log and 'warning' not in log, 'trouble in the log')


@case()
def parent_terminated_while_children_hang():
    """It does not wait for ever for a child that does not answer"""
    for role, seconds in (('engine', 4), ('launcher', 8)):
        server = hold_server()
        held = server.hold()
        stop(server.child(role))
        begin = time.monotonic()
        same(server.stop(), 0, 'exit status')
        took = time.monotonic() - begin
        sys.stderr.write('%s: %.1f s\n' % (role, took))
        require(took < seconds * (5 if SANITIZED else 1),
                '%s: took %.1f s' % (role, took))
        server.wait_gone()
        require(port_free(server.host, server.port), 'the port is not free')
        require(process_alive(held[1]), 'the program did not live on')


@case()
def parent_terminated_twice_and_at_once():
    """SIGTERM in the middle of the start, and a second one"""
    for _ in range(20):
        host = own_address()
        port = own_port(host)
        server = Server(['-QRHl0'], [helper('hold')], host=host, port=port,
                        tells_port=False)
        # Until it catches the signal it is killed by it, as was the old one.
        wait_for(lambda: server.children() or not process_alive(server.pid),
                 'the first child')
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGTERM)
        require(server.wait() in (0, -signal.SIGTERM), 'exit status')
        server.wait_gone()
        require(port_free(host, port), 'the port is not free')


@case()
def restart_at_once():
    """The port can be bound again at once, with clients still held"""
    host = own_address()
    port = own_port(host)
    held = []
    for n in range(5):
        server = Server(['-vRHl0'], [helper('hold')], host=host, port=port)
        held.append(server.hold())
        if n % 2 == 0:
            same(server.stop(), 0, 'exit status')
        else:
            kill(server.pid)
            server.wait()
            server.wait_gone()
    for s, pid in held:
        require(process_alive(pid), 'program %d did not live on' % pid)
        s.close()


# Out of something

@case()
def launcher_out_of_descriptors():
    """A client's descriptor is lost on the way: said, counted, no spin"""
    server = hold_server()
    held = server.hold()
    launcher = server.child('launcher')
    # Those it has stay: of new ones there is none.
    soft = limit_set(launcher, resource.RLIMIT_NOFILE, 4)
    for n in range(1, 4):
        same(server.ask(), b'', 'what the client gets')
        server.wait_lines('warning: dropping connection, unable to fork: '
                          'process cannot open more files', n)
    server.wait_status(1)
    quiet(server)
    limit_set(launcher, resource.RLIMIT_NOFILE, soft)
    release(server, [held, server.hold()])


@case()
def engine_out_of_descriptors():
    """accept(2) fails: a pause, no spin, all served when there are some"""
    banner = 'x' * 100000
    server = Server(['-vRHl0', '-c', '100', '-b', '100', '-B', banner],
                    [helper('hold')])
    engine = server.child('engine')
    soft = limit_set(engine, resource.RLIMIT_NOFILE, 4)
    clients = [server.connect() for _ in range(20)]
    wait_for(lambda: re.search('unable to accept.*process cannot open more '
                               'files', server.log()), 'a log line')
    quiet(server, 1)
    require(all(nothing_served(s, 0) for s in clients), 'served')
    told = len(re.findall('unable to accept', server.log()))
    require(told < 30, 'the log is flooded: %d lines' % told)
    limit_set(engine, resource.RLIMIT_NOFILE, soft)
    held = []
    for s in clients:
        same(read_exactly(s, len(banner)), banner.encode(), 'banner')
        held.append((s, int(read_line(s))))
    release(server, held)


def read_exactly(s, size):
    data = b''
    while len(data) < size:
        part = s.recv(size - len(data))
        if not part:
            fail('connection closed after %d bytes' % len(data))
        data += part
    return data


@case()
def few_descriptors_at_all():
    """ulimit -n small: slow clients fill the engine, then leave again"""
    own_network()
    # The kernel keeps little for a client that does not read.
    for name in ('tcp_wmem', 'tcp_rmem'):
        with open('/proc/sys/net/ipv4/' + name, 'w') as f:
            f.write('4096 4096 4096')

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    banner = 'x' * 120000
    server = Server(['-vRHl0', '-c', '60', '-b', '60', '-B', banner],
                    [helper('hold')], prepare=few)
    slow = [server.connect() for _ in range(40)]
    wait_for(lambda: 'unable to accept' in server.log(), 'a log line')
    quiet(server)
    for s in slow:
        s.close()
    server.wait_lines(r'warning: dropping connection, unable to print '
                      'banner: .*', 10)
    s = server.connect()
    same(read_exactly(s, len(banner)), banner.encode(), 'banner')
    held = [(s, int(read_line(s)))]
    server.wait_status(1)
    release(server, held)


@case()
def no_more_processes():
    """fork fails: the client is dropped, said, counted; later served"""
    options = ['-vRHl0']
    where = os.getcwd()
    if os.getuid() == 0:
        # The limit is the user's; root has none.
        options += ['-u', str(NOBODY_UID - 17), '-g', str(NOBODY_UID - 17)]
        where = scratch()
    program = shutil.copy(helper('hold'), where)
    server = Server(options, [program], cwd=where)
    held = server.hold()
    launcher = server.child('launcher')
    soft = limit_set(launcher, resource.RLIMIT_NPROC, 0)
    for n in range(1, 4):
        same(server.ask(), b'', 'what the client gets')
        server.wait_lines('warning: dropping connection, unable to fork: '
                          'temporary failure', n)
    server.wait_status(1)
    quiet(server)
    limit_set(launcher, resource.RLIMIT_NPROC, soft)
    release(server, [held, server.hold()])


@case()
def parent_out_of_descriptors():
    """A dead child can't be replaced for want of descriptors: later it is"""
    server = answer_server()
    server.wait_status(0)
    soft = limit_set(server.pid, resource.RLIMIT_NOFILE, 4)
    old = server.child('engine')
    kill(old)
    wait_for(lambda: 'unable to start the engine' in server.log() or
             server.process.poll() is not None, 'a log line')
    same(server.process.poll(), None, 'the parent\'s exit')
    quiet(server)
    limit_set(server.pid, resource.RLIMIT_NOFILE, soft)
    another(server, 'engine', old)
    same(Load(server, total=20).wait(), (20, 0), 'served, lost')


@case()
def parent_out_of_descriptors_for_rules():
    """The rules can't be opened: dropped, said; later they are"""
    rules_compile('127.:allow\n')
    server = answer_server(['-x', 'rules.cdb'])
    Load(server, total=5).wait()
    soft = limit_set(server.pid, resource.RLIMIT_NOFILE, 4)
    rules_compile('127.:allow,A="b"\n')
    load = Load(server, total=4)
    same(load.wait(), (0, 4), 'served, lost')
    server.wait_lines('warning: dropping connection, unable to read '
                      r'rules\.cdb: process cannot open more files', 4)
    limit_set(server.pid, resource.RLIMIT_NOFILE, soft)
    same(Load(server, total=20).wait(), (20, 0), 'served, lost')
    server.wait_status(0)
    log_exact(server)


if __name__ == '__main__':
    main()
