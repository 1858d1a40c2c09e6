#!/usr/bin/env python3
# mail.autoturn: what it writes is what autoturnd reads, once and whole or
# not at all, whatever it is given.

import atexit
import glob
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from atfcases import *

AGENT = os.environ.get('STAGE', '') + '/libexec/mail.autoturn'
TEXT = 'Subject: x\n\nhello\n'
OK, DATAERR, TEMPFAIL = 0, 65, 75


def spool(*names):
    for name in names or ('acme',):
        for sub in ('tmp', 'new', 'cur'):
            os.makedirs('spool/%s/%s' % (name, sub), 0o700)


def agent(*words, text=TEXT, code=OK, env=None, **kw):
    """Runs it; its words on standard error."""
    env = dict({'PATH': os.environ['PATH']}, **env or {})
    with open('input', 'wb') as f:
        f.write(text if isinstance(text, bytes) else text.encode('latin-1'))
    with open('input', 'rb') as f:
        done = run([AGENT, '-s', os.getcwd() + '/spool', *words], stdin=f,
                   env=env, **kw)
    print(words, done.returncode, done.stderr)
    same(done.returncode, code, 'exit code, %s' % done.stderr)
    same(done.stdout, '', 'output')
    same(done.stderr == '', code == OK, 'words')
    same(glob.glob('spool/*/tmp/*'), [], 'left in tmp')
    return done.stderr


def written(maildir='acme'):
    """What is in new/, oldest first; it is empty afterwards."""
    texts = []
    for name in sorted(os.listdir('spool/%s/new' % maildir)):
        path = 'spool/%s/new/%s' % (maildir, name)
        same(os.stat(path).st_mode & 0o7777, 0o600, 'mode')
        with open(path, 'rb') as f:
            texts.append(f.read().decode('latin-1'))
        os.unlink(path)
    return texts


def head(sender, recipient):
    return 'Return-Path: <%s>\nDelivered-To: %s\n' % (sender, recipient)


@case()
def envelopes():
    """Senders and recipients in every form, with every prefix"""
    spool('acme', '192.0.2.7', 'other', 'some/one')
    for words, env, wanted in (
            (('-f', 'a@b', 'acme', 'u@d'), {},
             head('a@b', 'autoturn-acme-u@d')),
            (('-f', '', 'acme', 'u@d'), {}, head('', 'autoturn-acme-u@d')),
            (('-f', '<>', 'acme', '<u@d>'), {},
             head('', 'autoturn-acme-u@d')),
            (('-f', '"a b"@c', 'acme', '"x y"@d'), {},
             head('"a b"@c', '"autoturn-acme-x y"@d')),
            (('-f', 'a b@c', 'acme', 'x y@d'), {},
             head('"a b"@c', '"autoturn-acme-x y"@d')),
            (('-f', '#@[]', 'acme', 'a@b@d'), {},
             head('#@[]', '"autoturn-acme-a@b"@d')),
            (('acme',), {'SENDER': 's@x', 'RECIPIENT': 'r@d'},
             head('s@x', 'autoturn-acme-r@d')),
            (('acme',), {'SENDER': '', 'RECIPIENT': 'r@d'},
             head('', 'autoturn-acme-r@d')),
            (('-f', 'a@b', 'acme', 'u@d'),
             {'SENDER': 's@x', 'RECIPIENT': 'r@d'},
             head('a@b', 'autoturn-acme-u@d')),
            (('-q', 'acme'), {'SENDER': 's@x',
                              'RECIPIENT': 'autoturn-acme-r@d'},
             head('s@x', 'autoturn-acme-r@d')),
            (('-f', 'a@b', 'acme', 'autoturn-acme-u@d'), {},
             head('a@b', 'autoturn-acme-autoturn-acme-u@d')),
            (('-f', 'a@b', '-p', '', 'acme', 'u@d'), {},
             head('a@b', 'u@d')),
            (('-f', 'a@b', '-p', 'q.', 'acme', 'u@d'), {},
             head('a@b', 'q.u@d')),
            (('-f', '-x@b', 'acme', '-s@d'), {},
             head('-x@b', 'autoturn-acme--s@d')),
            (('-f', 'a@b', 'acme', '\xfc@d'), {},
             head('a@b', 'autoturn-acme-\xfc@d'))):
        words = [word.encode('latin-1') for word in words]
        agent(*words, env=env)
        same(written(), [wanted + TEXT], words)
    agent('-f', 'a@b', '192.0.2.7', 'u@d')
    same(written('192.0.2.7'), [head('a@b', 'autoturn-192.0.2.7-u@d') + TEXT],
         'an address')
    agent('-f', 'a@b', '-m', 'other', 'acme', 'u@d')
    same(written('other'), [head('a@b', 'autoturn-acme-u@d') + TEXT],
         'another Maildir')
    agent('-f', 'a@b', '-m', 'some/one', 'acme', 'u@d')
    same(len(written('some/one')), 1, 'further down')


