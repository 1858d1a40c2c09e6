"""Runs one program of a side with the descriptors a case wants."""

import fcntl
import os
import select
import struct
import subprocess
import termios
import time

from differential import DEADLINE_S, PATH, Trouble


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise Trouble('it never came to that')
        time.sleep(0.002)


def waiting(fd):
    """Bytes in a pipe."""
    return struct.unpack('i', fcntl.ioctl(fd, termios.FIONREAD, b'1234'))[0]


def state(pid):
    """S asleep, R running or about to, Z ended, None gone."""
    try:
        with open('/proc/%s/stat' % pid, encoding='ascii') as f:
            found = f.read().rsplit(')', 1)[1].split()[0]
    except FileNotFoundError:
        return None
    return 'R' if found == 'D' else found


class Program:
    """A program whose input and output the case handles itself."""

    def __init__(self, side, argv, stdin=subprocess.PIPE,
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=None,
                 argv0=None, preexec=None, pass_fds=(), executable=None):
        self.side = side
        self.process = subprocess.Popen(
            [argv0 if argv0 is not None else argv[0]] + list(argv[1:]),
            executable=executable or side.tool(argv[0]), cwd=side.dir,
            env={'PATH': PATH} if env is None else env, stdin=stdin,
            stdout=stdout, stderr=stderr, preexec_fn=preexec,
            pass_fds=pass_fds, bufsize=0)
        side.servers.append(self)

    def abandon(self):
        """What every case ends with."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout,
                       self.process.stderr):
            if stream:
                stream.close()

    def send(self, data):
        """All of it, whoever reads slowly."""
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view):]

    def finish(self):
        self.process.stdin.close()
        self.process.stdin = None

    def receive(self, size):
        """Exactly so many bytes of output, waiting for each."""
        fd = self.process.stdout.fileno()
        data = b''
        while len(data) < size:
            if not select.select([fd], [], [], DEADLINE_S)[0]:
                raise Trouble('%d bytes came, not %d' % (len(data), size))
            more = os.read(fd, size - len(data))
            if not more:
                break
            data += more
        return data

    def wait_idle(self, child=False):
        """
        Until what was sent has been taken and the program (or its child,
        the copier) sleeps or has ended.  Says whether it sleeps.
        """
        def idle():
            stdin = self.process.stdin
            return (not stdin or not waiting(stdin.fileno())) and \
                state(self.child() if child else self.process.pid) != 'R'

        wait_until(idle)
        return state(self.child() if child
                     else self.process.pid) not in ('Z', None)

    def child(self):
        """The process number of its only child, or None."""
        pid = self.process.pid
        try:
            with open('/proc/%d/task/%d/children' % (pid, pid),
                      encoding='ascii') as f:
                children = f.read().split()
        except FileNotFoundError:
            return None
        return int(children[0]) if children else None

    def wait(self):
        try:
            return self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Trouble('did not end') from None

    def end(self, data=None):
        """Sends what is left and takes what comes: status, stdout, stderr."""
        try:
            out, err = self.process.communicate(data, DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Trouble('did not end') from None
        return self.process.returncode, out, err

    def note(self, data=None):
        status, out, err = self.end(data)
        self.side.note('exit', status)
        self.side.note('stdout', out or b'')
        self.side.note('stderr', err or b'')


def closing(*descriptors):
    """For preexec: these are closed when the program starts."""
    def close():
        for fd in descriptors:
            os.close(fd)
    return close
