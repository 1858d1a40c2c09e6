#!/usr/bin/env python3
# Under Debian's own daemontools, and the other ways in which tcpserver is
# started and stopped.

from world import *

PORT = 25
TAI64N = r'^@[0-9a-f]{24} '


class Supervised:
    """svscan with one service, whose log goes to multilog, in a network of
    its own: the port is 25, as in life"""

    def __init__(self, options='-vRHl0 -c 20', prefix='', program='hold',
                 before=''):
        own_network()
        subreaper()
        os.makedirs('service/smtp/log/main')
        program = helper(program)
        self.script('service/smtp/run', 'exec 2>&1\n%s\nexec %s tcpserver %s '
                    '0 %d %s' % (before, prefix, options, PORT, program))
        self.script('service/smtp/log/run', 'exec multilog t s999999 ./main')
        os.chmod('service/smtp', 0o1755)
        self.env = peers_environment()
        self.scan = subprocess.Popen(
            [peer('usr/bin/svscan'), 'service'], env=self.env,
            preexec_fn=os.setsid, stdin=subprocess.DEVNULL)
        session_remember(self.scan.pid)
        self.host, self.port = '127.0.0.1', PORT
        wait_for(lambda: self.svok() and os.path.exists(
            'service/smtp/log/supervise/ok'), 'supervise')

    @staticmethod
    def script(path, text):
        # Complete before it has its name: it is run as soon as it is there.
        with open(path + '.new', 'w') as f:
            f.write('#!/bin/sh\n%s\n' % text)
        os.chmod(path + '.new', 0o755)
        os.rename(path + '.new', path)

    def run(self, tool, *args):
        return subprocess.run([peer('usr/bin/' + tool)] + list(args),
                              env=self.env, stdout=subprocess.PIPE,
                              check=False)

    def svok(self):
        return self.run('svok', 'service/smtp').returncode == 0

    def svc(self, option):
        same(self.run('svc', option, 'service/smtp').returncode, 0,
             'svc ' + option)

    def svstat(self):
        text = self.run('svstat', 'service/smtp').stdout.decode()
        return text.partition(': ')[2].strip()

    def pid(self):
        found = re.match(r'up \(pid (\d+)\)', self.svstat())
        return int(found.group(1)) if found else 0

    def wait_up(self, but=0):
        """The pid of a tcpserver, another than that, which listens"""
        pid = wait_for(lambda: self.pid() not in (0, but) and self.pid(),
                       'svstat: up')
        # Who has children has bound the port: it is not the old one's.
        wait_for(lambda: len(self.family(pid)) > 1, 'tcpserver')
        wait_for(self.listens, 'a listening socket')
        return pid

    def connect(self):
        s = socket.socket()
        s.settimeout(DEADLINE_S)
        try:
            s.connect((self.host, self.port))
        except OSError:
            s.close()
            raise
        return s

    def listens(self):
        try:
            self.connect().close()
            return True
        except ConnectionRefusedError:
            return False

    def hold(self):
        s = self.connect()
        return s, int(read_line(s))

    def ours(self):
        """Every process that is tcpserver's own"""
        return [pid for pid in session_processes(self.scan.pid)
                if process_command(pid).startswith(('tcpserver ',
                                                    'tcpserverd:'))]

    def family(self, pid):
        return [pid] + [child for child in processes()
                        if process_parent(child) == pid and
                        process_command(child).startswith('tcpserverd:')]

    def log(self):
        """Without the time stamps"""
        text = ''
        for name in sorted(os.listdir('service/smtp/log/main')):
            if name == 'current' or name.startswith('@'):
                with open('service/smtp/log/main/' + name) as f:
                    text += f.read()
        for line in text.splitlines():
            require(re.match(TAI64N, line), 'no time stamp: %r' % line)
        return re.sub(TAI64N, '', text, flags=re.M)

    def wait_log(self, pattern, count=1):
        wait_for(lambda: len(re.findall(pattern, self.log(), re.M)) >= count,
                 'log line %r' % pattern)


