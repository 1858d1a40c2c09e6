# A service manager as systemd is one, as far as the daemon sees it: opens
# the socket, hands it over with a name, is told what happens, reloads, stops.
#
#	manager.py ROOM ADDRESS PORT COMMAND ...

import os
import re
import select
import signal
import socket
import subprocess
import sys

room, address, port, command = \
    sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
DEADLINE_S = 30


def require(condition, text):
    if not condition:
        daemon.kill()
        sys.exit('manager: ' + text)


def heard(what):
    """The next message that has the line"""
    while True:
        require(select.select([notify], [], [], DEADLINE_S)[0],
                'not told %s' % what)
        lines = notify.recv(4096).decode().split('\n')
        print(lines, flush=True)
        if any(re.fullmatch(what, line) for line in lines):
            return lines


def ask():
    with socket.create_connection((address, port), DEADLINE_S) as s:
        return s.recv(100)


notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(room + '/notify')
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((address, port))
listener.listen(10)


# exec in the same process, so that LISTEN_PID is right.
launch = 'import os, sys; exec(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])'
code = '''
os.dup2(%d, 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_FDNAMES='smtp',
                  LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=%r)
''' % (listener.fileno(), room + '/notify')
os.set_inheritable(listener.fileno(), True)
daemon = subprocess.Popen([sys.executable, '-c', launch, code] + command,
                          close_fds=False)
# A client that came before the daemon was there is served by it.
early = socket.create_connection((address, port), DEADLINE_S)
heard('READY=1')
require(early.recv(100) == b'one\n', 'the first client was not served')
require(ask() == b'one\n', 'not served')
os.kill(daemon.pid, signal.SIGHUP)
lines = heard('RELOADING=1')
require(any(re.fullmatch(r'MONOTONIC_USEC=\d+', line) for line in lines),
        'no time of the reload')
heard('READY=1')
require(ask() == b'one\n', 'not served after the reload')
# A broken file: told of, and ready as before.
with open(room + '/conf', 'a') as f:
    f.write('nonsense\n')
os.kill(daemon.pid, signal.SIGHUP)
heard('RELOADING=1')
heard('READY=1')
require(ask() == b'one\n', 'not served after the failed reload')
daemon.send_signal(signal.SIGTERM)
heard('STOPPING=1')
require(daemon.wait(DEADLINE_S) == 0, 'exit status %s' % daemon.returncode)
# Ours is open still: the next daemon would get its clients.
waiting = socket.create_connection((address, port), DEADLINE_S)
require(not select.select([waiting], [], [], 0.1)[0], 'the port was closed')
