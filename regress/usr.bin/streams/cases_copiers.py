"""Cases of fixcrio and recordio."""

import os
import random
import re
import signal
import socket
import subprocess
import threading

from differential import DEADLINE_S, case, table
from running import Program, closing


def note_copier(side, program, running, data=None, exact=False):
    """Status, output and errors."""
    status, out, err = running.end(data)
    side.note('exit', status)
    side.note('stdout', out or b'')
    note_errors(side, program, running, err or b'', exact)


def note_errors(side, program, running, err, exact=False):
    """
    The two ways are recorded in the order in which things happen, which
    differs from run to run.  Within one way it depends on luck how many
    writes of the program are read together, unless the case sees to that:
    then the records are compared exactly, else what they hold.
    """
    pid = b'%d' % running.process.pid
    err = re.sub(rb'(?m)^' + pid + rb'(?= [<>] )', b'PID', err)
    if program == 'recordio':
        ways = {b'<': b'', b'>': b'', b'other': b''}
        for line in err.split(b'\n')[:-1]:
            match = re.match(rb'PID ([<>]) ', line)
            ways[match.group(1) if match else b'other'] += line + b'\n'
        if err and not err.endswith(b'\n'):
            side.note('unfinished line', err)
        # It is a matter of luck whether the end of input is seen before
        # the end of the program.
        to = ways[b'<'].replace(b'PID < [EOF]\n', b'')
        side.note('to', to if exact else held(to))
        side.note('from', ways[b'>'] if exact else held(ways[b'>']))
        err = ways[b'other']
    side.note('stderr', err)


def held(records):
    """What was recorded, put together again."""
    data = b''
    for line in records.split(b'\n')[:-1]:
        text = line[len(b'PID > '):]
        if text == b'[EOF]':
            data += b'<end>'
        elif text.endswith(b'+'):
            data += text[:-1]
        elif text.endswith(b' '):
            data += text[:-1] + b'\n'
        else:
            data += b'<no record: %s>' % line
    return data


def both(function):
    """Makes a case of fixcrio and one of recordio."""
    for name in ('fixcrio', 'recordio'):
        def one(side, program=name):
            function(side, program)
        case('copiers', name + '-' +
             function.__name__.replace('_', '-'))(one)
    return function


def run(side, program, argv, data=b'', exact=False, **kw):
    note_copier(side, program, Program(side, [program] + argv, **kw), data,
                exact)


RUNS = (
    ('usage', []),
    ('status', ['sh', '-c', 'cat >/dev/null; exit 43']),
    ('signal', ['sh', '-c', 'cat >/dev/null; kill -9 $$']),
    ('missing', ['no-such-program']),
    ('missing-path', ['./no-such-program']),
    ('option', ['-x']),
    ('dashes', ['--', 'cat']),
    ('empty', ['']),
    ('directory', ['/']),
    ('not-executable', ['/etc/passwd']),
    ('arguments', ['./probe', 'arguments', '', 'a b']),
    ('many-arguments', ['./probe', 'arguments'] + ['a'] * 5000),
    ('descriptors', ['./probe', 'descriptors']),
    ('signals', ['./probe', 'signals']),
    ('environment', ['./probe', 'environment']),
    ('silent', ['true']),
    ('errors-apart', ['./probe', 'log=heard', 'say=said']),
)
for copier in ('fixcrio', 'recordio'):
    table('copiers', copier, RUNS,
          lambda side, argv, program=copier: run(side, program, argv))

TEXTS = (
    ('line', b'hello\n'),
    ('no-lf', b'hello'),
    ('lf', b'\n'),
    ('cr', b'\r'),
    ('crlf', b'\r\n'),
    ('lines', b'a\nb\r\nc\rd\r\r\n\n\r\n\r'),
    ('nul', b'a\0b\0\n\0\r\0\n'),
    ('high', bytes(range(256)) * 3),
    ('lfs', b'\n' * 3000),
    ('crs', b'\r' * 3000),
    ('endless-line', b'x' * 100000),
    ('256', b'x' * 256),
    ('257', b'x' * 257),
    ('lf-at-256', b'x' * 255 + b'\n' + b'y' * 255 + b'\n'),
    ('crlf-at-256', b'x' * 255 + b'\r\n' + b'y' * 254 + b'\r\n'),
    ('crlf-at-32768', b'x' * 32767 + b'\r\n' + b'y' * 32766 + b'\r\n'),
)


def run_text(side, text):
    """
    From a file, so that it is there at once, into a program that reads it
    all before it writes: records are cut up in one way only.
    """
    side.write('text', text)
    for program in ('fixcrio', 'recordio'):
        with open(side.path('text'), 'rb') as f:
            run(side, program, ['sh', '-c', 'cat >got; exec cat text'], None,
                exact=True, stdin=f)
        side.note('got', side.read('got'))


table('copiers', 'copier', TEXTS, run_text)


