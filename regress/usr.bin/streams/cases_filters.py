"""Cases of argv0, addcr and delcr."""

import os
import random
import select
import socket
import struct
import subprocess

from differential import case, table
from running import Program, closing

ARGV0_USAGE = (
    ('none', []),
    ('one', ['sh']),
    ('option', ['-x']),
)
table('filters', 'argv0-usage', ARGV0_USAGE,
      lambda side, args: side.run(['argv0'] + args))

ARGV0_RUN = (
    ('name', ['./probe', 'other', 'arguments', 'a', '']),
    ('empty-name', ['./probe', '', 'arguments']),
    ('slash-name', ['./probe', '/x/y', 'arguments']),
    ('searched', ['sh', 'other', '-c', 'echo "$0"']),
    ('dash-name', ['sh', '-other', '-c', 'echo "$0"']),
    ('status', ['./probe', 'p', 'exit=43']),
    ('signal', ['./probe', 'p', 'kill=9']),
    ('descriptors', ['./probe', 'p', 'descriptors']),
    ('signals', ['./probe', 'p', 'signals']),
    ('environment', ['./probe', 'p', 'environment']),
    ('missing', ['no-such-program', 'p']),
    ('missing-path', ['./no-such-program', 'p']),
    ('option', ['-x', 'p']),
    ('dashes', ['--', 'sh', '-c', 'exit 3']),
    ('empty', ['', 'p']),
    ('directory', ['/', 'p']),
    ('under-file', ['./probe/x', 'p']),
    ('not-executable', ['/etc/passwd', 'p']),
    ('long', ['x' * 300, 'p']),
    ('many-arguments', ['./probe', 'p', 'arguments'] + ['a'] * 5000),
    ('long-argument', ['./probe', 'p', 'arguments', 'a' * 100000]),
)
table('filters', 'argv0', ARGV0_RUN,
      lambda side, args: side.run(['argv0'] + args))


@case('filters')
def argv0_unmarked_script(side):
    """No shell is tried."""
    side.write('script', b'echo hello\n', 0o755)
    side.run(['argv0', './script', 'p'])


@case('filters')
def argv0_other_name(side):
    """Its own name is not what it was called by."""
    for args in ([], ['no-such-program', 'p']):
        side.run(['argv0'] + args, argv0='other')


PATHS = (
    ('unset', None),
    ('empty', ''),
    ('component', '/nowhere::/nowhere'),
    ('denied', 'denied:.'),
    ('denied-alone', 'denied:/nowhere'),
    ('through-file', 'probe:.'),
)


def search(side, path):
    os.mkdir(side.path('denied'))
    side.write('denied/probe', b'x', 0o644)
    env = {} if path is None else {'PATH': path}
    side.run(['argv0', 'probe', 'p', 'exit=3'], env=env)
    side.run(['argv0', 'sh', 'p', '-c', 'exit 3'], env=env)


table('filters', 'argv0-path', PATHS, search)

CLOSED = (
    ('0', (0,)),
    ('1', (1,)),
    ('2', (2,)),
    ('all', (0, 1, 2)),
)
table('filters', 'argv0-closed', CLOSED,
      lambda side, fds: [Program(side, argv, preexec=closing(*fds)).note()
                         for argv in (['argv0'],
                                      ['argv0', './probe', 'p',
                                       'descriptors', 'exit=4'],
                                      ['argv0', 'no-such-program', 'p'])])

# What addcr and delcr read.
TEXTS = (
    ('nothing', b''),
    ('line', b'hello\n'),
    ('no-lf', b'hello'),
    ('lf', b'\n'),
    ('cr', b'\r'),
    ('crlf', b'\r\n'),
    ('crcrlf', b'\r\r\n'),
    ('lfcr', b'\n\r'),
    ('lines', b'a\nb\r\nc\rd\r\r\n\n\r\n\r'),
    ('nul', b'a\0b\0\n\0\r\0\n'),
    ('high', bytes(range(256)) * 3),
    ('lfs', b'\n' * 70001),
    ('crs', b'\r' * 70001),
    ('crlfs', b'\r\n' * 70001),
    ('endless-line', b'x' * 300000),
    ('cr-at-8192', b'x' * 8191 + b'\r\n' + b'x' * 8190 + b'\r' + b'x'),
    ('cr-at-65536', b'x' * 65535 + b'\r\n' + b'x' * 65534 + b'\r\r\n'),
    ('cr-end-65536', b'x' * 65535 + b'\r'),
    ('lf-at-65536', b'x' * 65536 + b'\n' + b'y' * 65535 + b'\n'),
)


