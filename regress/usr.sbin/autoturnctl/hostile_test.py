#!/usr/bin/env python3
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
# Clients of autoturnd's control socket that lie, shout, or say nothing.

import contextlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from turnctl import *

CLIENTS_MAX = 8


def queue_channel(path):
    """What the parent gives to who connects: the queue's channel"""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(DEADLINE_S)
        s.connect(path)
        data, fds = b'', []
        while True:
            got, ancillary, _, _ = s.recvmsg(65536, 4096)
            if not got:
                break
            data += got
            for _, _, bytes_ in ancillary:
                fds += struct.unpack('=%di' % (len(bytes_) // 4), bytes_)
    kinds = []
    while data:
        kind, length = struct.unpack('=II', data[:8])
        kinds.append(kind)
        data = data[length & 0x7fffffff:]
    same(kinds, [DAEMON, SPOOL, SPOOLS_END], 'what the parent says')
    same(len(fds), 1, 'descriptors')
    channel = socket.socket(fileno=fds[0])
    channel.setblocking(True)
    channel.settimeout(DEADLINE_S)
    return channel


def messages_take(channel, until=END):
    """All that comes up to a message of that kind; its end ends it too"""
    data, got = b'', []
    while True:
        while len(data) >= 16:
            kind, length = struct.unpack('=II', data[:8])
            if len(data) < length:
                break
            got.append((kind, data[16:length]))
            data = data[length:]
            if kind == until:
                return got
        try:
            more = channel.recv(65536)
        except ConnectionResetError:
            more = b''
        if not more:
            return got
        data += more


def welcomed(path):
    channel = queue_channel(path)
    channel.sendall(hello())
    (kind, _), = messages_take(channel, WELCOME)
    same(kind, WELCOME, 'the answer to hello')
    return channel


def hung_up(channel, what):
    same(messages_take(channel, -1), [], what)
    channel.close()


@case()
def versions():
    """A client of another version is told so by the queue, then hung up on"""
    w = World()
    for version in 0, VERSION + 1, 2**32 - 1:
        with queue_channel(w.daemon.socket) as s:
            s.sendall(hello(version))
            (kind, text), = messages_take(s, REFUSED)
            same((kind, text), (
                REFUSED, b'you speak version %d of the protocol, this '
                b'daemon speaks version %d' % (version, VERSION)), version)
    same(w.customer()['held'], False, 'still there')


@case()
def nonsense():
    """What is no request ends that client, and harms nobody"""
    w = World()
    queue = w.daemon.children('queue')
    first = [message(STATUS), request(STATUS), message(HELLO), message(0),
             message(HELLO, b'x'), struct.pack('=IIII', HELLO, 15, 0, 0),
             struct.pack('=IIII', HELLO, 2**31 - 1, 0, 0), b'x' * 40]
    for data in first:
        with queue_channel(w.daemon.socket) as s:
            s.sendall(data)
            hung_up(s, data[:40])
    later = [message(REQUESTS_END), message(HELLO), message(STATUS - 1),
             hello(), message(2**32 - 1), message(CUSTOMERS, b'x'),
             message(CUSTOMERS, b'x' * REQUEST_SIZE),
             message(HOLD, b'x' * (REQUEST_SIZE - 1)),
             message(HOLD, b'\0' * 256 + b'x' * 300),
             message(HOLD, b'x' * 256 + b'\0' * 300),
             message(EXPLAIN, b'x' * (REQUEST_SIZE + 1)),
             message(CUSTOMERS, b'x' * 16000)]
    for data in later:
        with welcomed(w.daemon.socket) as s:
            s.sendall(data)
            hung_up(s, data[:40])
    same(w.daemon.children('queue'), queue, 'the queue')
    w.ask('show', 'status')


@case()
def names():
    """Names that lead elsewhere are nobody's"""
    w = World(before=lambda w: w.spool.maildir('other'))
    w.spool.put('other', prefix='x')
    with welcomed(w.daemon.socket) as s:
        for kind in CUSTOMERS, QUEUE, QUARANTINE, EXPLAIN, HOLD, EXPIRE:
            for name in (b'..', b'.', b'../autoturn/127.0.0.1', b'/', b'a/b',
                         b'other', b'\xff' * 255, b'127.0.0.1/', b'\n'):
                s.sendall(request(kind, name, b'm'))
                got = messages_take(s)
                same([k for k, _ in got], [TEXT, END], (kind, name))
                same(struct.unpack('=i', got[1][1]), (2,), 'ENOENT')
        for name in (b'..', b'../../other/new/x', b'/etc/passwd', b'.hidden',
                     b'new/', b'\xff' * 299, b'new/../../other'):
            for kind in EXPLAIN, EXPIRE, RELEASE:
                s.sendall(request(kind, b'127.0.0.1', name))
                got = messages_take(s)
                same(got[-1][0], END, (kind, name))
                require(got[-1][1] != bytes(4), (kind, name))
        s.sendall(request(EXPLAIN))
        require(messages_take(s)[-1][1] != bytes(4), 'no message named')
    same(len(w.spool.waiting('other')), 1, 'the mail of another')


@case()
def impatient():
    """A request before the last one's end ends it"""
    def before(w):
        for _ in range(500):
            w.spool.put('127.0.0.1')
    w = World(serve=False, before=before)
    w.wait_why('retry back-off')
    with welcomed(w.daemon.socket) as s:
        s.sendall(request(QUEUE) + request(QUEUE))
        got = messages_take(s)
        require(not got or got[-1][0] != END, 'an answer')
    with welcomed(w.daemon.socket) as s:
        s.sendall(request(RELOAD) + request(RELOAD))
        got = messages_take(s, -1)
        require(len([k for k, _ in got if k == END]) < 2, got)
    wait_for(lambda: w.json('show', 'status')['spools'][0]
             ['control_clients'] == 1, 'that they are forgotten')


@case()
def never_reads():
    """Who never reads is bounded, and others have their answers"""
    def before(w):
        for _ in range(2000):
            w.spool.put('127.0.0.1')
    w = World(serve=False, before=before)
    w.wait_why('retry back-off')
    deaf = [welcomed(w.daemon.socket) for _ in range(CLIENTS_MAX - 1)]
    for s in deaf:
        s.sendall(request(QUEUE))
    queue, = w.daemon.children('queue')
    same(len(w.queue()), 2000, 'messages')
    with open('/proc/%d/status' % queue) as f:
        kib = int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1))
    if not os.environ.get('SANITIZED'):
        require(kib < 32768, '%d KiB' % kib)
    for s in deaf:
        s.close()


