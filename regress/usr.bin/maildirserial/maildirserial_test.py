#!/usr/bin/env python3
# maildirserial: which messages a client hears of and when, what becomes of
# them after its results, who is told of a failure, and that nothing is lost
# or in the way, whatever happens.

import email
import email.policy
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import time

from atfcases import *

HERE = os.path.dirname(os.path.realpath(__file__))
CLIENT = [sys.executable, os.path.join(HERE, 'client.py')]
PREFIX = 'p-'
HEAD = 'Return-Path: <%s>\nDelivered-To: %s\n'
QUEUE = '''#!%s
import os, sys
n = len([x for x in os.listdir('.') if x.startswith('mail.')])
data = sys.stdin.buffer.read()
with open(os.environ['QUEUED'] + '/mail.%%d' %% n, 'wb') as f:
    f.write(data)
with open(os.environ['QUEUED'] + '/envelope.%%d' %% n, 'wb') as f:
    f.write(os.read(1, 65536))
sys.exit(int(os.environ.get('QUEUESTATUS', '0')))
''' % sys.executable
SENDMAIL = '''#!%s
import os, sys
n = len([x for x in os.listdir(os.environ['QUEUED'])
         if x.startswith('mail.')])
with open(os.environ['QUEUED'] + '/mail.%%d' %% n, 'wb') as f:
    f.write(sys.stdin.buffer.read())
with open(os.environ['QUEUED'] + '/args.%%d' %% n, 'w') as f:
    f.write(repr(sys.argv[1:]))
print('sendmail says a word')
sys.exit(int(os.environ.get('QUEUESTATUS', '0')))
''' % sys.executable


class Box:
    """A Maildir, a queue program for its bounces, and what they got."""

    def __init__(self):
        self.top = os.getcwd()
        self.dir = self.top + '/box'
        for sub in ('', '/tmp', '/new', '/cur'):
            os.mkdir(self.dir + sub)
        os.mkdir('queued')
        for name, text in (('queue', QUEUE.replace("listdir('.')",
                            "listdir(os.environ['QUEUED'])")),
                           ('sendmail', SENDMAIL)):
            with open(name, 'w', encoding='ascii') as f:
                f.write(text)
            os.chmod(name, 0o755)
        os.makedirs('qmail/control')
        self.control('me', 'mx.example')
        self.env = dict(os.environ, TOLD=self.top + '/told',
                        QUEUED=self.top + '/queued',
                        QMAILHOME=self.top + '/qmail',
                        QMAILQUEUE=self.top + '/queue')

    def control(self, name, line):
        with open('qmail/control/' + name, 'w', encoding='ascii') as f:
            f.write(line + '\n')

    def put(self, name, sender='joe@example.org', to='p-user@virt.dom',
            body='Subject: hello\n\nhi\n', age=3600, head=None):
        path = '%s/%s' % (self.dir, name)
        with open(path, 'w', encoding='latin-1') as f:
            f.write((HEAD % (sender, to) if head is None else head) + body)
        when = time.time() - age
        os.utime(path, (when, when))

    def command(self, *words, client=CLIENT, prefix=PREFIX, options=()):
        return [BIN + 'maildirserial', *options, self.dir, prefix, *client,
                *words]

    def run(self, *words, env=(), **kw):
        done = run(self.command(*words, **kw), restore_signals=False,
                   env=dict(self.env, **dict(env)))
        print(done.stderr)
        return done

    def told(self):
        try:
            with open('told', encoding='latin-1') as f:
                return f.read().split('\n')[:-1]
        except FileNotFoundError:
            return []

    def progress(self):
        """So many things were done: started, told, bounced."""
        return len(self.told()) + len(os.listdir('queued'))

    def left(self):
        return sorted('%s/%s' % (sub, name) for sub in ('new', 'cur', 'tmp')
                      for name in os.listdir(self.dir + '/' + sub))

    def queued(self, kind='mail'):
        names = sorted(name for name in os.listdir('queued')
                       if name.startswith(kind + '.'))
        found = []
        for name in names:
            with open('queued/' + name, 'rb') as f:
                found.append(f.read())
        return found


def infos(done):
    return [line[len('maildirserial: info: '):]
            for line in done.stderr.split('\n')
            if line.startswith('maildirserial: info: ')]


