"""
Cases of the small clients, against servers of our own on their real ports:
these are run in a network namespace (../../tools/netns).
"""

import os
import socket
import subprocess
import threading

from differential import DEADLINE_S, case, table
from running import Program, closing


class Peer:
    """
    A server for one connection: reads until what it has ends with until,
    says the answer, closes.
    """

    def __init__(self, port, answer=b'', until=b''):
        self.until = until
        self.answer = answer
        self.heard = b''
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(('127.0.0.1', port))
        self.listener.listen(1)
        self.listener.settimeout(DEADLINE_S)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        connection.settimeout(DEADLINE_S)
        with connection:
            try:
                while not self.heard.endswith(self.until):
                    more = connection.recv(65536)
                    if not more:
                        break
                    self.heard += more
                connection.sendall(self.answer)
            except OSError as error:
                self.heard += b'<%s>' % type(error).__name__.encode()

    def end(self):
        # Wakes an accept() for which nobody came.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(DEADLINE_S)
        self.listener.close()


def place(side, name):
    """
    Where a client of this side is.  Debian's are scripts that run others by
    absolute path: here is a copy that knows where those were unpacked.
    """
    path = side.tool(name)
    if side.name != 'theirs':
        return path
    with open(path, encoding='ascii') as f:
        side.write('client', f.read().replace('/usr/bin/',
                                              side.bindir + '/'), 0o755)
    return side.path('client')


def client(side, argv, **kw):
    return Program(side, argv, executable=place(side, argv[0]), **kw)


def ask(side, argv, port, until, answer, data=b'', **kw):
    peer = Peer(port, answer, until)
    client(side, argv, **kw).note(data)
    peer.end()
    side.note('heard', peer.heard)


WHO = b'joe tty1\r\njim  tty2\r\n'
MESS = b'a\0\r\n\r\rb\r\r\n\x7f\x80\xff\t\x1b[2J\n\r'
LONG = b'x' * 300000

LISTS = (
    ('plain', [], WHO),
    ('host', ['127.0.0.1'], WHO),
    ('empty-host', [''], WHO),
    ('surplus', ['0', '99', 'x'], WHO),
    ('nothing', [], b''),
    ('mess', [], MESS),
    ('endless-line', [], LONG),
    ('many-lines', [], b'\r\n' * 50000),
)
table('clients', 'who@', LISTS,
      lambda side, args, answer: ask(side, ['who@'] + args, 11, b'', answer))
table('clients', 'date@', LISTS,
      lambda side, args, answer: ask(side, ['date@'] + args, 13, b'', answer))

FINGERS = (
    ('plain', []),
    ('host', ['127.0.0.1']),
    ('empty-host', ['', 'joe']),
    ('user', ['0', 'joe']),
    ('empty-user', ['0', '']),
    ('blanks', ['0', '  a  b * ']),
    ('at', ['0', '/W joe@there']),
    ('dash', ['0', '-x']),
    ('dash-n', ['0', '-n']),
    ('dash-e', ['0', '-e']),
    ('backslash', ['0', 'a\\tb\\c']),
    ('percent', ['0', '%s%n']),
    ('quotes', ['0', '\'"`$(id)`$HOME']),
    ('lf', ['0', 'a\nb']),
    ('cr', ['0', 'a\r']),
    ('high', ['0', '\xe4\xff']),
    ('surplus', ['0', 'joe', 'jim']),
)


def finger(side, args):
    # The server ends its reading with the line; a user of two lines has two.
    lines = b'\r\n' if '\n' not in ''.join(args) else b'b\r\n'
    peer = Peer(79, b'Login: joe\r\n\r\n' + MESS, lines)
    if 'a\\tb\\c' in args or '-n' in args:
        # Not a whole line on one side: this server waits for nothing.
        peer.until = b''
    client(side, ['finger@'] + args, stdin=subprocess.DEVNULL).note()
    peer.end()
    if peer.until:
        side.note('heard', peer.heard)


for row in FINGERS:
    if row[0] not in ('backslash', 'dash-n'):
        table('clients', 'finger@', (row,), finger)


