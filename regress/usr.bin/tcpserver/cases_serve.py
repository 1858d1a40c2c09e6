# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""Cases of serving on loopback; none needs root or a name server."""

import os
import resource
import signal
import socket
import struct
import subprocess

import cases_rules
from differential import PATH, case, table

QUICK = ['-HRl0']
VERBOSE = ['-vHRl0']


def serve_one(side, options, program=('./probe',), sessions=1, **kw):
    """A server, so many sessions one after the other, and its whole log."""
    server = side.server(options, program, **kw)
    for _ in range(sessions):
        server.ask()
    server.stop()


# Options that change what is logged or answered; -HRl0 is in each.
OPTIONS = (
    ('plain', ['-HRl0']),
    ('verbose', ['-vHRl0']),
    ('quiet', ['-qHRl0']),
    ('errors', ['-QHRl0']),
    ('quiet-then-verbose', ['-qvHRl0']),
    ('verbose-then-quiet', ['-vqHRl0']),
    ('verbose-then-errors', ['-vQHRl0']),
    ('separate', ['-vH', '-R', '-l', '0']),
    ('double-dash', ['-vHRl0', '--']),
    ('local-attached', ['-vHRlname.example']),
    ('local-empty', ['-vHRl', '']),
    ('local-twice', ['-vHRl1', '-l2']),
    ('local-99', ['-vHRl', 'x' * 99]),
    ('local-100', ['-vHRl', 'x' * 100]),
    ('local-101', ['-vHRl', 'x' * 101]),
    ('local-odd-bytes', ['-vHRl', 'a b%c:d\x01e\x7ff\xe4g\n~!']),
    ('limit-1', ['-vHRl0', '-c1']),
    ('limit-junk-after', ['-vHRl0', '-c', '5x']),
    ('limit-leading-zeros', ['-vHRl0', '-c', '007']),
    ('limit-overflow', ['-vHRl0', '-c', '18446744073709551619']),
    ('limit-large', ['-vHRl0', '-c', '4294967297']),
    ('limit-blank-digits', ['-vHRl0', '-c', '3 4']),
    ('backlog', ['-vHRl0', '-b', '7']),
    ('backlog-zero', ['-vHRl0', '-b', 'x']),
    ('timeout', ['-vHRl0', '-t', '5']),
    ('nagle', ['-vHRdl0']),
    ('no-delay', ['-vHRl0', '-D']),
    ('no-delay-then-nagle', ['-vHRl0', '-Dd']),
    ('ip-options', ['-vHRl0', '-o']),
    ('paranoid-without-lookup', ['-vHRpl0']),
    ('no-paranoid', ['-vHRPl0']),
    ('user-zero', ['-vHRl0', '-u0', '-g0']),
    ('forbidden-X-without-x', ['-vHRXl0']),
    ('banner', ['-vHRl0', '-B', 'hello\r\n']),
    ('banner-empty', ['-vHRl0', '-B', '']),
    ('banner-long', ['-vHRl0', '-B', 'x' * 10000]),
    ('banner-twice', ['-vHRl0', '-Bone', '-Btwo']),
    ('banner-quiet', ['-qHRl0', '-Bhello']),
)

table('serve', 'option', OPTIONS, lambda side, options: serve_one(
    side, options, ['./probe', 'say=served', 'socket', 'environment',
                    'log=from the program'], sessions=2))

# Program, as words: what a session answers, logs and how it ends.
PROGRAMS = (
    ('exit-0', ['./probe', 'exit=0']),
    ('exit-1', ['./probe', 'exit=1']),
    ('exit-100', ['./probe', 'exit=100']),
    ('exit-255', ['./probe', 'exit=255']),
    ('kill', ['./probe', 'kill=9']),
    ('terminate', ['./probe', 'kill=15']),
    ('abort', ['./probe', 'kill=6']),
    ('alarm', ['./probe', 'kill=14']),
    ('arguments', ['./probe', 'arguments', '', 'a b', "c'd", '$x', '-Z']),
    ('descriptors', ['./probe', 'descriptors']),
    ('signals', ['./probe', 'signals']),
    ('identity', ['./probe', 'identity']),
    ('limits', ['./probe', 'limits']),
    ('place', ['./probe', 'place']),
    ('socket', ['./probe', 'socket']),
    ('environment', ['./probe', 'environment']),
    ('missing', ['./none']),
    ('missing-absolute', ['/none/at/all']),
    ('missing-in-path', ['no-such-program-anywhere']),
    ('empty-name', ['']),
    ('directory', ['.']),
    ('directory-slash', ['./d/']),
    ('not-executable', ['./plain']),
    ('no-interpreter', ['./script']),
    ('bad-interpreter', ['./bad']),
    ('empty-file', ['./empty']),
    ('under-a-file', ['./plain/x']),
    ('loop', ['./loop']),
    ('long-name', ['./' + 'x' * 300]),
    ('odd-name', ['./a\nb%c\x01']),
)


