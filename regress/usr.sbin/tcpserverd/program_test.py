#!/usr/bin/env python3
# What a program is started with, to the last detail: it must not see whether
# one process serves it or five.

import os
import resource
import signal
import socket

from world import *


def ask_state(options, **more):
    server = Server(options, [helper('state')], **more)
    with server.connect() as s:
        peer_port = s.getsockname()[1]
        state = state_parse(read_all(s))
    return server, state, peer_port


@case()
def environment():
    """PROTO and TCP* as they are, stale ones gone, the rest inherited"""
    env = dict(os.environ, TCPREMOTEINFO='stale', TCPREMOTEHOST='stale',
               TCP6REMOTEIP='stale', TCPLOCALHOST='stale', EMPTY='',
               KEPT='a=b c')
    server, state, peer_port = ask_state(['-vRHl', 'here.example'], env=env)
    got = state_variables(state)
    wanted = dict(env, PROTO='TCP', TCPLOCALIP='127.0.0.1',
                  TCPLOCALPORT=str(server.port), TCPLOCALHOST='here.example',
                  TCPREMOTEIP='127.0.0.1', TCPREMOTEPORT=str(peer_port))
    for gone in ('TCPREMOTEINFO', 'TCPREMOTEHOST', 'TCP6REMOTEIP'):
        del wanted[gone]
    same(got, wanted, 'environment')
    same(len(state['env']), len(got), 'variables, each once')
    same(state['arg'], [helper('state')], 'arguments')


@case()
def environment_of_rules():
    """A rule's variables come last: they replace, they may be empty"""
    rules_compile('127.0.0.1:allow,RELAYCLIENT="",TCPREMOTEIP="1.2.3.4",'
                  'A=/x=y/,A=/z/\n:deny\n')
    server, state, _ = ask_state(['-vRHl0', '-x', 'rules.cdb'])
    got = state_variables(state)
    same(got['RELAYCLIENT'], '', 'RELAYCLIENT')
    same(got['TCPREMOTEIP'], '1.2.3.4', 'TCPREMOTEIP')
    same(got['A'], 'z', 'A')
    same(len(state['env']), len(got), 'variables, each once')
    # The log is not deceived.
    server.wait_lines(r'pid \d+ from 127\.0\.0\.1', 1)


@case()
def descriptors():
    """0, 1 and 2, blocking, and no other, whatever we inherited"""
    r, w = os.pipe()
    for fd in (r, w):
        os.set_inheritable(fd, True)
    server = Server(['-vRHl0'], [helper('state')],
                    prepare=lambda: os.dup2(w, 77))
    for _ in range(3):
        state = state_parse(server.ask())
        same(state['fd'], ['0 blocking', '1 blocking', '2 blocking'],
             'descriptors')
    # None of our own keeps it either: it was not given to us.
    os.close(w)
    server.stop()


@case()
def descriptors_closed_at_start():
    """Started with 0, 1 and 2 closed, it serves and opens nothing there"""
    host = own_address()
    port = own_port(host)

    def shut():
        for fd in (0, 1, 2):
            os.close(fd)
    server = Server(['-RHl0'], [helper('state')], host=host, port=port,
                    prepare=shut, tells_port=False)
    wait_for(lambda: can_connect(server), 'a listening socket')
    state = state_parse(server.ask())
    same(sorted(fd.split()[0] for fd in state['fd']), ['0', '1', '2'],
         'descriptors')


def can_connect(server):
    try:
        server.connect().close()
        return True
    except ConnectionRefusedError:
        return False


@case()
def same_socket_on_0_and_1():
    """One socket, so that a program can shut it down"""
    server = Server(['-RHl0'], [
        '/bin/sh', '-c', '[ /proc/self/fd/0 -ef /proc/self/fd/1 ] && echo one'])
    same(server.ask(), b'one\n', 'descriptors 0 and 1')


@case()
def signals():
    """Empty mask; nothing ignored that was not ignored at the start"""
    def odd():
        signal.pthread_sigmask(signal.SIG_BLOCK,
                               [signal.SIGUSR1, signal.SIGCHLD])
        for sig in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM):
            signal.signal(sig, signal.SIG_IGN)
    _, state, _ = ask_state(['-RHl0'], prepare=odd)
    same(state['blocked'], [], 'blocked signals')
    same(state['ignored'], [], 'ignored signals')


@case()
def signals_ignored_by_nohup():
    """nohup(1) holds for the server and for what it starts"""
    def nohup():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    server, state, _ = ask_state(['-RHl0'], prepare=nohup)
    same(state['ignored'], [str(int(signal.SIGHUP))], 'ignored signals')
    before = sorted(server.ours())
    for pid in before:
        os.kill(pid, signal.SIGHUP)
    state_parse(server.ask())
    same(sorted(server.ours()), before, 'processes')