def finger_hears(side, user):
    """What the server gets, to the end of the connection."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', 79))
        listener.listen(1)
        running = client(side, ['finger@', '0', user])
        connection, _ = listener.accept()
    with connection:
        # The client has sent everything when it takes the end.
        connection.shutdown(socket.SHUT_WR)
        running.note(b'')
        connection.settimeout(DEADLINE_S)
        data = b''
        while True:
            more = connection.recv(65536)
            if not more:
                break
            data += more
    side.note('heard', data)


table('clients', 'finger@', (('backslash', 'a\\tb\\c'), ('dash-n', '-n'),
                             ('long', 'u' * 100000)), finger_hears)

HEADER = b'HTTP/1.0 200 OK\r\nA: b\r\n\r\n'
PAGES = (
    ('plain', [], HEADER + b'hello\r\n'),
    ('host', ['127.0.0.1'], HEADER + b'hello\n'),
    ('empty-host', ['', 'x'], HEADER + b'hello\n'),
    ('path', ['0', 'a/b?c=d&e'], HEADER + b'hello\n'),
    ('slash-path', ['0', '/a'], HEADER + b'hello\n'),
    ('empty-path', ['0', ''], HEADER + b'hello\n'),
    ('blanks', ['0', ' a  b * '], HEADER + b'hello\n'),
    ('percent', ['0', '%20%s%n'], HEADER + b'hello\n'),
    ('quotes', ['0', '\'"`$(id)`$HOME'], HEADER + b'hello\n'),
    ('backslash', ['0', 'a\\tb'], HEADER + b'hello\n'),
    ('dash-n', ['0', '-n'], HEADER + b'hello\n'),
    ('lf', ['0', 'a HTTP/1.0\nX: y\nZ:'], HEADER + b'hello\n'),
    ('cr', ['0', 'a\r'], HEADER + b'hello\n'),
    ('surplus', ['0', 'a', '80', 'x'], HEADER + b'hello\n'),
    ('long-path', ['0', 'p' * 100000], HEADER + b'hello\n'),
    ('no-answer', [], b''),
    ('no-body', [], HEADER),
    ('no-empty-line', [], b'HTTP/1.0 200 OK\r\nA: b\r\n'),
    ('no-line', [], b'HTTP/1.0 200 OK'),
    ('lf-header', [], b'HTTP/1.0 200 OK\nA: b\n\nhello\n'),
    ('empty-line-first', [], b'\r\nhello\r\nhello\r\n'),
    ('cr-is-no-empty-line', [], b'a\r\n\r\r\nb\r\n\r\nhello\r\n'),
    ('blank-is-no-empty-line', [], b'a\r\n \r\nb\r\n\r\nhello\r\n'),
    ('nul-is-no-empty-line', [], b'a\r\n\0\r\nb\r\n\r\nhello\r\n'),
    ('no-last-lf', [], HEADER + b'hello\r\nyou'),
    ('last-cr', [], HEADER + b'hello\r\nyou\r'),
    ('empty-lines', [], HEADER + b'a\r\n\r\nb\n\n\nc\n\n'),
    ('mess', [], HEADER + MESS),
    ('binary', [], HEADER + bytes(range(256)) * 4),
    ('long-header', [], b'A: ' + LONG + b'\r\n' + HEADER + b'hello\n'),
    ('long-line', [], HEADER + LONG + b'\r\nhello\n'),
    ('many-lines', [], HEADER + b'0123456789\r\n' * 30000),
)
table('clients', 'http@', PAGES,
      lambda side, args, answer: ask(side, ['http@'] + args, 80,
                                     b'\r\n\r\n', answer))


@case('clients', 'http@-port')
def http_port(side):
    ask(side, ['http@', '127.0.0.1', 'x', '8080'], 8080, b'\r\n\r\n',
        HEADER + b'hello\n')


@case('clients', 'http@-port-name')
def http_port_name(side):
    ask(side, ['http@', '0', '', 'http-alt'], 8080, b'\r\n\r\n',
        HEADER + b'hello\n')


@case('clients', 'http@-refused-long')
def http_refused_long(side):
    """A request that nobody will read, and that no pipe holds."""
    client(side, ['http@', '127.0.0.1', 'p' * 100000]).note(b'')


@case('clients', 'http@-unwritable')
def http_unwritable(side):
    with open('/dev/full', 'wb') as full:
        ask(side, ['http@'], 80, b'\r\n\r\n', HEADER + b'hello\n',
            stdout=full)


@case('clients', 'http@-byte-by-byte')
def http_byte_by_byte(side):
    """An answer in as many pieces as it has bytes."""
    answer = b'HTTP/1.0 200 OK\r\nA: b\r\n\r\na\r\nb\r\rc\r\n'
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', 80))
        listener.listen(1)
        running = client(side, ['http@'])
        connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b''
        while not data.endswith(b'\r\n\r\n'):
            data += connection.recv(65536)
        for i in range(len(answer)):
            connection.send(answer[i:i + 1])
    running.note(b'')


COPIES = (
    ('plain', [], 17, b'"quote"\r\n'),
    ('host', ['127.0.0.1'], 17, b'"quote"\r\n'),
    ('empty-host', [''], 17, b'x'),
    ('port', ['0', '1717'], 1717, b'x'),
    ('port-name', ['0', 'chargen'], 19, b'x'),
    ('surplus', ['0', '1717', 'x'], 1717, b'x'),
    ('nothing', [], 17, b''),
    ('mess', [], 17, MESS),
    ('much', [], 17, bytes(range(256)) * 10000),
)
table('clients', 'tcpcat', COPIES,
      lambda side, args, port, answer:
      ask(side, ['tcpcat'] + args, port, b'', answer))

TALKS = (
    ('plain', [], 25, b'quit\n'),
    ('host', ['127.0.0.1'], 25, b'quit\n'),
    ('empty-host', [''], 25, b'quit\n'),
    ('port', ['0', '2525'], 2525, b'quit\n'),
    ('port-name', ['0', 'submission'], 587, b'quit\n'),
    ('surplus', ['0', '25', 'x'], 25, b'quit\n'),
    ('crlf', [], 25, b'quit\r\n'),
    ('mess', [], 25, b'a\0b\r\x7f\xff\nquit\n'),
)
table('clients', 'mconnect', TALKS,
      lambda side, args, port, typed:
      ask(side, ['mconnect'] + args, port, b'quit\r\n'
          if b'\r\n' not in typed else b'quit\r\r\n', b'221 bye\r\n', typed))

ALL = ('who@', 'date@', 'finger@', 'http@', 'tcpcat', 'mconnect')
NOBODY = (
    ('refused', ['127.0.0.1']),
    ('dash-host', ['-' + 'x' * 64]),
    ('options-host', ['-vRHl0' + 'x' * 64]),
    ('long-label', ['x' * 64]),
)


def run_all(side, args):
    """What is told, and the status, when there is no connection."""
    for name in ALL:
        side.note('client', name)
        client(side, [name] + args).note(b'')


table('clients', 'client', NOBODY, run_all)


@case('clients')
def client_no_port(side):
    """Nothing is done with a port that names nothing."""
    client(side, ['tcpcat', '0', 'no-such-service']).note(b'')
    client(side, ['mconnect', '0', 'no-such-service']).note(b'')
    client(side, ['http@', '0', '', 'no-such-service']).note(b'')


@case('clients')
def client_environment(side):
    """
    sh, cat and the like are found through PATH, the programs of the package
    are not.
    """
    os.mkdir(side.path('bin'))
    for name in ('tcpclient', 'addcr', 'delcr', 'mconnect-io'):
        side.write('bin/' + name, b'#!/bin/sh\necho wrong\n', 0o755)
    env = {'PATH': side.path('bin') + ':/usr/bin:/bin'}
    ask(side, ['who@'], 11, b'', WHO, env=env)
    ask(side, ['finger@'], 79, b'\r\n', WHO, env=env)
    ask(side, ['http@'], 80, b'\r\n\r\n', HEADER + WHO, env=env)
    ask(side, ['tcpcat'], 17, b'', WHO, env=env)
    ask(side, ['mconnect'], 25, b'quit\r\n', WHO, b'quit\n', env=env)


# Name, words, port, what it waits for, its answer.
ONE_EACH = (
    ('who@', 11, b'', WHO),
    ('date@', 13, b'', WHO),
    ('finger@', 79, b'\r\n', WHO),
    ('http@', 80, b'\r\n\r\n', HEADER + WHO),
    ('tcpcat', 17, b'', WHO),
    ('mconnect', 25, b'', WHO),
)

for number in (0, 1, 2):
    table('clients', 'client-closed-%d' % number, tuple(
        (row[0],) + row for row in ONE_EACH),
          lambda side, name, port, until, answer, fd=number:
          ask(side, [name], port, until, answer, preexec=closing(fd)))


@case('clients')
def client_reader_gone(side):
    """An endless answer that nobody reads any more."""
    for name, port, until in (('who@', 11, b''), ('tcpcat', 17, b''),
                              ('http@', 80, b'\r\n\r\n')):
        peer = Peer(port, HEADER + b'x\r\n' * 1000000, until)
        running = client(side, [name])
        running.receive(1)
        running.process.stdout.close()
        running.wait()
        peer.end()
        side.note('client', name)
        # A shell that was killed is not told from one that says so.
        status = running.process.returncode
        side.note('exit', status if status >= 0 else 128 - status)
