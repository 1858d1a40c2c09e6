#!/usr/bin/env python3
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""maildirsmtp: a whole Maildir, from our maildirserial through our tcpclient
to servers of ours."""

import collections
import email
import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, HERE)
sys.path.insert(2, os.path.join(HERE, *[os.pardir] * 2, 'tools'))

from atfcases import BIN, case, holds, main, run, same   # noqa: E402
from mailpeers import (clean_environment, corpus,        # noqa: E402
                       examples_run, free_port, letter, maildir, network_own, smtp_sink)
from mailserver import CLOSE, RESET, Smtp                # noqa: E402

LETTERS = int(os.environ.get('KILL_LETTERS', '300'))
SEED = int(os.environ.get('KILL_SEED', '1'))


def send(server, *port, prefix='p-'):
    done = run([BIN + 'maildirsmtp', '.', prefix, server.host, 'AutoTURN',
                *(port or (server.port,))], env=clean_environment())
    print(done.stderr[-3000:])
    return done


def parts():
    for part in ('new', 'cur', 'tmp'):
        os.makedirs(part, exist_ok=True)


def letters(count, age_s=7200, **kw):
    parts()
    for i in range(count):
        letter('%04d' % i, b'Subject: %04d\n\nhello\n' % i, **kw)
        when = time.time() - age_s + i
        os.utime('new/%04d' % i, (when, when))


@case()
def usage():
    """Command line"""
    for words in ([], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e', 'f'],
                  ['-x', 'b', 'c', 'd']):
        done = run([BIN + 'maildirsmtp'] + words)
        same((done.returncode, done.stderr), (
            100, 'maildirsmtp: usage: maildirsmtp dir prefix host helohost '
            '[ port ]\n'), words)


@case()
def all_arrives():
    """Every message, oldest first, and nothing is left"""
    parts()
    lines = corpus('-n', '100', '-p', 'p-')
    server = Smtp(keywords=('PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE'))
    done = send(server)
    same((done.returncode, os.listdir('new')), (0, []), done.stderr)
    same([len(m.recipients) for m in server.messages],
         [len(line['recipients']) for line in lines], 'order')
    same((server.errors, server.connections), ([], 1), 'one connection')


@case()
def over_ipv6():
    """An IPv6 address is as good as any"""
    letters(3)
    server = Smtp(host='::1')
    done = send(server)
    same((done.returncode, len(server.messages)), (0, 3), done.stderr)
    holds('::1 said: 250 ok' in done.stderr, done.stderr)


@case()
def what_is_left():
    """Refused for now stays, refused for good is bounced, accepted goes"""
    letters(3)
    server = Smtp(lambda s, n: {('RCPT', 1): '450 later',
                                ('RCPT', 2): '250 ok'}.get((s, n)))
    done = send(server)
    same((done.returncode, os.listdir('new')), (111, ['0000']), done.stderr)


def report(name):
    """The DSN that QUEUE kept: each recipient's address and status"""
    with open(name, 'rb') as f:
        found = email.message_from_binary_file(f)
    parts = found.get_payload()[1].get_payload()[1:]
    return [(part['Final-Recipient'], part['Status']) for part in parts]


