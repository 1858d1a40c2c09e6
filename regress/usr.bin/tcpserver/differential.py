# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""Runs Debian's ucspi-tcp and ours over the same cases and compares.

differential.py check GROUP     runs the cases of a group (or CASE ... of it)
        [CASE ...]              against both; fails unless those that differ
                                are those that the manuals' DEVIATIONS
                                sections name
differential.py names           every name in a DEVIATIONS section is a case
differential.py list [GROUP]    the names of the cases
differential.py show CASE ...   both records of some cases

$PEERS holds Debian's package unpacked, $STAGE our installation; --theirs and
--ours name other directories with the three programs.  A case is a function
that gets a Side, runs programs and records what it sees; nothing in it knows
which side it is on.  What can't be equal (process numbers, ports, the
scratch directory) is replaced when it is recorded.
"""

import argparse
import difflib
import hashlib
import importlib
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

DEADLINE_S = 120        # for what must come; no case waits for its absence
LONG = 4000             # longer values are told by their digest
HERE = os.path.dirname(os.path.abspath(__file__))
MANUALS = ('tcpserver.1', 'tcprules.1', 'tcprulescheck.1')
PATH = '/usr/local/bin:/usr/bin:/bin'

CASES = {}              # name -> (group, function)
SLOW = set()


def case(group, name=None, slow=False):
    """Makes a function a case; its name is the function's, with dashes.
    Slow ones run beside the others."""
    def enter(function):
        key = name or function.__name__.replace('_', '-')
        assert key not in CASES, key
        CASES[key] = (group, function)
        if slow:
            SLOW.add(key)
        return function
    return enter


def table(group, prefix, rows, run, slow=()):
    """Makes one case of each row (NAME, ARGUMENT ...): run(side, ...)."""
    for row in rows:
        def one(side, args=row[1:]):
            run(side, *args)
        case(group, prefix + '-' + row[0], row[0] in slow)(one)


class Trouble(Exception):
    """The case could not be carried through."""


def text_of(data):
    return data.decode('latin-1') if isinstance(data, bytes) else str(data)


class Side:
    """One of the two: its programs, a scratch directory, a record."""

    def __init__(self, name, bindir):
        self.name = name
        self.bindir = bindir
        self.record = []
        self.dir = None
        self.servers = []

    def begin(self, parent):
        self.dir = os.path.join(parent, 'work')
        self.record = []
        self.servers = []
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o755)
        shutil.copy(os.path.join(HERE, 'probe'), self.path('probe'))

    def end(self):
        for server in self.servers:
            server.abandon()
        subprocess.run(['chmod', '-R', 'u+rwx', self.dir], check=False)
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, data, mode=0o644):
        if isinstance(data, str):
            data = data.encode('latin-1')
        with open(self.path(name), 'wb') as f:
            f.write(data)
        os.chmod(self.path(name), mode)

    def read(self, name):
        try:
            with open(self.path(name), 'rb') as f:
                return f.read()
        except FileNotFoundError:
            return None

    def note(self, label, value):
        if isinstance(value, bytes):
            value = value.decode('latin-1')
        if isinstance(value, str):
            value = value.replace(self.dir, '$DIR')
            if len(value) > LONG:
                value = '%s... (%d bytes, %s)' % (
                    value[:100], len(value),
                    hashlib.sha256(value.encode('latin-1')).hexdigest())
        self.record.append('%s: %r' % (label, value))

    def tool(self, name):
        return os.path.join(self.bindir, name)

    def run(self, argv, stdin=b'', env=None, argv0=None, preexec=None,
            stdin_file=None, record=True):
        """Runs a program to its end and records how it went."""
        done = subprocess.Popen(
            [argv0 or argv[0]] + list(argv[1:]),
            executable=self.tool(argv[0]), cwd=self.dir,
            env={'PATH': PATH} if env is None else env,
            stdin=stdin_file if stdin_file else subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=preexec)
        try:
            out, err = done.communicate(None if stdin_file else stdin,
                                        timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            done.kill()
            out, err = done.communicate()
            self.note('did not end', True)
        if record:
            self.note('exit', done.returncode)
            self.note('stdout', out)
            self.note('stderr', err)
        return done.returncode

    def rules(self, text, name='rules.cdb'):
        """Compiles rules with this side's tcprules."""
        if isinstance(text, str):
            text = text.encode('latin-1')
        code = self.run(['tcprules', name, 'rules.tmp'], stdin=text,
                        record=False)
        if code != 0:
            self.note('tcprules', code)

    def server(self, *args, **kw):
        server = Server(self, *args, **kw)
        self.servers.append(server)
        return server


