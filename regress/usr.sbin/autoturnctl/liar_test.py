#!/usr/bin/env python3
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
# autoturnctl at a daemon that says what we want, or nothing; and its words.

import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from turnctl import *

NASTY = bytes(range(1, 256)) + b'\xc3\xa4 \xff"\\\x1b[2J\xe2\x82'
SIZES = {}


def daemon_message(version=VERSION, size=4 + 12 + 16 + 64 + 4096):
    data = struct.pack('=IIIIqq64s', version, 77, 1, 2, 10**9, 10**9,
                       b'build') + b'/etc/autoturnd.conf'
    return message(DAEMON, data.ljust(size, b'\0')[:size])


def spool_message(path=b'/spool', length=None):
    head = message(SPOOL, path)
    return head


def end(error=0):
    return message(END, struct.pack('=i', error))


def string(text):
    return b'' if text is None else text + b'\0'


def mail(name=b'new/m', sender=b'a@b', recipients=b'c@d\0', reply=None,
         state=0, cut=0):
    strings = [string(name), string(sender), recipients, string(reply)]
    row = struct.pack('=II64sQqqqIIIIII', 3, state, b'127.0.0.1', 100,
                      10**9, 0, 2 * 10**9, 1, *[len(s) for s in strings], 0)
    row += b''.join(strings)
    return message(ROW, row[:len(row) - cut])


class Liar(threading.Thread):
    """Takes one client as the parent and one queue do"""

    def __init__(self, *answers, parent=None, fd=True, path='actl'):
        super().__init__(daemon=True)
        self.answers, self.parent, self.fd = answers, parent, fd
        self.socket = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.socket.bind(path)
        self.socket.listen(1)
        self.start()

    def run(self):
        client, _ = self.socket.accept()
        self.socket.close()
        ours, theirs = socket.socketpair()
        with client, ours, theirs:
            if self.parent is not None:
                client.sendall(self.parent)
                return
            client.sendall(daemon_message())
            head = bytearray(spool_message())
            if self.fd:
                # imsg marks a message that has a descriptor
                head[4:8] = struct.pack('=I', len(head) | 1 << 31)
                socket.send_fds(client, [bytes(head)], [theirs.fileno()])
            else:
                client.sendall(bytes(head))
            client.sendall(message(SPOOLS_END))
            client.close()
            theirs.close()
            for answer in self.answers:
                if not ours.recv(65536):
                    return
                ours.sendall(answer)


WELCOMED = message(WELCOME, struct.pack('=II', VERSION, 0))


@case()
def versions():
    """Another version of either is told clearly"""
    Liar(parent=daemon_message(VERSION + 1))
    done = ctl('actl', 'show', 'status')
    same((done.returncode, done.stdout, done.stderr), (
        1, '', 'autoturnctl: the daemon speaks version 2 of the protocol, '
        'this program speaks version 1\n'), 'what it says')
    Liar(parent=daemon_message(9, size=4))
    done = ctl('actl', 'show', 'status')
    require('speaks version 9 of the protocol' in done.stderr, done.stderr)
    Liar(message(REFUSED, b'go away \x1b'))
    done = ctl('actl', 'show', 'status')
    same((done.returncode, done.stderr), (
        1, 'autoturnctl: the daemon refuses: go away \\033\n'), 'refused')
    Liar(parent=message(REFUSED, b'no'))
    done = ctl('actl', 'show', 'status')
    same(done.stderr, 'autoturnctl: the daemon refuses: no\n', 'refused')


@case()
def no_daemon():
    """No socket, nobody behind it, one that hangs up; no queue"""
    done = ctl('actl', 'show', 'status')
    same((done.returncode, done.stdout, done.stderr), (
        1, '', 'autoturnctl: actl: No such file or directory\n'), 'none')
    for parent in b'', daemon_message(), daemon_message() + spool_message():
        Liar(parent=parent)
        done = ctl('actl', 'show', 'status')
        same((done.returncode, done.stderr), (
            1, 'autoturnctl: the daemon has hung up\n'), parent[:4])
    for answers in ((b'',), (WELCOMED, b''), (WELCOMED, mail())):
        Liar(*answers)
        done = ctl('actl', '-j', 'show', 'queue')
        same((done.returncode, done.stderr), (
            1, 'autoturnctl: the daemon has hung up\n'), answers)
    Liar(fd=False)
    done = ctl('actl', 'show', 'queue')
    same((done.returncode, done.stderr), (
        1, 'autoturnctl: /spool: its queue does not run just now\n'),
         'no queue')
    Liar(fd=False)
    done = ctl('actl', '-j', 'show', 'queue')
    same((done.returncode, json.loads(done.stdout)), (
        1, {'done': False,
            'messages': ['/spool: its queue does not run just now']}),
         'no queue')


@case()
def nasty_strings():
    """Bytes of strangers reach neither a terminal nor a JSON parser"""
    row = mail(NASTY, NASTY, NASTY + b'\0', NASTY)
    Liar(WELCOMED, row + end())
    done = ctl('actl', '-j', 'show', 'queue')
    same((done.returncode, done.stderr), (0, ''), 'show queue')
    found, = json.loads(done.stdout)['queue']
    require(re.fullmatch('[ -~]*', found['sender']), found['sender'])
    same(found['sender'], found['reply'], 'the same bytes')
    for words in (['show', 'queue'], ['explain', 'm']):
        Liar(WELCOMED, row + message(TEXT, NASTY) + end())
        done = ctl('actl', *words)
        same(done.returncode, 0, words)
        require(re.fullmatch(r'[ -~\n]*', done.stdout + done.stderr), words)


