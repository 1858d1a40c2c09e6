# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# What autoturnctl is asked, and what goes over its sockets, as far as
# usr.sbin/autoturnd/control.h promises it to nobody.

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for other in ('tcpserverd', 'tcpserverd-daemon', 'autoturnd'):
    sys.path.insert(0, os.path.join(HERE, os.pardir, other))
from autoturns import *         # noqa: E402
import json                     # noqa: E402

CTL = STAGE + '/sbin/autoturnctl'
SOURCE = os.environ.get('SOURCE', '')

# imsg: type, length with this header, peer's id, pid
DAEMON, SPOOL, SPOOLS_END = range(900, 903)
(HELLO, STATUS, CUSTOMERS, QUEUE, RUNS, QUARANTINE, STATS, EXPLAIN, RUN, HOLD,
 RELEASE, PAUSE, RESUME, EXPIRE, RELOAD, REQUESTS_END) = range(1000, 1016)
WELCOME, REFUSED, TEXT, ROW, EVENT, GAP, END = range(1100, 1107)
VERSION = 1
REQUEST_SIZE = 256 + 300


def message(kind, data=b''):
    return struct.pack('=IIII', kind, 16 + len(data), 0, 0) + data


def hello(version=VERSION):
    return message(HELLO, struct.pack('=I', version))


def request(kind, customer=b'', name=b''):
    return message(kind, struct.pack('=256s300s', customer, name))


def ctl(path, *words, **more):
    return subprocess.run([CTL, '-s', path] + list(words),
                          stdout=more.pop('stdout', subprocess.PIPE),
                          stderr=subprocess.PIPE, check=False,
                          encoding='latin-1', timeout=2 * DEADLINE_S, **more)


class World:
    """autoturnd with a spool of its own; nobody tells it who shows up"""

    def __init__(self, names=('127.0.0.1',), serve=True, rules=None,
                 retry='retry 1h max 4h', more='', before=None,
                 restricted=False):
        self.port = port_pick('127.0.0.1')
        self.spool = Spool()
        for name in names:
            self.spool.maildir(name)
        self.server = mailserver.Smtp(rules=rules, port=self.port) \
            if serve else None
        if before:
            before(self)
        self.restricted = scratch() + '/ro'
        text = 'port %d\ninterval 0s\n%s\n' % (self.port, retry)
        if restricted:
            text += 'restricted control socket "%s"\n' % self.restricted
        self.text = text + 'spool "%s" {\n\tscan 1h\n\twatches 0\n}\n' % \
            self.spool.path + more
        self.daemon = Autoturn(self.text)

    def ask(self, *words, code=0, error='', path=None):
        done = ctl(path or self.daemon.socket, *words)
        same((done.returncode, done.stderr), (code, error), words)
        return done.stdout

    def json(self, *words, code=0, path=None):
        return json.loads(self.ask('-j', *words, code=code, path=path))

    def customer(self, name='127.0.0.1'):
        found, = self.json('show', 'customers', name)['customers']
        return found

    def wait_why(self, why, name='127.0.0.1'):
        wait_for(lambda: self.customer(name)['why'] == why,
                 'that it is %r, not %r' % (why, self.customer(name)))
        return self.customer(name)

    def queue(self, *words):
        return self.json('show', 'queue', *words)['queue']

    def states(self):
        return [(m['message'].split('/')[1], m['state'])
                for m in self.queue()]

    def again(self):
        """Another daemon, with what the last one left"""
        self.daemon = Autoturn(self.text, where=self.daemon.where)
