#!/usr/bin/env python3
# The AutoTURN recipe, unchanged but for its paths, under our tcpserver: a
# customer connects, and his mail comes to him; and what each step's slip
# looks like, as autoturn(7) says.  In a network namespace, where customers
# are addresses of the loopback and have a server on port 25.

import hashlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

from atfcases import *
from mailpeers import network_own
from mailserver import Smtp, unstuffed

DEADLINE_S = 60
PORT = 2525
CUSTOMER = '127.0.0.2'
MANUAL = os.environ.get('STAGE', '') + '/share/man/man7/autoturn.7'


def inside(**kw):
    """A case that is run in a network namespace."""
    def add(function):
        def within():
            network_own()
            function()
        within.__name__ = function.__name__
        within.__doc__ = function.__doc__
        return case(**kw)(within)
    return add


def recipe(which=0):
    """autoturn(7)'s scripts, with SPOOL and SMTPD for the paths."""
    with open(MANUAL, encoding='ascii') as f:
        found = re.findall(r"^sh -c ' (/.*?) '$", f.read(), re.M | re.S)
    same(len(found), 2, 'scripts in the manual')
    script = found[which].replace('\\e', '\\')
    script = re.sub('^/.*', 'SMTPD', script)
    script, count = re.subn('(?m)^  cd .*/autoturn$', '  cd SPOOL', script)
    same(count, 1, 'directories in %s' % script)
    return script


class Sink(Smtp):
    """A customer's mail server."""

    def __init__(self, address=CUSTOMER, rules=None):
        super().__init__(rules, host=address, port=25)


class Host:
    """Ours: a spool, and tcpserver with the recipe."""

    def __init__(self, script=None):
        os.mkdir('autoturn')
        with open('smtpd', 'w', encoding='ascii') as f:
            # qmail-smtpd's ways: says hello, ends at QUIT or the end.
            f.write('#!/bin/sh\necho "220 isp ESMTP"\n'
                    'while read -r line; do case $line in QUIT*|quit*) '
                    'echo "221 isp"; exit;; *) echo "250 ok";; esac; done\n')
        os.chmod('smtpd', 0o755)
        script = script or recipe()
        script = script.replace('SPOOL', os.getcwd() + '/autoturn')
        script = script.replace('SMTPD', os.getcwd() + '/smtpd')
        env = dict(os.environ, PATH=BIN + ':' + os.environ['PATH'])
        self.log = open('log', 'wb')
        self.server = subprocess.Popen(
            [BIN + 'tcpserver', '-vRHl0', '127.0.0.1', str(PORT),
             'sh', '-c', script], env=env, stderr=self.log,
            stdin=subprocess.DEVNULL)
        self.wait_log('status: 0/')

    def wait_log(self, text, count=1):
        deadline = time.monotonic() + DEADLINE_S
        while True:
            with open('log', encoding='latin-1') as f:
                log = f.read()
            if log.count(text) >= count:
                return log
            holds(self.server.poll() is None, 'tcpserver left: %s' % log)
            holds(time.monotonic() < deadline, 'no %s in %s' % (text, log))
            time.sleep(0.01)

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()

    @staticmethod
    def box(address=CUSTOMER):
        same(run([BIN + 'maildirmake', 'autoturn/' + address]).returncode, 0,
             'maildirmake')
        return 'autoturn/' + address

    @staticmethod
    def fill(box, count, *words):
        done = run([SOURCE + '/regress/tools/mailcorpus', '-n', str(count),
                    '-p', 'autoturn-%s-' % os.path.basename(box)] +
                   list(words) + [box])
        same(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.split('\n')[:-1]]


def connect(address=CUSTOMER):
    conn = socket.create_connection(('127.0.0.1', PORT), 10, (address, 0))
    conn.settimeout(DEADLINE_S)
    return conn


def talk(conn, text=b'QUIT\r\n'):
    """Says so, and reads to the end of the connection."""
    if text:
        conn.sendall(text)
    else:
        conn.shutdown(socket.SHUT_WR)
    data = b''
    while True:
        more = conn.recv(1000)
        if not more:
            return data
        data += more