@case()
def not_understood():
    """What this version does not send is an error, not a crash"""
    row = mail()
    bad = [mail(cut=n) for n in range(1, 160, 7)]
    bad += [message(ROW), message(ROW, b'\0\0\0\0'), message(ROW, b'xx'),
            message(ROW, b'\3' * 4000), mail(state=99), mail(name=None),
            message(END), message(END, b'x' * 8), message(EVENT, b'x' * 40),
            message(4711), message(HELLO), message(0),
            message(ROW, row[16:] + b'x'), mail(recipients=b'x'),
            struct.pack('=IIII', ROW, 15, 0, 0),
            struct.pack('=IIII', ROW, 2**31 - 1, 0, 0)]
    bad += [message(ROW, struct.pack('=I', kind) + b'\xff' * size)
            for kind in (1, 2, 3, 4) for size in (0, 700, 1500)]
    for data in bad:
        for words in (('show', 'queue'), ('-j', 'explain', 'm')):
            Liar(WELCOMED, data)
            done = ctl('actl', *words)
            same(done.returncode, 1, (data, done.stderr))
            require(done.stderr.startswith('autoturnctl: '), done.stderr)
    good = daemon_message()
    for parent in (message(DAEMON), message(DAEMON, b'xx'),
                   daemon_message(size=5), message(4711), message(WELCOME),
                   good + message(SPOOL), good + message(DAEMON),
                   good + message(SPOOL, b'a\0b'),
                   good + message(SPOOL, b'x' * 5000)):
        Liar(parent=parent)
        done = ctl('actl', 'show', 'queue')
        same(done.returncode, 1, parent[:16])
        require('is not understood' in done.stderr, done.stderr)


@case()
def not_complete():
    """An answer that breaks off is not taken for a whole one"""
    Liar(WELCOMED, mail() + end(12))
    done = ctl('actl', 'show', 'queue')
    same((done.returncode, done.stderr), (
        1, 'autoturnctl: /spool: Cannot allocate memory\n'), 'text')
    Liar(WELCOMED, mail() + end(12))
    done = ctl('actl', '-j', 'show', 'queue')
    same(done.returncode, 1, 'its exit code')
    found = json.loads(done.stdout)
    same((len(found['queue']), found['messages']), (
        1, ['/spool: Cannot allocate memory']), 'JSON')


@case()
def output_full():
    """What can't be written is an error"""
    Liar(WELCOMED, mail() + end())
    with open('/dev/full', 'w') as full:
        done = ctl('actl', 'show', 'queue', stdout=full)
    same((done.returncode, done.stderr), (
        1, 'autoturnctl: standard output: No space left on device\n'),
         'a full disk')


MAIN = re.compile(r'valid here: [a-z ]*\n')
SHOW = 'valid here: customers metrics quarantine queue runs status\n'


@case()
def words():
    """Each mistake is named, with the words that are valid there"""
    for line, error in (
            ('show foo', 'unknown word: foo\n' + SHOW),
            ('show', 'a word is missing\n' + SHOW),
            ('show qu', 'ambiguous word: qu\n' + SHOW),
            ('sh q', 'ambiguous word: q\n' + SHOW),
            ('reload now', 'word too many: now\nvalid here: <end>\n'),
            ('hold', 'a word is missing\nvalid here: <customer>\n'),
            ('hold a b', 'word too many: b\nvalid here: <end>\n'),
            ('release', 'a word is missing\nvalid here: <customer>\n'),
            ('explain', 'a word is missing\n'
             'valid here: <[customer] message>\n'),
            ('explain a b c', 'word too many: c\nvalid here: <end>\n'),
            ('expire a b c', 'word too many: c\nvalid here: <end>\n'),
            ('hold ' + 'x' * 256, 'not the name of a customer: ' + 'x' * 63 +
             '\nvalid here: <customer>\n'),
            ('expire a ' + 'x' * 300, 'not the name of a message: ' +
             'x' * 63 + '\nvalid here: <end> <message>\n'),
            ('pause a b', 'word too many: b\nvalid here: <end>\n')):
        done = ctl('actl', *line.split())
        same((done.returncode, done.stdout, done.stderr),
             (1, '', 'autoturnctl: ' + error), line)
    for word in 'foo', 're', 'exp', 'r':
        done = ctl('actl', word)
        lines = done.stderr.split('\n', 1)
        require(re.fullmatch('autoturnctl: (unknown|ambiguous) word: ' +
                             word, lines[0]), done.stderr)
        require(MAIN.fullmatch(lines[1]), done.stderr)
    done = ctl('actl', '\x1b[2J' + 'x' * 300)
    require(re.fullmatch(r'[ -~\n]{1,300}', done.stderr), done.stderr)


@case()
def usage():
    """The usage is the manual's SYNOPSIS"""
    for argv in ([], ['-x', 'reload'], ['-s'], ['-j']):
        done = subprocess.run([CTL] + argv, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding='ascii')
        same((done.returncode, done.stdout), (1, ''), argv)
        same(' '.join(' '.join(done.stderr.split('\n')[-3:]).split()),
             'usage: autoturnctl [-j] [-f file] [-q directory] [-s socket] '
             'command [argument ...]', argv)
    with open(SOURCE + '/usr.sbin/autoturnctl/autoturnctl.8') as f:
        synopsis = f.read().split('.Sh SYNOPSIS\n')[1].split('.Sh ')[0]
    same(synopsis, '.Nm autoturnctl\n.Op Fl j\n.Op Fl f Ar file\n'
         '.Op Fl q Ar directory\n.Op Fl s Ar socket\n'
         '.Ar command\n.Op Ar argument ...\n', 'SYNOPSIS')


main()