def warnings(done):
    return sorted(line[len('maildirserial: warning: '):]
                  for line in done.stderr.split('\n')
                  if line.startswith('maildirserial: warning: '))


# Which, and in what order

@case()
def oldest_first():
    """Twelve messages a minute apart, and some of the same second"""
    box = Box()
    numbers = [7, 1, 12, 4, 11, 10, 9, 8, 6, 5, 3, 2]
    for n in numbers:
        box.put('%s/%s' % ('cur' if n % 5 == 0 else 'new', 'abcdefghijkl'[-n]),
                age=3600 - 60 * n)
    when = time.time() - 5000
    for name in ('new/z', 'new/y', 'cur/x'):
        box.put(name)
        os.utime(box.dir + '/' + name, (when, when))
    done = box.run('K')
    same(done.returncode, 0, 'exit')
    same(box.told(), ['start', 'cur/x', 'new/y', 'new/z'] +
         ['%s/%s' % ('cur' if n % 5 == 0 else 'new', 'abcdefghijkl'[-n])
          for n in range(1, 13)], 'order')
    same(box.left(), [], 'left')


@case()
def nothing_to_do():
    """Without a usable message the client is not started"""
    box = Box()
    box.put('new/other', to='q-user@virt.dom')
    box.put('new/.dot')
    box.put('new/fresh')
    now = time.time() + 30
    os.utime(box.dir + '/new/fresh', (now, now))
    done = box.run('K')
    same((done.returncode, warnings(done)), (0, []), 'exit')
    same(box.told(), [], 'told')
    holds('left alone: 1 for others than p-, such as new/other' in
          infos(done), 'no word of the message for others')


@case()
def unusable():
    """Named, with the reason, once; whatever is behind is delivered"""
    box = Box()
    for name in ('a', 'z'):
        box.put('new/' + name, age=4000 if name == 'a' else 100)
    os.mkfifo(box.dir + '/new/fifo')
    os.mkdir(box.dir + '/new/directory')
    os.symlink('/etc/passwd', box.dir + '/new/link')
    os.symlink('gone', box.dir + '/cur/dangling')
    with socket.socket(socket.AF_UNIX) as s:
        os.chdir(box.dir)
        s.bind('new/socket')
        os.chdir(box.top)
    box.put('new/nohead', head='', age=200)
    box.put('new/empty', head='', body='', age=200)
    box.put('new/future', age=-1000)
    box.put('new/line\nmaildirserial: fatal', age=200, head='')
    secret = os.geteuid() != 0
    if secret:
        box.put('new/secret', age=200)
        os.chmod(box.dir + '/new/secret', 0)
    done = box.run('K')
    same(box.told(), ['start', 'new/a', 'new/z'], 'told')
    no = 'it has no envelope on top (Return-Path, Delivered-To)'
    same(warnings(done), sorted([
        'unable to use new/fifo: not a regular file',
        'unable to use new/directory: is a directory',
        'unable to use new/link: a symbolic link',
        'unable to use cur/dangling: a symbolic link',
        'unable to use new/socket: not a regular file',
        'unable to use new/nohead: ' + no,
        'unable to use new/empty: ' + no,
        'unable to use new/line\\nmaildirserial:\\sfatal: ' + no,
        'unable to use new/future: modified in the future'] +
        (['unable to use new/secret: access denied'] if secret else [])),
        'warnings')
    same(done.returncode, 111, 'exit')


@case()
def vanished():
    """A message that vanishes between the scan and its turn"""
    box = Box()
    box.put('new/a', age=300)
    for n in range(1200):
        # Enough to fill the pipe, so that the last one's turn is late.
        box.put('new/b%04d.%s' % (n, 'x' * 100), age=200)
    box.put('new/c', age=100)
    box.put('new/d', age=50)
    client = ['sh', '-c', 'rm new/c; exec "$@"', 'sh'] + CLIENT
    done = box.run('K', client=client)
    same(warnings(done), ['new/c is gone'], 'warnings')
    same(done.returncode, 0, 'exit')
    holds('new/d' in box.told(), 'what comes behind it')
    same(box.left(), [], 'left')