class Server:
    """A tcpserver of one side, with -1 so that its port is known."""

    def __init__(self, side, options, program=('./probe',), host='127.0.0.1',
                 port='0', env=None, preexec=None, pass_fds=(), one=True):
        self.side = side
        self.port = None
        self.sessions = 0
        # The last of -q, -Q, -v counts; in these cases all are in one word.
        self.verbose = re.search('v[^qQ]*$', options[0]) is not None
        self.log = b''
        self.grown = threading.Condition()
        self.closed = False
        self.numbers = {}
        argv = ['tcpserver'] + (['-1'] if one else []) + list(options)
        argv += [host, port] + list(program)
        self.process = subprocess.Popen(
            argv, executable=side.tool('tcpserver'), cwd=side.dir,
            env={'PATH': PATH} if env is None else env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=preexec, pass_fds=pass_fds)
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()
        if one:
            self.ready()

    def follow(self):
        fd = self.process.stderr.fileno()
        while True:
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b''
            with self.grown:
                self.log += data
                self.closed = not data
                self.grown.notify_all()
            if not data:
                return

    def ready(self):
        line = b''
        while not line.endswith(b'\n'):
            if not select.select([self.process.stdout], [], [],
                                 DEADLINE_S)[0]:
                raise Trouble('no port was printed')
            data = os.read(self.process.stdout.fileno(), 1)
            if not data:
                break
            line += data
        if not line:
            self.process.wait(DEADLINE_S)
            self.side.note('did not start', self.process.returncode)
            self.note_log()
            raise Stopped()
        self.port = int(line)
        if self.verbose:
            self.wait_log('^tcpserver: status: 0/')

    def wait_log(self, pattern, count=1, patience_s=None):
        """Waits until the log holds so many matches; within patience_s,
        if given, and then tells whether it does."""
        expression = re.compile(pattern.encode('latin-1'), re.M)
        with self.grown:
            if not self.grown.wait_for(
                    lambda: len(expression.findall(self.log)) >= count or
                    self.closed, patience_s or DEADLINE_S):
                if patience_s:
                    return False
                raise Trouble('not in the log: %s; it is: %r' %
                              (pattern, self.log))
        return True

    def clean(self, data):
        """The log with process numbers and ports told by their order."""
        text = text_of(data)

        def number(match):
            if match.group(2) not in self.numbers:
                self.numbers[match.group(2)] = len(self.numbers) + 1
            return '%s #%d' % (match.group(1), self.numbers[match.group(2)])

        text = re.sub(r'^(tcpserver: (?:pid|ok|deny|end)) (\d+)', number,
                      text, flags=re.M)
        if self.port:
            text = re.sub(r'(?<!\d)%d(?!\d)' % self.port, 'PORT', text)
        return re.sub(r'^(tcpserver: (?:ok|deny) .*:)\d+$', r'\1CLIENT',
                      text, flags=re.M)

    def log_pid(self, index=0):
        """To be asked when it is known to be in the log."""
        return int(re.findall(rb'^tcpserver: pid (\d+)', self.log,
                              re.M)[index])

    def note_log(self, label='log'):
        """Records the log, complete: nobody can write to it any more."""
        with self.grown:
            if not self.grown.wait_for(lambda: self.closed, DEADLINE_S):
                self.side.note('log still open', True)
        self.side.note(label, self.clean(self.log))

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, label='server'):
        try:
            self.side.note(label, self.process.wait(DEADLINE_S))
        except subprocess.TimeoutExpired:
            self.side.note(label, 'did not end')

    def stop(self, label='server'):
        """SIGTERM; records how it ended and everything it logged."""
        self.signal(signal.SIGTERM)
        self.wait(label)
        self.note_log()

    def abandon(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.reader.join(DEADLINE_S)
        self.process.stderr.close()

    def connect(self, **kw):
        return Client(self, **kw)

    def ask(self, label='answer', settle=True, **kw):
        """One session from beginning to end; records what was answered."""
        client = self.connect(**kw)
        data = client.read_all()
        self.side.note(label, client.clean(data))
        if settle:
            self.ended()
        return data

    def ended(self, count=1):
        """So many sessions are over: waits until that is logged."""
        self.sessions += count
        if self.verbose:
            self.wait_log(
                r'^tcpserver: end .*\ntcpserver: status: .*\n',
                self.sessions)


class Stopped(Exception):
    """The server did not start, which has been recorded."""


class Client:
    def __init__(self, server, source=None, to='127.0.0.1', options=None):
        self.server = server
        self.socket = socket.socket(socket.AF_INET6 if ':' in to
                                    else socket.AF_INET)
        self.socket.settimeout(DEADLINE_S)
        if options is not None:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS,
                                   options)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((to, server.port))
        self.port = self.socket.getsockname()[1]

    def clean(self, data):
        text = text_of(data)
        text = re.sub(r'(?<!\d)%d(?!\d)' % self.port, 'CLIENT', text)
        return re.sub(r'(?<!\d)%d(?!\d)' % self.server.port, 'PORT', text)

    def send(self, data):
        self.socket.sendall(data)

    def read_line(self):
        data = b''
        while not data.endswith(b'\n'):
            more = self.socket.recv(1)
            if not more:
                break
            data += more
        return data

    def finish(self):
        """Tells the program that nothing more comes."""
        self.socket.shutdown(socket.SHUT_WR)

    def read_all(self):
        data = b''
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                data += b'[reset]'
                break
            if not more:
                break
            data += more
        self.socket.close()
        return data


