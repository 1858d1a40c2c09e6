#!/usr/bin/env python3
# What starts a run, how often, and what does not.

import contextlib
import os
import sys
import threading
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *


class Worded(Isp):
    """With words of the spool's own"""

    def __init__(self, words='', **kwargs):
        self.words = words
        super().__init__(**kwargs)

    def configuration(self, more=''):
        return super().configuration(more).replace(
            'scan ', self.words + '\n\tscan ')


class Watched(Worded):
    watches = 100


def run_lines(isp, name=None):
    return isp.daemon.lines('.*customer=%s .*result=.*' % (
        re.escape(name) if name else r'\S+'))


@case()
def many_triggers_one_run():
    """Hundreds of hellos, all reset at once, are one run and one look"""
    isp = Worded('interval 3s')
    name = isp.names()[0]
    isp.spool.put(name)
    for _ in range(300):
        isp.front.hello_say(name, True)
    isp.arrived(name)
    # Whatever came during the run was looked for once, and is not there.
    stays(lambda: isp.servers[name].connections == 1, 4, 'a second run')
    same(len(run_lines(isp, name)), 1, 'runs')


@case()
def trigger_during_a_run():
    """One more look follows, and takes what came too late"""
    go, asked = threading.Event(), threading.Event()

    def rules(stage, n):
        if stage == 'QUIT' and n == 1:
            asked.set()
            go.wait(DEADLINE_S)
    isp = Worded(rules=rules)
    name = isp.names()[0]
    isp.spool.put(name)
    isp.front.hello_say(name)
    require(asked.wait(DEADLINE_S), 'no goodbye')
    isp.spool.put(name)
    for _ in range(100):
        isp.front.hello_say(name)
    stays(lambda: isp.servers[name].connections == 1, 1.5, 'a second run')
    go.set()
    isp.arrived(name)
    stays(lambda: isp.servers[name].connections == 2, 2, 'a third run')


@case()
def interval():
    """So long there is between the beginnings of two runs"""
    isp = Worded('interval 6s')
    name = isp.names()[0]
    for _ in range(2):
        isp.spool.put(name)
        isp.front.hello_say(name)
        isp.arrived(name)
    times = isp.servers[name].times
    # Half of it is left for what the first letter's way took.
    require(times[1] - times[0] > 3, 'times: %r' % times)


@case()
def retry_never():
    """Who fails is left alone until he shows up, whatever comes for him"""
    isp = Watched('retry never')
    name = customer_address(isp.port)
    isp.spool.maildir(name)
    isp.spool.put(name)
    isp.front.hello_say(name)
    wait_for(lambda: 'efused' in isp.daemon.log(), 'a refused connection')
    before = len(run_lines(isp, name))
    isp.servers[name] = mailserver.Smtp(host=name, port=isp.port)
    for _ in range(3):
        isp.spool.put(name)
    stays(lambda: isp.servers[name].connections == 0, 3, 'a connection')
    same(len(run_lines(isp, name)), before, 'runs')
    isp.front.hello_say(name)
    wait_for(lambda: len(isp.servers[name].messages) == 4, 'four letters')
    isp.spool.wait_empty(name)


@case()
def new_mail_keeps_the_back_off():
    """Mail for one who failed waits for the retry as all of it does"""
    isp = Watched('retry 1h max 1h')
    name = customer_address(isp.port)
    isp.spool.maildir(name)
    isp.spool.put(name)
    isp.front.hello_say(name)
    wait_for(lambda: 'efused' in isp.daemon.log(), 'a refused connection')
    before = len(run_lines(isp, name))
    for _ in range(3):
        isp.spool.put(name)
    stays(lambda: len(run_lines(isp, name)) == before, 3, 'another run')


@case()
def gap():
    """tcpserverd away and back: who failed is tried, as he may have come"""
    isp = Watched('retry never')
    name = customer_address(isp.port)
    isp.spool.maildir(name)
    isp.spool.put(name)
    isp.front.hello_say(name)
    wait_for(lambda: 'efused' in isp.daemon.log(), 'a refused connection')
    same(isp.front.daemon.stop(), 0, 'exit code')
    isp.servers[name] = mailserver.Smtp(host=name, port=isp.port)
    isp.front.start()
    isp.arrived(name)
    wait_for(lambda: 'reason=gap' in isp.daemon.log(), 'the run\'s line')


@case()
def watched():
    """New mail for one who is always there leaves without his showing up"""
    isp = Watched(front=False)
    name = isp.names()[0]
    for _ in range(3):
        isp.spool.put(name)
        isp.arrived(name)


class Scanned(Isp):
    scan = '1s'


@case()
def scanned():
    """The same where nothing is watched, in its turn"""
    isp = Scanned(front=False)
    name = isp.names()[0]
    isp.spool.put(name)
    isp.arrived(name)
    # A directory that was not there is somebody at the next round.
    name = isp.customer()
    isp.spool.put(name)
    isp.arrived(name)


@case()
def poked():
    """A datagram names a Maildir, also one that was just made"""
    isp = Worded(front=False)
    name = isp.customer()
    isp.spool.put(name)
    path = wait_for(lambda: [os.path.join(top, f)
                             for top, _, files in os.walk(isp.daemon.state)
                             for f in files if 'poke' in f],
                    'a poke socket')[0]
    poker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for text in (b'../../etc', b'x' * 1000, b'', b'\0', b'127.9.9.9'):
        with contextlib.suppress(OSError):
            poker.sendto(text, path)
    poker.sendto(name.encode(), path)
    isp.arrived(name)


@case()
def messages_max():
    """So many in a run; the rest in the next ones, without a wait"""
    isp = Worded('messages 2\n\tinterval 1h', customers=2)
    for name in isp.names():
        for _ in range(7):
            isp.spool.put(name)
    for name in isp.names():
        isp.front.hello_say(name)
    for name in isp.names():
        isp.arrived(name)
        same(isp.servers[name].connections, 4, 'connections')


class Crowd(Worded):
    """Customers who share one server, as their addresses are all ours"""
    def __init__(self, customers):
        self.lock = threading.Lock()
        self.here = self.most = 0
        super().__init__('concurrency 20', customers=0, autoturn=False)
        self.server = mailserver.Smtp(rules=self.rules, host='0.0.0.0',
                                      port=self.port)
        self.crowd = ['127.%d.%d.%d' % (os.getpid() % 250 + 2, 200 + i // 250,
                                        i % 250 + 1)
                      for i in range(customers)]
        for name in self.crowd:
            self.spool.maildir(name)
        self.daemon = Autoturn(self.configuration())
        self.heard()

    def rules(self, stage, n):
        with self.lock:
            self.here += (stage == 'greeting') - (stage == 'QUIT')
            self.most = max(self.most, self.here)


@case(timeout=120)
def two_hundred_at_once():
    """All of them are served, twenty at a time"""
    isp = Crowd(200)
    for name in isp.crowd:
        for _ in range(3):
            isp.spool.put(name)
    for name in isp.crowd:
        isp.front.hello_say(name)
    wait_for(lambda: len(isp.server.messages) >= 600,
             '600 letters, %d came' % len(isp.server.messages), 90)
    wanted = sorted(b for bs in isp.spool.put_bodies.values() for b in bs)
    same(sorted(bodies(isp.server)), wanted, 'letters')
    for name in isp.crowd:
        isp.spool.wait_empty(name)
    require(isp.most <= 20, '%d at a time' % isp.most)
    same(isp.server.connections, 200, 'connections')


main()
