# A tcpserverd -f of the test's own, on the world of ../tcpserverd: its
# configuration, its service manager, its operators, its clients.

import json
import random

import world
from world import *

NOT_OURS = 61000	# uid and gid that nobody has


def port_pick(host):
    """A port below those that the system gives to clients"""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket(family) as s:
            try:
                s.bind((host, port))
                return port
            except OSError as why:
                if why.errno == errno.EADDRNOTAVAIL:
                    skip('no address %s here' % host)


class Place:
    """Somewhere to connect to; what Load asks of a server"""

    def __init__(self, host=None, port=None):
        self.host = host or own_address()
        self.port = port or port_pick(self.host)

    def listen(self, rest=''):
        return '\tlisten on %s port %d %s\n' % (self.host, self.port, rest)

    def connect(self, source=None, seconds=None):
        family = socket.AF_INET6 if ':' in self.host else socket.AF_INET
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(seconds or DEADLINE_S)
        try:
            if source:
                s.bind((source, 0))
            s.connect((self.host, self.port))
        except OSError:
            s.close()
            raise
        return s

    def ask(self, data=b'', source=None):
        with self.connect(source) as s:
            if data:
                s.sendall(data)
            return read_all(s)

    def hold(self):
        s = self.connect()
        return s, int(read_line(s))

    def refused(self):
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass                # in the backlog of one that just closed
        return False

    def load(self, threads=4):
        return Load(self, threads)


def service(name, *directives, **places):
    text = 'service %s {\n' % name
    for d in directives:
        text += d.listen() if isinstance(d, Place) else '\t%s\n' % d
    return text + '}\n'


def run(name, *args):
    return 'exec ' + ' '.join('"%s"' % word
                              for word in (helper(name),) + args)


class Manager:
    """What systemd is to its service: a socket for its words"""

    def __init__(self, where):
        self.path = where + '/notify'
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.heard = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.heard.append(self.socket.recv(4096).decode())

    def count(self, word):
        return len([text for text in list(self.heard)
                    if word in text.split('\n')])


class Daemon(Server):
    """tcpserverd -d, or in the background; waits until it is ready"""

    def __init__(self, text, options=(), background=False, env=None,
                 prepare=None, ready=True, stage=None, manager=True):
        self.where = scratch(0o755)
        self.conf = self.where + '/tcpserverd.conf'
        self.socket = self.where + '/ctl'
        self.pid_path = self.where + '/pid'
        self.background = background
        self.write(text)
        self.manager = Manager(self.where)
        self.cwd = os.getcwd()
        self.log_path = os.path.join(START_DIR, 'log.%d' % len(Server.all))
        self.argv = [(stage or STAGE) + '/sbin/tcpserverd', '-f', self.conf,
                     '-s', self.socket, '-p', self.pid_path]
        if not background:
            self.argv.append('-d')
        self.argv += list(options)
        env = dict(os.environ if env is None else env)
        if manager:
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
            wait_for(lambda: self.manager.count('READY=1') or
                     self.process.poll() is not None, 'READY=1')
            require(self.process.poll() is None, 'ended: ' + self.log())

    def pid_read(self):
        with open(self.pid_path) as f:
            self.pid = int(f.read())
        session_remember(self.pid)

    def write(self, text):
        """As an editor does it: at once"""
        with open(self.conf + '.new', 'w') as f:
            f.write(text)
        os.rename(self.conf + '.new', self.conf)

    def lines(self, pattern):
        return re.findall('^tcpserverd: ' + pattern + '$', self.log(), re.M)

    # Operators

    def ctl(self, *words, options=()):
        done = subprocess.run(
            [STAGE + '/sbin/tcpserverctl', '-s', self.socket] +
            list(options) + list(words), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, timeout=DEADLINE_S * 2)
        return done.returncode, done.stdout.decode()

    def tell(self):
        sys.stderr.write(open(self.conf).read())
        super().tell()

    def order(self, *words):
        code, text = self.ctl(*words)
        require(code == 0, '%s: exit %d, %s' % (' '.join(words), code, text))
        return text

    def refuses(self, pattern, *words):
        """The order fails, and both caller and log hear why"""
        code, text = self.ctl(*(words or ('reload',)))
        require(code == 1, 'exit %d: %s' % (code, text))
        require(re.search(pattern, text), 'told: %r' % text)
        require(re.search(pattern, self.log()), 'log: %r' % self.log())

    def show(self, what):
        code, text = self.ctl('show', what, options=['-j'])
        require(code == 0, 'show %s: exit %d, %s' % (what, code, text))
        return json.loads(text)

    def state(self, name):
        for row in self.show('services')['services']:
            if row['service'] == name:
                return row
        return None

    def reload(self, text=None):
        if text is not None:
            self.write(text)
        return self.order('reload')

    def hup(self, reloaded='configuration reloaded'):
        """By signal; waits for what the log says of it"""
        before = len(self.lines(reloaded))
        os.kill(self.pid, signal.SIGHUP)
        self.wait_lines(reloaded, before + 1)

    def kill(self, pid):
        """And another is there in its place"""
        role = [r for r in ('engine', 'launcher', 'resolver')
                if pid in self.children(r)][0]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not process_alive(pid), 'its end')
        return wait_for(lambda: [p for p in self.children(role) if p != pid],
                        'a new ' + role)[0]

    def stop(self, sig=signal.SIGTERM):
        os.kill(self.pid, sig)
        if not self.background:
            return self.wait()
        wait_for(lambda: not process_alive(self.pid), 'the end')
        return 0


def served_all(*loads):
    """Not one client of these was refused, reset or forgotten"""
    for load in loads:
        served, lost = load.end()
        require(lost == 0, '%d clients lost, %d served' % (lost, served))
        require(served > 0, 'no client at all')
