#!/usr/bin/env python3
# A host where nothing was set up: no user of ours, no directory, no /dev, no
# /proc, no /etc; only the binary, a program, and their shared libraries.

from world import *


def libraries(path):
    out = subprocess.run(['ldd', path], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False).stdout
    return re.findall(r'(/\S+) \(0x', out.decode())


def bare_root():
    """The directory; /bin/tcpserver and /bin/state in it"""
    if SANITIZED:
        skip('sanitized programs need proc(5), which is not there')
    root = scratch()
    for source, name in ((STAGE + '/sbin/tcpserverd', 'bin/tcpserver'),
                         (helper('state'), 'bin/state'),
                         (helper('hold'), 'bin/hold'),
                         (STAGE + '/bin/tcprules', 'bin/tcprules')):
        place(source, root, name)
        for library in libraries(source):
            place(library, root, library.lstrip('/'))
    return root


def place(source, root, name):
    target = os.path.join(root, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        shutil.copy(source, target)
        os.chmod(target, 0o755)


def enter(root, uid=None):
    """For a child: it sees nothing but that directory"""
    def run():
        os.chroot(root)
        os.chdir('/')
        if uid is not None:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
    return run


class BareServer(Server):
    """By its path in there; its children have the names they have anywhere"""

    def __init__(self, options, program, **more):
        global STAGE
        import world
        saved = world.STAGE
        world.STAGE = ''
        try:
            super().__init__(options, program, **more)
        finally:
            world.STAGE = saved


def rules_in(root, text):
    def chroot():
        os.chroot(root)
        os.chdir('/')
    done = subprocess.run(['/bin/tcprules', 'rules.cdb', 'rules.tmp'],
                          input=text.encode(), preexec_fn=chroot,
                          stderr=subprocess.PIPE, check=False)
    require(done.returncode == 0, 'tcprules: %s' % done.stderr.decode())


def serves(options, prepare, log_lines, env=None):
    """It starts, serves, and says nothing that it would not say at home"""
    server = BareServer(options, ['/bin/state'], prepare=prepare,
                        env=env if env is not None else {'PATH': '/bin'})
    for _ in range(3):
        state = state_parse(server.ask())
        same(state['fd'], ['0 blocking', '1 blocking', '2 blocking'],
             'descriptors')
    if '-v' in ''.join(options):
        server.wait_lines(r'end \d+ status 0', 3)
        server.wait_status(0)
        log_exact(server)
    for line in server.log().splitlines():
        require(re.match('tcpserver: (%s)' % log_lines, line),
                'extra output: %r' % line)
    return server, state


LINES_V = r'status: \d+/40$|pid \d+ from |ok \d+ |end \d+ status 0$'


def check(root, uid):
    server, state = serves(['-vRHl0'], enter(root, uid), LINES_V)
    if uid is not None:
        same(state['uid'], ['%d %d' % (uid, uid)], 'uid')
    same(state['cwd'], ['/'], 'cwd')
    require(process_state(server.child('engine')), 'engine')
    same(server.stop(), 0, 'exit status')
    server.wait_gone()
    # At -Q and -q it says nothing at all.
    for options in (['-QRHl0'], ['-qRHl0'], ['-RHl0']):
        server, _ = serves(options, enter(root, uid), '$^')
        same(server.log(), '', 'the log')
        same(server.stop(), 0, 'exit status')
        server.wait_gone()
    # With rules.
    rules_in(root, '127.0.0.1:allow,RELAYCLIENT=""\n:deny\n')
    server, state = serves(['-vRHl0', '-x', 'rules.cdb'], enter(root, uid),
                           LINES_V)
    same(state_variables(state)['RELAYCLIENT'], '', 'RELAYCLIENT')
    rules_in(root, ':deny\n')
    same(server.ask(), b'', 'a denied client')
    # What dies there is replaced.
    for role in ('engine', 'launcher'):
        old = server.child(role)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: [pid for pid in server.children(role)
                          if pid != old], 'another ' + role)
    rules_in(root, '')
    state_parse(server.ask())
    same(server.stop(), 0, 'exit status')


@case(user='root')
def bare_as_root():
    """chroot(2), as root"""
    root = bare_root()
    check(root, None)
    same(sorted(name for name in os.listdir(root)
                if not name.startswith(('lib', 'usr'))),
         ['bin', 'rules.cdb'], 'what is there afterwards')


@case(user='root')
def bare_as_other():
    """chroot(2), as another user"""
    check(bare_root(), 60321)


