#!/usr/bin/env python3
# A customer shows up, and all that waits for him arrives.

import os
import sys
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *


@case()
def session_ends():
    """The end of an SMTP session is followed by all of his mail, in order"""
    isp = Isp()
    name = isp.names()[0]
    for _ in range(50):
        isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)
    same(isp.servers[name].connections, 1, 'connections')
    same(isp.servers[name].messages[0].sender.split()[0], '<a@b.example>',
         'sender')
    same([r.split()[0] for r in isp.servers[name].messages[0].recipients],
         ['<user@customer.example>'], 'recipients')
    wait_for(lambda: isp.servers[name].commands[-1] == 'QUIT',
             'QUIT as the last command')


@case()
def hello():
    """So is a connection to the hello port, also one reset at once"""
    for reset in (False, True):
        isp = Isp()
        name = isp.names()[0]
        isp.spool.put(name)
        isp.front.hello_say(name, reset)
        isp.arrived(name)


@case()
def hello_port_0():
    """A close service on a port of the system's choice"""
    front = Front()
    front.daemon.stop()
    front.text = front.text.replace('port %d' % front.hello, 'port 0')
    front.start()
    ports = [s for s in front.daemon.show('services')['services']
             if s['service'] == 'hello']
    front.hello = ports[0]['listeners'][0]['port']
    isp = Isp(front=False, autoturn=False)
    isp.front = front
    isp.daemon = Autoturn(isp.configuration())
    isp.heard()
    name = isp.names()[0]
    isp.spool.put(name)
    front.hello_say(name)
    isp.arrived(name)


@case()
def corpus():
    """What no two systems agree on how to write arrives as it was"""
    isp = Isp()
    name = isp.names()[0]
    for body in (b'Subject: dots\n\n.\n..\n.a\n.\n',
                 b'Subject: empty\n\n', b'Subject: no end\n\nline',
                 b'Subject: 8 bit\n\n\xe4\xf6\xfc\n',
                 b'Subject: long\n\n' + b'x' * 900 + b'\n',
                 b'Subject: much\n\n' + b'0123456789\n' * 100000):
        isp.spool.put(name, body)
    isp.front.session(name)
    server = isp.servers[name]
    wait_for(lambda: len(server.messages) == 6, 'six letters')
    wanted = [body if body.endswith(b'\n') else body + b'\n'
              for body in isp.spool.put_bodies[name]]
    same(bodies(server), wanted, 'letters')
    isp.spool.wait_empty(name)


@case()
def many_customers():
    """Each gets his own, and nobody another's"""
    isp = Isp(customers=12)
    for name in isp.names():
        for _ in range(5):
            isp.spool.put(name)
    for name in isp.names():
        isp.front.session(name)
    for name in isp.names():
        isp.arrived(name)


@case()
def stranger():
    """Who is no customer causes nothing, and nobody else's run"""
    isp = Isp()
    name = isp.names()[0]
    isp.spool.put(name)
    for _ in range(5):
        isp.front.session(customer_address())
    isp.front.hello_say(customer_address(), True)
    stays(lambda: isp.servers[name].connections == 0, 0.5, 'a connection')
    isp.front.session(name)
    isp.arrived(name)


@case()
def tcpserverd_restarted():
    """A new one is listened to; what was missed meanwhile is made up for"""
    isp = Isp()
    name = isp.names()[0]
    isp.front.session(name)
    same(isp.front.daemon.stop(), 0, 'exit code')
    isp.spool.put(name)
    isp.front.start()
    # It may have been then that he called: a gap is enough.
    isp.arrived(name)
    isp.heard()
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)


@case()
def autoturnd_restarted():
    """The same the other way round"""
    isp = Isp()
    name = isp.names()[0]
    same(isp.daemon.stop(), 0, 'exit code')
    isp.spool.put(name)
    isp.daemon = Autoturn(isp.configuration(), where=isp.daemon.where)
    isp.heard()
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)


@case()
def refuses_then_takes():
    """What is refused for now comes by the back-off, in the end"""
    isp = Isp(rules=lambda stage, n: '451 later' if stage == 'MAIL' and n < 3
              else None)
    name = isp.names()[0]
    for _ in range(3):
        isp.spool.put(name)
    isp.front.session(name)
    server = isp.servers[name]
    wait_for(lambda: len(server.messages) == 3, 'three letters')
    same(sorted(bodies(server)), sorted(isp.spool.put_bodies[name]),
         'letters')
    isp.spool.wait_empty(name)


@case()
def not_there():
    """Nobody listens at his address: tried again, and then he does"""
    isp = Isp()
    name = customer_address(isp.port)
    isp.spool.maildir(name)
    isp.heard()
    isp.spool.put(name)
    isp.front.session(name)
    wait_for(lambda: 'efused' in isp.daemon.log(), 'a refused connection')
    isp.servers[name] = mailserver.Smtp(host=name, port=isp.port)
    isp.arrived(name)


@case()
def named_customer():
    """Configured: addresses, Maildir, prefix and relay of his own"""
    isp = Isp(front=True, autoturn=False, customers=0)
    host, other = customer_address(isp.port), customer_address(isp.port)
    isp.servers['acme'] = mailserver.Smtp(host=host, port=isp.port)
    isp.spool.maildir('acme')
    isp.daemon = Autoturn(isp.configuration(
        'customer acme {\n\taddress %s, %s\n\trelay %s\n}\n' %
        (host, other, host)))
    isp.heard()
    for source in (host, other):
        isp.spool.put('acme')
        isp.front.session(source)
        isp.arrived('acme')


@case()
def several_spools():
    """Each with its queue, its state and its customers"""
    first, front = Isp(autoturn=False), None
    front = first.front
    uid = OTHER_UID if AS_ROOT else None
    second = Isp(front=False, autoturn=False, spool=Spool(uid=uid))
    second.port = first.port
    second.servers = {}
    there = second.customer()
    first.daemon = Autoturn(first.configuration(
        'spool "%s"\n' % second.spool.path))
    wait_for(lambda: front.daemon.show('status')['event_clients'] == 2,
             'two listeners')
    same(len(first.daemon.children('queue')), 2, 'queues')
    same(len(first.daemon.children('mailer')), 2, 'mailers')
    same(len(first.daemon.children('relay')), 1, 'relays')
    here = first.names()[0]
    for isp, name in ((first, here), (second, there)):
        for _ in range(5):
            isp.spool.put(name)
        front.session(name)
        isp.arrived(name)
    if AS_ROOT:
        for pid in first.daemon.children('queue', second.spool.path):
            with open('/proc/%d/status' % pid) as f:
                require(re.search(r'^Uid:\s+%d\s' % OTHER_UID, f.read(),
                                  re.M), 'the second queue\'s user')


@case()
def spool_as_it_stands():
    """Root's own directory, 2755: nothing was changed in it"""
    if not AS_ROOT:
        skip('only root can make root\'s spool')
    isp = Isp(spool=Spool(mode=0o2755))
    name = isp.names()[0]
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)
    st = os.stat(isp.spool.path)
    same((st.st_uid, st.st_mode & 0o7777), (0, 0o2755), 'the spool')
    same(os.listdir(isp.spool.path), [name], 'what is in it')


main()
