#!/usr/bin/env python3
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
# tcpserverctl at a daemon that says what we want, or nothing; and its words.

import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from atfcases import SOURCE, case, holds, main, run, same  # noqa: E402
from control import *                                      # noqa: E402

NASTY = bytes(range(1, 256)) + b'\xc3\xa4 \xff"\\\x1b[2J\xe2\x82'


def unvis(text):
    """The bytes that vis(3) wrote with VIS_CSTYLE | VIS_OCTAL"""
    names = {'n': 10, 'r': 13, 'b': 8, 'a': 7, 'v': 11, 't': 9, 'f': 12,
             's': 32, '0': 0, '\\': 92}
    return re.sub(
        rb'\\([0-7]{3}|.)',
        lambda m: bytes([int(m.group(1), 8) if len(m.group(1)) == 3 else
                         names[m.group(1).decode()]]),
        text.encode('ascii'), flags=re.DOTALL)


@case()
def other_version():
    """A daemon of another version says so, and is shown saying it"""
    Liar(message(REFUSED, b'you speak version 1 of the protocol, this '
                 b'daemon speaks version 2'))
    done = ctl('show', 'status')
    same((done.returncode, done.stdout, done.stderr), (
        1, '', 'tcpserverctl: the daemon refuses: you speak version 1 of '
        'the protocol, this daemon speaks version 2\n'), 'what it says')
    Liar(message(REFUSED, NASTY))
    done = ctl('reload')
    same(done.returncode, 1, 'its exit code')
    holds(all(' ' <= c <= '~' for c in done.stderr[:-1]), done.stderr)


@case()
def no_daemon():
    """No socket, nobody behind it, one that hangs up"""
    done = ctl('show', 'status')
    same((done.returncode, done.stdout, done.stderr), (
        1, '', 'tcpserverctl: ctl.sock: No such file or directory\n'),
         'no socket')
    with socket.socket(socket.AF_UNIX) as s:
        s.bind('dead.sock')
    done = ctl('show', 'status', path='dead.sock')
    same((done.returncode, done.stderr), (
        1, 'tcpserverctl: dead.sock: Connection refused\n'), 'a dead one')
    done = ctl('show', 'status', path='x' * 200)
    same((done.returncode, done.stdout), (1, ''), 'a long name')
    for answers in ((b'',), (welcome(), b''), (welcome(), session())):
        Liar(*answers)
        done = ctl('-j', 'show', 'sessions')
        same((done.returncode, done.stderr), (
            1, 'tcpserverctl: the daemon has hung up\n'), answers)


@case()
def nasty_strings():
    """Bytes of strangers reach neither a terminal nor a JSON parser"""
    Liar(welcome(), session(b'mail', NASTY, NASTY[:200], NASTY) + end())
    done = ctl('-j', 'show', 'sessions')
    same((done.returncode, done.stderr), (0, ''), 'show sessions')
    found, = json.loads(done.stdout)['sessions']
    same(unvis(found['remote_name']), NASTY, 'remote_name')
    same(unvis(found['ident']), NASTY[:200], 'ident')
    same(unvis(found['rule']), NASTY, 'rule')
    same((found['id'], found['pid'], found['remote_ip'],
          found['remote_port'], found['local_name']),
         (4294967297, 77, '192.0.2.2', 4000, 'here'), 'the rest')
    for word in 'sessions', 'session':
        Liar(welcome(), session(b'mail', NASTY, NASTY[:200], NASTY) + end())
        done = ctl('show', word, *['1'] * (word == 'session'))
        same((done.returncode, done.stderr), (0, ''), word)
        holds(re.fullmatch(r'[ -~\n]*', done.stdout), done.stdout)
    Liar(welcome(), message(TEXT, NASTY) + end(1))
    done = ctl('reload')
    same(done.returncode, 1, 'reload')
    holds(re.fullmatch(r'tcpserverctl: [ -~]*\n', done.stderr), done.stderr)
    Liar(welcome(), message(TEXT, NASTY) + end(1))
    done = ctl('-j', 'reload')
    same((done.returncode, done.stderr), (1, ''), 'reload -j')
    found = json.loads(done.stdout)
    same(found['done'], False, 'done')
    same([unvis(text) for text in found['messages']], [NASTY], 'messages')


@case()
def not_understood():
    """What this version does not send is an error, not a crash"""
    row = session(name=b'x', rule=b'y')
    bad = [session(name=b'x', cut=n) for n in range(1, 160, 7)]
    bad += [message(ROW), message(ROW, b'\0\0\0\0'), message(ROW, b'xx'),
            message(ROW, struct.pack('=I', 1)), message(ROW, b'\4' * 4000),
            message(END), message(END, b'x' * 8), message(EVENT, b'x' * 40),
            message(EVENT, b'\xff' * 152), message(GAP, b'x'),
            message(4711), message(HELLO), message(0),
            message(ROW, row[16:] + b'x'),
            row[:-1] + b'x',              # a string without an end
            struct.pack('=IIII', ROW, 15, 0, 0),
            struct.pack('=IIII', ROW, 2**31 - 1, 0, 0)]
    for data in bad:
        for words in (('show', 'sessions'), ('-j', 'show', 'sessions')):
            Liar(welcome(), data)
            done = ctl(*words)
            same(done.returncode, 1, (data, done.stderr))
            holds(done.stderr.startswith('tcpserverctl: '), done.stderr)