@case(user='root')
def bare_with_user():
    """chroot(2), as root with -u and -g"""
    root = bare_root()
    server, state = serves(['-vRHl0', '-u', '505', '-g', '511'], enter(root),
                           LINES_V)
    same((state['uid'], state['gid'], state['groups']),
         (['505 505'], ['511 511'], ['511']), 'identity')
    # No user of ours: the engine is whom it serves, or nobody, never root.
    with open('/proc/%d/status' % server.child('engine')) as f:
        uids = re.search(r'Uid:(.*)', f.read()).group(1).split()
    same(len(set(uids)), 1, 'uids of the engine')
    require(uids[0] not in ('0',), 'the engine is root')


@case(user='root')
def bare_engine_is_not_root():
    """Without -u and without any user data base: the engine is nobody"""
    server, _ = serves(['-vRHl0'], enter(bare_root()), LINES_V)
    with open('/proc/%d/status' % server.child('engine')) as f:
        text = f.read()
    uids = re.search(r'Uid:(.*)', text).group(1).split()
    same(uids, [str(NOBODY_UID)] * 4, 'uids of the engine')
    same(re.search(r'CapEff:\s*(\S+)', text).group(1), '0' * 16,
         'capabilities of the engine')
    same(re.search(r'Seccomp:\s*(\S+)', text).group(1), '2',
         'seccomp of the engine')


@case(user='root')
def root_without_capabilities():
    """uid 0 in a container that took its powers away: starts and serves"""
    if not shutil.which('setpriv'):
        skip('no setpriv(1) on this system')
    for options in (['-vRHl0'], ['-RHl0']):
        server = Server(options, [helper('state')],
                        wrap=['setpriv', '--bounding-set=-all',
                              '--inh-caps=-all'])
        state = state_parse(server.ask())
        same(state['uid'], ['0 0'], 'uid')
        require('warning' not in server.log() and 'fatal' not in server.log(),
                'extra output: %r' % server.log())
        same(server.stop(), 0, 'exit status')
    # What was asked for and can't be is fatal all the same.
    done = subprocess.run(['setpriv', '--bounding-set=-all',
                           '--inh-caps=-all', STAGE + '/bin/tcpserver', '-u',
                           '505', '127.0.0.1', '0', '/bin/true'],
                          check=False, stderr=subprocess.PIPE)
    same(done.returncode, 111, 'exit status')
    require(b'fatal: ' in done.stderr and b'permission denied' in done.stderr,
            repr(done.stderr))


@case(user='unprivileged')
def bare_in_user_namespace():
    """
    Who is not root: chroot(2) in a user namespace, which maps him to
    himself or to root, and to nobody else
    """
    for as_root in (False, True):
        root = bare_root()
        server, state = serves(['-vRHl0'], user_namespace(root, as_root),
                               LINES_V)
        same(server.stop(), 0, 'exit status')
        server, state = serves(['-RHl0'], user_namespace(root, as_root),
                               '$^')
        same(server.log(), '', 'the log')
        same(server.stop(), 0, 'exit status')


def user_namespace(root, as_root):
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)

    def run():
        if libc.unshare(0x10000000) == -1:
            os._exit(77)
        for name, text in (
                ('setgroups', 'deny'),
                ('uid_map', '%d %d 1' % (0 if as_root else uid, uid)),
                ('gid_map', '%d %d 1' % (0 if as_root else gid, gid))):
            with open('/proc/self/' + name, 'w') as f:
                f.write(text)
        os.chroot(root)
        os.chdir('/')
    if subprocess.run(['/bin/true'], preexec_fn=run_checked(libc),
                      check=False).returncode == 77:
        skip('no user namespace here')
    return run


def run_checked(libc):
    def run():
        if libc.unshare(0x10000000) == -1:
            os._exit(77)
    return run


@case()
def no_devices():
    """Without /dev/null and with 0, 1, 2 closed, in the host's root"""
    # The same code as in a bare root, for who may not chroot.
    host = own_address()
    port = own_port(host)

    def shut():
        os.closerange(0, 3)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    server = Server(['-vRHl0'], [helper('state')], host=host, port=port,
                    prepare=shut, tells_port=False, env={})
    wait_for(lambda: connects(server), 'a listening socket')
    state = state_parse(server.ask())
    same(state_variables(state).get('PATH'), None, 'PATH')
    same(server.stop(), 0, 'exit status')


def connects(server):
    try:
        server.connect().close()
        return True
    except ConnectionRefusedError:
        return False


if __name__ == '__main__':
    main()
