# What the tests of tcpclient and rblsmtpd share, on top of the world of
# ../../usr.sbin/tcpserverd: a network of their own in which ports 25, 53 and
# 113 are free, programs run to their end, and what manuals print.

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, *[os.pardir] * 2, 'usr.sbin',
                                'tcpserverd'))

from atfcases import displays                           # noqa: E402
from world import *                                     # noqa: E402,F403
from services import Full, Names, Service, tool         # noqa: E402,F401

BIN = STAGE + '/bin/'
# Not the machine's own name servers, nor its domain.
ENV = {'PATH': BIN + ':/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
       'DNSCACHEIP': '127.0.0.1', 'LOCALDOMAIN': 'lan.example',
       'DNSREWRITEFILE': '/nonexistent'}
# All the memory a program may ask for, whatever its peers do; an allocator
# that checks for errors needs much more.
DATA_BYTES = 8 << 20


def network(*addresses):
    """
    Goes on in a network of the test's own, with more addresses if wanted.
    Root there, so that what is started may have the ports it wants.
    """
    if os.environ.get('NET_OWN') != 'yes':
        own = tool('netns')
        if not os.access(own, os.X_OK):
            skip('SOURCE does not name the source tree (see regress/check)')
        done = subprocess.run([own, 'true'], stderr=subprocess.PIPE,
                              check=False)
        if done.returncode != 0:
            skip(done.stderr.decode().strip())
        os.execve(own, [own, sys.executable] + sys.argv,
                  dict(os.environ, NET_OWN='yes'))
    for address in addresses:
        subprocess.run(['ip', 'address', 'add', address, 'dev', 'lo',
                        'noprefixroute'] + (['nodad'] if ':' in address
                                            else []), check=True)


class Ended:
    """How a program ran"""

    def __init__(self, code, out, err, seconds):
        self.code, self.seconds = code, seconds
        self.out, self.err = out.decode('latin-1'), err.decode('latin-1')

    def variables(self):
        """of a program that printed its environment"""
        return dict(line.split('=', 1) for line in self.out.splitlines()
                    if line.split('=', 1)[0].startswith(('TCP', 'PROTO')))


def memory_limit():
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))


def run(argv, stdin=b'', env=None, set={}, seconds=None, feed=None):
    """
    Runs a program to its end, in little memory.  feed: called with its
    input, a file, in a thread, in place of stdin.
    """
    start = time.monotonic()
    process = subprocess.Popen(
        argv, env=dict(ENV if env is None else env, **set),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, preexec_fn=memory_limit)
    parts = {}

    def gather(name, file):
        parts[name] = file.read()

    def give():
        try:
            if feed:
                feed(process.stdin)
            else:
                process.stdin.write(stdin)
            process.stdin.close()
        except OSError:
            pass
    threads = [threading.Thread(target=gather, args=('out', process.stdout)),
               threading.Thread(target=gather, args=('err', process.stderr)),
               threading.Thread(target=give, daemon=True)]
    for thread in threads:
        thread.start()
    try:
        code = process.wait(seconds or DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        fail('did not end: %s' % ' '.join(argv))
    took = time.monotonic() - start
    for thread in threads[:2]:
        thread.join(DEADLINE_S)
    sys.stderr.write('%s: exit %d, %.2f s\n' % (
        ' '.join(argv)[:200], code, took))
    return Ended(code, parts['out'], parts['err'], took)


def examples(manual):
    """The literal displays of a manual's EXAMPLES, as they are printed"""
    return [''.join(line + '\n' for line in lines)
            for lines in displays('%s/share/man/man1/%s' % (STAGE, manual))]


def unpacked(path):
    """One of Debian's programs, with what it needs; skips without it"""
    full = peer(path)
    require_libraries(full, unpacked_environment())
    return full


def unpacked_environment():
    env = peers_environment()
    env['LD_LIBRARY_PATH'] = ':'.join(PEERS + path for path in (
        '/usr/lib', '/usr/lib/postfix', '/usr/lib/' + os.uname().machine +
        '-linux-gnu', '/lib/' + os.uname().machine + '-linux-gnu'))
    env.update({name: ENV[name] for name in ENV if name != 'PATH'})
    return env


def background(argv, ready, env=None, log='background.log'):
    """A server that stays in the foreground, ended with the test"""
    with open(log, 'ab') as f:
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL,
                                   stdout=f, stderr=f, preexec_fn=os.setsid)
    session_remember(process.pid)

    def look():
        if process.poll() is not None:
            with open(log, errors='replace') as g:
                fail('%s ended: %s' % (argv[0], g.read()[-1000:]))
        return ready()
    wait_for(look, argv[0])
    return process


def answers(address, port):
    """Whether somebody accepts there"""
    with socket.socket(socket.AF_INET6 if ':' in address
                       else socket.AF_INET) as s:
        try:
            s.connect((address, port))
        except OSError:
            return False
        return True