def make_programs(side):
    os.mkdir(side.path('d'))
    side.write('plain', '#!/bin/sh\necho no\n', 0o644)
    side.write('script', 'echo no\n', 0o755)
    side.write('bad', '#!/none/at/all\n', 0o755)
    side.write('empty', '', 0o755)
    os.symlink('loop', side.path('loop'))


def serve_program(side, program):
    make_programs(side)
    serve_one(side, VERBOSE, program)


table('serve', 'program', PROGRAMS, serve_program)


def serve_program_quietly(side, program):
    make_programs(side)
    for options in (['-HRl0'], ['-qHRl0'], ['-HRl0', '-Bbanner']):
        serve_one(side, options, program)


table('serve', 'program-quiet', PROGRAMS[16:19], serve_program_quietly)

# PATH, with scratch directories in it; None is no PATH at all.
PATHS = (
    ('first', 'a:b'),
    ('second', 'none:b'),
    ('not-executable-then-good', 'x:b'),
    ('not-executable-last', 'b2:x'),
    ('not-executable-then-missing', 'x:none'),
    ('directory-then-good', 'dir:b'),
    ('directory-only', 'dir'),
    ('empty', ''),
    ('empty-component', 'none::b'),
    ('empty-first', ':b'),
    ('empty-last', 'none:'),
    ('colon', ':'),
    ('file-as-directory', 'probe:b'),
    ('loop', 'loop:b'),
    ('bad-format-then-good', 'bad:b'),
    ('unset', None),
)


def serve_path(side, path):
    for name in ('a', 'b', 'b2', 'x', 'dir', 'bad'):
        os.mkdir(side.path(name))
    for name in ('a', 'b'):
        side.write(name + '/tool', '#!/bin/sh\necho %s\n' % name, 0o755)
    side.write('tool', '#!/bin/sh\necho here\n', 0o755)
    side.write('x/tool', '#!/bin/sh\necho x\n', 0o644)
    os.mkdir(side.path('dir/tool'))
    side.write('bad/tool', b'\x7fnonsense', 0o755)
    os.symlink('loop', side.path('loop'))
    env = {} if path is None else {'PATH': path}
    serve_one(side, VERBOSE, ['tool'], env=env)
    serve_one(side, VERBOSE, ['true'], env=env)


table('serve', 'path', PATHS, serve_path)


@case('serve')
def environment_stale(side):
    stale = {name: 'stale' for name in (
        'PROTO', 'TCPLOCALIP', 'TCPLOCALPORT', 'TCPLOCALHOST', 'TCPREMOTEIP',
        'TCPREMOTEPORT', 'TCPREMOTEHOST', 'TCPREMOTEINFO', 'TCPOTHER',
        'TCP6REMOTEIP', 'SSLCTX', 'PATH', 'UID', 'GID')}
    stale['PATH'] = PATH
    stale['ODD NAME'] = 'x=y=z'
    stale['EMPTY'] = ''
    for options in (VERBOSE, ['-vHRl', '']):
        serve_one(side, options, ['./probe', 'environment'], env=stale)


@case('serve')
def environment_none(side):
    serve_one(side, VERBOSE, ['./probe', 'environment'], env={})


@case('serve')
def environment_large(side):
    env = {'V%d' % i: 'x' * 1000 for i in range(300)}
    serve_one(side, VERBOSE, ['./probe', 'environment'], env=env)