def check_delivered(sink, wanted):
    same((len(sink.messages), sink.errors), (len(wanted), []), 'messages')
    for got, message in zip(sink.messages, wanted):
        what = '%s (%s)' % (message['name'], message['kind'])
        same(hashlib.sha256(unstuffed(got.body)).hexdigest(), message['wire'],
             what)
        same(len(got.recipients), len(message['recipients']),
             'recipients of ' + what)
        if re.fullmatch(r'[a-z.-]+@[a-z.]+', message['recipients'][0]):
            holds(got.recipients[0].startswith(
                '<%s>' % message['recipients'][0]), got.recipients)
        if message['sender'] == '':
            holds(got.sender.startswith('<>'), got.sender)


@inside(timeout=300)
def two_hundred():
    """A customer connects; 200 messages come to him in order"""
    host, sink = Host(), Sink()
    box = host.box()
    wanted = host.fill(box, 200)
    # His client sees the 221; the connection ends with the delivery.
    same(talk(connect()), b'220 isp ESMTP\n221 isp\n', 'the dialogue')
    check_delivered(sink, wanted)
    same(os.listdir(box + '/new'), [], 'left')
    same(host.wait_log('end ').count(' succeeded: '), 200, 'log')
    same(sink.connections, 1, 'connections')
    holds(os.path.exists(box + '/seriallock'), 'no lock')
    # Again: nothing to do, so his server is not connected to.
    talk(connect())
    same(sink.connections, 1, 'connections')
    host.stop()


@inside()
def sends_nothing():
    """A client that connects and sends nothing is enough"""
    host, sink = Host(), Sink()
    wanted = host.fill(host.box(), 8, '-w', 'qmail')
    same(talk(connect(), b''), b'220 isp ESMTP\n', 'the dialogue')
    check_delivered(sink, wanted)
    host.stop()


@inside()
def two_at_once():
    """While one run is on, a second client starts none; nothing is doubled"""
    go = threading.Event()

    def wait(stage, _):
        if stage == 'dot':
            go.wait(DEADLINE_S)
    host, sink = Host(), Sink(rules=wait)
    box = host.box()
    wanted = host.fill(box, 20, '-w', 'qmail')
    first = connect()
    first.sendall(b'QUIT\r\n')
    deadline = time.monotonic() + DEADLINE_S
    while 'dot' not in sink.counts:
        holds(time.monotonic() < deadline, 'no delivery')
        time.sleep(0.01)
    # The second one is let go at once, and its program ends with 0.
    same(talk(connect()), b'220 isp ESMTP\n221 isp\n', 'the second')
    host.wait_log('status 0')
    same(sink.connections, 1, 'connections')
    holds(not select.select([first], [], [], 0)[0] or
          first.recv(100).startswith(b'220'), 'the first one has ended')
    go.set()
    talk(first, b'')
    check_delivered(sink, wanted)
    same(os.listdir(box + '/new'), [], 'left')
    host.stop()


@inside()
def no_customer():
    """An address without a directory: no word, no connection, status 0"""
    host, sink = Host(), Sink('127.0.0.3')
    same(talk(connect('127.0.0.3')), b'220 isp ESMTP\n221 isp\n', 'dialogue')
    log = host.wait_log('end ')
    holds(re.search(r'end \d+ status 0\n', log), log)
    same([line for line in log.split('\n')
          if line and not line.startswith('tcpserver: ')], [], 'log')
    same((sink.connections, os.listdir('autoturn')), (0, []), 'what happened')
    host.stop()


@inside()
def server_down():
    """The customer's server does not answer: three tries, all stays"""
    host = Host()
    box = host.box()
    host.fill(box, 5, '-w', 'qmail')
    talk(connect())
    log = host.wait_log('end ')
    same(log.count('tcpclient: unable to connect to 127.0.0.2 port 25: '
                   'connection refused\n'), 3, log)
    holds('maildirserial: fatal: making no progress, giving up\n' in log, log)
    holds(re.search(r'end \d+ status 28416\n', log), log)
    same(len(os.listdir(box + '/new')), 5, 'left')
    host.stop()


