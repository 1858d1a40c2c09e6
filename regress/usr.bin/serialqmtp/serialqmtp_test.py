#!/usr/bin/env python3
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""serialqmtp through tcpclient, and maildirqmtp, against servers of ours that
behave well and badly, and against mailfront's."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, HERE)
sys.path.insert(2, os.path.join(HERE, *[os.pardir] * 2, 'tools'))

from atfcases import BIN, case, holds, main, run, same   # noqa: E402
from mailpeers import (clean_environment, client,        # noqa: E402
                       corpus, examples_run, letter, maildir, mailfront,
                       network_own)
from mailserver import CLOSE, RESET, Qmtp                # noqa: E402


def send(server, names, prefix='p-'):
    return client(getattr(server, 'port', server), names, 'serialqmtp', prefix)


@case()
def usage():
    """Command line and exit codes"""
    for words in ([], ['-x', 'p-']):
        done = run([BIN + 'serialqmtp'] + words)
        same((done.returncode, done.stdout), (100, ''), words)
        holds(done.stderr.endswith(
            'serialqmtp: usage: serialqmtp prefix\n'), done.stderr)


@case()
def corpus_arrives():
    """Every kind of message, its octets unchanged, addresses raw"""
    lines = corpus('-n', '200', '-p', 'p-')
    server = Qmtp()
    result = send(server, [line['name'] for line in lines])
    same((result.code, result.err), (0, ''), 'result')
    same([r for r in result.lines], [
        (line['name'], 'K', '127.0.0.1 said: ok') for line in lines],
        'records')
    for line, message in zip(lines, server.messages):
        with open(line['name'], 'rb') as f:
            same(message.body, b'\n' + f.read()[line['start']:], line)
        same((message.sender, message.recipients),
             (line['sender'], line['recipients']), line)
    same(server.errors, [], 'errors')


@case()
def refused():
    """Results are each message's own"""
    names = [letter(str(i)) for i in range(3)]
    for reply, status, text in ((b'6:Zlater,', 'Z', 'later'),
                                (b'7:Dno\nway,', 'D', 'no way')):
        server = Qmtp(lambda s, n, reply=reply: reply
                      if (s, n) == ('dot', 2) else None)
        result = send(server, names)
        same((result.code, result.lines), (0, [
            (names[0], 'K', '127.0.0.1 said: ok'),
            (names[1], status, '127.0.0.1 said: ' + text),
            (names[2], 'K', '127.0.0.1 said: ok')]), status)


@case()
def lost():
    """Closed, reset, nonsense: what was not answered has no result"""
    names = [letter(str(i)) for i in range(5)]
    for what in (CLOSE, RESET, b'x', b'1:X,', b'99999999:K', b'3:Ko;'):
        server = Qmtp(lambda s, n, what=what: what
                      if (s, n) == ('dot', 3) else None)
        result = send(server, names)
        same((result.code, result.status()), (111, 'KK'), what)
        holds(result.err.startswith('serialqmtp: fatal: 127.0.0.1: '),
              result.err)


@case()
def files_of_every_kind():
    """What can't be sent is told, and keeps nothing back"""
    os.makedirs('new')
    os.symlink('1', 'new/link')
    names = [letter('1'), 'new/vanished', 'new/link',
             letter('headless', head=b''), letter('other', recipient='q@x'),
             letter('unfinished', b'no end')]
    server = Qmtp()
    result = send(server, names)
    same((result.code, result.status()), (0, 'ZZZKK'), 'result')
    same([m.body for m in server.messages],
         [b'\nSubject: x\n\nhello\n', b'\nno end'], 'bodies')


@case()
def mailfront_qmtp():
    """mailfront under our tcpserver, large and small"""
    names = [letter('%03d' % i) for i in range(200)]
    names.append(letter('large', b'Subject: x\n\n' + b'y\n' * 1000000))
    result = send(mailfront('qmtpfront-echo'), names)
    same((result.code, result.status()), (0, 'K' * 201), 'result')
    holds('Received 2000012 bytes' in result.lines[-1][2], result.lines[-1])


@case()
def maildirqmtp():
    """From a Maildir, until nothing is left, to a port of ours"""
    for name in ('cur', 'tmp'):
        os.mkdir(name)
    lines = corpus('-n', '50', '-p', 'p-')
    server = Qmtp()
    done = run([BIN + 'maildirqmtp', '.', 'p-', '127.0.0.1', server.port],
               env=clean_environment())
    same((done.returncode, len(os.listdir('new'))), (0, 0), done.stderr)
    same([m.recipients for m in server.messages],
         [line['recipients'] for line in lines], 'order')
    for words in ([], ['a', 'b'], ['a', 'b', 'c', 'd', 'e'], ['-x', 'a', 'b']):
        done = run([BIN + 'maildirqmtp'] + words)
        same((done.returncode, done.stderr), (
            100, 'maildirqmtp: usage: maildirqmtp dir prefix host [ port ]\n'),
            words)


@case()
def examples_of_manuals():
    """EXAMPLES, with mailfront"""
    network_own()
    mailfront('qmtpfront-echo', port='209')
    for name, prefix in (('Maildir', 'autoturn-192.0.2.1-'),
                         ('127.0.0.1', 'autoturn-127.0.0.1-')):
        maildir(name, ('1', b'Subject: x\n\nthirty-seven octets here\n',
                       prefix + 'joe@d.example'))
    examples_run('serialqmtp.1')
    examples_run('maildirqmtp.1')


main()