@case('serve')
def host_any(side):
    for host in ('0', '', '0.0.0.0', '[0.0.0.0]'):
        serve_one(side, VERBOSE, ['./probe', 'environment'], host=host)


@case('serve')
def host_forms(side):
    for host in ('127.000.000.001', '[127.0.0.1]', '383.256.512.1025',
                 '127.0.0.1.9', '127.0.0.1.0.0.0.0', '127.0.0.2'):
        server = side.server(VERBOSE, ['./probe', 'environment'], host=host)
        server.ask(to='127.0.0.2' if host == '127.0.0.2' else '127.0.0.1')
        server.stop()


@case('serve')
def port_forms(side):
    """Words that mean port 0."""
    for port in ('0', '', '65536', '000', '131072'):
        serve_one(side, VERBOSE, ['./probe'], port=port)


@case('serve')
def port_modulo(side):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        free = s.getsockname()[1]
    serve_one(side, VERBOSE, ['./probe', 'environment'],
              port=str(65536 + free))


@case('serve')
def port_output(side):
    """-1: the port, a newline, and then end of file."""
    for options in (['-1qHRl0'], ['-1HRl0'], ['-1vHRl0']):
        server = side.server(options, ['./probe'], one=False)
        server.ready()
        side.note('rest', server.process.stdout.read())
        server.stop()


@case('serve')
def no_port_output(side):
    """Without -1: only end of file, once it listens."""
    server = side.server(VERBOSE, ['./probe'], one=False)
    side.note('stdout', server.process.stdout.read())
    server.wait_log('^tcpserver: status: 0/40\n')
    server.stop()


@case('serve')
def client_addresses(side):
    server = side.server(VERBOSE, ['./probe', 'environment'], host='0')
    for to in ('127.0.0.1', '127.1.2.3'):
        for source in ('127.0.0.1', '127.255.255.254'):
            server.ask(to=to, source=source)
    server.stop()


RECORD_ROUTE = b'\x07\x07\x04\0\0\0\0\0'


@case('serve')
def ip_options(side):
    for options in (VERBOSE, ['-vHRol0'], ['-vHRoOl0']):
        server = side.server(options, ['./probe', 'socket'])
        server.ask(options=RECORD_ROUTE)
        server.stop()


@case('serve')
def program_pid(side):
    server = side.server(VERBOSE, ['./probe', 'pid'])
    answer = server.connect().read_all()
    server.ended()
    side.note('same', int(answer.split()[1]) == server.log_pid())
    server.stop()


@case('serve')
def program_parent(side):
    server = side.server(VERBOSE, ['./probe', 'parent'])
    answer = server.connect().read_all()
    side.note('parent is the started process',
              int(answer.split()[1]) == server.process.pid)
    server.ended()
    server.stop()


@case('serve')
def program_group(side):
    server = side.server(VERBOSE, ['./probe', 'group'])
    words = server.connect().read_all().split()
    side.note('process group', int(words[1]) == os.getpgid(
        server.process.pid))
    side.note('session', int(words[3]) == os.getsid(server.process.pid))
    server.ended()
    server.stop()


@case('serve')
def program_group_own(side):
    """Started as a shell with job control starts it."""
    server = side.server(VERBOSE, ['./probe', 'group'], preexec=os.setpgrp)
    words = server.connect().read_all().split()
    side.note('process group', int(words[1]) == server.process.pid)
    server.ended()
    server.stop()


@case('serve')
def program_signals_ignored(side):
    """As under nohup(1): what was ignored stays so."""
    def prepare():
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1,
                       signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
    serve_one(side, VERBOSE, ['./probe', 'signals'], preexec=prepare)


@case('serve')
def program_signals_blocked(side):
    def prepare():
        signal.pthread_sigmask(signal.SIG_BLOCK, [
            signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM])
    serve_one(side, VERBOSE, ['./probe', 'signals'], preexec=prepare)


@case('serve')
def program_descriptors_inherited(side):
    """A descriptor that the starter left open, as setlock(1) does."""
    fd = os.open(side.path('probe'), os.O_RDONLY)

    def prepare():
        os.dup2(fd, 7)
    serve_one(side, VERBOSE, ['./probe', 'descriptors'], preexec=prepare,
              pass_fds=(7,))
    os.close(fd)