def run_case(name, side):
    """One case on one side: its record, as a list of lines."""
    parent = tempfile.mkdtemp(prefix='diff.')
    os.chmod(parent, 0o755)
    side.begin(parent)
    try:
        CASES[name][1](side)
    except Stopped:
        pass
    except (Trouble, OSError, ValueError, IndexError) as error:
        side.note('trouble', ''.join(traceback.format_exception_only(
            type(error), error)).strip())
        for server in side.servers:
            side.note('log so far', server.clean(server.log))
    finally:
        side.end()
        shutil.rmtree(parent)
    return side.record


def deviations(stage):
    """The names that the manuals' DEVIATIONS sections give, by manual."""
    found = {}
    for manual in MANUALS:
        name = os.path.join(stage, 'share', 'man', 'man1', manual)
        with open(name, encoding='ascii') as f:
            section = ''
            for line in f:
                if line.startswith('.Sh'):
                    section = line[3:].strip()
                elif section == 'DEVIATIONS' and line.startswith('.It Cm '):
                    found[line.split()[2]] = manual
    return found


def start_slow(names, bins):
    """Runs the slow cases on both sides at once: name -> two records."""
    records = {}

    def one(name, place, bindir):
        records[name][place] = run_case(name, Side('slow', bindir))

    threads = []
    for name in names:
        if name in SLOW:
            records[name] = [None, None]
            for place, bindir in enumerate(bins):
                threads.append(threading.Thread(target=one, daemon=True,
                                                args=(name, place, bindir)))
                threads[-1].start()
    return records, threads


def report(name, first, second):
    print('differs: %s' % name)
    for line in difflib.unified_diff(first, second, 'theirs', 'ours',
                                     lineterm='', n=1):
        print('    ' + line)
    sys.stdout.flush()


def troubles(name, *records):
    """A case that breaks on both sides alike has compared nothing."""
    found = [line for record in records for line in record or []
             if line.startswith('trouble: ')]
    for line in found:
        print('broken: %s: %s' % (name, line))
    return bool(found)


def compare(names, args):
    """Runs cases on both sides; the names that differ, those that broke."""
    records, threads = start_slow(names, (args.theirs, args.ours))
    for name in names:
        if name not in SLOW:
            records[name] = [run_case(name, Side('theirs', args.theirs)),
                             run_case(name, Side('ours', args.ours))]
    for thread in threads:
        thread.join()
    different, broken = set(), set()
    for name in names:
        first, second = records[name]
        if troubles(name, first, second):
            broken.add(name)
        if not first or not second:
            second = ['nothing was recorded'] + (second or [])
        if first != second:
            different.add(name)
            report(name, first, second)
    return different, broken


def check(args):
    group, only = args.names[0], args.names[1:]
    names = [n for n in CASES if CASES[n][0] == group and
             (not only or n in only)]
    if not names or len(names) < len(only):
        print('no such group or case: %s' % ' '.join(args.names))
        return 1
    different, broken = compare(names, args)
    stated = {} if args.same else deviations(args.stage)
    told = {n for n in names if n in stated}
    for name in sorted(different - told):
        print('not in any DEVIATIONS section: %s' % name)
    for name in sorted(told - different):
        print('%s names %s, but it does not differ' % (stated[name], name))
    print('%d cases, %d differ' % (len(names), len(different)))
    return 1 if different != told or broken else 0


def names(args):
    unknown = [n for n in deviations(args.stage) if n not in CASES]
    for name in unknown:
        print('a DEVIATIONS section names %s, which is no case' % name)
    return 1 if unknown else 0


def show(args):
    for name in args.names:
        for title, bindir in (('theirs', args.theirs), ('ours', args.ours)):
            print('%s, %s:' % (name, title))
            for line in run_case(name, Side(title, bindir)):
                print('    ' + line)
    return 0


def listing(args):
    for name in CASES:
        if not args.names or CASES[name][0] in args.names:
            print('%s %s' % (CASES[name][0], name))
    return 0


def main():
    for module in ('command', 'rules', 'serve', 'network', 'root'):
        importlib.import_module('cases_' + module)

    parser = argparse.ArgumentParser()
    parser.add_argument('action', choices=('check', 'names', 'list', 'show'))
    parser.add_argument('names', nargs='*')
    stage = os.environ.get('STAGE', '')
    peers = os.environ.get('PEERS', '')
    parser.add_argument('--stage', default=stage)
    parser.add_argument('--ours', default=os.path.join(stage, 'bin'))
    parser.add_argument('--theirs', default=os.path.join(peers, 'usr/bin'))
    parser.add_argument('--same', action='store_true',
                        help='no case may differ, whatever the manuals say')
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(
        resource.RLIMIT_CORE)[1]))
    return {'check': check, 'names': names, 'show': show,
            'list': listing}[args.action](args)


if __name__ == '__main__':
    # The modules of cases import this one under its own name.
    sys.modules['differential'] = sys.modules['__main__']
    sys.exit(main())
