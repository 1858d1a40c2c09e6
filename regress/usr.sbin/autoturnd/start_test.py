#!/usr/bin/env python3
# autoturnd is started: in the foreground and in the background, with good
# files and bad ones, and a second time; and it ends.

import os
import sys
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *


def exits(argv, code, pattern, **more):
    done = subprocess.run([STAGE + '/sbin/autoturnd'] + argv,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False,
                          timeout=DEADLINE_S, **more)
    same(done.returncode, code, 'exit code (%s)' % done.stderr.decode())
    require(re.search(pattern, done.stderr.decode()),
            'standard error: %r' % done.stderr.decode())
    return done.stdout.decode()


def nothing_left(d):
    d.wait_gone()
    left = [d.socket, d.pid_path]
    if os.path.isdir(d.state):
        left += [d.state + '/' + name for name in os.listdir(d.state)
                 if name.endswith('.poke')]
    for path in left:
        require(not os.path.lexists(path), path + ' was left')


def some_spool():
    spool = Spool()
    spool.maildir(own_address())
    return spool


def directive(spool, rest=''):
    return 'spool "%s" %s\n' % (spool.path, rest)


@case()
def foreground():
    """-d: has the processes and modes that are promised, leaves nothing"""
    spool = some_spool()
    d = Autoturn(directive(spool))
    for role in CHILDREN:
        same(len(d.children(role)), 1, 'processes of the kind ' + role)
    same(os.stat(d.socket).st_mode & 0o7777, 0o660, 'mode of the socket')
    with open(d.pid_path) as f:
        same(f.read(), '%d\n' % d.pid, 'pid file')
    state = d.state + '/' + spool.path[1:].replace('-', '%2d').replace(
        '/', '-')
    same(os.stat(state).st_mode & 0o7777, 0o700, 'mode of ' + state)
    same(os.stat(state).st_uid, SPOOL_UID, 'owner of ' + state)
    same(os.stat(state + '.poke').st_uid, SPOOL_UID, 'owner of its socket')
    same(d.stop(), 0, 'exit code')
    nothing_left(d)
    wait_for(lambda: d.manager.count('STOPPING=1'), 'STOPPING=1')


@case()
def interrupted():
    """SIGINT, as of a terminal, is as good"""
    d = Autoturn(directive(some_spool()))
    same(d.stop(signal.SIGINT), 0, 'exit code')
    nothing_left(d)


@case(user='root')
def identities():
    """Each process is who it should be, and in its chroot"""
    d = Autoturn(directive(some_spool()))
    relay = pwd.getpwnam('nobody').pw_uid
    try:
        relay = pwd.getpwnam('_autoturnd').pw_uid
    except KeyError:
        pass
    for role, uid in (('queue', SPOOL_UID), ('mailer', SPOOL_UID),
                      ('relay', relay)):
        with open('/proc/%d/status' % d.child(role)) as f:
            ids = re.search(r'^Uid:\s+(.*)$', f.read(), re.M).group(1)
        same(ids.split(), [str(uid)] * 4, 'uid of the ' + role)
    for role, root in (('queue', '/'), ('mailer', '/'),
                       ('relay', STAGE + '/empty')):
        same(os.readlink('/proc/%d/root' % d.child(role)), root,
             'root of the ' + role)


@case()
def background():
    """The starter leaves when all serve; descriptors 0 to 2 lead elsewhere"""
    d = Autoturn(directive(some_spool()), background=True)
    require(d.pid != d.process.pid, 'the starter itself serves')
    same(process_session(d.pid), d.pid, 'session')
    for pid in [d.pid] + d.children():
        fds = process_fds(pid)
        if fds is None:
            continue    # not for everybody to see
        for fd in (0, 1):
            same(fds[fd], '/dev/null', 'descriptor %d of %d' % (fd, pid))
        require(START_DIR not in fds[2], 'the log is the starter\'s')
    same(d.stop(), 0, 'exit code')
    nothing_left(d)


@case()
def second():
    """Another one with the same pid file is told of the first"""
    spool = some_spool()
    d = Autoturn(directive(spool))
    for more in ([], ['-d']):
        exits(['-f', d.conf, '-p', d.pid_path] + more, 1,
              'another one runs, pid %d' % d.pid)
    # With a pid file of its own it still meets the sockets.
    exits(['-d', '-f', d.conf, '-p', d.where + '/pid2', '-s', d.socket], 1,
          'another daemon has it')
    exits(['-d', '-f', d.conf, '-p', d.where + '/pid2', '-s',
           d.where + '/sock2'], 1, r'\.poke": another daemon has it')
    require(not os.path.exists(d.where + '/sock2'), 'a socket was left')
    same(d.stop(), 0, 'exit code')


