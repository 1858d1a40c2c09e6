# What the tests of this directory share: test cases that speak kyua's "atf"
# interface, and a tcpserver to try things on, with its log and processes.
#
# Nothing here sleeps for a thing to happen: it looks until it is so, and
# fails at a deadline.  Every server is a session of its own, so that all
# that came of it can be found and ended.

import atexit
import collections
import ctypes
import errno
import fcntl
import os
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

STAGE = os.environ.get('STAGE', '')
PEERS = os.environ.get('PEERS', '')
SANITIZED = os.environ.get('SANITIZED', '') != ''
DEADLINE_S = 60 if SANITIZED else 25
TICKS_PER_S = os.sysconf('SC_CLK_TCK')
SOURCE_DIR = os.path.dirname(os.path.abspath(__file__))
START_DIR = os.getcwd()
SESSIONS_FILE = os.path.join(START_DIR, '.sessions')
SCRATCH_FILE = os.path.join(START_DIR, '.scratch')
# A real user is there on every system, and so is the absence of this one.
NOBODY_UID = 65534
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
MS_BIND, MS_PRIVATE_ALL = 0x1000, 0x40000 | 0x4000
# crypt(3) of "sesame", SHA-512.
PASSWORD_HASH = ('$6$opensesame$jae8m4Dl20t3o.xg1NuW7AY7rARdOGcwAk4pUhMj'
                 'N2jGWDaAk9jkeO2JMqVW1N7kY9gQ9axJNWsFuucxY6hRZ1')


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def fail(text):
    raise Failed(text)


def skip(reason):
    raise Skipped(reason)


def require(condition, text):
    if not condition:
        fail(text)


def same(got, wanted, what):
    if got != wanted:
        fail('%s: %r, should be %r' % (what, got, wanted))


# Test cases

cases = collections.OrderedDict()


def case(user=None, timeout=120):
    def register(function):
        cases[function.__name__] = (function, user, timeout,
                                    function.__doc__ or '')
        return function
    return register


def cases_list():
    print('Content-Type: application/X-atf-tp; version="1"')
    for name, (_, user, timeout, descr) in cases.items():
        print('\nident: %s' % name)
        if descr:
            print('descr: %s' % ' '.join(descr.split()))
        print('timeout: %d' % (timeout * 3 if SANITIZED else timeout))
        print('has.cleanup: true')
        print('require.progs: python3')
        if user:
            print('require.user: %s' % user)


def case_run(name):
    """The line of the result file."""
    try:
        preconditions()
        cases[name][0]()
    except Skipped as why:
        return 'skipped: %s' % why
    except Failed as why:
        traceback.print_exc()
        text = 'failed: %s' % why
    except (Exception, SystemExit) as why:  # a test that breaks has failed
        traceback.print_exc()
        text = 'failed: %s: %s' % (type(why).__name__, why)
    else:
        return 'passed'
    for server in Server.all:
        server.tell()
    return text.replace('\n', ' ')[:1000]


def preconditions():
    require(os.access(STAGE + '/bin/tcpserver', os.X_OK),
            '$STAGE: no tcpserver in %s/bin' % STAGE)
    if not os.path.exists('/proc/self/stat'):
        skip('looks at processes through Linux\'s proc(5)')


def main():
    """For each test program: NAME_test [-l] [-r file] [-s dir] case"""
    args, result, listing = sys.argv[1:], None, False
    while args and args[0].startswith('-'):
        option, value = args[0][:2], args[0][2:]
        args = args[1:]
        if option == '-l':
            listing = True
        elif option in ('-r', '-s', '-v') and not value and args:
            value, args = args[0], args[1:]
        if option == '-r':
            result = value
    if listing:
        cases_list()
        return
    name, _, part = args[0].partition(':')
    if part == 'cleanup':
        clean_up()
        return
    text = case_run(name)
    clean_up()
    if result:
        with open(result, 'w') as f:
            f.write(text + '\n')
    else:
        print(text)
    os._exit(0 if text == 'passed' or text.startswith('skipped') else 1)


# Waiting