@case()
def all_writers():
    """Heads of four MTAs are understood, the prefix is honoured"""
    box = Box()
    heads = ['Return-Path: <a@b>\nDelivered-To: p-u@v\n',
             'Return-Path: <a@b>\nX-Original-To: u@v\nDelivered-To: p-u@v\n',
             'Delivered-To: p-u@v\n',
             'Return-path: <a@b>\nEnvelope-to: q-u@v,\n p-w@v\n'
             'Delivery-date: now\n']
    for n, head in enumerate(heads):
        box.put('new/%d' % n, head=head)
        box.put('new/%d.other' % n, head=head.replace('p-', 'q-'))
    done = box.run('K')
    same(box.told(), ['start'] + ['new/%d' % n for n in range(4)], 'told')
    same(done.returncode, 0, 'exit: those for others don\'t count')


@case()
def no_prefix():
    """With an empty prefix the client hears of every file"""
    box = Box()
    box.put('new/a', age=200)
    box.put('new/b', head='', body='', age=100)
    done = box.run('K', prefix='')
    same(box.told(), ['start', 'new/a', 'new/b'], 'told')
    same(done.returncode, 0, 'exit')


@case()
def tmp_is_cleaned():
    """Files in tmp/ that are older than 36 hours"""
    box = Box()
    for name, hours in (('old', 36.1), ('young', 35.9), ('.old', 50)):
        box.put('tmp/' + name, age=hours * 3600)
    same(box.run('K').returncode, 0, 'exit')
    same(box.left(), ['tmp/.old', 'tmp/young'], 'left')


# Results

@case()
def results():
    """K is removed, D, Z and nonsense stay, each with its line"""
    box = Box()
    for n, name in enumerate('abcd'):
        box.put('new/' + name, age=1000 - n)
    done = box.run('KDZ?', 'h said: 2\x7f\xff\x1bx')
    same(infos(done), ['new/a succeeded: h said: 2???x',
                       'new/b failed: h said: 2???x',
                       'new/c failed temporarily: h said: 2???x',
                       'new/d failed temporarily: h said: 2???x'], 'log')
    same(box.left(), ['new/b', 'new/c', 'new/d'], 'left')
    same(done.returncode, 111, 'exit')
    same(box.told(), ['start', 'new/a', 'new/b', 'new/c', 'new/d'],
         'one connection')


@case()
def hostile_results():
    """Results for files that the client was not told of change nothing"""
    box = Box()
    box.put('new/a')
    with open('kept', 'w', encoding='ascii') as f:
        f.write('x')
    box.put('cur/other', to='q-user@v')
    out = (b'../kept\0Kok\n' b'/etc/passwd\0Kok\n' b'\0Kok\n' b'new/a\0\n' +
           b'x' * 5000 + b'\0Kok\n' b'cur/other\0Kok\n' b'new/a\0Kok\n'
           b'new/a\0Kcut off')
    with open('out', 'wb') as f:
        f.write(out)
    done = box.run(client=['sh', '-c', 'cat >/dev/null; cat ../out'])
    same(infos(done)[0], 'new/a failed temporarily: ', 'an empty result')
    same(box.left(), ['cur/other', 'new/a'], 'left')
    holds(os.path.exists('kept'), 'a file elsewhere was removed')
    same(len(warnings(done)), 6, 'warnings')
    same(done.returncode, 111, 'exit')


@case()
def no_results():
    """A client without a word is given up after three rounds"""
    box = Box()
    for name in 'abc':
        box.put('new/' + name)
    done = box.run('!')
    same(box.told(), ['start', 'new/a'] * 3, 'told')
    same(done.stderr, 'maildirserial: fatal: making no progress, '
         'giving up\n', 'log')
    same(done.returncode, 111, 'exit')
    same(box.left(), ['new/a', 'new/b', 'new/c'], 'left')


@case()
def some_results():
    """What has no result is tried again, as long as others have one"""
    box = Box()
    for n in range(6):
        box.put('new/%d' % n, age=1000 - n)
    done = box.run('K!')
    same(box.told().count('start'), 6, 'rounds')
    same(box.left(), [], 'left')
    same(done.returncode, 0, 'exit')


@case()
def arrivals():
    """Mail that comes during a run goes out in it"""
    box = Box()
    box.put('new/a')
    box.put('tmp/b', age=10)
    client = ['sh', '-c', '[ ! -f tmp/b ] || mv tmp/b new/b; exec "$@"',
              'sh'] + CLIENT
    same(box.run('K', client=client).returncode, 0, 'exit')
    same(box.told(), ['start', 'new/a', 'start', 'new/b'], 'told')