@inside()
def refused():
    """A refused message is bounced, with all lines of the reply"""
    host, sink = Host(recipe().replace(
        'SMTPD\n', 'SMTPD\nexport SENDMAIL=SPOOL/../sendmail\n')), \
        Sink(rules=lambda stage, n: '550-5.1.1 not\r\n550 5.1.1 here'
             if (stage, n) == ('RCPT', 2) else None)
    with open('sendmail', 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\necho "$*" >>%s/args\ncat >>%s/bounces\n' %
                (os.getcwd(), os.getcwd()))
    os.chmod('sendmail', 0o755)
    box = host.box()
    for n, user in enumerate(('user', 'info', 'user')):
        path = '%s/new/%d' % (box, n)
        with open(path, 'w', encoding='ascii') as f:
            f.write('Return-Path: <joe@example.org>\nDelivered-To: '
                    'autoturn-127.0.0.2-%s@virt.dom\nSubject: %d\n\nhi\n' %
                    (user, n))
        os.utime(path, (time.time() - 100 + n,) * 2)
    talk(connect())
    same([m.body[9:10] for m in sink.messages], [b'0', b'2'], 'delivered')
    with open('bounces', encoding='ascii') as f:
        bounces = f.read()
    holds('<info@virt.dom>:\n127.0.0.2 said: 550' in bounces, bounces)
    holds('5.1.1 not' in bounces and '5.1.1 here' in bounces, bounces)
    with open('args', encoding='ascii') as f:
        same(f.read(), '-i -f <> -- joe@example.org\n', 'arguments')
    same(os.listdir(box + '/new'), [], 'left')
    host.stop()


@inside()
def slips():
    """What the steps' slips look like in the log"""
    host, sink = Host(), Sink()
    box = host.box()
    # The user part of virtualdomains does not fit the prefix.
    with open(box + '/new/1', 'w', encoding='ascii') as f:
        f.write('Return-Path: <joe@example.org>\n'
                'Delivered-To: autoturn-1.2.3.4-user@virt.dom\n\n')
    os.utime(box + '/new/1', (1, 1))
    talk(connect())
    log = host.wait_log('end ')
    holds('maildirserial: info: left alone: 1 for others than '
          'autoturn-127.0.0.2-, such as new/1\n' in log, log)
    # A Maildir that is none.
    os.mkdir('autoturn/127.0.0.3')
    talk(connect('127.0.0.3'))
    log = host.wait_log('end ', 2)
    holds('maildirserial: fatal: unable to scan 127.0.0.3/new: file does not '
          'exist\n' in log, log)
    # A file instead of a Maildir (no final slash in .qmail).
    with open('autoturn/127.0.0.4', 'w', encoding='ascii') as f:
        f.write('From joe\n')
    talk(connect('127.0.0.4'))
    log = host.wait_log('end ', 3)
    same(len(re.findall(r'end \d+ status 0\n', log)), 2, log)
    same(sink.connections, 0, 'connections')
    host.stop()


@inside()
def slips_of_the_script():
    """Slips in step 5: a program that is not in PATH, a prefix cut short"""
    host = Host(recipe().replace('setlock', 'no-such-setlock'))
    sink = Sink()
    box = host.box()
    host.fill(box, 2, '-w', 'qmail')
    talk(connect())
    log = host.wait_log('end ')
    holds(re.search(r'end \d+ status 32512\n', log), log)
    holds('no-such-setlock: not found' in log, log)
    same(sink.connections, 0, 'connections')
    host.stop()
    os.rename('autoturn', 'earlier')
    host = Host(recipe().replace('autoturn-$TCPREMOTEIP- ',
                                 'autoturn-$TCPREMOTEIP '))
    box = host.box()
    host.fill(box, 2, '-w', 'qmail')
    talk(connect())
    holds(all(m.recipients[0].startswith(('<-', '<"-'))
              for m in sink.messages), sink.commands)
    same(len(sink.messages), 2, 'messages')
    host.stop()


@inside()
def without_qmail():
    """The manual's other script: no prefix, heads of all four"""
    host, sink = Host(recipe(1)), Sink()
    box = host.box()
    done = run([SOURCE + '/regress/tools/mailcorpus', '-n', '12', box])
    wanted = [json.loads(line) for line in done.stdout.split('\n')[:-1]]
    talk(connect())
    check_delivered(sink, wanted)
    same(os.listdir(box + '/new'), [], 'left')
    host.stop()


main()
