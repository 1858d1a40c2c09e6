#!/usr/bin/env python3
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""serialsmtp through tcpclient, against servers of ours that behave well and
badly, and against postfix's and mailfront's."""

import hashlib
import os
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, HERE)
sys.path.insert(2, os.path.join(HERE, *[os.pardir] * 2, 'tools'))

from atfcases import BIN, case, holds, main, run, same   # noqa: E402
from mailpeers import (client, corpus, examples_run,     # noqa: E402
                       letter, maildir, mailfront, network_own, smtp_sink)
from mailserver import CLOSE, RESET, Delay, Smtp, unstuffed  # noqa: E402

STAGES = ('greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'dot')


def send(server, names, prefix='p-', hello='AutoTURN', **kw):
    return client(getattr(server, 'port', server), names, 'serialsmtp',
                  prefix, hello, host=getattr(server, 'host', '127.0.0.1'),
                  **kw)


def at(stage, reply, nth=1):
    return lambda s, n: reply if (s, n) == (stage, nth) else None


@case()
def usage():
    """Command line and exit codes"""
    text = 'serialsmtp: usage: serialsmtp prefix helohost\n'
    for words in ([], ['p-'], ['-x', 'p-', 'me']):
        done = run([BIN + 'serialsmtp'] + words)
        same((done.returncode, done.stdout), (100, ''), words)
        holds(done.stderr.endswith(text), done.stderr)
    done = run([BIN + 'serialsmtp', 'p-', 'two words'])
    same((done.returncode, done.stderr),
         (100, 'serialsmtp: fatal: helohost: not one word\n'), 'hello')
    # No descriptor 6 at all.
    done = run([BIN + 'serialsmtp', '--', 'p-', 'me'])
    same((done.returncode, done.stdout), (111, ''), 'no connection')


@case()
def nothing():
    """No names: the server is greeted and left"""
    server = Smtp()
    result = send(server, [])
    same((result.code, result.lines, result.err), (0, [], ''), 'result')
    same(server.commands, ['EHLO AutoTURN', 'QUIT'], 'commands')


@case()
def order_and_envelope():
    """In the order of the names, prefix removed, quotes once"""
    server = Smtp()
    names = [letter('%d' % i, sender=s, recipient='p-' + r)
             for i, (s, r) in enumerate((
                 ('a@b', 'c@d'), ('"a b"@x', 'plain'), ('', 'x y@z'),
                 ('"q\\"q"@x', 'p-c@d')))]
    result = send(server, names[::-1])
    same(result.lines, [(n, 'K', '127.0.0.1 said: 250 ok')
                        for n in names[::-1]], 'records')
    same([(m.sender, m.recipients) for m in server.messages[::-1]],
         [('<a@b>', ['<c@d>']), ('<"a b"@x>', ['<plain>']),
          ('<>', ['<"x y"@z>']), ('<"q\\"q"@x>', ['<p-c@d>'])], 'envelopes')
    same(server.errors, [], 'errors')
    holds(all(os.path.exists(n) for n in names), 'files are not removed')


@case()
def corpus_arrives():
    """Hundreds of messages of every kind, by every writer, octet for octet"""
    lines = corpus('-n', '300', '-p', 'p-')
    for keywords in (('PIPELINING', '8BITMIME', 'SIZE 50000000', 'SMTPUTF8'),
                     (), ('PIPELINING',)):
        server = Smtp(keywords=keywords)
        result = send(server, [line['name'] for line in lines])
        same((result.code, result.err, result.cut), (0, '', ''), 'result')
        same([r[:2] for r in result.lines], [(line['name'], 'K')
                                             for line in lines], 'records')
        same(server.errors, [], 'errors')
        for line, message in zip(lines, server.messages):
            body = unstuffed(message.body)
            holds(b'\r' not in body.replace(b'\r\n', b'') and
                  b'\n' not in body.replace(b'\r\n', b''), line)
            same(hashlib.sha256(body).hexdigest(), line['wire'], line)
            same(len(message.recipients), len(line['recipients']), line)
            words = message.sender.split(' ')[1:]
            if 'SMTPUTF8' in keywords:
                holds('SIZE=%d' % len(body) in words, (line, words))
            same('BODY=8BITMIME' in words, '8BITMIME' in keywords and
                 not line['ascii'], (line, words))


@case(timeout=120)
def large_in_little_memory():
    """50 MB by a process that may have 8"""
    name = letter('big', b'Subject: big\n\n')
    with open(name, 'ab') as f:
        line = b'x' * 75 + b'\n'
        for _ in range(64):
            f.write(line * (50 * 16384 // 76))
    server = Smtp(keep=False)

    def limit():
        if not os.environ.get('SANITIZED'):
            resource.setrlimit(resource.RLIMIT_DATA, (8 << 20, 8 << 20))
    process = subprocess.run(
        [BIN + 'tcpclient', '-RHl0', '127.0.0.1', server.port,
         BIN + 'serialsmtp', 'p-', 'me'], input=name.encode() + b'\0',
        stdout=subprocess.PIPE, check=False, preexec_fn=limit)
    same((process.returncode, process.stdout),
         (0, name.encode() + b'\0K127.0.0.1 said: 250 ok\n'), 'result')
    holds(server.octets > os.path.getsize(name), server.octets)


@case()
def refused_at_each_stage():
    """A refusal is that message's alone, and tells all its lines"""
    names = [letter(str(i)) for i in range(3)]
    for keywords in (('PIPELINING',), ()):
        for stage in STAGES[2:]:
            for reply, status in (('450 4.2.0 later', 'Z'),
                                  ('550-5.7.1 no\r\n550 5.7.1 ne\tver', 'D')):
                server = Smtp(at(stage, reply, 2), keywords)
                result = send(server, names)
                same((result.code, result.err), (0, ''), 'end')
                same(result.lines, [
                    (names[0], 'K', '127.0.0.1 said: 250 ok'),
                    (names[1], status, '127.0.0.1 said: ' + reply.replace(
                        '\r\n', ' ').replace('\t', '?')),
                    (names[2], 'K', '127.0.0.1 said: 250 ok')],
                    (stage, reply))
                same((server.errors, len(server.messages)), ([], 2), stage)
        for stage in STAGES[:2]:
            server = Smtp(lambda s, n, stage=stage: '554 go away'
                          if s in (stage, 'HELO') else None, keywords)
            result = send(server, names)
            same((result.code, result.lines), (111, []), stage)
            same(result.err, 'serialsmtp: fatal: 127.0.0.1 said: 554 go away\n',
                 stage)
            same(server.commands[-1], 'QUIT', stage)


