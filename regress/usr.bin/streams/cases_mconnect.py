"""Cases of mconnect-io."""

import os
import socket
import subprocess

from differential import DEADLINE_S, case, table
from running import Program, closing, state, wait_until


class Talk:
    """mconnect-io with a connection on 6 and 7."""

    def __init__(self, side, argv=('mconnect-io',), closed=(), **kw):
        self.side = side
        inner, self.server = socket.socketpair()
        self.server.settimeout(DEADLINE_S)

        def descriptors():
            os.dup2(inner.fileno(), 6)
            os.dup2(inner.fileno(), 7)
            closing(*closed)()

        self.running = Program(side, argv, preexec=descriptors,
                               pass_fds=(6, 7), **kw)
        inner.close()

    def heard(self, size=None):
        """So many bytes, or all there is, as the server got them."""
        data = b''
        while size is None or len(data) < size:
            more = self.server.recv(65536 if size is None
                                    else size - len(data))
            if not more:
                break
            data += more
        self.side.note('heard', data)


def talk_once(side, typed, said):
    talk = Talk(side)
    talk.running.send(typed)
    talk.heard(len(typed) + typed.count(b'\n'))
    talk.server.sendall(said)
    talk.server.close()
    talk.running.note()


TALKS = (
    ('lines', b'helo\nquit\n', b'220 x\r\n250 x\r\n'),
    ('cr-typed', b'helo\r\n', b'\r\n\n\r'),
    ('no-lf', b'helo', b'220'),
    ('nul', b'a\0b\n', b'\0\r\0\n'),
    ('nothing-said', b'quit\n', b''),
    ('nothing-typed', b'', b'bye\r\n'),
    ('high', bytes(range(256)), bytes(range(256))),
    ('long-line', b'x' * 50000 + b'\n', b'y' * 50000),
    ('lfs', b'\n' * 20000, b'\n' * 20000),
)
table('mconnect', 'mconnect-io', TALKS, talk_once)


@case('mconnect')
def mconnect_io_arguments(side):
    talk = Talk(side, ('mconnect-io', '-x', 'y', '--help'))
    talk.running.send(b'a\n')
    talk.heard(3)
    talk.server.close()
    talk.running.note()


@case('mconnect')
def mconnect_io_end_of_input(side):
    """The server may still speak, and does not see an end."""
    talk = Talk(side)
    talk.running.send(b'quit\n')
    talk.running.finish()
    talk.heard(6)
    # Only the server's end ends it; until then nothing was shut down.
    wait_until(lambda: state(talk.running.child()) == 'Z')
    talk.server.setblocking(False)
    try:
        side.note('more', talk.server.recv(1))
    except BlockingIOError:
        side.note('more', 'nothing')
    talk.server.settimeout(DEADLINE_S)
    talk.server.sendall(b'221 bye\r\n')
    talk.server.close()
    talk.running.note()


@case('mconnect')
def mconnect_io_server_half_closes(side):
    """The end of what the server says is the end."""
    talk = Talk(side)
    talk.server.sendall(b'421 bye\r\n')
    talk.server.shutdown(socket.SHUT_WR)
    side.note('exit', talk.running.wait())
    side.note('said', talk.running.process.stdout.read())
    talk.heard()
    talk.server.close()


@case('mconnect')
def mconnect_io_one_byte_at_a_time(side):
    talk = Talk(side)
    for byte in (b'a', b'\n', b'\0', b'\r'):
        talk.running.send(byte)
        talk.heard(2 if byte == b'\n' else 1)
        talk.server.sendall(byte)
        side.note('said', talk.running.receive(1))
    talk.server.close()
    talk.running.note()


@case('mconnect')
def mconnect_io_output_unwritable(side):
    """It goes on: what is typed still gets there."""
    with open('/dev/full', 'wb') as full:
        talk = Talk(side, stdout=full)
    talk.server.sendall(b'220 x\r\n' * 100)
    talk.running.send(b'quit\n')
    talk.heard(6)
    talk.server.close()
    talk.running.note()


@case('mconnect')
def mconnect_io_reader_gone(side):
    """SIGPIPE does not end it."""
    talk = Talk(side)
    talk.running.process.stdout.close()
    talk.running.process.stdout = None
    talk.server.sendall(b'220 x\r\n')
    talk.running.send(b'quit\n')
    talk.heard(6)
    talk.server.close()
    talk.running.note()


@case('mconnect')
def mconnect_io_server_deaf(side):
    """The server reads no more, and speaks."""
    talk = Talk(side)
    talk.server.shutdown(socket.SHUT_RD)
    talk.running.send(b'quit\n' * 10)
    talk.server.sendall(b'421 full\r\n')
    side.note('said', talk.running.receive(10))
    talk.server.close()
    talk.running.note()


@case('mconnect')
def mconnect_io_nonblocking(side):
    read, write = os.pipe()
    os.set_blocking(read, False)
    talk = Talk(side, stdin=read)
    talk.server.sendall(b'220 x\r\n')
    side.note('said', talk.running.receive(7))
    side.note('waits', talk.running.wait_idle(child=True))
    os.write(write, b'quit\n')
    os.close(write)
    if state(talk.running.child()) != 'Z':
        talk.heard(6)
    os.close(read)
    talk.server.close()
    talk.running.note()


CLOSED = (
    ('0', (0,)),
    ('1', (1,)),
    ('2', (2,)),
    ('all', (0, 1, 2)),
)


def run_closed(side, fds):
    talk = Talk(side, closed=fds, stdin=subprocess.PIPE)
    talk.server.sendall(b'220 x\r\n')
    talk.server.close()
    talk.running.note()


table('mconnect', 'mconnect-io-closed', CLOSED, run_closed)


@case('mconnect')
def mconnect_io_no_connection(side):
    Program(side, ['mconnect-io'],
            preexec=lambda: os.closerange(3, 20)).note(b'')