@case()
def messages():
    """What is dropped of a message, and that nothing else is"""
    spool()
    ours = head('a@b', 'autoturn-acme-u@d')
    long = 'X-Long: ' + 'x' * 10000 + '\n'
    for text, wanted in (
            ('', ''), ('x', 'x'), ('\n', '\n'), ('Subject: x', 'Subject: x'),
            ('Return-Path: <o@x>\n' + TEXT, TEXT),
            ('return-path: <o@x>\n folded\n\tmore\n' + TEXT, TEXT),
            ('Subject: y\nReturn-Path: <o@x>\nFrom: z\n\n',
             'Subject: y\nFrom: z\n\n'),
            ('From o@x Mon Jan\n' + TEXT, TEXT),
            ('Subject: y\nFrom o\n\n', 'Subject: y\nFrom o\n\n'),
            ('\nReturn-Path: <o@x>\n', '\nReturn-Path: <o@x>\n'),
            ('\r\nReturn-Path: <o@x>\n', '\r\nReturn-Path: <o@x>\n'),
            ('no header\nReturn-Path: <o@x>\n',
             'no header\nReturn-Path: <o@x>\n'),
            (' x\nReturn-Path: <o@x>\n\n', ' x\n\n'),
            (long + 'Return-Path: ' + long + '\nReturn-Path: x\n',
             long + '\nReturn-Path: x\n'),
            ('Return-PathX: <o@x>\nX-Return-Path: y\n\n',
             'Return-PathX: <o@x>\nX-Return-Path: y\n\n'),
            ('Delivered-To: u@d\nX-Original-To: u@d\n' + TEXT, TEXT),
            ('Return-path: <>\nEnvelope-to: u@d,\n v@d\nDelivery-date: x\n' +
             TEXT, TEXT),
            ('Received: x\nDelivered-To: other@d\nEnvelope-to: x\n\n',
             'Received: x\nDelivered-To: other@d\nEnvelope-to: x\n\n')):
        agent('-f', 'a@b', 'acme', 'u@d', text=text)
        same(written(), [ours + wanted], repr(text[:40]))
    body = bytes(range(256)) * 20000
    agent('-f', 'a@b', 'acme', 'u@d', text=b'A: b\n\n' + body)
    same(written(), [ours + 'A: b\n\n' + body.decode('latin-1')], 'binary')


@case()
def several():
    """Each recipient has a letter of his own"""
    spool()
    agent('-f', 'a@b', 'acme', 'u@d', 'v@d', 'w@d',
          text='Return-Path: <x>\n' + TEXT * 10000)
    same(written(), [head('a@b', 'autoturn-acme-%s@d' % u) + TEXT * 10000
                     for u in 'uvw'], 'letters')
    for _ in range(50):
        agent('-f', 'a@b', 'acme', 'u@d')
    same(len(written()), 50, 'names of their own')


@case()
def loops():
    """A message that was here before, or everywhere, goes back"""
    spool()
    for text in ('Received: x\nDelivered-To: autoturn-acme-u@d\n\n',
                 'From: x\ndelivered-to:\tAutoturn-Acme-U@D \r\n\n',
                 'Received: x\n' * 101 + '\n'):
        holds('loops' in agent('-f', 'a@b', 'acme', 'v@d', 'u@d', text=text,
                               code=DATAERR), 'why')
        same(written(), [], 'nothing')
    agent('-f', 'a@b', 'acme', 'u@d', text='Received: x\n' * 100 +
          'Delivered-To: autoturn-acme-u@d.e\n\nDelivered-To: '
          'autoturn-acme-u@d\n')
    same(len(written()), 1, 'no loop')