@case()
def flood():
    """A thousand requests at once, one after the other's end or never"""
    w = World()
    with welcomed(w.daemon.socket) as s:
        for _ in range(1000):
            s.sendall(request(STATUS))
            same([k for k, _ in messages_take(s)], [ROW, END], 'an answer')
    for _ in range(200):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(w.daemon.socket)
            with contextlib.suppress(BrokenPipeError):
                s.sendall(b'x' * 1000)  # the parent reads nothing
    wait_for(lambda: ctl(w.daemon.socket, 'show',
                         'status').returncode == 0, 'an answer')
    same(len(w.daemon.children('queue')), 1, 'queues')


@case()
def crowd():
    """So many at a time; who may only look does not count with the others"""
    w = World(restricted=True)
    crowd = [welcomed(w.restricted) for _ in range(CLIENTS_MAX)]
    done = ctl(w.restricted, 'show', 'status')
    same((done.returncode, done.stderr), (
        1, 'autoturnctl: the daemon refuses: there are too many clients on '
        'this socket, try again later\n'), 'one too many')
    w.ask('hold', '127.0.0.1')
    crowd.pop().close()
    wait_for(lambda: ctl(w.restricted, 'show', 'status').returncode == 0,
             'a place')
    for s in crowd:
        s.sendall(request(HOLD, b'127.0.0.1'))
        got = messages_take(s)
        same(struct.unpack('=i', got[-1][1]), (1,), 'EPERM')
        s.close()


main()