def send_reported(server, prefix='p-'):
    with open('queue', 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\ncat >"$QUEUED"\n')
    os.chmod('queue', 0o755)
    done = run([BIN + 'maildirsmtp', '.', prefix, server.host, 'AutoTURN',
                server.port], env=dict(
                    clean_environment(), BOUNCEFORM='dsn',
                    QMAILQUEUE=os.path.abspath('queue'),
                    QUEUED=os.path.abspath('report')))
    same((done.returncode, os.listdir('new')), (0, []), done.stderr)
    return done


@case()
def own_finding_is_reported():
    """What we find ourselves has its status in a report, too"""
    letters(1)
    server = Smtp(keywords=('PIPELINING', 'SIZE 10'))
    done = send_reported(server)
    holds('the server takes at most 10 (#5.3.4)' in done.stderr, done.stderr)
    same(report('report'), [('rfc822; c@d.example', '5.3.4')], 'status')


@case()
def nothing_to_send():
    """However many the server can't take, the connection ends at once"""
    for count in range(1, 6):
        letters(count)
        server = Smtp(keywords=('PIPELINING', 'SIZE 10'))
        done = run([BIN + 'maildirserial', '.', 'p-', 'tcpclient', '-RHl0',
                    '127.0.0.1', server.port, 'serialsmtp', 'p-', 'me'],
                   env=clean_environment(), timeout=20)
        same(done.stderr.count(' failed: '), count, done.stderr)
        same(server.commands, ['EHLO me', 'QUIT'], 'said')


@case()
def each_of_many_is_reported():
    """Sixty recipients that are refused at length: each is reported"""
    parts()
    names = ['%s%02d@d.example' % ('n' * 40, i) for i in range(62)]
    with open('new/1', 'w', encoding='ascii') as f:
        f.write('Return-path: <joe@example.org>\nEnvelope-to: ' +
                ',\n '.join('p-' + name for name in names) +
                '\n\nhello\n')
    os.utime('new/1', (1, 1))
    server = Smtp(lambda s, n: '550 5.1.1 ' + 'gone ' * 200
                  if s == 'RCPT' and n > 2 else None)
    send_reported(server)
    same(len(server.messages[0].recipients), 2, 'taken')
    same(report('report'), [('rfc822; ' + name, '5.1.1')
                            for name in names[2:]], 'reported')


@case()
def poison():
    """A message that a server can't bear keeps nobody else back"""
    letters(6)
    for what in (CLOSE, RESET, '421 I die of it', 'pardon'):
        letters(6)
        seen = []

        def rules(stage, n, what=what):
            if stage == 'dot' and len(server.messages) not in seen:
                seen.append(len(server.messages))
                return what if len(seen) == 1 else None
            return None
        server = Smtp(rules)
        done = send(server)
        same((done.returncode, os.listdir('new')), (111, ['0000']), what)
        same(len(server.messages), 5, what)


def arrived(server, kills):
    """Nothing is lost; how many came twice"""
    times = collections.Counter(
        m.body.split(b'\r\n')[0] for m in server.messages)
    twice = sum(times.values()) - LETTERS
    print('%d kills, %d came twice' % (kills, twice))
    same(sorted(times), [b'Subject: %04d' % i for i in range(LETTERS)],
         'all arrived')
    return twice


def wait_until(server, count, process):
    while process.poll() is None and len(server.messages) < count:
        time.sleep(0.0005)


def client_kill(parent):
    """1 if there was one; a number is looked at before it is trusted"""
    try:
        with open('pid', encoding='ascii') as f:
            pid = f.read().strip()
        os.unlink('pid')
        if run(['ps', '-o', 'ppid=', '-p', pid]).stdout.strip() != str(parent):
            return 0
        os.kill(int(pid), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return 0                        # not there yet, or at its end
    return 1


@case(timeout=120)
def killed_client():
    """kill -9 of serialsmtp at any time: one message at most comes twice"""
    rng = random.Random(SEED)
    letters(LETTERS, age_s=100000)
    server = Smtp(pause=0.005)      # or all is over before ps(1) is
    script = 'echo $$ >pid.new; mv pid.new pid; exec serialsmtp p- me'
    command = [BIN + 'maildirserial', '.', 'p-', 'tcpclient', '-RHl0',
               '127.0.0.1', server.port, 'sh', '-c', script]
    kills = 0
    while os.listdir('new'):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL,
                                   env=clean_environment())
        while process.poll() is None:
            wait_until(server, len(server.messages) + rng.randint(1, 6),
                       process)
            time.sleep(rng.random() * 0.01)
            kills += client_kill(process.pid)
    twice = arrived(server, kills)
    holds(kills >= 5, '%d kills' % kills)
    holds(twice <= kills, '%d twice, %d kills' % (twice, kills))


@case(timeout=120)
def killed_all():
    """kill -9 of everything at any time: nothing is lost"""
    rng = random.Random(SEED)
    letters(LETTERS, age_s=100000)
    server = Smtp()
    kills = 0
    while os.listdir('new'):
        process = subprocess.Popen(
            [BIN + 'maildirsmtp', '.', 'p-', '127.0.0.1', 'me', server.port],
            stderr=subprocess.DEVNULL, start_new_session=True,
            env=clean_environment())
        wait_until(server, len(server.messages) + rng.randint(1, 12), process)
        time.sleep(rng.random() * 0.003)
        if process.poll() is None:
            kills += 1
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    # How many come twice depends on how far maildirserial was behind.
    arrived(server, kills)
    holds(kills >= 10, '%d kills' % kills)


@case()
def nobody_there():
    """A port where nobody listens"""
    letters(2)
    begin = time.monotonic()
    done = run([BIN + 'maildirsmtp', '.', 'p-', '127.0.0.1', 'me',
                free_port()], env=clean_environment())
    same((done.returncode, len(os.listdir('new'))), (111, 2), 'result')
    holds(time.monotonic() - begin < 10, 'at once')
    holds('connection refused' in done.stderr, done.stderr)


@case()
def examples_of_manual():
    """EXAMPLES, with postfix's sink"""
    network_own()
    smtp_sink(port='2525')
    maildir('127.0.0.1', ('1', b'x\n', 'autoturn-127.0.0.1-joe@d.example'))
    examples_run('maildirsmtp.1')


main()