def run_text(side, text):
    for name in ('addcr', 'delcr'):
        side.run([name], stdin=text)


table('filters', 'filter', TEXTS, run_text)


def run_random(side, seed):
    rng = random.Random(seed)
    weights = rng.choice(((1, 1, 1, 1), (1, 1, 1, 40), (40, 40, 1, 1)))
    run_text(side, bytes(rng.choices(b'\r\n\0x', weights,
                                     k=rng.randint(0, 200000))))


table('filters', 'filter-random',
      tuple(('%02d' % seed, seed) for seed in range(20)), run_random)


def both(function):
    """Makes a case of addcr and one of delcr."""
    for name in ('addcr', 'delcr'):
        def one(side, program=name):
            function(side, program)
        case('filters', name + '-' +
             function.__name__.replace('_', '-'))(one)
    return function


@both
def arguments(side, program):
    side.run([program, '-x', '/etc/passwd', '--help'], stdin=b'a\r\n')


@both
def unreadable(side, program):
    fd = os.open(side.dir, os.O_RDONLY)
    side.run([program], stdin_file=fd)
    os.close(fd)


@both
def unwritable(side, program):
    with open('/dev/full', 'wb') as full:
        Program(side, [program], stdout=full).note(b'x\r\n' * 50000)


@both
def closed_input(side, program):
    Program(side, [program], preexec=closing(0)).note()


@both
def closed_output(side, program):
    Program(side, [program], preexec=closing(1)).note(b'x\r\n')


@both
def closed_errors(side, program):
    Program(side, [program], preexec=closing(2)).note(b'x\r\n')


@both
def reader_gone(side, program):
    """SIGPIPE, as any filter."""
    running = Program(side, [program])
    running.process.stdout.close()
    running.send(b'x\n')
    running.finish()
    side.note('exit', running.wait())


@both
def one_byte_at_a_time(side, program):
    """Each is passed on before the next is waited for, but for a CR."""
    running = Program(side, [program])
    for byte, wanted in zip((b'a', b'\n', b'\0', b'b'),
                            ((1, 1), (2, 1), (1, 1), (1, 1))):
        running.send(byte)
        side.note('out', running.receive(wanted[program == 'delcr']))
    running.send(b'\r')
    if program == 'delcr':
        running.wait_idle()
        ready = select.select([running.process.stdout], [], [], 0)[0]
        side.note('held', not ready)
    running.note(b'\n')


@both
def read_error_after_data(side, program):
    """What was read before a failure is passed on."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen(1)
        peer = socket.create_connection(listener.getsockname())
        inner, _ = listener.accept()
    running = Program(side, [program], stdin=inner)
    inner.close()
    peer.sendall(b'a\r\nb\n')
    side.note('out', running.receive(7 if program == 'addcr' else 4))
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack('ii', 1, 0))
    peer.close()
    running.note()


@both
def nonblocking(side, program):
    """Input that was made non-blocking, and is late."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    running = Program(side, [program], stdin=read)
    running.wait_idle()
    os.close(read)
    try:
        os.write(write, b'a\r\n')
    except BrokenPipeError:
        side.note('writer', 'broken pipe')
    os.close(write)
    running.note()


@both
def slow_reader(side, program):
    """More than fits anywhere, read only after all was written."""
    text = b'0123456789\r\nabcdef\n' * 20000
    running = Program(side, [program])
    pid = os.fork()
    if pid == 0:
        running.process.stdout.close()
        running.send(text)
        os._exit(0)
    running.finish()
    out = b''
    while True:
        more = running.process.stdout.read(4096)
        if not more:
            break
        out += more
    os.waitpid(pid, 0)
    side.note('out', out)
    side.note('exit', running.wait())


@both
def sockets(side, program):
    """From a peer that closes first, to one that has half closed."""
    inner_in, outer_in = socket.socketpair()
    inner_out, outer_out = socket.socketpair()
    outer_out.shutdown(socket.SHUT_WR)
    running = Program(side, [program], stdin=inner_in, stdout=inner_out,
                      stderr=subprocess.DEVNULL)
    inner_in.close()
    inner_out.close()
    outer_in.sendall(b'a\r\nb\nc')
    outer_in.close()
    data = b''
    while True:
        more = outer_out.recv(4096)
        if not more:
            break
        data += more
    outer_out.close()
    side.note('out', data)
    side.note('exit', running.wait())