@case()
def lost_at_each_stage():
    """Closed, reset, 421: never a success or a failure for good"""
    names = [letter(str(i)) for i in range(3)]
    for stage in STAGES:
        for what in (CLOSE, RESET, '421 later', 'what?', '999 x',
                     (b'25', CLOSE), '250-a\r\n251 b'):
            server = Smtp(at(stage, what, 2 if stage in STAGES[2:] else 1))
            result = send(server, names)
            same(result.code, 111, (stage, what))
            first = 'K' if stage in STAGES[2:] else ''
            second = 'Z' if stage == 'dot' or (
                what == '421 later' and first) else ''
            same(result.status(), first + second, (stage, what))
            # A connection may be reset before it is seen to be there.
            holds(result.err.startswith('serialsmtp: fatal: 127.0.0.1') or
                  (stage, what) == ('greeting', RESET), result.err)
            same(result.err.count('\n'), 1, 'one line')
            same(server.connections, 1, 'connections')


@case()
def wrong_and_endless():
    """Replies out of place, too early, without end"""
    names = [letter(str(i)) for i in range(3)]
    many = b'250-still here, and here, and here\r\n' * 3000
    for stage, what in (
            ('DATA', '250 ok'), ('dot', '354 go'), ('MAIL', '354 go'),
            ('greeting', b'220 a\r\n250 b\r\n'), ('dot', many),
            ('MAIL', b'250 ' + b'x' * 100000 + b'\r\n'), ('EHLO', many),
            ('EHLO', b'\0' * 100), ('greeting', b'\xff\xfe\n')):
        server = Smtp(at(stage, what))
        result = send(server, names)
        same((result.code, result.status()),
             (111, 'Z' if stage == 'dot' else ''), (stage, what[:20]))
    # Refused before its end: what was sent is not wasted on a second try.
    letter('0', b'x' * 80 * 100000)
    server = Smtp(at('DATA', b'354 go\r\n552 5.3.4 too big\r\n'))
    result = send(server, names)
    same((result.code, result.lines),
         (111, [(names[0], 'D', '127.0.0.1 said: 552 5.3.4 too big')]), 'big')