@case('serve')
def program_limits_inherited(side):
    """As under softlimit(1)."""
    def prepare():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 200000))
        # The sanitizers' shadow memory would not fit.
        if not os.environ.get('SANITIZED'):
            resource.setrlimit(resource.RLIMIT_DATA, (200000000, 300000000))
        resource.setrlimit(resource.RLIMIT_STACK, (2000000, 3000000))
        os.nice(3)
    serve_one(side, VERBOSE, ['./probe', 'limits'], preexec=prepare)


@case('serve')
def program_place_inherited(side):
    serve_one(side, VERBOSE, ['./probe', 'place'],
              preexec=lambda: os.umask(0o027))


@case('serve')
def program_echo(side):
    server = side.server(VERBOSE, ['./probe', 'wait'])
    client = server.connect()
    client.send(b'x' * 100000)
    client.finish()
    side.note('echo', client.read_all())
    server.ended()
    server.stop()


@case('serve')
def program_daemonizes(side):
    """The session ends with the program, not with what it left behind."""
    server = side.server(VERBOSE, ['sh', '-c', 'read x & exit 7'])
    client = server.connect()
    server.ended()
    client.finish()
    side.note('rest', client.read_all())
    server.stop()


@case('serve')
def limit_defers(side):
    """With -c 2 the third waits in the backlog until one has ended."""
    server = side.server(['-vHRl0', '-c2'], ['./probe', 'say=ready', 'wait'])
    clients = []
    for _ in range(2):
        clients.append(server.connect())
        side.note('line', clients[-1].read_line())
    third = server.connect()
    clients[0].finish()
    side.note('rest', clients[0].read_all())
    side.note('third', third.read_line())
    third.finish()
    third.read_all()
    server.ended(2)
    clients[1].finish()
    clients[1].read_all()
    server.ended()
    server.stop()


@case('serve')
def limit_no_banner_while_waiting(side):
    server = side.server(['-vHRl0', '-c1', '-Bbanner\n'],
                         ['./probe', 'say=ready', 'wait'])
    first = server.connect()
    side.note('banner', first.read_line())
    side.note('line', first.read_line())
    second = server.connect()
    first.finish()
    first.read_all()
    server.ended()
    side.note('banner', second.read_line())
    second.finish()
    second.read_all()
    server.ended()
    server.stop()


@case('serve')
def limit_zero(side):
    """Never serves: what waits is dropped when it is ended."""
    for limit in ('0', 'abc', '-1', ''):
        server = side.server(['-vHRl0', '-c', limit], ['./probe'])
        client = server.connect()
        server.stop()
        side.note('rest', client.read_all())


@case('serve')
def client_leaves_early(side):
    server = side.server(VERBOSE, ['./probe', 'wait', 'exit=3'])
    server.connect().socket.close()
    server.ended()
    server.stop()


@case('serve')
def client_resets(side):
    server = side.server(VERBOSE, ['./probe', 'say=ready', 'wait', 'exit=3'])
    client = server.connect()
    side.note('line', client.read_line())
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack('ii', 1, 0))
    client.socket.close()
    server.ended()
    server.stop()


@case('serve')
def inherited_child(side):
    """A child the process had before it became tcpserver."""
    r, w = os.pipe()

    def prepare():
        if os.fork() == 0:
            # Only the pipe's end: Popen waits until its own is closed.
            os.dup2(r, 0)
            os.closerange(3, 256)
            os.read(0, 1)
            os._exit(3)
    server = side.server(VERBOSE, ['./probe'], preexec=prepare)
    os.close(w)
    os.close(r)
    # The one wait here for what may never come.
    side.note('its end is logged', server.wait_log(
        '^tcpserver: end .* 768\ntcpserver: status: .*\n', patience_s=3))
    server.ask(settle=False)
    server.wait_log('^tcpserver: end .* status 0\ntcpserver: status: .*\n')
    server.stop()


