# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""A daemon to try tcpserverctl on: the real one, or one of our making."""

import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from atfcases import PEERS, SOURCE, Skip, holds, run, same

STAGE = os.environ.get('STAGE', '')
DEADLINE_S = 60 if os.environ.get('SANITIZED') else 20
HERE = os.path.dirname(os.path.abspath(__file__))


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE_S
    while True:
        value = condition()
        if value:
            return value
        holds(time.monotonic() < end, 'waited in vain for %s' % what)
        select.select([], [], [], 0.01)


def write(path, text):
    with open(path, 'w', encoding='latin-1') as f:
        f.write(text)


def ctl(*words, path='ctl.sock', **more):
    return run([STAGE + '/sbin/tcpserverctl', '-s', path] + list(words),
               **more)


class Daemon:
    """tcpserverd in the foreground, its configuration in this directory"""

    def __init__(self, conf, sockets='control socket "@/ctl.sock"\n',
                 fixed=False):
        self.sockets = sockets
        self.ports = {} if fixed else None
        self.configure(conf)
        self.log = open('log', 'ab')
        self.process = subprocess.Popen(
            [STAGE + '/sbin/tcpserverd', '-d', '-f', 'conf'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.log, start_new_session=True)
        wait_for(self.serves, 'the daemon')

    def configure(self, conf):
        if self.ports is not None:
            conf = re.sub(r'service (\w+) {\n\tlisten on 127.0.0.1 port 0',
                          self.port_fix, conf)
        write('conf', (self.sockets + conf).replace('@', os.getcwd()))

    def port_fix(self, match):
        """A reload keeps the listeners of ports that are named"""
        name = match.group(1)
        if name not in self.ports:
            with socket.socket() as s:
                s.bind(('127.0.0.1', 0))
                self.ports[name] = s.getsockname()[1]
        return match.group(0)[:-1] + str(self.ports[name])

    def serves(self):
        if self.process.poll() is not None:
            with open('log', encoding='latin-1') as f:
                raise AssertionError('it left: ' + f.read())
        return ctl('show', 'status').returncode == 0 and all(
            service['state'] != 'waits' for service in self.services())

    def services(self):
        return self.json('show', 'services')['services']

    def json(self, *words, code=0):
        done = ctl('-j', *words)
        same((done.returncode, done.stderr), (code, ''), words)
        return json.loads(done.stdout)

    def text(self, *words, code=0, stderr=''):
        done = ctl(*words)
        same((done.returncode, done.stderr), (code, stderr), words)
        return done.stdout

    def port(self, service):
        found, = [s for s in self.services() if s['service'] == service]
        return found['listeners'][0]['port']

    def connect(self, service):
        return socket.create_connection(('127.0.0.1', self.port(service)),
                                        timeout=DEADLINE_S)

    def ask(self, service):
        """All that a client gets which says nothing"""
        got = b''
        with self.connect(service) as s:
            s.shutdown(socket.SHUT_WR)
            while True:
                try:
                    piece = s.recv(4096)
                except ConnectionResetError:
                    return got
                if not piece:
                    return got
                got += piece

    def stats(self, service):
        found, = self.json('show', 'stats', service)['services']
        return found

    def count(self, service, verdict, reason):
        found, = [r['count'] for r in self.stats(service)['results']
                  if (r['verdict'], r['reason']) == (verdict, reason)]
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        same(self.process.wait(DEADLINE_S), 0, 'the daemon\'s exit')
        self.kill()

    def kill(self):
        """Whatever is left of it, programs too"""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


# imsg: type, length with this header, peer's id, pid

def message(kind, data=b''):
    return struct.pack('=IIII', kind, 16 + len(data), 0, 0) + data


HELLO, STATUS, SERVICES, SESSIONS, SESSION, RULES, STATS, MONITOR = range(
    1000, 1008)
WELCOME, REFUSED, TEXT, ROW, EVENT, GAP, END = range(1100, 1107)
ROW_SESSION = 4


def end(error=0):
    return message(END, struct.pack('=i', error))


def welcome():
    return message(WELCOME, struct.pack('=II', 1, 0))


def string(text):
    return b'' if text is None else text + b'\0'


def address(ip):
    return struct.pack('=B3xI16s', 2, 0, socket.inet_aton(ip))


def session(service=b'mail', name=None, info=None, rule=None, cut=0):
    strings = [string(text) for text in (b'here', name, info, rule)]
    row = struct.pack('=IiQqqq32s', ROW_SESSION, 77, 4294967297, 10**15,
                      10**15, 5000, service)
    row += address('192.0.2.1') + address('192.0.2.2')
    row += struct.pack('=HH', 25, 4000)
    row += struct.pack('=IIIII', *[len(s) for s in strings], 0)
    row += b''.join(strings)
    return message(ROW, row[:len(row) - cut])


class Liar(threading.Thread):
    """Takes one client, hears its words, says what it is told to"""

    def __init__(self, *answers, path='ctl.sock'):
        super().__init__(daemon=True)
        self.answers = answers
        self.socket = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.socket.bind(path)
        self.socket.listen(1)
        self.start()

    def run(self):
        client, _ = self.socket.accept()
        self.socket.close()
        with client:
            for answer in self.answers:
                if not client.recv(65536):
                    return
                client.sendall(answer)


def prometheus_parser():
    path = PEERS + '/usr/lib/python3/dist-packages'
    if not PEERS or not os.path.isdir(path + '/prometheus_client'):
        raise Skip('no prometheus_client among the unpacked peers')
    import sys
    sys.path.insert(0, path)
    from prometheus_client.openmetrics import parser
    return parser.text_string_to_metric_families
