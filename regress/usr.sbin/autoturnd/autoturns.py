# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# An ISP of the test's own, on the worlds of ../tcpserverd and
# ../tcpserverd-daemon: a spool, autoturnd, tcpserverd that tells it who has
# come, and customers with their mail servers, each on a loopback address of
# its own.

import getpass
import itertools
import pwd

import world
from world import *
import daemons
from daemons import Daemon, Manager, Place, port_pick, service

import mailserver

AS_ROOT = os.geteuid() == 0
# Who has the Maildirs, where we can choose.
SPOOL_UID = NOBODY_UID if AS_ROOT else os.geteuid()
SPOOL_GID = pwd.getpwuid(SPOOL_UID).pw_gid
OTHER_UID = 61001       # nobody has it
CHILDREN = ('queue', 'relay', 'mailer')


def user_name():
    return pwd.getpwuid(os.geteuid()).pw_name


def customer_address(port=None):
    """A loopback address where this port is free"""
    while True:
        host = own_address()
        if port is None:
            return host
        with socket.socket() as s:
            if s.connect_ex((host, port)) != 0:
                return host


class Spool:
    """Maildirs; what was put there is remembered"""
    numbers = itertools.count(1)

    def __init__(self, uid=None, mode=0o755, where=None):
        self.path = (where or scratch()) + '/autoturn'
        self.uid = SPOOL_UID if uid is None else uid
        self.gid = SPOOL_GID if uid is None else uid
        self.put_bodies = {}
        os.mkdir(self.path)
        os.chmod(self.path, mode)

    def give(self, path):
        if AS_ROOT:
            os.chown(path, self.uid, self.gid)

    def maildir(self, name, mode=0o700):
        top = '%s/%s' % (self.path, name)
        for path in (top, top + '/new', top + '/cur', top + '/tmp'):
            os.mkdir(path, mode)
            self.give(path)
        self.put_bodies[name] = []
        return top

    def put(self, name, body=None, sender='a@b.example',
            recipient='user@customer.example', age_s=60, prefix=None):
        """One letter, older than the last; the file's name"""
        number = next(self.numbers)
        if body is None:
            body = b'Subject: %d\n\nletter %d\n' % (number, number)
        self.put_bodies[name].append(body)
        if prefix is None:
            prefix = 'autoturn-%s-' % name
        file = '%d.%06d.test' % (1700000000 + number, number)
        tmp = '%s/%s/tmp/%s' % (self.path, name, file)
        with open(tmp, 'wb') as f:
            f.write(b'Return-Path: <%s>\nDelivered-To: %s%s\n' % (
                sender.encode(), prefix.encode(), recipient.encode()))
            f.write(body)
        self.give(tmp)
        when = time.time() - age_s + number / 1000
        os.utime(tmp, (when, when))
        os.rename(tmp, '%s/%s/new/%s' % (self.path, name, file))
        return file

    def waiting(self, name):
        return sorted(os.listdir('%s/%s/new' % (self.path, name)) +
                      os.listdir('%s/%s/cur' % (self.path, name)))

    def wait_empty(self, name, seconds=None):
        wait_for(lambda: not self.waiting(name),
                 'an empty Maildir %s: %r' % (name, self.waiting(name)[:5]),
                 seconds)


def bodies(server):
    """What a mail server took, as it was in the spool"""
    return [mailserver.unstuffed(m.body).replace(b'\r\n', b'\n')
            for m in server.messages]