# Rules on the running server: what they let in and say.
RULES = (
    ('none-match', b'1.2.3.4:deny\n'),
    ('allow', b'127.0.0.1:allow\n:deny\n'),
    ('deny', b'127.0.0.1:deny\n'),
    ('deny-default', b':deny\n'),
    ('prefix', b'127.:deny\n'),
    ('prefix-longest', b'127.:deny\n127.0.0.:allow\n'),
    ('variable', b'127.:allow,RELAYCLIENT=""\n'),
    ('variables', b'127.:allow,A="1",B="2",A="3",C="x y"\n'),
    ('variable-empty-name', b'127.:allow,="x"\n'),
    ('variable-replaces', b'127.:allow,TCPREMOTEIP="9.9.9.9",PROTO="X",'
                          b'TCPREMOTEHOST="h",TCPLOCALPORT="1"\n'),
    ('variable-path', b'127.:allow,PATH="/nowhere"\n'),
    ('deny-variable', b'127.:deny,A="1"\n'),
    ('user-not-asked', b'@127.0.0.1:deny\n'),
    ('host-not-asked', b'=:deny\n127.0.0.1:allow,A="ip"\n'),
    ('empty', b''),
)


def serve_rules(side, text):
    side.rules(text)
    serve_one(side, VERBOSE + ['-x', 'rules.cdb'],
              ['probe-no', 'environment'] if b'PATH' in text else
              ['./probe', 'environment'])


table('serve', 'rules', RULES, serve_rules)


@case('serve')
def rules_path_search(side):
    """PATH of the rules is for the program, not for finding it."""
    side.rules(b'127.:allow,PATH="/nowhere"\n')
    serve_one(side, VERBOSE + ['-x', 'rules.cdb'], ['sh', '-c', 'echo $PATH'])


@case('serve')
def rules_missing(side):
    for options in (['-vHRl0', '-x', 'none.cdb'], ['-HRl0', '-xnone.cdb'],
                    ['-vHRl0', '-x', ''],
                    ['-vHRl0', '-x', './none/rules.cdb', '-Bbanner']):
        serve_one(side, options, ['./probe', 'say=served'])
    server = side.server(['-qHRl0', '-xnone.cdb'], ['./probe', 'say=served'])
    server.ask()
    server.stop()


@case('serve')
def rules_missing_allowed(side):
    for options in (['-vHRXl0', '-x', 'none.cdb'],
                    ['-vHRXl0', '-x', 'none/rules.cdb']):
        serve_one(side, options, ['./probe', 'say=served'])


@case('serve')
def rules_not_missing_not_allowed(side):
    """-X forgives a missing file and nothing else."""
    side.write('short.cdb', 'damaged')
    for name in ('short.cdb', 'probe/rules.cdb'):
        serve_one(side, ['-vHRXl0', '-x', name], ['./probe', 'say=served'])


def serve_damaged(side, change):
    side.write('rules.cdb', cases_rules.damaged_file(change))
    data = side.read('rules.cdb').replace(b'1.2.3.4', b'127.0.0')
    side.write('rules.cdb', data)
    serve_one(side, VERBOSE + ['-x', 'rules.cdb'], ['./probe', 'say=served'])


# Only what damages the look-up of every client.
table('serve', 'rules-damaged', cases_rules.DAMAGES[:4], serve_damaged)


def serve_damaged_record(side, change):
    data = cases_rules.cdb_make([(b'', b'D\0')])
    slot = 8 * (cases_rules.cdb_hash(b'') & 255)
    good = cases_rules.damaged_file(lambda d: d)
    del good
    side.write('rules.cdb', change(data, slot))
    serve_one(side, VERBOSE + ['-x', 'rules.cdb'], ['./probe', 'say=served'])


def put32(data, at, value):
    return data[:at] + struct.pack('<I', value) + data[at + 4:]


table('serve', 'rules-damaged-default', (
    ('table-beyond', lambda d, slot: put32(d, slot, 0x7fffffff)),
    ('data-length', lambda d, slot: put32(d, 2052, 0x7ffffff0)),
    ('cut-table', lambda d, slot: d[:-4]),
), serve_damaged_record)


def serve_data(side, data):
    side.write('rules.cdb', cases_rules.cdb_make([(b'127.0.0.1', data)]))
    serve_one(side, VERBOSE + ['-x', 'rules.cdb'],
              ['./probe', 'environment'])


table('serve', 'rules-data', cases_rules.DATA, serve_data)