def log_pipe(pid):
    fds = process_fds(pid)
    return fds.get(2, '') if fds is not None else ''


def gone(pids):
    return not any(process_alive(pid) for pid in pids)


@case()
def pause_and_continue():
    """svc -p: nobody gets service; svc -c: those who waited do"""
    s = Supervised()
    pid = s.wait_up()
    running = s.hold()
    s.svc('-p')
    wait_for(lambda: 'paused' in s.svstat(), 'svstat: paused')
    wait_for(lambda: process_state(pid) == 'T', 'a stopped parent')

    def unserved():
        client = s.connect()
        if nothing_served(client, 0.4):
            return client
        client.close()
        return None
    waiting = [wait_for(unserved, 'a pause')]
    waiting += [s.connect() for _ in range(4)]
    for client in waiting:
        require(nothing_served(client, 0.2), 'served while paused')
    # What runs is not touched.
    require(process_alive(running[1]), 'the program did not live on')
    running[0].close()
    s.wait_log('^tcpserver: end %d status 0$' % running[1])
    s.svc('-c')
    for client in waiting:
        read_line(client)
        client.close()
    same(s.pid(), pid, 'pid')
    same(len(s.family(pid)), 3, 'processes')


@case()
def terminate_and_restart():
    """svc -t: the old ones leave, new ones serve at once on the port"""
    s = Supervised()
    pid = s.wait_up()
    for _ in range(3):
        held = s.hold()
        old = s.family(pid)
        same(len(old), 3, 'processes')
        s.svc('-t')
        pid = s.wait_up(but=pid)
        wait_for(lambda: gone(old), 'the end of the old processes')
        again = s.hold()
        require(process_alive(held[1]), 'the program did not live on')
        for client, _ in (held, again):
            client.close()


@case()
def down_and_up():
    """svc -d: no process, no port; programs live and hold the log; svc -u"""
    s = Supervised()
    pid = s.wait_up()
    held = [s.hold() for _ in range(3)]
    old = s.family(pid)
    pipe = log_pipe(held[0][1])
    require(pipe.startswith('pipe:'), 'the log is %r' % pipe)
    s.svc('-d')
    wait_for(lambda: s.svstat().startswith('down'), 'svstat: down')
    same(s.ours(), [], 'processes of ours')
    require(gone(old), 'processes of ours')
    require(port_free('0.0.0.0', PORT), 'the port is bound')
    require(not s.listens(), 'somebody listens')
    for client, program in held:
        require(process_alive(program), 'the program did not live on')
        same(log_pipe(program), pipe, 'log of the program')
    # Of the service nothing but the programs writes to the log.
    writers = [p for p in session_processes(s.scan.pid)
               if log_pipe(p) == pipe]
    same(sorted(writers), sorted(p for _, p in held), 'writers of the log')
    for client, program in held:
        client.close()
    wait_for(lambda: gone(p for _, p in held), 'the programs\' ends')
    s.svc('-u')
    new = s.wait_up(but=pid)
    client, _ = s.hold()
    client.close()
    require(new != pid, 'the same process')


@case()
def killed():
    """svc -k: the children leave, a new tcpserver binds at once"""
    s = Supervised()
    pid = s.wait_up()
    for _ in range(3):
        held = s.hold()
        old = s.family(pid)
        s.svc('-k')
        pid = s.wait_up(but=pid)
        wait_for(lambda: gone(old), 'the end of the old processes')
        again = s.hold()
        require(process_alive(held[1]), 'the program did not live on')
        for client, _ in (held, again):
            client.close()
    s.svc('-dk')
    wait_for(lambda: s.svstat().startswith('down'), 'svstat: down')
    wait_for(lambda: s.ours() == [], 'no process of ours')
    require(port_free('0.0.0.0', PORT), 'the port is bound')


@case()
def paused_and_killed():
    """svc -p, then -d or -k: a stopped parent does not keep the port"""
    s = Supervised()
    pid = s.wait_up()
    for option in ('-k', '-t'):
        s.svc('-p')
        wait_for(lambda: process_state(pid) == 'T', 'a stopped parent')
        s.svc(option)
        # -t is felt when it runs again.
        s.svc('-c')
        pid = s.wait_up(but=pid)
        client, _ = s.hold()
        client.close()