@case()
def refused():
    """Addresses that are none, messages too long"""
    spool()
    for words, why in (
            (('-f', 'a\nb@c', 'acme', 'u@d'), 'not an address'),
            (('-f', 'a@b', 'acme', 'u\rx@d'), 'not an address'),
            (('-f', 'a@b', 'acme', 'u@d>x'), 'not an address'),
            (('-f', 'a@b', 'acme', 'user'), 'not an address'),
            (('-f', 'a@b', 'acme', '@d'), 'not an address'),
            (('-f', 'a@b', 'acme', 'u@'), 'not an address'),
            (('-f', 'a@b', 'acme', ''), 'not an address'),
            (('-f', '"a@b', 'acme', '"u@d"'), 'not an address'),
            (('-f', 'a@b', 'acme', 'u' * 900 + '@d'), 'longer than 900'),
            (('-f', 'a' * 900 + '@b', 'acme', 'u@d'), 'longer than 900'),
            (('-f', 'a@b', '-q', 'acme', 'autoturn-acme-@d'), 'nothing'),
            (('-f', 'a@b', '-l', '17', 'acme', 'u@d'), 'longer than 17')):
        holds(why in agent(*words, code=DATAERR), words)
        same(written(), [], words)
    agent('-f', 'a@b', '-l', '18', 'acme', 'u@d')
    agent('-f', 'a@b', 'acme', 'u' * 898 + '@d')
    same(len(written()), 2, 'just short enough')


@case()
def mistakes():
    """What an administrator can mend defers the mail"""
    spool()
    os.symlink('acme', 'spool/link')
    os.makedirs('spool/half/tmp')
    os.makedirs('spool/open')
    os.chmod('spool/open', 0o777)
    for words, why in (
            ((), 'usage: '), (('-x', 'acme', 'u@d'), 'usage: '),
            (('-f',), 'usage: '), (('acme',), 'no recipient'),
            (('acme', 'u@d'), 'no sender'),
            (('-f', 'a@b', 'nobody', 'u@d'), 'file does not exist'),
            (('-f', 'a@b', '-m', 'nobody', 'acme', 'u@d'), 'does not exist'),
            (('-f', 'a@b', 'half', 'u@d'), 'half/new: file does not exist'),
            (('-f', 'a@b', 'open', 'u@d'), 'can be written to by all'),
            (('-f', 'a@b', 'link', 'u@d'), 'Maildir link in '),
            (('-f', 'a@b', '../spool/acme', 'u@d'), 'not a name'),
            (('-f', 'a@b', '.', 'u@d'), 'not a name'),
            (('-f', 'a@b', '', 'u@d'), 'not a name'),
            (('-f', 'a@b', '-m', 'a//b', 'acme', 'u@d'), 'not a name'),
            (('-f', 'a@b', '-m', 'a/../b', 'acme', 'u@d'), 'not a name'),
            (('-f', 'a@b', '-m', '/a', 'acme', 'u@d'), 'not a name'),
            (('-f', 'a@b', '-m', 'acme/', 'acme', 'u@d'), 'not a name'),
            (('-f', 'a@b', '-p', 'x@', 'acme', 'u@d'), 'prefix x@'),
            (('-f', 'a@b', '-l', '0', 'acme', 'u@d'), '-l 0'),
            (('-f', 'a@b', '-l', '1k', 'acme', 'u@d'), '-l 1k'),
            (('-f', 'a@b', '-q', 'acme', 'u@d'), 'does not begin with'),
            (('-f', 'a@b', '-s', '/nowhere', 'acme', 'u@d'),
             'spool /nowhere: file does not exist')):
        holds(why in agent(*words, code=TEMPFAIL), words)
    same(written(), [], 'nothing')


@case(root=True)
def owner():
    """A Maildir of another's is not written to"""
    spool()
    os.chown('spool/acme', 7770, 7770)
    holds('belongs to uid 7770, this is uid 0' in
          agent('-f', 'a@b', 'acme', 'u@d', code=TEMPFAIL), 'why')


@case()
def full():
    """A disk that takes no more leaves nothing behind"""
    spool()

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))

    holds('unable to write to acme/tmp' in
          agent('-f', 'a@b', 'acme', 'u@d', 'v@d', text=TEXT * 5000,
                code=TEMPFAIL, preexec_fn=small), 'why')
    same(written(), [], 'nothing')