@case('serve')
def rules_directory(side):
    os.mkdir(side.path('rules.cdb'))
    serve_one(side, VERBOSE + ['-x', 'rules.cdb'], ['./probe', 'say=served'])


@case('serve')
def rules_changed(side):
    """The next connection after tcprules has returned."""
    side.rules(b':allow,A="first"\n')
    server = side.server(VERBOSE + ['-x', 'rules.cdb'],
                         ['./probe', 'environment'])
    server.ask()
    for text in (b':deny\n', b':allow,A="second"\n', b':allow,A="3"\n'):
        side.rules(text)
        server.ask()
    server.stop()


@case('serve')
def rules_removed_and_back(side):
    side.rules(b':allow,A="first"\n')
    server = side.server(VERBOSE + ['-x', 'rules.cdb'],
                         ['./probe', 'environment'])
    server.ask()
    os.unlink(side.path('rules.cdb'))
    server.ask()
    side.write('rules.cdb', 'damaged')
    server.ask()
    side.rules(b':allow,A="back"\n')
    server.ask()
    server.stop()


@case('serve')
def rules_appear(side):
    """A server that was started without the file."""
    server = side.server(VERBOSE + ['-x', 'rules.cdb'], ['./probe'])
    server.ask()
    side.rules(b':deny\n')
    server.ask()
    server.stop()


@case('serve')
def rules_by_link(side):
    side.rules(b':allow,A="one"\n', 'one.cdb')
    side.rules(b':allow,A="two"\n', 'two.cdb')
    os.symlink('one.cdb', side.path('rules.cdb'))
    server = side.server(VERBOSE + ['-x', 'rules.cdb'],
                         ['./probe', 'environment'])
    server.ask()
    os.symlink('two.cdb', side.path('new'))
    os.rename(side.path('new'), side.path('rules.cdb'))
    server.ask()
    server.stop()


@case('serve')
def rules_absolute(side):
    side.rules(b':deny\n')
    serve_one(side, VERBOSE + ['-x', side.path('rules.cdb')], ['./probe'])


@case('serve')
def deny_with_banner(side):
    side.rules(b':deny\n')
    serve_one(side, VERBOSE + ['-Bbanner\n', '-x', 'rules.cdb'], ['./probe'])


@case('serve')
def deny_quietly(side):
    side.rules(b':deny\n')
    for options in (['-HRl0'], ['-QHRl0'], ['-qHRl0']):
        serve_one(side, options + ['-x', 'rules.cdb'], ['./probe'])


@case('serve')
def deny_while_full(side):
    """A denied client takes a place only while it is denied."""
    side.rules(b'127.0.0.2:deny\n')
    server = side.server(['-vHRl0', '-c2', '-x', 'rules.cdb'],
                         ['./probe', 'say=ready', 'wait'])
    first = server.connect()
    side.note('line', first.read_line())
    server.ask(source='127.0.0.2')
    server.ask(source='127.0.0.2')
    first.finish()
    first.read_all()
    server.ended()
    server.stop()


# Signals to the running server, with a session open: raw wait status.
SIGNALS = ('TERM', 'HUP', 'INT', 'QUIT', 'ALRM', 'USR1', 'USR2', 'KILL')


def serve_signal(side, name):
    server = side.server(VERBOSE, ['./probe', 'say=ready', 'wait'])
    client = server.connect()
    side.note('line', client.read_line())
    server.signal(getattr(signal, 'SIG' + name))
    server.wait()
    # The program lives on.
    client.send(b'still here\n')
    side.note('program', client.read_line())
    client.finish()
    side.note('rest', client.read_all())
    server.note_log()


table('serve', 'signal', tuple((name, name) for name in SIGNALS),
      serve_signal)


@case('serve')
def signal_harmless(side):
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGCONT,
                   signal.SIGURG, signal.SIGWINCH):
        server = side.server(VERBOSE, ['./probe', 'say=served'])
        server.signal(number)
        server.ask()
        server.stop()


@case('serve')
def signal_term_twice(side):
    server = side.server(VERBOSE, ['./probe'])
    server.signal(signal.SIGTERM)
    server.signal(signal.SIGTERM)
    server.wait()
    server.note_log()