@case()
def logged_by_multilog():
    """Every line is whole and has its time stamp"""
    s = Supervised()
    s.wait_up()
    pids = []
    for _ in range(30):
        client, program = s.hold()
        client.close()
        pids.append(program)
    for program in pids:
        s.wait_log('^tcpserver: end %d status 0$' % program)
    log = s.log()
    for program in pids:
        for pattern in ('pid %d from 127.0.0.1', 'ok %d 0:127.0.0.1:25 .*',
                        'end %d status 0'):
            same(len(re.findall('^tcpserver: %s$' % pattern % program, log,
                                re.M)), 1, 'line ' + pattern % program)


@case()
def logger_restarted():
    """svc -t of the log: supervise keeps the pipe, nothing is lost"""
    s = Supervised()
    s.wait_up()
    pids = []
    for _ in range(5):
        for _ in range(10):
            client, program = s.hold()
            client.close()
            pids.append(program)
        same(s.run('svc', '-t', 'service/smtp/log').returncode, 0, 'svc')
    for program in pids:
        s.wait_log('^tcpserver: end %d status 0$' % program)


@case()
def softlimits():
    """softlimit's bounds reach the program; 8 MB are enough"""
    s = Supervised(prefix='softlimit -m 8000000 -o 100 -c 0',
                   program='state') if not SANITIZED else Supervised(
                       prefix='softlimit -o 100 -c 0', program='state')
    s.wait_up()
    state = state_parse(read_all(s.connect()))
    same(state['limit-nofile'][0].split()[0], '100', 'descriptors')
    same(state['limit-core'][0].split()[0], '0', 'core')
    if not SANITIZED:
        same(state['limit-data'][0].split()[0], '8000000', 'data')


@case(user='root')
def setuidgid():
    """setuidgid: all of it runs as that user"""
    s = Supervised(prefix='setuidgid nobody', program='state')
    pid = s.wait_up()
    import pwd
    entry = pwd.getpwnam('nobody')
    state = state_parse(read_all(s.connect()))
    same(state['uid'], ['%d %d' % (entry.pw_uid, entry.pw_uid)], 'uid')
    same(state['gid'], ['%d %d' % (entry.pw_gid, entry.pw_gid)], 'gid')
    for process in s.family(pid):
        with open('/proc/%d/status' % process) as f:
            uids = re.search(r'Uid:(.*)', f.read()).group(1).split()
        same(uids, [str(entry.pw_uid)] * 4, 'uids of %d' % process)


@case(user='root')
def envuidgid():
    """envuidgid and -U: bound as root, served as that user"""
    s = Supervised(prefix='envuidgid nobody', options='-vURHl0',
                   program='state')
    s.wait_up()
    import pwd
    entry = pwd.getpwnam('nobody')
    state = state_parse(read_all(s.connect()))
    same(state['uid'], ['%d %d' % (entry.pw_uid, entry.pw_uid)], 'uid')
    same(state['gid'], ['%d %d' % (entry.pw_gid, entry.pw_gid)], 'gid')
    same(state['groups'], [str(entry.pw_gid)], 'groups')
    same(state_variables(state)['UID'], str(entry.pw_uid), '$UID')


@case()
def environment_directory():
    """envdir's variables reach the program"""
    os.mkdir('env')
    with open('env/SITE', 'w') as f:
        f.write('example\n')
    s = Supervised(prefix='envdir %s' % os.path.abspath('env'),
                   program='state')
    s.wait_up()
    state = state_parse(read_all(s.connect()))
    same(state_variables(state)['SITE'], 'example', '$SITE')