@case()
def exit_codes():
    """Usage, a client's 100, no directory, no program"""
    box = Box()
    usage = ('maildirserial: usage: maildirserial [ -b ] [ -t seconds ] '
             'dir prefix client [ arg ... ]\n')
    for words in ([], ['x'], ['x', 'y'], ['-q', 'x', 'y', 'z'],
                  ['-t', '2w', 'x', 'y', 'z'], ['-t', '', 'x', 'y', 'z'],
                  ['-t', '-1', 'x', 'y', 'z'], ['-t']):
        done = run([BIN + 'maildirserial'] + words)
        same(done.returncode, 100, 'exit of %r' % words)
        holds(done.stderr.endswith(usage), 'no usage: %r' % done.stderr)
    done = run([BIN + 'maildirserial', 'nowhere', '', 'true'])
    same((done.returncode, done.stderr), (111, 'maildirserial: fatal: unable '
         'to chdir to nowhere: file does not exist\n'), 'no directory')
    done = run([BIN + 'maildirserial', '.', '', 'true'])
    same((done.returncode, done.stderr), (111, 'maildirserial: fatal: unable '
         'to scan ./new: file does not exist\n'), 'no Maildir')
    box.put('new/a')
    same(box.run(client=['sh', '-c', 'exit 100']).returncode, 100, 'exit')
    done = box.run(client=['no-such-client'])
    same(done.stderr.count('unable to run no-such-client: file does not '
                           'exist\n'), 3, 'rounds')
    same(done.returncode, 111, 'exit')


@case(timeout=300)
def many_failures():
    """20,000 refused messages: time grows as their number does"""
    box = Box()

    def fill(begin, end):
        for n in range(begin, end):
            box.put('new/%d' % n, age=100000 - n, body='')

    def measure():
        begun = time.monotonic()
        box.run('Z')
        return time.monotonic() - begun
    fill(0, 4000)
    few = measure()
    fill(4000, 20000)
    many = measure()
    print('%.2f s, %.2f s' % (few, many))
    holds(many < 5 * few * 2 + 1, '%.2f s for 4000, %.2f s for 20000' %
          (few, many))


# Bounces

def bounce(box, *words, **kw):
    return box.run('D', *words, options=['-b'], **kw)


@case()
def bounces_through_qmail():
    """The classic text, with qmail-queue's envelope"""
    box = Box()
    box.put('new/a', sender='"a b"@example.org', to='p-user@virt.dom',
            body='Subject: s\nDelivered-To: x\n\nhi\n')
    done = bounce(box, 'h said: 550 no such user')
    holds(infos(done)[0] == 'new/a bounced: h said: 550 no such user', 'log')
    holds(infos(done)[1].startswith('returned new/a: qp '), 'log')
    same(box.queued('envelope'), [b'F\0Ta b@example.org\0\0'], 'envelope')
    text = box.queued()[0].decode()
    head, body = text.split('\n\n', 1)
    fields = dict(line.split(': ', 1) for line in head.split('\n'))
    same((fields['From'], fields['To'], fields['Subject'],
          fields['Auto-Submitted']),
         ('<MAILER-DAEMON@mx.example>', '<"a b"@example.org>',
          'failure notice', 'auto-replied'), 'header')
    same(body, 'Hi. This is the maildirbounce program at mx.example.\n'
         "I'm sorry, but a message of yours could not be delivered to:\n\n"
         '<user@virt.dom>:\nh said: 550 no such user\n\n'
         '--- Below this line is a copy of the message.\n\n'
         'Return-Path: <"a b"@example.org>\nSubject: s\n\nhi\n', 'body')
    same(box.left(), [], 'left')
    same(done.returncode, 0, 'exit')


@case()
def bounces_through_sendmail():
    """Without qmail: the null sender, the recipient as an argument"""
    box = Box()
    env = {'QMAILQUEUE': '', 'SENDMAIL': box.top + '/sendmail',
           'QMAILHOME': box.top + '/nowhere'}
    box.put('new/a', sender='-f@example.org', age=50)
    box.put('new/b', sender='', age=40)
    done = bounce(box, env=env)
    host = socket.gethostname()
    same([eval(args) for args in box.queued('args')],
         [['-i', '-f', '<>', '--', '-f@example.org'],
          ['-i', '-f', '<>', '--', 'postmaster@' + host]], 'arguments')
    holds(('From: <MAILER-DAEMON@%s>\n' % host).encode() in box.queued()[0],
          'From')
    holds('sendmail says a word' in done.stderr, 'its output is in the log')
    same((done.returncode, box.left()), (0, []), 'exit and rest')


