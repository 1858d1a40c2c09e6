#!/usr/bin/env python3
# SIGHUP: all of a new configuration or nothing, while mail is on its way.

import os
import sys
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *


class Gate:
    """A server's rules that hold back the answer to a letter"""

    def __init__(self):
        self.open = threading.Event()

    def __call__(self, stage, n):
        if stage == 'dot' and n == 1:
            self.open.wait(DEADLINE_S)
        return None


@case()
def customer_added():
    """He is known at once; a run that is on goes on"""
    gate = Gate()
    isp = Isp(rules=gate)
    name = isp.names()[0]
    isp.spool.put(name)
    isp.front.session(name)
    wait_for(lambda: 'dot' in isp.servers[name].counts, 'a letter')
    before = isp.daemon.children()
    host = customer_address(isp.port)
    isp.servers['acme'] = mailserver.Smtp(host=host, port=isp.port)
    isp.spool.maildir('acme')
    isp.daemon.reload(isp.configuration(
        'customer acme {\n\taddress %s\n}\n' % host))
    same(isp.daemon.children(), before, 'processes')
    isp.spool.put('acme')
    isp.front.session(host)
    isp.arrived('acme')
    gate.open.set()
    isp.arrived(name)
    same(isp.servers[name].connections, 1, 'connections')


@case()
def customer_removed():
    """His run ends as it began, then he is nobody"""
    gate = Gate()
    isp = Isp(autoturn=False, customers=0)
    host = customer_address(isp.port)
    isp.servers['acme'] = mailserver.Smtp(rules=gate, host=host,
                                          port=isp.port)
    isp.spool.maildir('acme')
    isp.daemon = Autoturn(isp.configuration(
        'customer acme {\n\taddress %s\n}\n' % host))
    isp.heard()
    isp.spool.put('acme')
    isp.front.session(host)
    wait_for(lambda: 'dot' in isp.servers['acme'].counts, 'a letter')
    isp.daemon.reload(isp.configuration('# nobody\n'))
    gate.open.set()
    isp.arrived('acme')
    isp.spool.put('acme')
    isp.front.session(host)
    stays(lambda: isp.servers['acme'].connections == 1, 0.5, 'another run')
    same(len(isp.spool.waiting('acme')), 1, 'letters that stay')


@case()
def nothing_of_a_bad_one():
    """An error anywhere: the old one stays, all of it"""
    isp = Isp()
    name = isp.names()[0]
    other = Spool()
    other.maildir(customer_address())
    os.chmod(other.path, 0o000)
    before = isp.daemon.children()
    isp.daemon.not_reloaded(isp.configuration('bla\n'), r'conf:\d+: ')
    if not AS_ROOT:
        isp.daemon.not_reloaded(isp.configuration(
            'spool "%s"\n' % other.path), r'Permission denied')
    else:
        isp.daemon.not_reloaded(isp.configuration(
            'spool "%s" user nobody\n' % other.path), r'Permission denied')
    same(isp.daemon.children(), before, 'processes')
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)


@case()
def spool_added_and_removed():
    """One more queue and mailer; then they go, once its run has ended"""
    gate = Gate()
    isp = Isp()
    other = Isp(front=False, autoturn=False)
    other.port = isp.port
    there = other.customer(gate)
    isp.daemon.reload(isp.configuration('spool "%s"\n' % other.spool.path))
    wait_for(lambda: isp.front.daemon.show('status')['event_clients'] == 2,
             'two listeners')
    other.spool.put(there)
    isp.front.session(there)
    wait_for(lambda: 'dot' in other.servers[there].counts, 'a letter')
    isp.daemon.reload(isp.configuration())
    same(len(isp.daemon.children('queue')), 2, 'queues while a run is on')
    gate.open.set()
    other.arrived(there)
    wait_for(lambda: len(isp.daemon.children()) == 3, 'the end of two')
    name = isp.names()[0]
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)
    # And back again.
    isp.daemon.reload(isp.configuration('spool "%s"\n' % other.spool.path))
    wait_for(lambda: isp.front.daemon.show('status')['event_clients'] == 2,
             'two listeners')
    other.spool.put(there)
    isp.front.session(there)
    other.arrived(there)


@case(user='root')
def user_changed():
    """Another user, another queue and mailer; the books are his now"""
    isp = Isp()
    name = isp.names()[0]
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)
    before = isp.daemon.children('queue') + isp.daemon.children('mailer')
    for where, dirs, files in os.walk(isp.spool.path + '/' + name):
        for path in [where] + [where + '/' + f for f in files]:
            os.chown(path, OTHER_UID, OTHER_UID)
    isp.spool.uid = isp.spool.gid = OTHER_UID
    isp.daemon.reload()
    wait_for(lambda: not [pid for pid in before if process_alive(pid)],
             'the end of the old ones')
    queue = isp.daemon.child('queue')

    def is_others():
        with open('/proc/%d/status' % queue) as f:
            return re.search(r'^Uid:\s+%d\s' % OTHER_UID, f.read(), re.M)
    # It begins as root, to give that up.
    wait_for(is_others, 'the new queue\'s user')
    isp.heard()
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)
    for where, _, files in os.walk(isp.daemon.state):
        for file in files:
            if not file.endswith('.poke'):
                same(os.stat(where + '/' + file).st_uid, OTHER_UID,
                     'owner of ' + file)


@case()
def events_moved():
    """Events of another tcpserverd from now on, or of none"""
    isp = Isp()
    name = isp.names()[0]
    old, isp.front = isp.front, Front()
    isp.daemon.reload(isp.configuration())
    isp.heard()
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)
    wait_for(lambda: not old.daemon.show('status')['event_clients'],
             'the end of the old connection')
    isp.daemon.reload(isp.configuration().replace(isp.front.directive(),
                                                  'events off\n'))
    wait_for(lambda: not isp.front.daemon.show('status')['event_clients'],
             'the end of the new one')
    isp.daemon.reload(isp.configuration())
    isp.heard()
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)


@case()
def at_the_same_time():
    """SIGHUP again and again while mail goes out: nothing is lost"""
    isp = Isp(customers=4)
    for name in isp.names():
        for _ in range(100):
            isp.spool.put(name)
        isp.front.session(name)
    for _ in range(10):
        isp.daemon.reload()
    for name in isp.names():
        isp.arrived(name)


main()