@case()
def slow_reader():
    """A server that takes a little at a time gets all of it"""
    names = [letter('1', b'Subject: x\n\n' + b'y' * 300000 + b'\n')]
    server = Smtp(chunk=2000, pause=0.002, buffer=4096)
    result = send(server, names)
    same((result.code, result.status()), (0, 'K'), 'result')
    same(len(server.messages[0].body), 300016, 'length')


@case()
def files_of_every_kind():
    """What can't be sent is told, and keeps nothing back"""
    names = []
    names.append(letter('first'))
    names.append('new/vanished')
    os.symlink('first', 'new/link')
    names.append('new/link')
    os.mkfifo('new/fifo')
    names.append('new/fifo')
    os.mkdir('new/directory')
    names.append('new/directory')
    names.append(letter('headless', head=b''))
    names.append(letter('other', recipient='q-c@d'))
    names.append(letter('line\nfeed'))
    names.append(letter('empty', b''))
    names.append('new/' + 'x' * 5000)
    names.append(letter('unfinished', b'Subject: x\n\nno end'))
    names.append('')
    if os.getuid() != 0:
        os.chmod(letter('closed'), 0)
        names.append('new/closed')
    names.append(letter('last'))
    server = Smtp()
    result = send(server, names)
    same(result.code, 0, 'exit')
    text = '\n'.join('%s\0%s%s' % line for line in result.lines) + '\n'
    for name in names:
        if name in ('', 'new/other') or len(name) > 4000:
            holds(not name or name + '\0' not in text, name)
        else:
            status = 'K' if name[4:] in ('first', 'line\nfeed', 'empty',
                                         'unfinished', 'last') else 'Z'
            same(text.count('%s\0%s' % (name, status)), 1, name)
    holds('unable to open: file does not exist' in text, text)
    holds('unable to find envelope' in text, text)
    holds('new/other: not for a recipient with prefix p-' in result.err,
          result.err)
    holds('a file name is too long' in result.err, result.err)
    same(len(server.messages), 5, 'messages')
    same(server.messages[3].body, b'Subject: x\r\n\r\nno end\r\n', 'last line')


@case()
def results_at_once():
    """A result is not kept back until there is another name"""
    server = Smtp()
    process = subprocess.Popen(
        [BIN + 'tcpclient', '-RHl0', '127.0.0.1', server.port,
         BIN + 'serialsmtp', 'p-', 'me'], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, bufsize=0)
    for i in range(5):
        name = letter(str(i)).encode()
        process.stdin.write(name + b'\0')
        same(process.stdout.readline(),
             name + b'\0K127.0.0.1 said: 250 ok\n', 'record')
    process.stdin.write(b'new/cut')
    process.stdin.close()
    same((process.stdout.read(), process.wait()), (b'', 0), 'end')