@case()
def not_complete():
    """An answer that breaks off is not taken for a whole one"""
    Liar(welcome(), session() + end(12))
    done = ctl('show', 'sessions')
    same(done.returncode, 1, 'its exit code')
    holds('not complete: Cannot allocate memory' in done.stderr, done.stderr)


@case()
def output_full():
    """What can't be written is an error"""
    Liar(welcome(), session() + end())
    with open('/dev/full', 'w') as full:
        done = subprocess.run(
            [STAGE + '/sbin/tcpserverctl', '-s', 'ctl.sock', 'show',
             'sessions'], stdout=full, stderr=subprocess.PIPE)
    same((done.returncode, done.stderr), (
        1, b'tcpserverctl: standard output: No space left on device\n'),
         'a full disk')


MAIN = ('valid here: check continue drain import kill log monitor pause '
        'reload show\n')
SHOW = ('valid here: metrics rules services session sessions stats '
        'status\n')


@case()
def words():
    """Each mistake is named, with the words that are valid there"""
    for line, error in (
            ('foo', 'unknown word: foo\n' + MAIN),
            ('show foo', 'unknown word: foo\n' + SHOW),
            ('show', 'a word is missing\n' + SHOW),
            ('show s', 'ambiguous word: s\n' + SHOW),
            ('show stat', 'ambiguous word: stat\n' + SHOW),
            ('s sess', 'ambiguous word: sess\n' + SHOW),
            ('reload now', 'word too many: now\nvalid here: <end>\n'),
            ('kill', 'a word is missing\nvalid here: session\n'),
            ('kill session', 'a word is missing\nvalid here: <id>\n'),
            ('kill sess -1',
             'not the number of a session: -1\nvalid here: <id>\n'),
            ('show session 12x',
             'not the number of a session: 12x\nvalid here: <id>\n'),
            ('show session 99999999999999999999',
             'not the number of a session: 99999999999999999999\n'
             'valid here: <id>\n'),
            ('log', 'a word is missing\nvalid here: brief verbose\n'),
            ('check', 'a word is missing\nvalid here: <service>\n'),
            ('check smtp', 'a word is missing\nvalid here: <address>\n'),
            ('check smtp 1.2.3',
             'neither an IPv4 nor an IPv6 address: 1.2.3\n'
             'valid here: <address>\n'),
            ('check smtp 1.2.3.4 h i j',
             'word too many: j\nvalid here: <end>\n'),
            ('pause %s' % ('x' * 32),
             'not the name of a service: %s\n'
             'valid here: <end> <service>\n' % ('x' * 32)),
            ('pause a b', 'word too many: b\nvalid here: <end>\n')):
        done = ctl(*line.split())
        same((done.returncode, done.stdout, done.stderr),
             (1, '', 'tcpserverctl: ' + error), line)
    done = ctl('\x1b[2J' + 'x' * 300)
    same(done.returncode, 1, 'an odd word')
    holds(re.fullmatch(r'[ -~\n]{1,250}', done.stderr), done.stderr)


@case()
def imported():
    """import: what can't be carried over is told, by the exit code too"""
    write('run', '#!/bin/sh\nexec tcpserver -vRHl0 0 7 /bin/cat\n')
    done = ctl('import', 'run')
    same((done.returncode, done.stderr), (0, ''), done.stdout)
    holds('exec "/bin/cat"' in done.stdout, done.stdout)
    write('run', '#!/bin/sh\nexec tcpserver 0 7 /no/such/program\n')
    done = ctl('import', 'run')
    same(done.returncode, 1, done.stderr)
    holds(done.stderr.startswith('run:2: '), done.stderr)
    done = ctl('import', 'nothing')
    same((done.returncode, done.stdout), (2, ''), done.stderr)


@case()
def usage():
    """The usage is the manual's SYNOPSIS"""
    program = STAGE + '/sbin/tcpserverctl'
    for words in ([], ['-x', 'reload'], ['-s'], ['-j']):
        done = run([program] + words)
        same((done.returncode, done.stdout), (1, ''), words)
        same(done.stderr.split('\n')[-2], 'usage: tcpserverctl [-j] '
             '[-s socket] command [argument ...]', words)
    with open(SOURCE + '/usr.sbin/tcpserverctl/tcpserverctl.8') as f:
        synopsis = f.read().split('.Sh SYNOPSIS\n')[1].split('.Sh ')[0]
    same(synopsis, '.Nm tcpserverctl\n.Op Fl j\n.Op Fl s Ar socket\n'
         '.Ar command\n.Op Ar argument ...\n', 'SYNOPSIS')


if __name__ == '__main__':
    main()