@case()
def interrupted():
    """A mail system that gives up leaves nothing behind"""
    spool()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        with subprocess.Popen([AGENT, '-s', 'spool', '-f', 'a@b', 'acme',
                               'u@d'], stdin=subprocess.PIPE) as process:
            process.stdin.write(b'x: ' + b'y' * 100000)
            process.stdin.flush()
            while not os.listdir('spool/acme/tmp'):
                time.sleep(0.01)
            process.send_signal(number)
            same(process.wait(60), TEMPFAIL, 'exit code')
        same(os.listdir('spool/acme/tmp'), [], 'tmp')
        same(written(), [], 'nothing')


@case()
def poke():
    """The daemon is told of the Maildir, if it listens"""
    spool('acme', 'other')
    here = os.getcwd()
    os.symlink('spool', 'alias')
    os.mkdir('state')
    name = (here + '/spool')[1:].replace('%', '%25').replace('-', '%2d')
    path = 'state/' + name.replace('/', '-') + '.poke'
    words = ('-f', 'a@b', '-d', 'state')
    agent(*words, 'acme', 'u@d')            # nobody is there
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        agent(*words, 'acme', 'u@d')
        same(s.recv(1000), b'acme', 'poke')
        agent(*words, '-m', 'other', '-s', here + '/alias/.', 'acme', 'u@d')
        same(s.recv(1000), b'other', 'poke')
        agent(*words, 'nobody', 'u@d', code=TEMPFAIL)
        s.setblocking(False)
        try:
            raise AssertionError('poked for nothing: %r' % s.recv(1000))
        except BlockingIOError:
            pass
        # One that does not read holds nobody up.
        for _ in range(30):
            agent(*words, 'acme', 'u@d')
    agent(*words, 'acme', 'u@d')            # a socket that nobody has
    same(len(written()), 33, 'letters')


def blocks(path):
    """Each display of a manual, whatever its section"""
    lines = None
    with open(path, encoding='ascii') as f:
        for line in f.read().split('\n'):
            if line.startswith('.Bd -literal'):
                lines = []
            elif line == '.Ed':
                yield '\n'.join(lines) + '\n'
            elif lines is not None:
                lines.append(line.replace('\\e', '\\'))


@case()
def manual():
    """autoturn(7) says what mail.autoturn(8) does, and is understood"""
    if not SOURCE:
        raise Skip('SOURCE does not name the source tree (see regress/check)')
    story = list(blocks(SOURCE + '/share/man/man7/autoturn.7'))
    for text in blocks(SOURCE + '/libexec/mail.autoturn/mail.autoturn.8'):
        holds(text in story, 'is not in autoturn(7): %s' % text)
    user = 'nobody' if os.getuid() == 0 else str(os.getuid())
    # Where that user can go: the daemon looks whether he can.
    os.chdir(tempfile.mkdtemp(prefix='agent.', dir='/tmp'))
    atexit.register(shutil.rmtree, os.getcwd())
    spool('acme', '1.2.3.4')
    for name in ('acme', '1.2.3.4'):
        for path in ('', '/tmp', '/new', '/cur'):
            if os.getuid() == 0:
                shutil.chown('spool/' + name + path, user)
    here = os.getcwd()
    os.chmod('.', 0o755)
    checked = 0
    settings = ('state "%s/state"\nreports by sendmail "/bin/true"\n'
                'control socket "%s/control"\n' % (here, here))
    for text in story:
        daemon = 'autoturnd'
        text = text.replace('/var/spool/autoturn" user autoturn',
                            '%s/spool" user %s' % (here, user))
        text = text.replace('/var/qmail/autoturn', here + '/spool')
        if text.startswith('customer'):
            text = 'spool "%s/spool" user %s\n%s' % (here, user, text)
        if text.startswith(('spool "', 'hostname')):
            if 'hostname' not in text:
                text = 'hostname mail.isp.example\n' + text
            text = settings + text
        elif 'service hello' in text:
            daemon = 'tcpserverd'
        else:
            continue
        with open('conf', 'w', encoding='ascii') as f:
            f.write(text)
        done = run([os.environ['STAGE'] + '/sbin/' + daemon, '-n', '-f',
                    'conf'])
        same((done.returncode, done.stderr), (0, 'configuration OK\n'), text)
        checked += 1
    same(checked, 4, 'configurations')


main()
