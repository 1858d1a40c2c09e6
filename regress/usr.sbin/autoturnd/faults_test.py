#!/usr/bin/env python3
# Processes killed, disks full or read-only, servers that drop: nothing is
# lost, and no more is sent twice than is said.
#
# As a program of its own: faults_test.py proof LETTERS KILLS [SEED]

import collections
import contextlib
import ctypes
import os
import random
import sys
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *

WINDOW = 4
CLONE_NEWNS = 0x20000
MS_RDONLY, MS_REMOUNT = 1, 1 << 5
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18


def subject(body):
    return int(re.match(rb'Subject: (\d+)\n', body).group(1))


class Trial:
    """One customer, letters for him, and processes that get killed"""

    def __init__(self, letters, rules=None, pause=0.0):
        self.isp = Isp('window %d\n' % WINDOW, customers=0, front=False,
                       autoturn=False)
        self.name = self.isp.customer(rules)
        self.server = self.isp.servers[self.name]
        self.server.pause = pause
        self.files = {}
        for _ in range(letters):
            file = self.isp.spool.put(self.name)
            self.files[subject(self.isp.spool.put_bodies[self.name][-1])] = \
                file
        self.logs, self.bound = [], 0
        self.daemon = None
        self.start()

    def start(self):
        where = self.daemon.where if self.daemon else None
        self.daemon = self.isp.daemon = Autoturn(self.isp.configuration(),
                                                 where=where)
        self.logs.append(self.daemon)

    def log(self):
        return ''.join(daemon.log() for daemon in self.logs)

    def kill(self, role):
        """-9, and wait for who takes its place"""
        if role != 'mailer':
            self.bound += WINDOW
        if role == 'parent':
            os.kill(self.daemon.pid, signal.SIGKILL)
            self.daemon.process.wait()
            self.daemon.wait_gone()
            self.start()
            return
        found = self.daemon.children(role)
        if found:
            # It may be dying of the last one.
            kill_quietly(found[0], signal.SIGKILL)

    def reports(self):
        box = self.daemon.where + '/reports'
        return [name for name in os.listdir(box)
                if name.endswith('.report')]

    def wait_empty(self, seconds=None):
        """In new/ and quarantine/ as well"""
        self.isp.spool.wait_empty(self.name, seconds)

    def journal_names(self):
        return set(re.findall(r'message=new/(\S+) .*status=(?:repeated|'
                              r'unanswered)', self.log()))

    def check(self, refused=()):
        """Each arrived or went back; what came twice was named before"""
        counts = collections.Counter(subject(b) for b in bodies(self.server))
        lost = set(self.files) - set(counts) - set(refused)
        same(lost, set(), 'letters lost')
        twice = {n for n, count in counts.items() if count > 1}
        more = sum(counts.values()) - len(counts)
        require(more <= self.bound, '%d sent twice, at most %d' %
                (more, self.bound))
        unnamed = {self.files[n] for n in twice} - self.journal_names()
        same(unnamed, set(), 'sent twice and not named')
        quarantine = '%s/%s/quarantine' % (self.isp.spool.path, self.name)
        same(os.path.exists(quarantine) and os.listdir(quarantine) or [], [],
             'quarantine')
        return more


def killed(role, letters=60, kills=4):
    trial = Trial(letters, pause=0.001)
    for i in range(1, kills + 1):
        wanted = letters * i // (kills + 1)
        wait_for(lambda: len(trial.server.messages) >= wanted,
                 '%d letters' % wanted)
        trial.kill(role)
    trial.wait_empty()
    trial.check()
    same(trial.daemon.stop(), 0, 'exit code')


@case()
def queue_killed():
    """kill -9 of the queue while it sends"""
    killed('queue')


@case()
def relay_killed():
    """kill -9 of relay while it sends"""
    killed('relay')


@case()
def parent_killed():
    """kill -9 of the parent: all leave; another one goes on"""
    killed('parent')


@case()
def mailer_killed():
    """kill -9 of the mailer: each sender is told in the end"""
    letters = 12
    trial = Trial(letters, lambda stage, n:
                  '550 5.1.1 no' if stage == 'RCPT' else None)
    for i in (2, 6):
        wait_for(lambda: len(trial.reports()) >= i, '%d reports' % i)
        trial.kill('mailer')
    trial.wait_empty(60)
    same(len(trial.server.messages), 0, 'letters taken')
    told = collections.Counter()
    for name in trial.reports():
        with open(trial.daemon.where + '/reports/' + name, 'rb') as f:
            told[int(re.search(rb'\nSubject: (\d+)\n', f.read())
                     .group(1))] += 1
    same(set(told), set(trial.files), 'letters that were reported')
    require(sum(told.values()) <= letters + 2, 'reports: %r' % told)