@case()
def bounce_of_bounce():
    """The null sender's goes to the postmaster, once, and never again"""
    box = Box()
    box.control('doublebounceto', 'oops ')
    box.control('doublebouncehost', 'dbl.example')
    box.control('bouncehost', 'bounce.example')
    box.control('bouncefrom', 'nobody')
    box.put('new/a', sender='', age=50)
    same(bounce(box).returncode, 0, 'exit')
    same(box.queued('envelope'), [b'F#@[]\0Toops@dbl.example\0\0'],
         'envelope')
    report = box.queued()[0].decode()
    holds('From: <nobody@bounce.example>\nTo: <oops@dbl.example>\n' in report,
          'header')
    holds('at bounce.example.\n' in report, 'greeting')
    # It comes back, with qmail's sender, and as other MTAs hand it on.
    box.put('new/b', sender='#@[]', body=report, age=40)
    box.put('new/c', sender='', body='Received: again\n' + report, age=30)
    done = bounce(box)
    holds('discarding new/b: triple bounce' in infos(done), 'b')
    holds('discarding new/c: triple bounce' in infos(done), 'c')
    same(len(box.queued()), 1, 'bounces')
    same((done.returncode, box.left()), (0, []), 'exit and rest')


@case()
def bounce_of_some():
    """Of several recipients those are reported whom the text names"""
    box = Box()
    head = ('Return-path: <joe@example.org>\nEnvelope-to: p-a@v,\n p-b@v, '
            'p-c@v\n')
    for n, text in enumerate(('h said: <a@v>: 550 5.1.1 no <c@v>: 552 full',
                              'h said: 550 5.7.1 <b@v>: go away')):
        box.put('new/a', head=head)
        bounce(box, text, env={'BOUNCEFORM': 'dsn'})
        message = email.message_from_bytes(box.queued()[n],
                                           policy=email.policy.default)
        parts = list(message.iter_parts())
        found = [(one['Final-Recipient'], one['Status'])
                 for one in parts[1].get_payload()[1:]]
        same(found, [[('rfc822; a@v', '5.1.1'), ('rfc822; c@v', '5.0.0')],
                     [('rfc822; %s@v' % name, '5.7.1')
                      for name in 'abc']][n], 'recipients')
        holds('<a@v>:\n%s<c@v>:\n' % ('<b@v>:\n' if n else '') in
              parts[0].get_content(), 'the text')


@case()
def bounce_fails():
    """A queue program that fails, is killed, is missing: the message stays"""
    box = Box()
    box.put('new/a', age=50)
    box.put('new/b', age=40)
    done = bounce(box, env={'QUEUESTATUS': '31'})
    same(warnings(done), ['unable to bounce new/%s: %s/queue: exited with 31'
                          % (name, box.top) for name in 'ab'], 'warnings')
    same(infos(done), ['new/%s failed: 10.0.0.1 said: 250 ok' % name
                       for name in 'ab'], 'log')
    same((done.returncode, box.left()), (111, ['new/a', 'new/b']), 'left')
    with open('killed', 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\nkill -9 $$\n')
    os.chmod('killed', 0o755)
    done = bounce(box, env={'QMAILQUEUE': box.top + '/killed'})
    holds('killed by signal 9' in warnings(done)[0], 'killed')
    done = bounce(box, env={'QMAILQUEUE': '/no/queue'})
    holds('unable to run /no/queue: file does not exist' in done.stderr,
          'missing')
    os.rmdir(box.dir + '/tmp')
    done = bounce(box)
    same(warnings(done), ['unable to bounce new/%s: write to tmp: file does '
                          'not exist' % name for name in 'ab'], 'no tmp/')
    same((done.returncode, sorted(os.listdir(box.dir + '/new'))),
         (111, ['a', 'b']), 'left')
    box.put('new/a', head='')
    done = bounce(box, prefix='')
    holds('unable to bounce new/a: it has no envelope on top (Return-Path, '
          'Delivered-To)' in warnings(done), 'no head')


@case()
def bounce_is_capped():
    """One megabyte of a message is returned"""
    box = Box()
    box.put('new/a', body='Subject: big\n\n' + 'x' * 79 + '\n')
    os.truncate(box.dir + '/new/a', 50 * 1024 * 1024)
    when = time.time() - 50
    os.utime(box.dir + '/new/a', (when, when))
    bounce(box)
    size = len(box.queued()[0])
    holds(2 ** 20 < size < 2 ** 20 + 2000, '%d bytes' % size)
    holds(box.queued()[0].endswith(b'the rest is not returned.\n'), 'no word')


@case()
def full_disk():
    """No room for the report, or for the log: nothing is lost"""
    if not os.path.exists('/dev/full'):
        raise Skip('no /dev/full')
    box = Box()
    box.put('new/a', body='Subject: x\n\n' + 'x' * 100000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, -1))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    done = box.run('D', options=['-b'])
    same(warnings(done), ['unable to bounce new/a: write to tmp: file too '
                          'big'], 'warnings')
    same((done.returncode, box.left()), (111, ['new/a']), 'left')
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    with open('/dev/full', 'w', encoding='ascii') as full:
        code = subprocess.call(box.command('K'), env=box.env, stderr=full,
                               stdin=subprocess.DEVNULL)
    same((code, box.left()), (0, []), 'with a full log')