def wait_for(condition, what, seconds=None):
    """The first true value of condition(), which is asked again and again"""
    end = time.monotonic() + (seconds or DEADLINE_S)
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            fail('waited in vain for %s' % what)
        select.select([], [], [], pause)
        pause = min(pause * 1.5, 0.05)


def stays(condition, seconds, what):
    """condition() holds all that time"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        require(condition(), what)
        select.select([], [], [], 0.02)


# Processes

def process_stat(pid):
    """The fields of proc(5)'s stat after the name, or None"""
    try:
        with open('/proc/%d/stat' % pid, 'rb') as f:
            return f.read().rpartition(b')')[2].split()
    except OSError:
        return None


def processes():
    return [int(name) for name in os.listdir('/proc') if name.isdigit()]


def process_parent(pid):
    stat = process_stat(pid)
    return int(stat[1]) if stat else 0


def process_state(pid):
    stat = process_stat(pid)
    return stat[0].decode() if stat else ''


def process_session(pid):
    stat = process_stat(pid)
    return int(stat[3]) if stat else 0


def process_cpu_s(pid):
    """CPU time so far, as exactly as this kernel tells"""
    try:
        with open('/proc/%d/schedstat' % pid) as f:
            return int(f.read().split()[0]) / 1e9
    except OSError:
        pass
    stat = process_stat(pid)
    return (int(stat[11]) + int(stat[12])) / TICKS_PER_S if stat else 0.0


def process_command(pid):
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            return f.read().rstrip(b'\0').replace(b'\0', b' ').decode(
                'utf-8', 'replace')
    except OSError:
        return ''


def process_fds(pid):
    """What its descriptors are; None when it can't be seen"""
    found = {}
    try:
        for name in os.listdir('/proc/%d/fd' % pid):
            try:
                found[int(name)] = os.readlink('/proc/%d/fd/%s' % (pid, name))
            except FileNotFoundError:
                pass
    except OSError:
        return None
    return found


def process_alive(pid):
    return process_state(pid) not in ('', 'Z', 'X')


def session_processes(sid):
    return [pid for pid in processes() if process_session(pid) == sid and
            process_alive(pid)]


def kill_quietly(pid, sig):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def session_remember(sid):
    with open(SESSIONS_FILE, 'a') as f:
        f.write('%d %d\n' % (sid, start_time(sid)))


def start_time(pid):
    stat = process_stat(pid)
    return int(stat[19]) if stat else 0


def clean_up():
    """Ends all that this case began, also one that was cut off"""
    try:
        with open(SESSIONS_FILE) as f:
            sessions = [[int(word) for word in line.split()] for line in f]
    except FileNotFoundError:
        sessions = []
    for sid, started in sessions:
        for _ in range(200):
            # Its number might be another's by now: an older one's never.
            left = [pid for pid in session_processes(sid)
                    if start_time(pid) >= started]
            if not left:
                break
            for pid in left:
                kill_quietly(pid, signal.SIGKILL)
            reap()
            select.select([], [], [], 0.01)
    try:
        with open(SCRATCH_FILE) as f:
            for path in f.read().split('\n'):
                if path:
                    shutil.rmtree(path, ignore_errors=True)
    except FileNotFoundError:
        pass


def scratch(mode=0o755):
    """A directory that other users can reach; kyua's own may be closed"""
    path = tempfile.mkdtemp(prefix='world.', dir='/tmp')
    os.chmod(path, mode)
    with open(SCRATCH_FILE, 'a') as f:
        f.write(path + '\n')
    return path


def helper(name):
    """One of our programs, where the service's user can run it too"""
    return os.path.join(SOURCE_DIR, name)


def peer(path):
    full = os.path.join(PEERS, path)
    if not PEERS or not os.path.exists(full):
        skip('no %s among the unpacked peers' % path)
    return full


def peers_environment():
    """Debian's programs run from where they were unpacked"""
    env = dict(os.environ)
    env['LD_LIBRARY_PATH'] = PEERS + '/usr/lib'
    env['MODULE_PATH'] = PEERS + '/usr/lib/mailfront'
    env['PATH'] = '%s/bin:%s/usr/bin:%s/usr/sbin:%s' % (
        STAGE, PEERS, PEERS, os.environ['PATH'])
    return env