def moody(seed, letters):
    """A server that drops, refuses for now and for good, now and then"""
    mood = random.Random(seed)
    scale = max(100, letters / 4)

    def rules(stage, n):
        chance = mood.random() * scale
        if stage in ('MAIL', 'RCPT', 'dot') and chance < 1:
            return mailserver.RESET if chance < 0.5 else mailserver.CLOSE
        if stage == 'greeting' and mood.random() < 0.05:
            return '421 not now'
        if stage in ('MAIL', 'dot') and chance < 3:
            return '451 later'
        if stage == 'RCPT' and chance > scale - 2:
            return '550 5.1.1 no'
        return None
    return rules


def mixed(letters, kills, seed, seconds=60):
    """All of them, at any time"""
    print('seed %d' % seed, flush=True)
    order = random.Random(seed)
    trial = Trial(letters, moody(seed, letters), pause=0.001)
    for i in range(kills):
        wanted = letters * (i + 1) // (kills + 2)
        wait_for(lambda: len(trial.server.messages) + len(trial.reports()) >=
                 wanted or not trial.isp.spool.waiting(trial.name),
                 '%d letters' % wanted, seconds)
        trial.kill(order.choice(('queue', 'relay', 'mailer', 'parent')))
    trial.wait_empty(seconds)
    refused = set()
    for name in trial.reports():
        with open(trial.daemon.where + '/reports/' + name, 'rb') as f:
            refused.add(int(re.search(rb'\nSubject: (\d+)\n', f.read())
                            .group(1)))
    more = trial.check(refused)
    result = '%d letters, %d kills, %d connections: %d sent back, %d sent ' \
        'twice, at most %d; none lost' % (
            letters, kills, trial.server.connections, len(refused), more,
            trial.bound)
    same(trial.daemon.stop(), 0, 'exit code')
    return result


@case()
def any_killed():
    """Any of them, and a server that drops and refuses as well"""
    mixed(60, 4, 1)


@case()
def locked():
    """A setlock of the classic recipe keeps us out, and we keep it out"""
    isp = Isp(customers=0, front=False, autoturn=False)
    name = isp.customer()
    isp.spool.put(name)
    lock = '%s/%s/seriallock' % (isp.spool.path, name)
    with subprocess.Popen(
            [STAGE + '/bin/setlock', '-nx', lock, 'sh', '-c', 'echo; cat'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        if AS_ROOT:
            os.chown(lock, SPOOL_UID, SPOOL_GID)
        isp.daemon = Autoturn(isp.configuration())
        stays(lambda: isp.servers[name].connections == 0, 1, 'a connection')
        holder.stdin.close()
    isp.arrived(name)


@case()
def lock_held():
    """While a run is on setlock finds it locked; at its end it does not"""
    gate = threading.Event()
    isp = Isp(customers=0, front=False, autoturn=False)
    name = isp.customer(lambda stage, n:
                        gate.wait(DEADLINE_S) and None
                        if stage == 'dot' else None)
    isp.spool.put(name)
    lock = '%s/%s/seriallock' % (isp.spool.path, name)
    isp.daemon = Autoturn(isp.configuration())
    wait_for(lambda: 'DATA' in isp.servers[name].commands, 'DATA')

    def setlock():
        return subprocess.run([STAGE + '/bin/setlock', '-nX', lock, 'true'],
                              stderr=subprocess.DEVNULL,
                              check=False).returncode
    same(setlock(), 111, 'setlock during a run')
    gate.set()
    isp.arrived(name)
    wait_for(lambda: setlock() == 0, 'the lock')


def mount(what, where, kind, flags, options=''):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(what.encode(), where.encode(), kind.encode(),
                  ctypes.c_ulong(flags), options.encode()) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()),
                      where)


def small_disk(size):
    """A directory on a file system of its own, of this process only"""
    if not AS_ROOT or sys.platform != 'linux':
        skip('a small file system takes root and mount namespaces')
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if libc.unshare(CLONE_NEWNS) == -1:
            raise OSError(ctypes.get_errno(), 'unshare')
        mount('none', '/', '', MS_REC | MS_PRIVATE)
        where = scratch()
        mount('none', where, 'tmpfs', 0, 'size=%d' % size)
    except OSError as error:
        skip('no file system of its own: %s' % error)
    os.chmod(where, 0o755)
    return where


def fill_up(where):
    """To the last byte; what to remove"""
    path = where + '/ballast'
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    for size in (4096, 1):
        with contextlib.suppress(OSError):
            while os.write(fd, bytes(size)):
                pass
    with contextlib.suppress(OSError):
        os.close(fd)
    return path


@case()
def disk_full():
    """No room for the journal: nothing is sent, and then all of it"""
    where = small_disk(2 * 1024 * 1024)
    isp = Isp(customers=0, front=False, autoturn=False)
    name = isp.customer()
    for _ in range(20):
        isp.spool.put(name)
    isp.daemon = Autoturn(isp.configuration(), where=where)
    isp.arrived(name)
    ballast = fill_up(where)
    for _ in range(20):
        isp.spool.put(name)
    # The next one looks at all of them at once.
    os.kill(isp.daemon.children('queue')[0], signal.SIGKILL)
    wait_for(lambda: 'nothing is sent, since the journal' in isp.daemon.log(),
             'an error in the log')
    stays(lambda: len(isp.servers[name].messages) == 20, 1, 'letters')
    os.unlink(ballast)
    isp.arrived(name)
    require('the journal is written again' in isp.daemon.log(), 'log')


