"""Services of the tests' own, in threads: what a client may meet.

Everything is bound before the constructor returns; no test sleeps.
"""

import atexit
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

DEADLINE_S = 60
HERE = os.path.dirname(os.path.abspath(__file__))


def listener(address, port, backlog=64):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen(backlog)
    return sock


class Service:
    """Accepts, says something, then keeps all that it hears.

    reply: bytes, or a function of the connected socket.  With wait it
    speaks only after one line was heard.
    """

    def __init__(self, address, port, reply=b'', wait=False, close=False):
        self.reply, self.wait, self.close = reply, wait, close
        self.sock = listener(address, port)
        self.port = self.sock.getsockname()[1]
        self.heard = []                 # of each connection, in order
        self.peers = []
        self.done = threading.Condition()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, peer = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn, peer),
                             daemon=True).start()

    def serve(self, conn, peer):
        conn.settimeout(DEADLINE_S)
        data = b''
        try:
            while self.wait and not data.endswith(b'\n'):
                more = conn.recv(1)
                if not more:
                    break
                data += more
            if callable(self.reply):
                self.reply(conn)
            else:
                conn.sendall(self.reply)
            while not self.close:
                more = conn.recv(65536)
                if not more:
                    break
                data += more
        except OSError:
            pass
        conn.close()
        with self.done:
            self.heard.append(data)
            self.peers.append(peer)
            self.done.notify_all()

    def wait_heard(self, count=1):
        with self.done:
            self.done.wait_for(lambda: len(self.heard) >= count, DEADLINE_S)
            return list(self.heard)

    def stop(self):
        # Linux wakes a blocked accept by shutdown, not by close.
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class Full:
    """A port that neither accepts nor refuses: its backlog is full."""

    def __init__(self, address, port=0):
        self.sock = listener(address, port, 0)
        self.port = self.sock.getsockname()[1]
        self.fillers = []
        # A connection that is not made at once never will be.
        while True:
            filler = socket.socket(self.sock.family)
            filler.setblocking(False)
            self.fillers.append(filler)
            try:
                filler.connect((address, self.port))
            except BlockingIOError:
                pass
            if not select.select([], [filler], [], 0.2)[1]:
                break

    def stop(self):
        for filler in self.fillers:
            filler.close()
        self.sock.close()


class Names:
    """regress/tools/dnsd with a zone, on port 53 of an address."""

    def __init__(self, zone, addresses=('127.0.0.1',)):
        self.dir = tempfile.mkdtemp(prefix='names.')
        self.zone_write(zone)
        theirs, self.lifeline = os.pipe()
        subprocess.run([tool('dnsd'), '-e', str(theirs), '-l',
                        self.path('log'), '-p', self.path('pid'),
                        self.path('zone')] + list(addresses), check=True,
                       pass_fds=(theirs,))
        os.close(theirs)
        atexit.register(self.stop)

    def path(self, name):
        return os.path.join(self.dir, name)

    def zone_write(self, zone):
        with open(self.path('new'), 'w', encoding='latin-1') as f:
            f.write(zone)
        os.rename(self.path('new'), self.path('zone'))

    def questions(self):
        with open(self.path('log'), encoding='ascii') as f:
            return f.read().splitlines()

    def stop(self):
        if not self.dir:
            return
        with open(self.path('pid'), encoding='ascii') as f:
            os.kill(int(f.read()), signal.SIGTERM)
        shutil.rmtree(self.dir)
        self.dir = None


def tool(name):
    """A program of regress/tools, beside the sources."""
    source = os.environ.get('SOURCE')
    if source is None:
        source = os.path.join(HERE, *[os.pardir] * 3)
    return os.path.join(source, 'regress', 'tools', name)