@case()
def expiry():
    """-t turns what is too old into a failure for good, if it was tried"""
    box = Box()
    box.put('new/old', age=1000)
    box.put('new/young', age=800)
    box.put('new/ok', age=1000)
    done = box.run('KZ', 'h said: 450 later', options=['-b', '-t', '900'])
    same(infos(done)[:2], ['new/ok succeeded: h said: 450 later',
                           'new/old bounced: h said: 450 later'], 'log')
    same(box.left(), ['new/young'], 'left')
    holds(b"450 later\nIt has been tried for too long; I'm giving up.\n\n" in
          box.queued()[0], 'the report does not say so')
    # With no result at all nothing expires.
    box.put('new/old', age=1000)
    same(box.run('!', options=['-bt900']).returncode, 111, 'exit')
    same(box.left(), ['new/old', 'new/young'], 'left')


@case()
def mime_report():
    """BOUNCEFORM=dsn: a report that a MIME parser takes apart"""
    box = Box()
    text = 'h.example said: 550-5.1.1 no such user/550 5.1.1 ' + (
        'w ' * 300 + 'v' * 3000)
    box.put('new/a', body='Subject: s\n\n--=_x--\nhi', age=50)
    box.put('new/b', body='Subject: big\n\n' + 'x' * 70000, age=40,
            to='p-gr\xc3\xbc\xc3\x9fe@virt.dom')
    bounce(box, text, env={'BOUNCEFORM': 'dsn'})
    for n, kind in enumerate(('message/rfc822', 'text/rfc822-headers')):
        message = email.message_from_bytes(box.queued()[n],
                                           policy=email.policy.default)
        same(message.get_content_type(), 'multipart/report', 'type')
        same(message.get_param('report-type'), 'delivery-status', 'report')
        same(message.defects, [], 'defects')
        same(message['Auto-Submitted'], 'auto-replied', 'Auto-Submitted')
        parts = list(message.iter_parts())
        same([part.get_content_type() for part in parts],
             ['text/plain', 'message/delivery-status', kind], 'parts')
        whole, one = parts[1].get_payload()
        same(whole['Reporting-MTA'], 'dns; mx.example', 'Reporting-MTA')
        same(one['Action'], 'failed', 'Action')
        same(one['Status'], '5.1.1', 'Status')
        same(one['Final-Recipient'], ['rfc822; user@virt.dom',
             'utf-8; gr\\x{FC}\\x{DF}e@virt.dom'][n], 'Final-Recipient')
        same(one['Remote-MTA'], 'dns; h.example', 'Remote-MTA')
        holds(one['Diagnostic-Code'].startswith(
            'smtp; 550-5.1.1 no such user/550 5.1.1 w w'), 'Diagnostic-Code')
        holds(max(map(len, box.queued()[n].split(b'\n')[:60])) < 998,
              'long lines')
    holds('--=_x--\nhi' in parts[2].as_string() or n == 1, 'the message')
    done = bounce(box, env={'BOUNCEFORM': 'html'})
    same(done.returncode, 111, 'an unknown form')
    holds('BOUNCEFORM is neither classic nor dsn: html' in done.stderr, 'why')


