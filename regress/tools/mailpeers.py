# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""Debian's mail servers, unpacked in $PEERS, and our clients run on them."""

import atexit
import os
import socket
import subprocess
import sys
import time

import atfcases
from atfcases import BIN, PEERS, SOURCE, Skip, run

DEADLINE_S = 60
TRIPLET = os.uname().machine + '-linux-gnu'
started = []


def peers_environment():
    return dict(os.environ, LD_LIBRARY_PATH=':'.join(
        PEERS + path for path in ('/usr/lib', '/usr/lib/postfix',
                                  '/usr/lib/' + TRIPLET, '/lib/' + TRIPLET)),
        MODULE_PATH=PEERS + '/usr/lib/mailfront', PLUGINS='accept')


def peer(name):
    path = PEERS + '/usr/sbin/' + name
    if not os.access(path, os.X_OK):
        raise Skip('%s can\'t be had: see regress/check' % name)
    done = run(['ldd', path], env=peers_environment())
    for line in done.stdout.splitlines():
        if 'not found' in line:
            raise Skip('%s lacks a library' % name)
    return path


@atexit.register
def end():
    for process in started:
        process.kill()
        process.wait()


def start(argv, port, host='127.0.0.1'):
    """A server, until it listens."""
    process = subprocess.Popen(argv, env=peers_environment(),
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=sys.stderr)
    started.append(process)
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with socket.socket(socket.AF_INET6 if ':' in host
                           else socket.AF_INET) as s:
            if s.connect_ex((host, int(port))) == 0:
                return str(port)
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError('%s does not listen' % argv[0])
        time.sleep(0.01)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return str(s.getsockname()[1])


def smtp_sink(*options, port=None):
    """Postfix's; its port."""
    port = port or free_port()
    # Root must name another user, whom an ordinary user's own network lacks:
    # there it is nobody in particular in a namespace of its own.
    own, user = [], []
    if os.environ.get('NET_OWN') == 'yes':
        own = ['unshare', '-U']
    elif os.getuid() == 0:
        user = ['-u', 'nobody']
    return start([*own, peer('smtp-sink'), *user, *options,
                  '127.0.0.1:' + port, '50'], port)


def mailfront(program, port=None):
    """One of mailfront's, under our tcpserver; its port."""
    port = port or free_port()
    return start([BIN + 'tcpserver', '-DHRl0', '127.0.0.1', port,
                  peer(program)], port)


def network_own():
    """Goes on in a network of this case's own, where ports are free."""
    if os.environ.get('NET_OWN') == 'yes':
        return
    own = (SOURCE or os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                  *[os.pardir] * 3)) + '/regress/tools/netns'
    if not os.access(own, os.X_OK):
        raise Skip('SOURCE does not name the source tree (see regress/check)')
    done = run([own, 'true'])
    if done.returncode != 0:
        raise Skip(done.stderr.strip())
    os.execve(own, [own, sys.executable] + sys.argv,
              dict(os.environ, NET_OWN='yes'))


class Result:
    """How a client ran: its records by name, in order, and its words."""

    def __init__(self, code, out, err):
        self.code, self.err = code, err
        self.lines = []
        while '\0' in out:
            name, _, out = out.partition('\0')
            text, _, out = out.partition('\n')
            self.lines.append((name, text[:1], text[1:]))
        self.cut = out

    def status(self):
        """The status octets in order"""
        return ''.join(line[1] for line in self.lines)


def client(port, names, *argv, host='127.0.0.1', env=None, timeout=60):
    """serialsmtp or serialqmtp, told of these names."""
    process = subprocess.run(
        [BIN + 'tcpclient', '-RHl0', '--', host, port, BIN + argv[0],
         *argv[1:]], input=''.join(n + '\0' for n in names).encode('latin-1'),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
        timeout=timeout, check=False)
    result = Result(process.returncode, process.stdout.decode('latin-1'),
                    process.stderr.decode('latin-1'))
    print('%s: exit %d, %s, %r' % (argv[0], result.code, result.status()[:60],
                                   result.err[:200]))
    return result


def letter(name, body=b'Subject: x\n\nhello\n', sender='a@b.example',
           recipient='p-c@d.example', head=None):
    """Writes one file of a Maildir; returns its name."""
    os.makedirs('new', exist_ok=True)
    with open('new/' + name, 'wb') as f:
        f.write(head if head is not None else
                ('Return-Path: <%s>\nDelivered-To: %s\n' %
                 (sender, recipient)).encode())
        f.write(body)
    return 'new/' + name


def corpus(*words):
    """regress/tools/mailcorpus into the current directory: its lines."""
    import json
    os.makedirs('new', exist_ok=True)
    done = run([sys.executable, SOURCE + '/regress/tools/mailcorpus', *words,
                '.'])
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def clean_environment():
    """Our programs first, and no qmail of the machine's."""
    return dict(os.environ, PATH=BIN + ':' + os.environ['PATH'],
                QMAILHOME='/nonexistent')


def examples_run(manual):
    """Those of a program's manual, with nothing of the machine's."""
    atfcases.examples_run(os.path.dirname(BIN[:-1]) + '/share/man/man1/' +
                          manual, clean_environment())


def maildir(name, *letters):
    """A Maildir with these letters: (name, body, recipient)."""
    for part in ('new', 'cur', 'tmp'):
        os.makedirs(name + '/' + part)
    here = os.getcwd()
    os.chdir(name)
    for number, (file, body, recipient) in enumerate(letters):
        letter(file, body, recipient=recipient)
        when = time.time() - 7200 + number
        os.utime('new/' + file, (when, when))
    os.chdir(here)