def run_random(side, seed):
    rng = random.Random(seed)
    weights = rng.choice(((1, 1, 1, 1), (1, 1, 1, 40), (40, 40, 1, 1)))
    run_text(side, bytes(rng.choices(b'\r\n\0x', weights,
                                     k=rng.randint(0, 20000))))


table('copiers', 'copier-random',
      tuple(('%02d' % seed, seed) for seed in range(10)), run_random)


@both
def called_by_another_name(side, program):
    run(side, program, [], argv0='other')
    run(side, program, ['no-such-program'], argv0='other')


@both
def number_is_the_programs(side, program):
    """The program keeps the process; the copier is its child."""
    running = Program(side, [program, 'sh', '-c',
                             'read c </proc/$$/task/$$/children; '
                             'echo $$ $c; read end; exit 3'])
    pids = running.process.stdout.readline().split()
    side.note('pid', int(pids[0]) == running.process.pid)
    side.note('children', len(pids) - 1)
    with open('/proc/%d/comm' % int(pids[1]), encoding='ascii') as f:
        side.note('child', f.read())
    running.finish()
    status, _, err = running.end()
    side.note('exit', status)
    side.note('records', re.findall(
        rb'(?m)^(\d+) ', err) == [b'%d' % running.process.pid] * len(
            re.findall(rb'(?m)^(\d+) ', err)))


@both
def signal_is_the_programs(side, program):
    running = Program(side, [program, 'sh', '-c',
                             'trap "echo caught; exit 5" TERM; echo ready; '
                             'while :; do :; done'])
    side.note('ready', running.receive(7 if program == 'fixcrio' else 6))
    running.process.send_signal(signal.SIGTERM)
    note_copier(side, program, running)


@both
def one_byte_at_a_time(side, program):
    """A conversation: each byte comes back before the next is sent."""
    echo = ('import os\n'
            'while True:\n'
            '    b = os.read(0, 1)\n'
            '    if not b: break\n'
            '    os.write(1, b)\n')
    running = Program(side, [program, 'python3', '-c', echo],
                      env={'PATH': os.environ.get('PATH', '/usr/bin:/bin')})
    for byte in (b'a', b'\0', b'\r', b'b'):
        running.send(byte)
        side.note('out', running.receive(1))
    note_copier(side, program, running, exact=True)


@both
def input_held_open(side, program):
    """The end of the program ends everything, whatever else could come."""
    running = Program(side, [program, './probe', 'say=hello', 'exit=3'])
    side.note('exit', running.wait())
    side.note('stdout', running.process.stdout.read())
    note_errors(side, program, running, running.process.stderr.read())


@both
def output_after_end_of_input(side, program):
    run(side, program, ['sh', '-c', 'cat >/dev/null; echo late'], b'a\nb')


@both
def output_outlives_program(side, program):
    """A grandchild still writes when the program has ended."""
    os.mkfifo(side.path('go'))
    running = Program(side, [program, 'sh', '-c',
                             '(read x <go; echo late) & echo early; exit 6'])
    running.wait()
    side.write('go', b'\n')
    note_copier(side, program, running)


@both
def program_deaf(side, program):
    """A program that does not read and yet has something to say."""
    os.mkfifo(side.path('go'))
    running = Program(side, [program, 'sh', '-c',
                             'exec <&-; echo ready; read x <go; '
                             'yes hello | head -n 50000; exit 7'])
    side.note('ready', running.receive(7 if program == 'fixcrio' else 6))
    running.send(b'nobody\nreads\nthis\n')
    running.wait_idle(child=True)
    side.write('go', b'\n')
    note_copier(side, program, running)


@both
def program_reads_a_little(side, program):
    """... and leaves the rest of a long input."""
    run(side, program, ['sh', '-c', 'head -c 1 >/dev/null; exit 8'], b'a')


@both
def output_unwritable(side, program):
    with open('/dev/full', 'wb') as full:
        running = Program(side, [program, 'sh', '-c', 'echo a; cat; exit 9'],
                          stdin=subprocess.DEVNULL, stdout=full)
        status, _, err = running.end()
        side.note('exit', status)
        note_errors(side, program, running, err)


@both
def errors_unwritable(side, program):
    with open('/dev/full', 'wb') as full:
        run(side, program, ['cat'], b'a\nb\n', stderr=full)


@both
def errors_reader_gone(side, program):
    read, write = os.pipe()
    os.close(read)
    run(side, program, ['cat'], b'a\nb\n', stderr=write)
    os.close(write)


@both
def reader_gone(side, program):
    """The program hears of it by its next write."""
    running = Program(side, [program, 'yes'], stdin=subprocess.DEVNULL)
    errors = threading.Thread(target=running.process.stderr.read)
    errors.start()
    running.receive(1)
    running.process.stdout.close()
    side.note('exit', running.wait())
    errors.join(DEADLINE_S)