# Whatever happens

@case(timeout=120)
def killed():
    """kill -9 at any point: each message is somewhere, and at last gone"""
    box = Box()
    count = 40
    names = ['new/%02d' % n for n in range(count)]
    for n, name in enumerate(names):
        box.put(name, age=1000 - n,
                body='Subject: %s\n\nend of %s\n' % (name, name))
    delivered, turns = set(), 0
    while True:
        before = box.progress()
        process = subprocess.Popen(
            box.command('KDKD!', options=['-b']), env=box.env,
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # So far that it gets somewhere however slow this host is, then at
        # any moment between two of those.
        while process.poll() is None and \
                box.progress() < before + turns % 12:
            time.sleep(0.001)
        try:
            log = process.communicate(timeout=0.002 * (turns % 5))[1]
            finished = True
        except subprocess.TimeoutExpired:
            # A queue program that it had started goes on, and is waited for.
            process.kill()
            log = process.communicate()[1]
            finished = False
        for line in log.decode().split('\n'):
            words = line.split()
            if ' succeeded: ' in line or ' bounced: ' in line:
                delivered.add(words[2])
        left = {'new/' + name for name in os.listdir(box.dir + '/new')}
        reported = {name for name in names for mail in box.queued()
                    if ('end of %s\n' % name).encode() in mail}
        told = set(box.told())
        lost = set(names) - left - reported - told
        same(lost, set(), 'lost after %d kills' % turns)
        turns += 1
        if finished and not left:
            break
        holds(turns < 400, 'it never ends')
    print('%d kills' % (turns - 1))
    for mail in box.queued():
        holds(b'\nend of new/' in mail, 'half a bounce: %r' % mail[-60:])
    same([name for name in box.left() if name.startswith('new')], [], 'left')


@case()
def cant_unlink():
    """A message that was delivered but can't be removed is not tried again"""
    if os.geteuid() == 0:
        raise Skip('root may remove everything')
    box = Box()
    box.put('new/a')
    os.chmod(box.dir + '/new', 0o500)
    done = box.run('K')
    os.chmod(box.dir + '/new', 0o700)
    same(warnings(done), ['unable to unlink new/a: access denied; it will be '
                          'delivered again'], 'warnings')
    same(box.told(), ['start', 'new/a'], 'told')
    same(done.returncode, 111, 'exit')


@case()
def slow_and_full_pipes():
    """A client that first reads all, one that first writes: no deadlock"""
    box = Box()
    for n in range(1200):
        box.put('new/%04d.%s' % (n, 'x' * 100), age=9000 - n, body='')
    script = ('import sys\nnames = sys.stdin.buffer.read().split(b"\\0")[:-1]'
              '\nfor name in names:\n sys.stdout.buffer.write(name + b"\\0K" +'
              ' b"t" * 200 + b"\\n")\n')
    done = box.run(client=[sys.executable, '-c', script])
    same((done.returncode, box.left()), (0, []), 'exit and rest')


@case()
def descriptors_and_signals():
    """What the client inherits: a lock, its pipes, no ignored signal"""
    box = Box()
    box.put('new/a')
    if not os.path.exists('/proc/self/fd'):
        raise Skip('no /proc/self/fd')
    done = run([BIN + 'setlock', 'lock'] +
               box.command(client=['sh', '-c', 'ls -l /proc/self/fd >&2; '
                                   'grep SigIgn /proc/self/status >&2; pwd '
                                   '>&2']), env=box.env)
    first = done.stderr.split('SigIgn')[0]
    links = [line.split(' -> ')[1] for line in first.split('\n')
             if ' -> ' in line and '/proc/' not in line]
    kinds = sorted(link.split(':')[0].split('/')[-1] for link in links)
    same(kinds, ['lock', 'pipe', 'pipe', 'pipe'], 'descriptors: %s' % first)
    ignored = int(done.stderr.split('SigIgn:')[1].split()[0], 16)
    same(ignored & (1 << (signal.SIGPIPE - 1)), 0, 'SIGPIPE')
    holds(box.dir + '\n' in done.stderr, 'working directory')


@case()
def examples_of_manual():
    """The manual's examples"""
    examples_run(os.environ['STAGE'] + '/share/man/man1/maildirserial.1',
                 dict(os.environ, PATH=BIN + ':' + os.environ['PATH']))


main()