@case()
def init_script():
    """
    2>&1 | splogger, and a stop that greps the list of processes and kills
    all it finds, ours and programs
    """
    subreaper()
    name = 'qmail%s' % os.urandom(6).hex()
    os.mkdir(name)
    program = os.path.join(os.path.abspath(name), 'qmail-smtpd')
    shutil.copy(helper('hold'), program)
    rules_compile('127.:allow,RELAYCLIENT=""\n')
    host = own_address()
    port = own_port(host)
    with open('start', 'w') as f:
        f.write('#!/bin/sh\n"%s/bin/tcpserver" -v -RHl0 -x rules.cdb %s %d '
                '%s 2>&1 | (exec cat >%s/log) &\n' % (
                    STAGE, host, port, program, name))
    os.chmod('start', 0o755)
    start = subprocess.Popen(['./start'], preexec_fn=os.setsid,
                             stdin=subprocess.DEVNULL)
    session_remember(start.pid)
    same(start.wait(DEADLINE_S), 0, 'init script')

    def log():
        with open(name + '/log') as f:
            return f.read()

    def connect():
        s = socket.socket()
        s.settimeout(DEADLINE_S)
        s.connect((host, port))
        return s
    wait_for(lambda: os.path.exists(name + '/log') and 'status: 0/40' in
             log(), 'the start')
    held = [connect() for _ in range(3)]
    for s in held:
        read_line(s)
    same(len(session_processes(start.pid)), 3 + 3 + 1, 'processes')
    # grep finds itself too, and xargs; kill says so and goes on.
    subprocess.run('ps -aefw | grep %s | awk \'{print $2}\' | xargs kill' %
                   name, shell=True, check=False, stdin=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    wait_for(lambda: not session_processes(start.pid), 'the end of all')
    require(port_free(host, port), 'the port is not free')
    # And again, at once.
    os.unlink(name + '/log')
    start = subprocess.Popen(['./start'], preexec_fn=os.setsid,
                             stdin=subprocess.DEVNULL)
    session_remember(start.pid)
    wait_for(lambda: os.path.exists(name + '/log') and 'status: 0/40' in
             log(), 'a restart')
    with connect() as s:
        read_line(s)


@case()
def nohup_and_background():
    """nohup tcpserver ... &: it outlives the shell that started it"""
    subreaper()
    host = own_address()
    port = own_port(host)
    shell = subprocess.Popen(
        ['/bin/sh', '-c', 'nohup "%s/bin/tcpserver" -vRHl0 %s %d %s >/dev/null'
         ' 2>log </dev/null &' % (STAGE, host, port, helper('hold'))],
        preexec_fn=os.setsid)
    session_remember(shell.pid)
    same(shell.wait(DEADLINE_S), 0, 'shell')
    wait_for(lambda: os.path.exists('log') and 'status: 0/40' in
             open('log').read(), 'the start')
    # The terminal hangs up: HUP to all that is left of its session.
    for pid in session_processes(shell.pid):
        os.kill(pid, signal.SIGHUP)
    s = socket.socket()
    s.settimeout(DEADLINE_S)
    s.connect((host, port))
    program = int(read_line(s))
    os.kill(program, signal.SIGHUP)
    s.close()
    wait_for(lambda: 'end %d status 0' % program in open('log').read(),
             'its end, of its own accord')


@case()
def interrupted():
    """^C in the foreground ends all of it, as the terminal sends INT"""
    subreaper()
    server = Server(['-vRHl0'], [helper('hold')])
    held = server.hold()
    os.killpg(server.pid, signal.SIGINT)
    same(server.wait(), -signal.SIGINT, 'status')
    wait_for(lambda: not session_processes(server.pid), 'the end of all')
    require(port_free(server.host, server.port), 'the port is not free')
    held[0].close()


@case()
def every_process_terminated():
    """kill of all our processes at once: no start of a new one, exit 0"""
    server = Server(['-vRHl0'], [helper('hold')])
    held = server.hold()
    for pid in server.ours():
        kill_quietly(pid, signal.SIGTERM)
    same(server.wait(), 0, 'exit status')
    server.wait_gone()
    require(port_free(server.host, server.port), 'the port is not free')
    require(process_alive(held[1]), 'the program did not live on')


if __name__ == '__main__':
    main()