def require_libraries(path, env=None):
    done = subprocess.run(['ldd', path], env=env or peers_environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    for line in done.stdout.decode().splitlines():
        if 'not found' in line:
            skip('%s needs a library that is not here: %s' % (
                os.path.basename(path), line.split()[0]))


def subreaper():
    """What a killed parent of ours leaves becomes ours to see and reap"""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(36, 1, 0, 0, 0)


def files_limit(wanted):
    """So many descriptors for this process and what it starts"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        skip('needs %d descriptors, the limit here is %d' % (wanted, hard))
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit_set(pid, which, soft):
    """Another process's soft limit, changed as its own user may change it;
    the one it had"""
    with open('/proc/%d/status' % pid) as f:
        ids = {line.split()[0]: int(line.split()[1]) for line in f
               if line.startswith(('Uid:', 'Gid:'))}
    old, hard = resource.getrlimit(which)
    result, end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setresgid(*[ids['Gid:']] * 3)
                os.setresuid(*[ids['Uid:']] * 3)
            old, hard = resource.prlimit(pid, which)
            resource.prlimit(pid, which, (soft, hard))
            os.write(end, b'%d' % old)
        finally:
            os._exit(0)
    os.close(end)
    old = os.read(result, 40)
    os.close(result)
    os.waitpid(child, 0)
    require(old, 'can\'t change a limit of process %d' % pid)
    return int(old)


def own_namespace(kind, flag):
    """Who is not root has it in a namespace of users, too"""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(flag | (CLONE_NEWUSER if uid != 0 else 0)) == -1:
        skip('no %s namespace of our own: %s' % (
            kind, os.strerror(ctypes.get_errno())))
    if uid != 0:
        for name, text in (('setgroups', 'deny'),
                           ('uid_map', '%d %d 1' % (uid, uid)),
                           ('gid_map', '%d %d 1' % (gid, gid))):
            with open('/proc/self/' + name, 'w') as f:
                f.write(text)


def own_network():
    """
    A network of this test's own, and of all that it starts: fixed ports and
    the kernel's settings are of no concern to others.
    """
    own_namespace('network', CLONE_NEWNET)
    # Ports below 1024 as well, for who is not root.
    with open('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'w') as f:
        f.write('0')
    with socket.socket() as s:
        # struct ifreq: name, IFF_UP
        request = struct.pack('16sh', b'lo', 1).ljust(40, b'\0')
        fcntl.ioctl(s, 0x8914, request)


def mount(*args):
    done = subprocess.run(['mount'] + list(args), stderr=subprocess.PIPE,
                          check=False)
    if done.returncode != 0:
        skip('can\'t mount in a namespace of our own: %s' %
             done.stderr.decode().strip())


def mount_call(libc, source, target, kind, flags):
    """As mount(2), which mount(8) leaves to root"""
    args = [word.encode() if word else None for word in (source, target, kind)]
    if libc.mount(*args, flags, None) == -1:
        skip('no file systems of our own: %s' %
             os.strerror(ctypes.get_errno()))


def own_dev():
    """A /dev of our own, where nobody logs"""
    libc = ctypes.CDLL(None, use_errno=True)
    own_namespace('mount', CLONE_NEWNS)
    null = os.open('/dev/null', os.O_RDWR)
    mount_call(libc, None, '/', None, MS_PRIVATE_ALL)
    mount_call(libc, 'tmpfs', '/dev', 'tmpfs', 0)
    os.chmod('/dev', 0o755)
    open('/dev/null', 'w').close()
    mount_call(libc, '/proc/self/fd/%d' % null, '/dev/null', None, MS_BIND)
    os.close(null)


def own_files(user, uid):
    """
    A mount namespace with /etc, /var/mail and /var/lib of the test's own:
    there is a user to fetch mail for, and the system never hears of him.
    """
    own_namespace('mount', CLONE_NEWNS)
    mount('--make-rprivate', '/')
    etc = scratch()
    for name in ('passwd', 'group', 'shadow', 'nsswitch.conf', 'ld.so.cache',
                 'localtime', 'hosts', 'resolv.conf', 'services',
                 'protocols'):
        if os.path.exists('/etc/' + name):
            shutil.copy2('/etc/' + name, etc)
    for name in ('pam.d', 'security', 'ssl'):
        if os.path.exists('/etc/' + name):
            shutil.copytree('/etc/' + name, etc + '/' + name, symlinks=True)
    shutil.copy(peer('etc/pam.d/popa3d'), etc + '/pam.d')
    with open(etc + '/passwd', 'a') as f:
        f.write('%s:x:%d:%d::/nonexistent:/bin/sh\n' % (user, uid, uid))
        f.write('popa3d:x:%d:%d::/var/lib/popa3d:/bin/false\n' % (
            uid + 1, uid + 1))
    with open(etc + '/group', 'a') as f:
        f.write('%s:x:%d:\npopa3d:x:%d:\n' % (user, uid, uid + 1))
    with open(etc + '/shadow', 'a') as f:
        f.write('%s:%s:20000:0:99999:7:::\npopa3d:*:20000:0:99999:7:::\n' % (
            user, PASSWORD_HASH))
    mount('--bind', etc, '/etc')
    mount('-t', 'tmpfs', 'tmpfs', '/var/lib')
    mount('-t', 'tmpfs', 'tmpfs', '/var/mail')
    os.mkdir('/var/lib/popa3d')
    shutil.chown('/var/mail', 0, 'mail')
    os.chmod('/var/mail', 0o2775)


# tcpserver

class Server:
    """A tcpserver, started the classic way; its log goes to a file"""
    all = []

    def __init__(self, options, program, host='127.0.0.1', port=0, env=None,
                 log=None, cwd=None, wrap=(), prepare=None, name='tcpserver',
                 tells_port=True, stdin=subprocess.DEVNULL):
        self.cwd = cwd or os.getcwd()
        self.log_path = os.path.join(START_DIR, 'log.%d' % len(Server.all))
        self.seen_pids = []
        open(self.log_path, 'w').close()
        self.argv = [STAGE + '/bin/' + name, '-1'] + list(options) + [
            host, str(port)] + list(program)
        if not tells_port:
            self.argv.remove('-1')

        def begin():
            os.setsid()
            if prepare:
                prepare()
        log_file = log if log is not None else open(self.log_path, 'a')
        self.process = subprocess.Popen(
            list(wrap) + self.argv, stdout=subprocess.PIPE, stderr=log_file,
            stdin=stdin, env=env, cwd=cwd, preexec_fn=begin)
        if log is None:
            log_file.close()
        self.pid = self.process.pid
        session_remember(self.pid)
        Server.all.append(self)
        self.host, self.port = host, port
        if tells_port:
            self.port = self.port_read()

    def port_read(self):
        line = b''
        end = time.monotonic() + DEADLINE_S
        while not line.endswith(b'\n'):
            ready = select.select([self.process.stdout], [], [],
                                  max(0, end - time.monotonic()))[0]
            data = os.read(self.process.stdout.fileno(), 64) if ready else b''
            if not data:
                self.process.poll()
                fail('tcpserver told no port: exit %s, log: %s' %
                     (self.process.returncode, self.log()))
            line += data
        return int(line)

    def tell(self):
        sys.stderr.write('--- log of %s\n' % ' '.join(self.argv))
        log = self.log()
        if len(log) > 20000:
            log = log[:8000] + '\n[...]\n' + log[-12000:]
        sys.stderr.write(log + '--- processes\n')
        for pid in session_processes(self.pid)[:50]:
            sys.stderr.write('%d %s %s\n' % (pid, process_state(pid),
                                             process_command(pid)))

    # The log

    def log(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def lines(self, pattern):
        return re.findall('^tcpserver: ' + pattern + '$', self.log(), re.M)

    def wait_lines(self, pattern, count, seconds=None):
        return wait_for(lambda: (len(self.lines(pattern)) >= count and
                                 self.lines(pattern)),
                        '%d log lines %r' % (count, pattern), seconds)

    def status(self):
        """The last status line: (sessions, limit)"""
        found = self.lines(r'status: (\d+)/(\d+)')
        return (int(found[-1][0]), int(found[-1][1])) if found else None

    def wait_status(self, sessions, seconds=None):
        wait_for(lambda: (self.status() or (None,))[0] == sessions,
                 'status %d' % sessions, seconds)

    def status_sequence(self):
        return [int(n) for n in self.lines(r'status: (\d+)/\d+')]

    # The processes

    def children(self, role=None):
        found = []
        for pid in processes():
            if process_parent(pid) != self.pid or not process_alive(pid):
                continue
            command = process_command(pid)
            for kind in ('engine', 'launcher', 'resolver'):
                if 'tcpserverd' in command.split(' ')[0] and kind in command:
                    if role in (None, kind):
                        found.append(pid)
        return found

    def child(self, role):
        return wait_for(lambda: self.children(role), 'a %s' % role)[0]

    def ours(self):
        return [self.pid] + self.children()

    def programs(self):
        """What runs in the session and is not of the server's own"""
        ours = set(self.ours())
        return [pid for pid in session_processes(self.pid)
                if pid not in ours]

    def cpu_s(self):
        return {pid: process_cpu_s(pid) for pid in self.ours()}

    # Its clients

    def connect(self, source=None, host=None, seconds=None):
        host = host or self.host
        if host in ('0', ''):
            host = '127.0.0.1'
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(seconds or DEADLINE_S)
        if source:
            s.bind((source, 0))
        try:
            s.connect((host, self.port))
        except OSError:
            s.close()
            raise
        return s

    def ask(self, source=None, host=None):
        """All that a client gets until the end of the connection"""
        s = self.connect(source, host)
        try:
            return read_all(s)
        finally:
            s.close()

    def hold(self, source=None, host=None):
        """A client of the program "hold": its socket, the program's pid"""
        s = self.connect(source, host)
        return s, int(read_line(s))

    # Its end

    def stop(self, sig=signal.SIGTERM):
        """Ends it; the exit status"""
        self.process.send_signal(sig)
        return self.wait()

    def wait(self, seconds=None):
        try:
            return self.process.wait(seconds or DEADLINE_S)
        except subprocess.TimeoutExpired:
            fail('tcpserver %d does not end' % self.pid)

    def wait_gone(self):
        """Nothing of the server itself is left; programs may be"""
        wait_for(lambda: not [pid for pid in session_processes(self.pid)
                              if is_ours(pid) or is_ending(pid)],
                 'the end of every process')


def is_ours(pid):
    command = process_command(pid)
    return command.startswith('tcpserverd') or \
        command.split(' ')[0].startswith(STAGE)


def is_ending(pid):
    """Its memory goes first, its descriptors only then"""
    return process_command(pid) == ''


def log_around(server, pid):
    """What the log has of a program, and around it"""
    lines = server.log().splitlines()
    for at, line in enumerate(lines):
        if pid in line.split() or 'warning' in line:
            sys.stderr.write('--- line %d\n%s\n' % (
                at, '\n'.join(lines[max(0, at - 3):at + 6])))


def read_line(s):
    data = b''
    while not data.endswith(b'\n'):
        byte = s.recv(1)
        if not byte:
            fail('connection closed after %r' % data)
        data += byte
    return data


def read_all(s):
    data = b''
    while True:
        part = s.recv(65536)
        if not part:
            return data
        data += part


class Load:
    """
    Clients of the program "answer", several at a time, one after the other,
    each with a word of its own that must come back.  What can befall one:
    served; lost, which is closed without a byte, as when the process that
    held it is killed; anything else is kept in wrong.
    """

    def __init__(self, server, threads=8, total=None, source=None):
        self.server, self.source = server, source
        self.served = self.lost = 0
        self.wrong = []
        self.pids = []
        self.left = total
        self.ending = False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, daemon=True)
                        for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def next(self):
        with self.lock:
            if self.ending or self.left == 0:
                return False
            if self.left is not None:
                self.left -= 1
            return True

    def run(self):
        while self.next():
            word = b'%s\n' % os.urandom(8).hex().encode()
            try:
                got = self.client(word)
            except OSError as why:
                got = why
            with self.lock:
                self.count(got, word)

    def client(self, word):
        s = self.server.connect(self.source)
        try:
            try:
                s.sendall(word)
                return read_all(s)
            except (ConnectionResetError, BrokenPipeError):
                return b''
        finally:
            s.close()

    def count(self, got, word):
        if got == b'':
            self.lost += 1
        elif isinstance(got, bytes) and got.endswith(b' ' + word):
            self.served += 1
            self.pids.append(int(got.split()[0]))
        else:
            self.wrong.append('%r' % got)

    def wait_served(self, more):
        wanted = self.served + more
        wait_for(lambda: self.served >= wanted or self.wrong,
                 '%d more clients served' % more)

    def end(self):
        self.ending = True
        return self.wait()

    def wait(self):
        for thread in self.threads:
            thread.join(DEADLINE_S * 2)
            require(not thread.is_alive(), 'a client waits for ever')
        require(not self.wrong, 'answers: %s' % ', '.join(self.wrong[:5]))
        sys.stderr.write('served %d, lost %d\n' % (self.served, self.lost))
        return self.served, self.lost