def read_only_make(where):
    """Not while somebody holds a file open to write: the lock of a run"""
    with contextlib.suppress(OSError):
        mount('none', where, 'tmpfs', MS_REMOUNT | MS_RDONLY)
        return True
    return False


@case()
def spool_read_only():
    """A spool that became read-only: nothing is sent, later all of it"""
    where = small_disk(4 * 1024 * 1024)
    mended = threading.Event()
    isp = Isp(customers=0, front=False, autoturn=False,
              spool=Spool(where=where))
    name = isp.customer(lambda stage, n: None if mended.is_set() or
                        stage != 'RCPT' else '450 later')
    for _ in range(3):
        isp.spool.put(name)
    isp.daemon = Autoturn(isp.configuration())
    wait_for(lambda: isp.daemon.lines('event=run .*deferred=3 .*'), 'a run')
    wait_for(lambda: read_only_make(where), 'a moment without a lock')
    wait_for(lambda: isp.daemon.lines('event=run .*[Rr]ead-only.*'),
             'a run that finds it')
    mended.set()
    stays(lambda: not isp.servers[name].messages, 2.5, 'letters')
    mount('none', where, 'tmpfs', MS_REMOUNT)
    isp.arrived(name)


@case()
def spool_not_writable():
    """What can't be removed is not sent again, and nothing else either"""
    gate = threading.Event()
    isp = Isp('window %d\n' % WINDOW, customers=0, front=False,
              autoturn=False)
    name = isp.customer(lambda stage, n:
                        gate.wait(DEADLINE_S) and None
                        if stage == 'dot' and n == 5 else None)
    for _ in range(40):
        isp.spool.put(name)
    new = '%s/%s/new' % (isp.spool.path, name)
    isp.daemon = Autoturn(isp.configuration())
    server = isp.servers[name]
    wait_for(lambda: server.counts.get('dot', 0) >= 5, 'five letters')
    os.chmod(new, 0o500)
    gate.set()
    wait_for(lambda: 'unable to remove' in isp.daemon.log(),
             'an error in the log')
    wait_for(lambda: isp.daemon.lines('event=run .*result=failed.*'),
             'the end of the run')
    require(len(server.messages) <= 5 + WINDOW, '%d letters were sent' %
            len(server.messages))
    os.chmod(new, 0o700)
    isp.spool.wait_empty(name)
    same(sorted(bodies(server)), sorted(isp.spool.put_bodies[name]),
         'letters')


@case()
def trickles():
    """One that takes a byte at a time holds up nobody else"""
    isp = Isp(customers=0, front=False, autoturn=False)
    slow, other = isp.customer(), isp.customer()
    isp.servers[slow].chunk = 1
    isp.servers[slow].pause = 0.02
    for _ in range(3):
        isp.spool.put(slow)
    for _ in range(100):
        isp.spool.put(other)
    isp.daemon = Autoturn(isp.configuration())
    isp.arrived(other)
    require(isp.spool.waiting(slow), 'the slow one was no slower')
    isp.servers[slow].chunk, isp.servers[slow].pause = 65536, 0
    isp.arrived(slow)


@case()
def killer():
    """A letter that kills the server does not keep the others"""
    def rules(stage, n):
        return None
    isp = Isp(customers=0, front=False, autoturn=False)
    name = isp.customer(rules)
    server = isp.servers[name]
    taken = server.reader

    def reader(connection):
        made = taken(connection)
        until = made.until

        def checked(end):
            data = until(end)
            if b'KILLER' in data:
                raise mailserver.Gone
            return data
        made.until = checked
        return made
    server.reader = reader
    bad = isp.spool.put(name, b'Subject: bad\n\nKILLER\n')
    isp.spool.put_bodies[name].pop()
    for _ in range(5):
        isp.spool.put(name)
    isp.daemon = Autoturn(isp.configuration())
    wait_for(lambda: len(server.messages) == 5, 'five letters')
    same(sorted(bodies(server)), sorted(isp.spool.put_bodies[name]),
         'letters')
    quarantine = '%s/%s/quarantine/%s' % (isp.spool.path, name, bad)
    # By each that goes before it and comes through.
    for i in range(6, 16):
        if os.path.exists(quarantine):
            break
        isp.spool.put(name)
        os.kill(isp.daemon.children('queue')[0], 0)
        wait_for(lambda: len(server.messages) >= i or
                 os.path.exists(quarantine), 'letter %d' % i)
    wait_for(lambda: os.path.exists(quarantine + '.reason'), 'quarantine')
    wait_for(lambda: isp.daemon.lines('event=message .*status=quarantined.*'),
             'the log')


if sys.argv[1:2] == ['proof']:
    print(mixed(int(sys.argv[2]), int(sys.argv[3]),
                int(sys.argv[4]) if len(sys.argv) > 4 else
                int(time.time()), 600))
    sys.exit(0)
main()
