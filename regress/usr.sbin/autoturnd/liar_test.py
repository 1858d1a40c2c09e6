#!/usr/bin/env python3
# The parent, with children that say what they have no business to say, and
# with a stranger where tcpserverd should be.

import os
import sys
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *


class Parent:
    """With a spool, a customer's server, and one who lies"""

    def __init__(self, lie, more='', prepare=None, block=''):
        self.port = port_pick('127.0.0.1')
        self.host = customer_address(self.port)
        self.server = mailserver.Smtp(host=self.host, port=self.port)
        self.spool = Spool()
        self.spool.maildir(self.host)
        if prepare:
            prepare(self.spool)
        stage = scratch()
        os.mkdir(stage + '/sbin')
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(
            __file__)), 'liar'), stage + '/sbin/autoturnd')
        env = dict(os.environ, LIE=lie.replace('HOST', self.host))
        text = 'port %d\nspool "%s" %s\n' % (
            self.port, self.spool.path, block) + \
            more.replace('HOST', self.host)
        self.daemon = Autoturn(text, stage=stage, env=env)

    def says(self, pattern, count=1):
        self.daemon.wait_lines(pattern, count)

    def lives(self):
        require(process_alive(self.daemon.pid), 'the parent died')
        same(self.daemon.stop(), 0, 'exit code')


@case()
def ended():
    """Who says nonsense is ended, and another one started"""
    said = (
        ('queue', 'short', ''), ('queue', 'unending', ''),
        ('queue', 'ready', ''), ('queue', 'unknown', ''),
        ('queue', 'events', ''), ('queue', 'log', ''),
        ('queue', 'flood', 'HOST'), ('relay', 'connect', 'HOST'),
        ('relay', 'reload', ''), ('relay', 'ready', ''),
        ('mailer', 'connect', 'HOST'), ('mailer', 'reload', ''),
        ('mailer', 'unknown', ''))
    for role, word, argument in said:
        sys.stderr.write('%s says %s\n' % (role, word))
        p = Parent('%s %s %s' % (role, word, argument))
        p.says(r'warning: %s( of \S+)?: message \d+ not understood, '
               'ending it' % role, 2)
        if (role, word) != ('queue', 'flood'):
            same(p.server.connections, 0, 'connections')
        p.lives()


@case()
def connected():
    """A customer by his address: the relay gets what is configured"""
    p = Parent('queue connect HOST')
    p.says(r'relay: run 7, helo isp.example, prefix autoturn-%s-, peer %s: '
           r'%s port %d' % (p.host, p.host, p.host, p.port))
    p.lives()


@case()
def connected_by_name():
    """One that is configured: his relay, not his address"""
    p = Parent('queue connect acme', 'customer acme {\n\taddress 192.0.2.7\n'
               '\trelay HOST\n\thelo here.example\n}\n',
               prepare=lambda spool: spool.maildir('acme'))
    p.says(r'relay: run 7, helo here.example, prefix autoturn-acme-, '
           r'peer %s: %s port %d' % (p.host, p.host, p.port))
    p.lives()


def linked(spool):
    os.symlink('127.0.0.1', spool.path + '/127.0.0.2')
    os.mkdir(spool.path + '/127.0.0.1')
    with open(spool.path + '/127.0.0.3', 'w'):
        pass
    os.mkdir(spool.path + '/0127.0.0.1')
    os.mkdir(spool.path + '/name')
    os.mkdir(spool.path + '/0::1')


@case()
def nobody():
    """No other word than a customer's leads anywhere"""
    for word, why in (('127.9.9.9', 'No such file'), ('name', 'No such file'),
                      ('127.0.0.2', 'Not a directory'),
                      ('127.0.0.3', 'Not a directory'),
                      ('0127.0.0.1', 'No such file'),
                      ('0::1', 'No such file'), ('..', 'No such file'),
                      ('../autoturn/HOST', 'No such file'),
                      ('HOST/', 'No such file'), ('[::1]', 'No such file')):
        p = Parent('queue connect ' + word, prepare=linked)
        p.says(r'queue: run 7 failed: %s.*' % why)
        same(p.server.connections, 0, 'connections')
        p.lives()


@case()
def addresses_off():
    """A directory is nobody where addresses are no customers"""
    p = Parent('queue connect HOST', block='{\n\taddresses off\n}')
    p.says(r'queue: run 7 failed: No such file.*')
    same(p.server.connections, 0, 'connections')
    p.lives()


@case()
def refused():
    """Nobody listens: the queue is told so, the relay of nothing"""
    p = Parent('queue connect acme', 'customer acme {\n\taddress 192.0.2.7\n'
               '\trelay HOST\n\tport 1\n}\n',
               prepare=lambda spool: spool.maildir('acme'))
    p.says(r'queue: run 7 failed: Connection refused')
    require(not p.daemon.lines(r'relay: run 7.*'), 'the relay has a run')
    p.lives()


@case()
def reload_answered():
    """A queue may ask for a reload, and is told its end"""
    p = Parent('queue reload')
    p.says('queue: reload done')
    p.lives()


@case(timeout=200)
def stays():
    """A queue that does not leave when it is told to is killed"""
    p = Parent('queue stays')
    started = time.monotonic()
    same(p.daemon.stop(), 0, 'exit code')
    p.says(r'warning: queue of \S+: does not leave, killing it')
    require(time.monotonic() - started >= 5, 'not even 5 seconds for runs')


@case(user='root')
def impostor():
    """Who listens where tcpserverd should and is somebody else: no events"""
    where = scratch()
    os.chown(where, OTHER_UID, OTHER_UID)
    result, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(OTHER_UID)
        os.setuid(OTHER_UID)
        s = socket.socket(socket.AF_UNIX)
        s.bind(where + '/events')
        s.listen(5)
        os.write(end, b'x')
        time.sleep(3600)
    session_remember(child)
    os.read(result, 1)
    try:
        os.chmod(where + '/events', 0o777)
        p = Parent('queue none', 'events from "%s/events"\n' % where)
        p.says(r'warning: events from "%s/events": who answers there is '
               'neither root nor we' % where)
        require(not p.daemon.lines('queue: events'), 'events of a stranger')
        p.lives()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


main()