@case()
def nobody_listens():
    """A result that can't be written ends all at once"""
    names = [letter(str(i)) for i in range(20)]
    server = Smtp()
    full = os.open('/dev/full', os.O_WRONLY)
    process = subprocess.run(
        [BIN + 'tcpclient', '-RHl0', '127.0.0.1', server.port,
         BIN + 'serialsmtp', 'p-', 'me'], stdout=full,
        input='\0'.join(names).encode() + b'\0', stderr=subprocess.PIPE,
        check=False)
    same(process.returncode, 111, 'exit')
    holds(b'unable to write result' in process.stderr, process.stderr)
    holds(len(server.messages) < 3, len(server.messages))


@case()
def pipes_for_a_connection():
    """Descriptors 6 and 7 need not be a socket"""
    names = [letter('1', b'Subject: x\n\n' + b'y' * 300000 + b'\n')]
    os.mkfifo('to')
    os.mkfifo('from')
    script = 'python3 server.py <to >from & exec "$0" p- me 7>to 6<from'
    with open('server.py', 'w', encoding='ascii') as f:
        f.write('''import sys
def say(text):
    sys.stdout.write(text + '\\r\\n')
    sys.stdout.flush()
say('220 a')
for line in sys.stdin:
    word = line[:4].strip()
    if word == 'DATA':
        say('354 go')
        size = 0
        for line in sys.stdin:
            if line.rstrip() == '.':
                break
            size += len(line.rstrip())
        say('250 %d' % size)
    elif word == 'EHLO':
        say('250-a\\r\\n250 PIPELINING')
    elif word == 'QUIT':
        say('221 bye')
        break
    else:
        say('250 ok')
''')
    done = subprocess.run(['sh', '-c', script, BIN + 'serialsmtp'],
                          input=names[0].encode() + b'\0',
                          stdout=subprocess.PIPE, check=False)
    same((done.returncode, done.stdout),
         (0, b'new/1\0Kthe server said: 250 300010\n'), 'result')


@case()
def one_round_trip():
    """A message costs one round trip of a slow line"""
    count, seconds = 40, 0.05
    names = [letter('%02d' % i) for i in range(count)]
    server = Smtp()
    line = Delay(server.port, seconds)
    result = client(line.own_port, names, 'serialsmtp', 'p-', 'me')
    same((result.code, result.status()), (0, 'K' * count), 'result')
    # EHLO, the first envelope and QUIT come on top; a busy machine is late.
    print('%d round trips' % server.turns)
    holds(count < server.turns <= 1.1 * count, server.turns)
    times = sorted(b - a for a, b in zip(server.times, server.times[1:]))
    holds(times[len(times) // 2] < 1.8 * seconds, times)


@case()
def postfix_sink():
    """Postfix's sink, with and without what it offers"""
    names = [letter('%03d' % i) for i in range(200)]
    for options in ([], ['-p'], ['-e'], ['-f', 'RCPT'], ['-r', 'DATA'],
                    ['-q', 'DATA']):
        port = smtp_sink(*options)
        result = send(port, names)
        failing = options and options[0] in ('-f', '-r', '-q')
        if not failing:
            same((result.code, result.status()), (0, 'K' * 200), options)
        elif options[0] == '-q':
            same((result.code, result.status()), (111, ''), options)
        else:
            same((result.code, set(result.status())),
                 (0, {'D' if options[0] == '-f' else 'Z'}), options)


@case()
def mailfront_smtp():
    """mailfront under our tcpserver"""
    names = [letter('%03d' % i) for i in range(200)]
    result = send(mailfront('smtpfront-echo'), names)
    same((result.code, result.status()), (0, 'K' * 200), 'result')
    holds('Received' in result.lines[0][2], result.lines[0])


@case()
def examples_of_manual():
    """EXAMPLES, with postfix's sink"""
    network_own()
    smtp_sink(port='2525')
    maildir('Maildir', ('1', b'x\n', 'autoturn-192.0.2.1-joe@d.example'))
    examples_run('serialsmtp.1')


main()
