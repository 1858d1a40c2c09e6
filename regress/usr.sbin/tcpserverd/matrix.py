# The kill matrix: every process, each of KILL, STOP and TERM, with sessions
# that run and idle otherwise, or with clients coming and going.  What is seen
# must be what FATE says; kill_test tries each once, "bmake proof" many times,
# and makes the table of SECURITY.md:
#
#	matrix.py [ROUNDS [FILE]]	a table to FILE, between its marks

from world import *

ROLES = ('parent', 'engine', 'launcher', 'resolver')
SIGNALS = ('KILL', 'STOP', 'TERM')
HELD = 5
LOADED = 6			# clients at a time
MORE = 30			# served before, meanwhile, after
KINDS = [(role, name, loaded) for role in ROLES for name in SIGNALS
         for loaded in (False, True)]
GRACE_S = 0.3 if not SANITIZED else 0.6
MARK = '<!-- kill matrix -->\n'

# What becomes of the process itself: "gone" with its parent's end, "same"
# goes on, "new" is another one.  Whatever happens, sessions run on.
FATE = {
    ('parent', 'KILL'): 'gone', ('parent', 'TERM'): 'gone',
    ('parent', 'STOP'): 'same',
    ('engine', 'KILL'): 'new', ('engine', 'STOP'): 'same',
    ('engine', 'TERM'): 'same',
    ('launcher', 'KILL'): 'new', ('launcher', 'STOP'): 'same',
    ('launcher', 'TERM'): 'same',
    ('resolver', 'KILL'): 'new', ('resolver', 'STOP'): 'same',
    ('resolver', 'TERM'): 'new',
}


class Visitors(Load):
    """Clients of "hold" that leave once they are served"""

    def __init__(self, server, threads):
        self.refused = 0
        super().__init__(server, threads=threads)

    def client(self, word):
        try:
            s = self.server.connect()
        except ConnectionRefusedError:
            return None
        except OSError as why:
            # The listener went while the three packets were under way.
            if why.errno in (errno.ECONNRESET, errno.ECONNABORTED):
                return b''
            raise
        with s:
            try:
                return s.recv(64)
            except (ConnectionResetError, BrokenPipeError):
                return b''

    def count(self, got, word):
        if got is None:
            self.refused += 1
            self.ending = True
        elif got == b'':
            self.lost += 1
        elif isinstance(got, bytes) and re.fullmatch(rb'\d+\n', got):
            self.served += 1
        else:
            self.wrong.append('%r' % got)