@case()
def inherited():
    """Working directory, umask, limits, nice level, session"""
    where = scratch()

    def unusual():
        os.umask(0o037)
        os.nice(3)
        resource.setrlimit(resource.RLIMIT_NOFILE, (500, 600))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    nice = os.nice(0)
    server, state, _ = ask_state(['-vRHl0'], cwd=where, prepare=unusual)
    same(state['cwd'], [os.path.realpath(where)], 'cwd')
    same(state['umask'], ['037'], 'umask')
    same(state['nice'], [str(min(19, nice + 3))], 'nice')
    same(state['limit-nofile'], ['500 600'], 'descriptors')
    same(state['limit-core'], ['0 0'], 'core')
    same(state['limit-fsize'], ['%d %d' % (1 << 30, 1 << 30)], 'file size')
    same(state['session'], [str(server.pid)], 'session')
    same(state['group'], [str(server.pid)], 'process group')
    # Its pid is the one that is logged, and in which the program ran.
    server.wait_lines('ok %s 0:.*' % state['pid'][0], 1)
    server.wait_lines('end %s status 0' % state['pid'][0], 1)


def identity(server):
    state = state_parse(server.ask())
    return state['uid'], state['gid'], state['groups']


@case(user='root')
def identity_numbers():
    """-u and -g: real and effective, no group of ours is left"""
    where = scratch()
    os.setgroups([0, 4, 24])
    server = Server(['-vRHl0', '-u', '505', '-g', '511'],
                    [copy(helper('state'), where)], cwd=where)
    same(identity(server), (['505 505'], ['511 511'], ['511']), 'identity')
    same(process_uids(server.child('launcher')), [505] * 4, 'launcher')
    require(0 not in process_uids(server.child('engine')), 'engine is root')
    same(process_uids(server.pid), [0] * 4, 'parent')


@case(user='root')
def identity_user_only():
    """-u alone: no supplementary group of root's stays"""
    where = scratch()
    os.setgroups([0, 4, 24])
    server = Server(['-vRHl0', '-u', '505'], [copy(helper('state'), where)],
                    cwd=where)
    uid, gid, groups = identity(server)
    same((uid, gid), (['505 505'], ['0 0']), 'identity')
    require(groups in ([''], ['0'], []), 'groups %r' % groups)


@case(user='root')
def identity_group_only():
    """-g alone: the gid changes, the uid stays"""
    server = Server(['-vRHl0', '-g', '511'], [helper('state')])
    same(identity(server), (['0 0'], ['511 511'], ['511']), 'identity')


@case(user='root')
def identity_environment():
    """-U: $UID and $GID, as envuidgid sets them; each if it is set"""
    where = scratch()
    program = [copy(helper('state'), where)]
    env = dict(os.environ, UID='505', GID='511')
    server = Server(['-vURHl0'], program, env=env, cwd=where)
    same(identity(server), (['505 505'], ['511 511'], ['511']), 'UID, GID')
    del env['UID']
    server = Server(['-vURHl0'], program, env=env, cwd=where)
    same(identity(server), (['0 0'], ['511 511'], ['511']), 'GID alone')
    # Later options override earlier ones.
    env['UID'] = '505'
    server = Server(['-vURHl0', '-u', '506'], program, env=env, cwd=where)
    same(identity(server)[0], ['506 506'], 'uid after -U -u 506')


@case(user='root')
def identity_zero():
    """-u 0 means: do not switch"""
    os.setgroups([0, 4])
    server = Server(['-vRHl0', '-u', '0', '-g', '0'], [helper('state')])
    uid, gid, groups = identity(server)
    same((uid, gid), (['0 0'], ['0 0']), 'identity')
    same(sorted(groups[0].split()), ['0', '4'], 'groups')


@case(user='root')
def identity_names():
    """A user's name brings his group; an unknown one is refused"""
    import pwd
    where = scratch()
    entry = pwd.getpwnam('nobody')
    server = Server(['-vRHl0', '-u', 'nobody'],
                    [copy(helper('state'), where)], cwd=where)
    same(identity(server), (['%d %d' % (entry.pw_uid, entry.pw_uid)],
                            ['%d %d' % (entry.pw_gid, entry.pw_gid)],
                            [str(entry.pw_gid)]), 'identity')
    done = subprocess.run([STAGE + '/bin/tcpserver', '-u', 'no-such-user',
                           '127.0.0.1', '0', '/bin/true'], check=False,
                          stderr=subprocess.PIPE)
    same(done.returncode, 100, 'exit status')
    require(b'no-such-user' in done.stderr, 'message %r' % done.stderr)