@both
def unreadable(side, program):
    fd = os.open(side.dir, os.O_RDONLY)
    run(side, program, ['./probe', 'wait', 'say=end'], None, stdin=fd)
    os.close(fd)


@both
def closed_errors(side, program):
    run(side, program, ['cat'], b'a\nb\n', preexec=closing(2))


@both
def closed_input(side, program):
    run(side, program, ['./probe', 'wait', 'say=end'], None,
        stdin=subprocess.DEVNULL, preexec=closing(0))


@both
def closed_output(side, program):
    """Nobody hears the program; it must not wait for ever."""
    running = Program(side, [program, 'sh', '-c',
                             'cat >&2; echo a; exit 4'], preexec=closing(1))
    status, _, err = running.end(b'heard\n')
    del status
    side.note('heard', b'heard' in err)


@both
def closed_all(side, program):
    running = Program(side, [program, 'sh', '-c', 'echo ran >ran; exit 4'],
                      preexec=closing(0, 1, 2))
    side.note('exit', running.end()[0])
    side.note('ran', side.read('ran'))


def pump(running, text):
    """Sends text and takes all output at the same time."""
    out = []

    def take():
        while True:
            more = running.process.stdout.read(65536)
            if not more:
                break
            out.append(more)

    errors = []
    threads = [threading.Thread(target=take),
               threading.Thread(target=lambda: errors.append(
                   running.process.stderr.read()))]
    for thread in threads:
        thread.start()
    running.send(text)
    running.finish()
    for thread in threads:
        thread.join(DEADLINE_S)
    return b''.join(out), b''.join(errors)


@both
def floods(side, program):
    """A program that writes much before it reads anything."""
    running = Program(side, [program, 'sh', '-c',
                             'yes 0123456789 | head -c 1000000; wc -c'])
    out, _ = pump(running, b'abcdefg\n' * 125000)
    side.note('exit', running.wait())
    side.note('length', len(out))
    side.note('end', out[-20:])


@both
def slow_reader(side, program):
    """Everything is sent and the program is gone before any is read."""
    running = Program(side, [program, 'sh', '-c',
                             'cat >got; yes 0123456789 | head -c 50000'])
    running.send(b'ab\n' * 20000)
    running.finish()
    side.note('exit', running.wait() if program == 'fixcrio' else 0)
    out, _ = running.process.communicate(timeout=DEADLINE_S)
    side.note('stdout', out)
    side.note('got', side.read('got'))


def over_sockets(side, program, argv, first):
    inner, outer = socket.socketpair()
    errors = open(side.path('errors'), 'wb')
    running = Program(side, [program] + argv, stdin=inner, stdout=inner,
                      stderr=errors)
    inner.close()
    errors.close()
    outer.settimeout(DEADLINE_S)
    if first:
        outer.sendall(first)
    outer.shutdown(socket.SHUT_WR)
    data = b''
    while True:
        more = outer.recv(65536)
        if not more:
            break
        data += more
    outer.close()
    side.note('exit', running.wait())
    side.note('answer', data)
    note_errors(side, program, running, side.read('errors'))


@both
def half_closed_socket(side, program):
    over_sockets(side, program, ['sh', '-c', 'cat >got; cat got got'],
                 b'a\r\nb\nc')


@both
def long_answer_socket(side, program):
    over_sockets(side, program,
                 ['sh', '-c', 'yes 012345678 | head -c 300000'], b'')


@both
def vanished_socket(side, program):
    """The peer closes, unread, in the middle of an endless answer."""
    inner, outer = socket.socketpair()
    running = Program(side, [program, 'yes'], stdin=inner, stdout=inner,
                      stderr=subprocess.DEVNULL)
    inner.close()
    outer.recv(1)
    outer.close()
    side.note('exit', running.wait())


@both
def nonblocking_both(side, program):
    """Descriptors that someone else made non-blocking."""
    inner, outer = socket.socketpair()
    inner.setblocking(False)
    running = Program(side, [program, 'sh', '-c',
                             'cat; yes 012345678 | head -c 500000'],
                      stdin=inner, stdout=inner, stderr=subprocess.DEVNULL)
    inner.close()
    outer.settimeout(DEADLINE_S)
    outer.sendall(b'a\n')
    outer.shutdown(socket.SHUT_WR)
    length = 0
    while True:
        more = outer.recv(4096)
        if not more:
            break
        length += len(more)
    outer.close()
    side.note('exit', running.wait())
    side.note('length', length)


@both
def flags_stay(side, program):
    """The descriptors of others keep their flags."""
    read, write = os.pipe()
    running = Program(side, [program, 'sh', '-c', 'cat; echo end'],
                      stdout=write)
    running.send(b'hello\n')
    os.read(read, 6)
    side.note('blocking', os.get_blocking(write))
    running.finish()
    running.process.stderr.read()
    side.note('exit', running.wait())
    side.note('blocking', os.get_blocking(write))
    running.process.stderr.close()
    os.close(read)
    os.close(write)