@case()
def usage():
    """As the manual has it"""
    exits(['-x'], 1, r'(?s)usage: autoturnd \[-dnv\] \[-D macro=value\] '
          r'\[-f file\] \[-p pidfile\] \[-s socket\]')
    exits(['word'], 1, 'usage: autoturnd')


@case()
def checked():
    """-n starts and makes nothing; -nv prints what is read as the same"""
    spool = some_spool()
    d = Autoturn('customer acme {\n\taddress 192.0.2.7\n}\n' +
                 directive(spool), ready=False)
    d.wait_ready()
    same(d.stop(), 0, 'exit code')
    shutil.rmtree(d.state)
    before = sorted(os.listdir(d.where))
    exits(['-n', '-f', d.conf], 0, '^configuration OK\n$')
    once = exits(['-nv', '-f', d.conf], 0, '^configuration OK\n$')
    with open(d.conf + '.2', 'w') as f:
        f.write(once)
    same(exits(['-nv', '-f', d.conf + '.2'], 0, 'OK'), once, '-nv again')
    require('customer acme' in once, once)
    os.unlink(d.conf + '.2')
    same(sorted(os.listdir(d.where)), before, 'files')


@case()
def defined():
    """-D"""
    d = Autoturn('spool $where\n', options=['-D', 'where="%s"' %
                                            some_spool().path])
    same(d.stop(), 0, 'exit code')


@case()
def bad_configuration():
    """All errors at once, exit 1, nothing is left"""
    text = directive(some_spool()) + 'bla\nspool "/nonexistent"\n'
    for in_background in (False, True):
        d = Autoturn(text, background=in_background, ready=False)
        same(d.wait(), 1, 'exit code')
        require(len(re.findall(r'^\S+autoturnd.conf:\d+: ', d.log(),
                               re.M)) >= 2, d.log())
        nothing_left(d)
        require(not os.path.exists(d.state), 'a state directory')


@case()
def no_processes():
    """Not even one child: nothing is started, and the caller is told"""
    if AS_ROOT:
        skip('root can start processes without end')
    if SANITIZED:
        skip('the leak checker needs a process of its own')
    for in_background in (False, True):
        d = Autoturn(directive(some_spool()), background=in_background,
                     ready=False, prepare=lambda: resource.setrlimit(
                         resource.RLIMIT_NPROC, (0, 0)))
        same(d.wait(), 1, 'exit code')
        require('unable to try it: Resource temporarily' in d.log(), d.log())
        nothing_left(d)


@case()
def killed_name():
    """What a killed daemon left is taken over"""
    spool = some_spool()
    d = Autoturn(directive(spool))
    os.kill(d.pid, signal.SIGKILL)
    d.wait()
    d.wait_gone()
    require(os.path.exists(d.socket), 'the socket went')
    again = Autoturn(directive(spool), where=d.where)
    same(again.stop(), 0, 'exit code')
    nothing_left(again)


@case()
def children_die():
    """Each is there again after its death, as often as it dies"""
    isp = Isp()
    name = isp.names()[0]
    for role in CHILDREN:
        isp.daemon.kill(isp.daemon.child(role))
    isp.heard()
    isp.spool.put(name)
    isp.front.session(name)
    isp.arrived(name)
    same(isp.daemon.stop(), 0, 'exit code')


@case()
def stopped_in_a_run():
    """SIGTERM while the customer stalls: the end comes, the mail stays"""
    isp = Isp(rules=lambda stage, n: mailserver.STALL if stage == 'dot'
              else None)
    name = isp.names()[0]
    isp.spool.put(name)
    isp.front.session(name)
    wait_for(lambda: 'dot' in isp.servers[name].counts, 'a letter')
    started = time.monotonic()
    same(isp.daemon.stop(), 0, 'exit code')
    took = time.monotonic() - started
    require(took < (30 if SANITIZED else 12), 'it took %.1f s' % took)
    nothing_left(isp.daemon)
    same(len(isp.spool.waiting(name)), 1, 'letters that stay')


main()
