# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""SMTP and QMTP servers for tests: they do as they are told, well or ill, and
keep what they took.

A server listens on a free port of 127.0.0.1 (or as it is told) until its
process ends.  Its rules are a function of a stage and of how often the stage
was reached, over all connections, counted from 1; the stages are 'greeting',
the commands, 'dot' and 'text' (after 354).  It returns what is to be sent, or
an action, or None for the usual reply:

    CLOSE, RESET    the connection
    STALL           nothing more is said
    bytes           as they are, line ends included
    (bytes, action) one after the other
"""

import contextlib
import re
import socket
import struct
import threading
import time

CLOSE, RESET, STALL = 'close', 'reset', 'stall'
EHLO = ('PIPELINING', '8BITMIME')


class Gone(Exception):
    """The connection is at its end."""


class Message:
    def __init__(self, sender, recipients, body):
        self.sender, self.recipients, self.body = sender, recipients, body


def unstuffed(body):
    """A body as it was before its dots were doubled."""
    return (b'\r\n' + body).replace(b'\r\n..', b'\r\n.')[2:]


class Server:
    def __init__(self, rules=None, keywords=EHLO, host='127.0.0.1',
                 port=0, keep=True, chunk=65536, pause=0.0, buffer=None):
        self.rules = rules or (lambda stage, n: None)
        self.keywords, self.keep = keywords, keep
        self.chunk, self.pause = chunk, pause
        self.counts, self.messages, self.errors = {}, [], []
        self.connections, self.octets = 0, 0
        self.times = []                 # when each message was accepted
        # Round trips: how often it has had its say and hears more.
        self.turns, self.replied = 0, False
        self.commands = []
        self.lock = threading.Lock()
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self.listener = socket.socket(family)
        if buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                     buffer)
        self.listener.bind((host, port))
        self.listener.listen(50)
        self.host, self.port = host, str(self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,),
                             daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(Gone, OSError):
            self.dialogue(self.reader(connection), connection)

    def dialogue(self, reader, connection):
        raise NotImplementedError

    def reader(self, connection):
        return Reader(self, connection)

    def act(self, connection, stage, usual):
        with self.lock:
            n = self.counts[stage] = self.counts.get(stage, 0) + 1
        what = self.rules(stage, n)
        if what is None:
            what = usual
        if isinstance(what, tuple):
            connection.sendall(what[0])
            what = what[1]
        if what == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack('ii', 1, 0))
        if what in (CLOSE, RESET):
            raise Gone
        if what == STALL:
            while connection.recv(65536):
                pass
            raise Gone
        if isinstance(what, str):
            what = what.encode() + b'\r\n'
        return what


class Reader:
    def __init__(self, server, connection):
        self.server, self.connection, self.buf = server, connection, b''

    def more(self):
        if self.server.pause:
            time.sleep(self.server.pause)
        data = self.connection.recv(self.server.chunk)
        if not data:
            raise Gone
        self.server.octets += len(data)
        self.server.turns += self.server.replied
        self.server.replied = False
        self.buf += data

    def until(self, end):
        at = 0
        while (found := self.buf.find(end, at)) == -1:
            at = max(0, len(self.buf) - len(end) + 1)
            self.more()
        found += len(end)
        data, self.buf = self.buf[:found], self.buf[found:]
        return data

    def exactly(self, count):
        while len(self.buf) < count:
            self.more()
        data, self.buf = self.buf[:count], self.buf[count:]
        return data

    def text(self):
        """A message up to its final dot, which may come at once."""
        if not self.server.keep:
            return self.skip()
        self.buf = b'\r\n' + self.buf
        return self.until(b'\r\n.\r\n')[2:-3]

    def skip(self):
        """The same, forgotten at once."""
        self.buf = b'\r\n' + self.buf
        while (found := self.buf.find(b'\r\n.\r\n')) == -1:
            self.buf = self.buf[-4:]
            self.more()
        self.buf = self.buf[found + 5:]
        return b''


class Smtp(Server):
    def say(self, connection, stage, usual):
        reply = self.act(connection, stage, usual)
        connection.sendall(reply)
        self.replied = True
        return reply[-1:] and re.split(rb'\r?\n', reply.rstrip())[-1][:1]

    def dialogue(self, reader, connection):
        sender, recipients = None, []
        self.say(connection, 'greeting', '220 sink ESMTP')
        while True:
            line = reader.until(b'\n')
            if not line.endswith(b'\r\n'):
                self.errors.append('a command ends in LF: %r' % line)
            line = line[:-2].decode('utf-8', 'replace')
            self.commands.append(line)
            command = line[:4].upper()
            if command == 'EHLO':
                self.say(connection, command, '\r\n'.join(
                    ['250-sink'] + ['250-' + k for k in self.keywords] +
                    ['250 HELP']))
            elif command == 'MAIL':
                if sender is not None:
                    self.errors.append('MAIL within a transaction')
                if self.say(connection, command, '250 ok') == b'2':
                    sender = line[len('MAIL FROM:'):]
            elif command == 'RCPT':
                if self.say(connection, command, '250 ok' if sender is not None
                            else '503 MAIL first') == b'2':
                    recipients.append(line[len('RCPT TO:'):])
            elif command == 'DATA':
                if self.say(connection, command, '354 go' if recipients
                            else '503 RCPT first') != b'3':
                    continue
                body = reader.text()
                message = Message(sender, recipients, body)
                # What it says it has, it has: not the other way round.
                reply = self.act(connection, 'dot', '250 ok')
                if reply[:1] == b'2':
                    self.messages.append(message)
                    self.times.append(time.monotonic())
                sender, recipients = None, []
                connection.sendall(reply)
                self.replied = True
            elif command in ('RSET', 'HELO', 'NOOP'):
                sender, recipients = None, []
                self.say(connection, command, '250 ok')
            elif command == 'QUIT':
                self.say(connection, command, '221 bye')
                raise Gone
            else:
                self.errors.append('unknown command: %r' % line)
                connection.sendall(b'500 what\r\n')


class Qmtp(Server):
    """Stages: 'package' before it is read, 'dot' for each recipient."""

    def netstring(self, reader):
        length = int(reader.until(b':')[:-1])
        data = reader.exactly(length)
        if reader.exactly(1) != b',':
            self.errors.append('a netstring without its end')
        return data

    def dialogue(self, reader, connection):
        while True:
            connection.sendall(self.act(connection, 'package', b''))
            body = self.netstring(reader)
            sender = self.netstring(reader).decode()
            recipients, rest = [], self.netstring(reader)
            while rest:
                length, rest = rest.split(b':', 1)
                recipients.append(rest[:int(length)].decode())
                rest = rest[int(length) + 1:]
            message = Message(sender, recipients, body)
            for _ in recipients:
                reply = self.act(connection, 'dot', b'3:Kok,')
                if b':K' in reply:
                    if message not in self.messages:
                        self.messages.append(message)
                connection.sendall(reply)


class Delay:
    """A slow line: what goes in comes out seconds / 2 later."""

    def __init__(self, port, seconds):
        self.port, self.seconds = port, seconds
        self.listener = socket.socket()
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen(5)
        self.own_port = str(self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(('127.0.0.1', int(self.port)))
            for source, target in ((near, far), (far, near)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.way(source, target)

    def way(self, source, target):
        waiting, ready = [], threading.Condition()

        def take():
            while True:
                try:
                    data = source.recv(65536)
                except OSError:
                    data = b''
                with ready:
                    waiting.append((time.monotonic() + self.seconds / 2, data))
                    ready.notify()
                if not data:
                    return

        def give():
            while True:
                with ready:
                    while not waiting:
                        ready.wait()
                    when, data = waiting.pop(0)
                time.sleep(max(0, when - time.monotonic()))
                with contextlib.suppress(OSError):
                    if data:
                        target.sendall(data)
                    else:
                        target.shutdown(socket.SHUT_WR)
                if not data:
                    return
        for function in (take, give):
            threading.Thread(target=function, daemon=True).start()