@case(user='unprivileged')
def identity_refused():
    """Who is not root can't become another: said before a port is told"""
    for option, what in (('-g', 'gid'), ('-u', 'uid')):
        done = subprocess.run([STAGE + '/bin/tcpserver', '-1', option, '505',
                               '127.0.0.1', '0', '/bin/true'], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        same(done.returncode, 111, 'exit status')
        same(done.stdout, b'', 'output')
        require(done.stderr.startswith(
            b'tcpserver: fatal: unable to set %s: ' % what.encode()),
            'message %r' % done.stderr)


def copy(path, where):
    new = os.path.join(where, os.path.basename(path))
    shutil.copy(path, new)
    os.chmod(new, 0o755)
    return new


def process_uids(pid):
    with open('/proc/%d/status' % pid) as f:
        for line in f:
            if line.startswith('Uid:'):
                return [int(word) for word in line.split()[1:]]
    return None


@case()
def titles():
    """ps(1) shows the parent's own command line, and what each child is"""
    server = Server(['-vRHl0'], [helper('hold'), 'qmail-smtpd like'])
    held, program = server.hold()
    ps = subprocess.run(['ps', '-ww', '-o', 'pid=,args=', '-p', ','.join(
        str(pid) for pid in server.ours() + [program])],
        stdout=subprocess.PIPE, check=True).stdout.decode()
    shown = dict(line.strip().split(' ', 1) for line in ps.splitlines())
    shown = {int(pid): args.strip() for pid, args in shown.items()}
    same(shown.pop(server.pid), ' '.join(server.argv), 'parent')
    same(shown.pop(program), '%s qmail-smtpd like' % helper('hold'), 'program')
    same(sorted(shown.values()),
         ['tcpserverd: engine', 'tcpserverd: launcher'], 'children')
    held.close()


@case()
def stdout_closed_after_start():
    """Who reads the port from a pipe gets the end of file"""
    server = Server(['-RHl0'], [helper('hold')])
    same(os.read(server.process.stdout.fileno(), 10), b'', 'after the port')
    held, _ = server.hold()
    held.close()


@case()
def options_of_socket():
    """-D sets TCP_NODELAY, else it is off, -o and -O serve both"""
    program = ['/usr/bin/env', 'python3', '-c', (
        'import socket; s = socket.socket(fileno=0); '
        'print(bool(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))')]
    for options, wanted in ((['-RHl0'], b'False\n'), (['-DRHl0'], b'True\n'),
                            (['-DdoRHl0'], b'False\n')):
        same(Server(options, program).ask(), wanted, 'TCP_NODELAY')


@case()
def missing_program():
    """It is logged, the connection ends, 111 is the status"""
    server = Server(['-vRHl0'], ['./no such program'])
    for n in range(1, 4):
        same(server.ask(), b'', 'what the client gets')
        server.wait_lines('warning: dropping connection, unable to run '
                          r'\./no such program: file does not exist', n)
        server.wait_lines(r'end \d+ status 28416', n)
    server.wait_status(0)
    log_exact(server)
    # An ok line was there before: the rules had let it in.
    same(len(server.lines(r'ok \d+ .*')), 3, 'ok lines')


@case()
def program_not_executable():
    """Every other reason not to run it is told too"""
    open('plain', 'w').close()
    os.mkdir('dir')
    with open('script', 'w') as f:
        f.write('echo no interpreter is named\n')
    os.chmod('script', 0o755)
    wanted = {'./plain': '(access|permission) denied',
              './dir': '(access|permission) denied',
              './script': 'exec format error'}
    for name, text in wanted.items():
        server = Server(['-QRHl0'], [name])
        same(server.ask(), b'', 'what the client gets')
        server.wait_lines('warning: dropping connection, unable to run %s: '
                          '%s' % (name, text), 1)
        server.stop()


@case()
def statuses():
    """The raw status of each end, as wait(2) tells it"""
    for script, status in (('exit 0', 0), ('exit 1', 256), ('exit 111', 28416),
                           ('kill -9 $$', 9), ('kill -15 $$', 15)):
        server = Server(['-vRHl0'], ['/bin/sh', '-c', script])
        same(server.ask(), b'', 'what the client gets')
        server.wait_lines(r'end \d+ status %d' % status, 1)
        server.wait_status(0)
        server.stop()


@case()
def log_order():
    """status, pid and ok come before the program's own words, end after"""
    server = Server(['-vRHl0'], ['/bin/sh', '-c', 'echo words >&2'])
    for _ in range(20):
        server.ask()
    server.wait_lines(r'end \d+ status 0', 20)
    server.wait_status(0)
    log = server.log().splitlines()
    same(log[0], 'tcpserver: status: 0/40', 'first line')
    for pid in server.lines(r'pid (\d+) from \S+'):
        at = log.index('tcpserver: pid %s from 127.0.0.1' % pid)
        require(log[at + 1].startswith('tcpserver: ok %s ' % pid), 'ok')
        words = log.index('words', at)
        end = log.index('tcpserver: end %s status 0' % pid, at)
        require(at + 1 < words < end, 'order of the lines of %s' % pid)
        require('tcpserver: status: 1/40' in log[:at], 'status ahead of pid')


@case()
def stderr_at_every_level():
    """The program's standard error is the log, -q or not; ours obeys"""
    for option in ('-q', '-Q', '-v'):
        server = Server([option + 'RHl0'], ['/bin/sh', '-c',
                                            'echo words >&2'])
        server.ask()
        wait_for(lambda: 'words\n' in server.log(), 'the program\'s words')
        if option == '-v':
            server.wait_lines(r'end \d+ status 0', 1)
            server.wait_status(0)
            # status 0, status 1, pid, ok, words, end, status 0
            same(len(server.log().splitlines()), 7, 'log lines')
        else:
            same(server.stop(), 0, 'exit status')
            same(server.log(), 'words\n', 'log')


if __name__ == '__main__':
    main()