class Autoturn(Daemon):
    """autoturnd -d, or in the background; waits until it is ready"""

    def __init__(self, text, options=(), background=False, env=None,
                 prepare=None, ready=True, stage=None, where=None):
        self.where = where or scratch()
        self.conf = self.where + '/autoturnd.conf'
        self.socket = self.where + '/actl'
        self.pid_path = self.where + '/apid'
        self.state = self.where + '/state'
        self.background = background
        self.reports = self.where + '/sendmail'
        self.write(text)
        if not os.path.exists(self.reports):
            self.sendmail()
        self.manager = Manager(scratch())
        self.cwd = os.getcwd()
        self.log_path = os.path.join(START_DIR, 'log.%d' % len(Server.all))
        self.argv = [(stage or STAGE) + '/sbin/autoturnd', '-f', self.conf,
                     '-s', self.socket, '-p', self.pid_path]
        if not background:
            self.argv.append('-d')
        self.argv += list(options)
        env = dict(os.environ if env is None else env)
        env['NOTIFY_SOCKET'] = self.manager.path

        def begin():
            os.setsid()
            if prepare:
                prepare()
        with open(self.log_path, 'w') as log:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log, env=env,
                preexec_fn=begin)
        self.pid = self.process.pid
        session_remember(self.pid)
        Server.all.append(self)
        if background and ready:
            same(self.wait(), 0, 'exit code of the starter')
            self.pid_read()
        elif ready:
            self.wait_ready()

    def wait_ready(self):
        wait_for(lambda: self.manager.count('READY=1') or
                 self.process.poll() is not None, 'READY=1')
        require(self.process.poll() is None, 'ended: ' + self.log())

    def sendmail(self):
        """What takes reports: each in a file, its arguments first"""
        box = self.where + '/reports'
        os.mkdir(box)
        if AS_ROOT:
            os.chown(box, SPOOL_UID, SPOOL_GID)
        with open(self.reports, 'w') as f:
            f.write('#!/bin/sh\nf=%s/$$\n(echo "$*"; cat) >$f.new && '
                    'mv $f.new $f.report\n' % box)
        os.chmod(self.reports, 0o755)

    def write(self, text):
        """With what every one of ours must say, so as not to meet others"""
        head = 'state "%s"\nreports by sendmail "%s"\n' \
            'hostname isp.example\n' % (self.state, self.reports)
        if 'events ' not in text:
            head += 'events off\n'
        super().write(head + text)

    def lines(self, pattern):
        return re.findall('^autoturnd: ' + pattern + '$', self.log(), re.M)

    def children(self, role=None, of=''):
        found = []
        for pid in processes():
            if process_parent(pid) != self.pid or not process_alive(pid):
                continue
            words = process_command(pid)
            for kind in CHILDREN:
                if re.search(r'^autoturnd: %s|-P %s' % (kind, kind), words) \
                        and role in (None, kind) and of in words:
                    found.append(pid)
        return found

    def kill(self, pid):
        """And another is there in its place"""
        role = [r for r in CHILDREN if pid in self.children(r)][0]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not process_alive(pid), 'its end')
        return wait_for(lambda: [p for p in self.children(role) if p != pid],
                        'a new ' + role)[0]

    def wait_gone(self):
        wait_for(lambda: not [p for p in session_processes(self.pid)
                              if 'autoturnd' in process_command(p)],
                 'the end of every process')

    def ctl(self, *words, options=()):
        done = subprocess.run(
            [STAGE + '/sbin/autoturnctl', '-s', self.socket] +
            list(options) + list(words), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, timeout=DEADLINE_S * 2)
        return done.returncode, done.stdout.decode()

    def reload(self, text=None):
        if text is not None:
            self.write(text)
        self.hup()

    def not_reloaded(self, text, pattern):
        self.write(text)
        self.hup('warning: configuration not reloaded, the old one stays')
        require(re.search(pattern, self.log()), 'log: %r' % self.log())


class Front:
    """tcpserverd, to which customers come, and its event socket"""

    def __init__(self, where=None):
        self.host = own_address()
        self.port = port_pick(self.host)
        self.hello = port_pick(self.host)
        self.where = where or scratch()
        self.events = self.where + '/events'
        self.text = 'event socket "%s" user "%s"\n' % (
            self.events, user_name()) + \
            'service smtp {\n\tlisten on %s port %d\n' \
            '\texec "/bin/sh" "-c" "echo 220; read x; echo 221"\n' \
            '\tnotify autoturn on end\n}\n' \
            'service hello {\n\tlisten on %s port %d\n' \
            '\tnotify autoturn on connect\n\tclose\n}\n' % (
                self.host, self.port, self.host, self.hello)
        self.start()

    def start(self):
        self.daemon = Daemon(self.text)

    def directive(self):
        return 'events from "%s"\n' % self.events

    def session(self, source):
        """A session of a customer begins and ends"""
        with socket.create_connection((self.host, self.port), DEADLINE_S,
                                      (source, 0)) as s:
            s.sendall(b'QUIT\r\n')
            read_all(s)

    def hello_say(self, source, reset=False):
        s = socket.socket()
        s.bind((source, 0))
        s.settimeout(DEADLINE_S)
        s.connect((self.host, self.hello))
        if reset:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack('ii', 1, 0))
        s.close()


class Isp:
    """All of it: customers are added by address.  Nothing is watched: who
    shows up starts a run, or a Maildir's turn, which no test waits for"""
    scan = '1h'
    watches = 0

    def __init__(self, text='', customers=1, spool=None, rules=None,
                 front=True, autoturn=True):
        self.port = port_pick('127.0.0.1')
        self.spool = spool or Spool()
        self.servers = {}
        self.text = text
        self.front = Front() if front else None
        for _ in range(customers):
            self.customer(rules)
        self.daemon = Autoturn(self.configuration()) if autoturn else None
        if self.daemon:
            self.heard()

    def configuration(self, more=''):
        text = self.front.directive() if self.front else ''
        return text + 'port %d\ninterval 1s\nretry 1s max 2s\n' % \
            self.port + self.text + \
            'spool "%s" {\n\tscan %s\n\twatches %d\n}\n' % (
                self.spool.path, self.scan, self.watches) + more

    def customer(self, rules=None, host=None):
        host = host or customer_address(self.port)
        self.servers[host] = mailserver.Smtp(rules=rules, host=host,
                                             port=self.port)
        self.spool.maildir(host)
        return host

    def heard(self):
        """The queue listens to tcpserverd"""
        if self.front:
            wait_for(lambda: self.front.daemon.show('status')['event_clients'],
                     'a listener on the event socket')

    def names(self):
        return list(self.servers)

    def arrived(self, name, count=None):
        """All that was put is there, in order, byte for byte, and gone"""
        wanted = self.spool.put_bodies[name]
        server = self.servers[name]
        wait_for(lambda: len(server.messages) >= len(wanted),
                 '%d letters at %s, %d came' % (len(wanted), name,
                                                len(server.messages)))
        same(bodies(server), wanted, 'letters')
        same(server.errors, [], 'what the server had to say')
        self.spool.wait_empty(name)