class Trial:
    def __init__(self, role, signal_name, loaded):
        self.role, self.signal_name, self.loaded = role, signal_name, loaded
        self.fate = FATE[role, signal_name]
        self.room = scratch()
        self.files = self.files_now()
        # Ident makes the resolver work; nobody listens on port 113 here.
        self.server = Server(['-vrHl0', '-c', '60', '-b', '100'],
                             [helper('hold')], cwd=self.room)
        self.server.hold()[0].close()
        self.held = [self.server.hold() for _ in range(HELD)]
        self.load = Visitors(self.server, LOADED) if loaded else None
        self.target = self.server.pid if role == 'parent' else \
            self.server.child(role)

    def files_now(self):
        return set(os.listdir(self.room))

    def run(self):
        if self.load:
            self.load.wait_served(MORE)
        os.kill(self.target, getattr(signal, 'SIG' + self.signal_name))
        if self.signal_name == 'STOP':
            self.stopped()
        if self.fate == 'gone':
            self.server_gone()
        else:
            self.server_serves()
        self.sessions_run_on()
        self.nothing_left()

    def stopped(self):
        """Nobody is turned away; but for a launcher, nobody is served until
        it goes on"""
        wait_for(lambda: process_state(self.target) == 'T', 'its stop')
        # The parent's word is good for 200 ms, what is under way ends.
        stays(lambda: True, GRACE_S, '')
        if self.role == 'launcher':
            self.another_helps()
        elif not self.load:
            s = self.server.connect()
            require(nothing_served(s, 0.3), 'served without the ' + self.role)
        else:
            wait_for(self.nobody_served,
                     'nobody to be served without the ' + self.role)
        os.kill(self.target, signal.SIGCONT)
        if not self.load and self.role != 'launcher':
            require(re.fullmatch(rb'\d+\n', s.recv(64)),
                    'not served after SIGCONT')
            s.close()

    def another_helps(self):
        if self.load:
            self.load.wait_served(MORE)
        else:
            self.server.hold()[0].close()
        same(process_state(self.target), 'T', 'its state')

    def nobody_served(self, seconds=0.3):
        """Those who have their answer take it first"""
        before = self.load.served
        stays(lambda: True, seconds, '')
        return self.load.served == before

    def server_gone(self):
        wanted = {'KILL': -signal.SIGKILL, 'TERM': 0}[self.signal_name]
        same(self.server.wait(), wanted, 'exit status')
        self.server.wait_gone()
        wait_for(lambda: port_free(self.server.host, self.server.port),
                 'the port to be free')
        self.load_end()

    def server_serves(self):
        if self.fate == 'new':
            wait_for(lambda: self.new_ones(), 'another ' + self.role)
        s, pid = self.server.hold()
        s.close()
        if self.load:
            self.load.wait_served(MORE)
        if self.fate == 'same' and self.role != 'parent':
            require(self.target in self.server.children(self.role),
                    'the %s is another one' % self.role)
        self.load_end()
        if self.load:
            same(self.load.refused, 0, 'clients refused')

    def new_ones(self):
        return [pid for pid in self.server.children(self.role)
                if pid != self.target]

    def load_end(self):
        if not self.load:
            return
        self.load.end()
        # Those in the hands of the dead.  When all of them go, in no order,
        # each of us may come to a launcher that leaves, then to an engine
        # that hasn't heard of it yet, then into a backlog that is closed.
        most = 0 if self.signal_name == 'STOP' or self.fate == 'same' else \
            LOADED * (3 if self.fate == 'gone' else 1)
        require(self.load.lost <= most, '%d clients lost' % self.load.lost)

    def sessions_run_on(self):
        for s, pid in self.held:
            require(process_alive(pid), 'session %d was ended' % pid)
            s.close()
        wait_for(lambda: not any(process_alive(pid) for _, pid in self.held),
                 'the sessions\' own ends')
        if self.fate == 'gone':
            return
        for _, pid in self.held:
            self.server.wait_lines('end %d status 0' % pid, 1)
        self.server.wait_status(0)
        most = LOADED if self.fate == 'new' else 0
        log_exact(self.server, lost_ends=most)
        same(self.server.stop(), 0, 'exit status')

    def nothing_left(self):
        self.server.wait_gone()
        wait_for(lambda: not session_processes(self.server.pid),
                 'the end of every process')
        require(port_free(self.server.host, self.server.port),
                'the port is not free')
        same(self.files_now() - self.files, set(), 'files left')

    def row(self):
        """What was seen, as a line of the table"""
        if self.fate == 'gone':
            port, then = 'closed at once', 'exit status %s, all gone' % (
                'of signal 9' if self.signal_name == 'KILL' else '0')
        elif self.signal_name == 'STOP':
            port, then = 'open, clients wait', 'SIGCONT: goes on'
            if self.role == 'launcher':
                port = 'open, another one helps'
        else:
            port = 'open'
            then = 'another one' if self.fate == 'new' else 'takes no notice'
        clients = '%d served, %d lost' % (
            self.load.served, self.load.lost) if self.load else '-'
        return [self.role, self.signal_name, 'load' if self.load else 'idle',
                port, '%d of %d run on' % (HELD, HELD), clients, then,
                'nothing']


def trial(role, signal_name, loaded):
    t = Trial(role, signal_name, loaded)
    t.run()
    return t


def table(rows):
    head = ['process', 'signal', 'when', 'listener', 'sessions', 'clients',
            'afterwards', 'left behind']
    lines = ['| %s |\n' % ' | '.join(row) for row in [head] + rows]
    lines.insert(1, '|---' * len(head) + '|\n')
    return ''.join(lines)


def table_put(path, text):
    with open(path) as f:
        before, _, after = f.read().split(MARK)
    with open(path + '.tmp', 'w') as f:
        f.write(before + MARK + text + MARK + after)
    os.rename(path + '.tmp', path)


def all_trials(rounds):
    """A row for each kind of trial: the clients of all rounds together"""
    rows, failed = [], 0
    for role, name, loaded in KINDS:
        served = lost = 0
        try:
            for _ in range(rounds):
                t = trial(role, name, loaded)
                if t.load:
                    served, lost = served + t.load.served, lost + t.load.lost
                    t.load.served, t.load.lost = served, lost
            rows.append(t.row())
            print(' '.join(rows[-1]), flush=True)
        except Exception as why:    # the next one is to be tried as well
            failed += 1
            print('FAILED: %s %s %s: %s' % (role, name, loaded, why),
                  flush=True)
            for server in Server.all[-1:]:
                server.tell()
        clean_up()
    return rows, failed


if __name__ == '__main__':
    preconditions()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    rows, failed = all_trials(rounds)
    if len(sys.argv) > 2 and not failed:
        table_put(sys.argv[2], time.strftime(
            '\nRun on %Y-%m-%d, ') + '%d rounds of each, Linux %s:\n\n' % (
                rounds, os.uname().release.partition('-')[0]) + table(rows) +
            '\n')
    sys.exit(failed != 0)