@case('serve')
def signal_ignored_hangup(side):
    """As under nohup(1): it goes on."""
    server = side.server(VERBOSE, ['./probe', 'say=served'],
                         preexec=lambda: signal.signal(signal.SIGHUP,
                                                       signal.SIG_IGN))
    server.signal(signal.SIGHUP)
    server.ask()
    server.stop()


@case('serve')
def signal_term_ignored(side):
    """Started with SIGTERM ignored, it obeys it all the same."""
    server = side.server(VERBOSE, ['./probe'],
                         preexec=lambda: signal.signal(signal.SIGTERM,
                                                       signal.SIG_IGN))
    server.stop()


@case('serve')
def port_free_after_term(side):
    """As soon as it has been reaped, another one can listen there."""
    server = side.server(VERBOSE, ['./probe', 'say=ready', 'wait'])
    client = server.connect()
    side.note('line', client.read_line())
    port = server.port
    server.signal(signal.SIGTERM)
    server.wait()
    again = side.server(VERBOSE, ['./probe', 'say=again'], port=str(port))
    again.ask()
    client.finish()
    client.read_all()
    server.note_log()
    again.stop()


@case('serve')
def term_before_clients(side):
    server = side.server(VERBOSE, ['./probe'])
    server.stop()


@case('serve')
def log_reader_gone(side):
    """Nobody reads the log any more: clients are served all the same."""
    r, w = os.pipe()
    process = subprocess.Popen(
        ['tcpserver', '-1vHRl0', '127.0.0.1', '0', './probe', 'say=served'],
        executable=side.tool('tcpserver'), cwd=side.dir, env={'PATH': PATH},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=w)
    os.close(w)
    port = int(process.stdout.readline())
    os.close(r)
    for _ in range(2):
        with socket.create_connection(('127.0.0.1', port), 30) as s:
            side.note('answer', s.recv(100))
    process.terminate()
    side.note('server', process.wait(30))
    process.stdout.close()


@case('serve')
def log_to_file(side):
    """Descriptor 2 is appended to, not truncated or reopened."""
    side.write('log', 'before\n')
    with open(side.path('log'), 'ab') as log:
        process = subprocess.Popen(
            ['tcpserver', '-1vHRl0', '127.0.0.1', '0', './probe', 'log=own'],
            executable=side.tool('tcpserver'), cwd=side.dir,
            env={'PATH': PATH}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=log)
    port = int(process.stdout.readline())
    with socket.create_connection(('127.0.0.1', port), 30) as s:
        s.recv(100)
    while b' status 0\ntcpserver: status: 0' not in side.read('log'):
        if process.poll() is not None:
            break
        select_nothing()
    process.terminate()
    side.note('server', process.wait(30))
    process.stdout.close()
    lines = side.read('log').decode().splitlines()
    side.note('lines', [line.split()[:2] for line in lines])


def select_nothing():
    """Lets others run while a file is watched."""
    import select
    select.select([], [], [], 0.01)


@case('serve')
def backlog(side):
    """The length of the queue of those that wait, as the kernel has it."""
    for options in ([], ['-b', '7'], ['-b', '0'], ['-b', '100']):
        server = side.server(VERBOSE + options, ['./probe'])
        out = subprocess.run(['ss', '-ltnH', 'sport = :%d' % server.port],
                             capture_output=True, check=True).stdout
        side.note('backlog', out.split()[2])
        server.stop()


@case('serve')
def many_clients(side):
    """Forty at once, and more than that in turn."""
    server = side.server(VERBOSE, ['./probe', 'say=ready', 'wait'])
    clients = [server.connect() for _ in range(60)]
    lines = []
    for client in clients:
        lines.append(client.read_line())
        client.finish()
        client.read_all()
    server.wait_log('^tcpserver: end ', 60)
    server.wait_log('^tcpserver: status: 0/40\n', 2)
    side.note('served', len([line for line in lines if line == b'ready\n']))
    server.signal(signal.SIGTERM)
    server.wait()
    text = server.log.decode()
    side.note('most', max(int(line.split()[2].split('/')[0])
                          for line in text.splitlines()
                          if line.startswith('tcpserver: status:')))
    side.note('ends', text.count('tcpserver: end '))
