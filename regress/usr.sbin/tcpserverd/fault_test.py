#!/usr/bin/env python3
# One call fails, in one of the processes, while they start or serve: each
# time that ends in a clear refusal to start, or they go on and serve.
#
#	fault_test all [ROLE [CALL]]	every call, one after the other

from matrix import *

PRELOAD = os.path.join(SOURCE_DIR, 'libfault.so')
FORMAT = '16s16siii'

# Which calls there are to fail, and as what.
CALLS = {
    'malloc': (errno.ENOMEM,), 'open': (errno.EMFILE,),
    'socketpair': (errno.EMFILE,), 'socket': (errno.EMFILE,),
    'pipe': (errno.EMFILE,), 'dup': (errno.EMFILE,),
    'fork': (errno.EAGAIN,), 'vfork': (errno.EAGAIN,),
    'accept': (errno.EMFILE, errno.ECONNABORTED, errno.ENOBUFS),
    'sendmsg': (errno.ENOBUFS, errno.EAGAIN),
    'send': (errno.ENOBUFS, errno.EAGAIN),
    'recvmsg': (errno.EMSGSIZE, errno.ENOBUFS),
}
PLACES = {
    'parent': ('malloc', 'open', 'socketpair', 'pipe', 'dup', 'fork',
               'sendmsg', 'recvmsg'),
    'engine': ('malloc', 'accept', 'sendmsg', 'recvmsg'),
    'launcher': ('malloc', 'vfork', 'send', 'recvmsg'),
    'resolver': ('malloc', 'socket', 'sendmsg', 'recvmsg', 'open'),
}


CRASH = r'.*died of signal (?:4|6|7|8|11|31)\b.*'
# libseccomp 2.5.4 does not look at all that malloc gives it: it crashes, or
# loads a filter that is cut off and kills at once.  Either ends a process
# that has met nobody yet.
THEIRS = r'/libseccomp\.so\.2\(|died of signal 31'
LOST_MAX = 2			# clients that one failure may cost


def confined(pid):
    try:
        with open('/proc/%d/status' % pid) as f:
            return '\nSeccomp:\t2\n' in f.read()
    except OSError:
        return False


class Victim(Server):
    """A server that may refuse to start: port 0"""

    def port_read(self):
        try:
            return super().port_read()
        except Failed:
            return 0


class Fault:
    def __init__(self, role, call, at, error):
        self.what = '%s: %s %d: %s' % (role, call, at,
                                       errno.errorcode[error])
        self.at, self.call = at, call
        self.room = scratch()
        self.path = os.path.join(self.room, 'fault')
        with open(self.path, 'wb') as f:
            f.write(struct.pack(FORMAT, role.encode(), call.encode(), at,
                                error, 0))
        os.chmod(self.path, 0o666)
        self.env = dict(os.environ, LD_PRELOAD=PRELOAD, FAULT_FILE=self.path)

    def count(self):
        with open(self.path, 'rb') as f:
            return struct.unpack(FORMAT, f.read())[4]

    def run(self):
        """How many such calls there were"""
        rules_compile('127.:allow,X="y"\n', cwd=self.room)
        server = Victim(['-vrHl0', '-c5', '-xrules.cdb'], [helper('answer')],
                        env=self.env, cwd=self.room)
        try:
            self.refused(server) if server.port == 0 else self.serves(server)
            require(not server.lines(CRASH) or
                    (self.call == 'malloc' and
                     re.search(THEIRS, server.log())), 'a crash')
        except Failed as why:
            fail('%s: %s' % (self.what, why))
        Server.all.remove(server)
        made = self.count()
        clean_up()
        return made

    def refused(self, server):
        status = server.wait()
        own_words = '[err] ' in server.log()    # libevent's, which exits 1
        require(status == 111 or (status == 1 and own_words),
                'exit status %d' % status)
        require(own_words or
                server.lines('(?:.*: )?(?:fatal|warning): .*'),
                'not a word why')
        server.wait_gone()

    def serves(self, server):
        served = lost = 0
        while served < 4:
            if self.client(server):
                served += 1
            else:
                lost += 1
            require(lost <= LOST_MAX, '%d clients lost' % lost)
        server.wait_status(0)
        wait_for(lambda: all(confined(pid) for role in ('engine', 'resolver')
                             for pid in server.children(role)),
                 'engine and resolver to be confined')
        same(server.stop(), 0, 'exit status')
        wait_for(lambda: not session_processes(server.pid),
                 'the end of every process')

    def client(self, server):
        try:
            with server.connect(seconds=12) as s:
                s.sendall(b'word\n')
                return read_all(s).endswith(b' word\n')
        except (ConnectionResetError, BrokenPipeError):
            return False
        except socket.timeout:
            fail('a client waits in vain')


def kinds():
    return [(role, call, error) for role, calls in PLACES.items()
            for call in calls for error in CALLS[call]]


def run_all(kind, step=1, first=1):
    """Each of those calls in turn, until a run has no more of them"""
    role, call, error = kind
    at, runs = first, 0
    while True:
        made = Fault(role, call, at, error).run()
        if made < at:
            return runs, made
        at, runs = at + step, runs + 1


def add(role, call, error, step, first):
    def body():
        needs()
        runs, made = run_all((role, call, error), step, first)
        sys.stderr.write('%d runs, %d calls\n' % (runs, made))
        require(made > 0, 'no such call was made')
    body.__name__ = '%s_%s_%s' % (role, call, errno.errorcode[error].lower())
    body.__doc__ = 'One %s of the %s fails' % (call, role)
    case()(body)


def needs():
    if SANITIZED:
        skip('the sanitizer\'s library must be the first one loaded')
    if not os.path.exists(PRELOAD):
        skip('nothing to preload was built here: glibc only')
    if os.uname().machine != 'x86_64':
        skip('vfork(2) fails to order on amd64 only')


# A sample for the suite; all of them in "bmake proof".
MALLOC_STEP = {'parent': 97, 'engine': 397, 'launcher': 61, 'resolver': 397}
for kind in kinds():
    step = MALLOC_STEP[kind[0]] if kind[1] == 'malloc' else 7
    add(*kind, step=step, first=1 + sum(map(ord, ''.join(kind[:2]))) % step)


def proof_kind(kind):
    """How many runs, how many of them failed"""
    at = runs = failed = 0
    while True:
        at += 1
        try:
            if Fault(kind[0], kind[1], at, kind[2]).run() < at:
                return runs, failed
        except Exception as why:    # the next one is to be tried as well
            failed += 1
            print('FAILED: %s' % why, flush=True)
            for server in Server.all[-1:]:
                server.tell()
            clean_up()
            if failed == 10:
                return runs + 1, failed
        runs += 1


def proof(kinds_wanted):
    failed = 0
    for kind in kinds_wanted:
        runs, bad = proof_kind(kind)
        failed += bad
        print('%s %s %s: %d runs, %d failed' % (
            kind[0], kind[1], errno.errorcode[kind[2]], runs, bad),
              flush=True)
    sys.exit(failed != 0)


if __name__ == '__main__':
    if sys.argv[1:2] == ['all']:
        proof([kind for kind in kinds()
               if sys.argv[2:] in ([], [kind[0]], list(kind[:2]))])
    main()