def quiet(server, seconds=0.5):
    """None of its processes spins: CPU over an interval, told and judged"""
    before = server.cpu_s()
    select.select([], [], [], seconds)
    after = server.cpu_s()
    used = {pid: after[pid] - before[pid] for pid in after if pid in before}
    total = sum(used.values())
    sys.stderr.write('CPU of %d processes over %.1f s: %.1f ms\n' % (
        len(used), seconds, total * 1000))
    require(total < seconds * (0.3 if SANITIZED else 0.1),
            'spins: %r s of CPU in %.1f s' % (used, seconds))


def nothing_served(s, seconds=0.5):
    """The connection stays open and nothing comes"""
    return not select.select([s], [], [], seconds)[0]


def port_free(host, port):
    """Could be bound again at once, as a restart does"""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
        except OSError as why:
            if why.errno == errno.EADDRINUSE:
                return False
            raise
        return True


def own_address():
    """A loopback address of the test's own: fixed ports meet nobody there"""
    return '127.%d.%d.%d' % (os.getpid() % 250 + 2, os.urandom(1)[0],
                             os.urandom(1)[0] % 250 + 2)


def own_port(host):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def state_parse(data):
    """What the program "state" told, as {word: [rest of the line, ...]}"""
    text = data.decode()
    require(text.endswith('done\n'), 'state: cut off: %r' % text[-200:])
    found = collections.defaultdict(list)
    for line in text.splitlines():
        word, _, rest = line.partition(' ')
        found[word].append(rest)
    return found


def state_variables(state):
    return dict(line.partition('=')[::2] for line in state['env'])


def rules_compile(text, cdb='rules.cdb', tmp='rules.tmp', cwd=None):
    done = subprocess.run([STAGE + '/bin/tcprules', cdb, tmp],
                          input=text.encode(), cwd=cwd, check=False,
                          stderr=subprocess.PIPE)
    require(done.returncode == 0, 'tcprules: %s' % done.stderr.decode())


def log_exact(server, lost_ends=0):
    """
    Every program that was started has one end line, and nothing else has;
    the count came back to 0 and was never above the limit.
    """
    started = collections.Counter(server.lines(r'pid (\d+) from \S+'))
    ended = collections.Counter(server.lines(r'end (\d+) status \d+'))
    missing, extra = started - ended, ended - started
    for pid in list(missing) + list(extra):
        log_around(server, pid)
    require(not extra, 'ends without a start: %s' % dict(extra))
    require(sum(missing.values()) <= lost_ends,
            'no end line for %s' % dict(missing))
    require(server.status()[0] == 0, 'status %d/%d' % server.status())


atexit.register(clean_up)
