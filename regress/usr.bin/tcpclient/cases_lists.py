"""Cases of rblsmtpd: what decides, what the lists say, the conversation."""

import os
import re
import signal
import socket
import subprocess
import time

from differential import case, table, DEADLINE_S, PATH
from services import Names

BASE = {'PATH': PATH, 'TCPREMOTEIP': '1.2.3.4', 'DNSCACHEIP': '127.0.0.1',
        'LOCALDOMAIN': 'x', 'DNSREWRITEFILE': '/nonexistent'}

ZONE = r'''
4.3.2.1.text.bl TXT "listed, see http://text.bl/"
4.3.2.1.b.bl TXT "the second list"
4.3.2.1.strings.bl TXT "one" "two" "" "three"
4.3.2.1.records.bl TXT "first"
4.3.2.1.records.bl TXT "second" "third"
4.3.2.1.nothing.bl TXT ""
4.3.2.1.binary.bl TXT "a\001b\377c\000d%s\r\ne"
4.3.2.1.long.bl TXT "LONG"
4.3.2.1.longer.bl TXT "LONG" "LONG" "LONG"
4.3.2.1.address.bl A 127.0.0.2
4.3.2.1.both.bl A 127.0.0.2
4.3.2.1.both.bl TXT "both"
4.3.2.1.alias.bl CNAME target.bl
target.bl TXT "by another name"
target.bl A 127.0.0.3
4.3.2.1.loop.bl * do cname-loop
4.3.2.1.chain.bl TXT "after a chain"
4.3.2.1.chain.bl TXT do chain 5
4.3.2.1.servfail.bl * do servfail
4.3.2.1.refused.bl * do refused
4.3.2.1.empty.bl * do empty
4.3.2.1.cut.bl TXT "cut"
4.3.2.1.cut.bl * do cut 2
4.3.2.1.self.bl * do pointer-self
4.3.2.1.truncate.bl TXT "over TCP"
4.3.2.1.truncate.bl * do truncate
4.3.2.1.many.bl A do many 40
4.3.2.1.wrong.bl TXT "of another"
4.3.2.1.wrong.bl * do wrong-owner other.bl
alone.bl TXT "the base itself"
word.alone.bl TXT "a word"
c.b.a.alone.bl TXT "three words"

SIX.six.bl TXT "six"
'''.replace('LONG', 'x' * 249).replace(
    'SIX', '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2')


def lists(side, args, env=None, stdin=b'', label=None, set=(), unset=()):
    env = dict(BASE if env is None else env)
    env.update(set)
    for name in unset:
        env.pop(name, None)
    if label is not None:
        side.note('case', label)
    process = subprocess.Popen(
        ['rblsmtpd'] + list(args), executable=side.tool('rblsmtpd'),
        cwd=side.dir, env=env, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(stdin, timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        side.note('did not end', True)
    side.note('exit', process.returncode)
    side.note('stdout', out)
    side.note('stderr', re.sub(rb' pid %d:' % process.pid, b' pid PID:', err))


def decided(side, args, said, stdin=b'', **kw):
    """With the decision made beforehand; None: it is not."""
    lists(side, args, stdin=stdin, set={'RBLSMTPD': said}
          if said is not None else {}, **kw)


USAGE = (
    ('none', None, []),
    ('none-decided', 'no', []),
    ('illegal', None, ['-Z', 'true']),
    ('illegal-R', None, ['-R', 'true']),
    ('illegal-decided', 'no', ['-Z', 'true']),
    ('illegal-v', None, ['-v', 'true']),
    ('illegal-i', None, ['-i', 'true']),
    ('illegal-in-cluster', None, ['-bBcZ', 'true']),
    ('missing-r', None, ['-r']),
    ('missing-a', None, ['-a']),
    ('missing-t', None, ['-t']),
    ('options-alone', None, ['-bBcC', '-t', '3']),
    ('double-dash', None, ['--', 'echo', '-t', 'x']),
    ('lone-dash', None, ['-']),
    ('stops-at-operand', None, ['echo', '-r', 'x.bl']),
    ('attached', None, ['-t3', 'echo', 'ran']),
    ('cluster', 'no', ['-bt0', 'echo', 'ran']),
)

table('lists', 'lists-usage', USAGE,
      lambda side, said, args: decided(side, args, said))

# What RBLSMTPD decides: name and value.
SAID = (
    ('unset', None), ('empty', ''), ('text', 'go away'), ('dash', '-'),
    ('dash-text', '-go away'), ('dash-dash', '--'), ('blank', ' '),
    ('binary', 'a\x01b\tc\x7fd\xffe%s%n'), ('crlf', 'a\r\n250 ok\r\n'),
    ('199', 'x' * 199), ('200', 'x' * 200), ('201', 'x' * 201),
    ('dash-201', '-' + 'x' * 201), ('huge', 'x' * 100000),
)


def said(side, value):
    if value is not None:
        value = os.fsdecode(value.encode('latin-1'))
    dialogue = b'HELO me\r\nRCPT TO:<a@b>\r\nQUIT\r\n'
    for options in ([], ['-t', '0'], ['-b'], ['-B', '-t0'],
                    ['-r', 'never.asked', '-a', 'never.asked']):
        decided(side, (options if value is not None else options[:2]
                       if '-r' not in options else []) +
                ['sh', '-c', 'echo ran; cat'], value, dialogue)


table('lists', 'lists-said', SAID, said)


@case('lists')
def lists_environment_untouched(side):
    decided(side, ['./probe', 'environment', 'arguments', 'descriptors'], '')
    lists(side, ['./probe', 'environment', 'signals'])


@case('lists')
def lists_address_in_log(side):
    for address in (None, '', 'anything at all', '2001:db8::1'):
        lists(side, ['-t0', 'true'], set={'RBLSMTPD': 'no'},
              unset=['TCPREMOTEIP']) if address is None else \
            lists(side, ['-t0', 'true'],
                  set={'RBLSMTPD': 'no', 'TCPREMOTEIP': address})


@case('lists')
def lists_program_missing(side):
    side.write('text', 'no program\n')
    for program in ('./missing', 'no-such-program-at-all', '/', './text', ''):
        decided(side, [program], '')
        decided(side, [program], None)
        decided(side, ['-t0', program], 'no')


@case('lists')
def lists_program_exit(side):
    decided(side, ['sh', '-c', 'exit 42'], '')
    decided(side, ['sh', '-c', 'kill -9 $$'], None)


# What a client says: name and bytes.
DIALOGUES = (
    ('nothing', b''),
    ('quit', b'QUIT\r\n'),
    ('quit-lf', b'quit\n'),
    ('quit-open', b'quit'),
    ('quit-open-cr', b'quit\r'),
    ('after-quit', b'quit\r\nhelo\r\n'),
    ('all', b'HELO a\r\nEHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n'
     b'.\r\nRSET\r\nNOOP\r\nHELP\r\nVRFY a\r\nEXPN a\r\nTURN\r\nETRN a\r\n'
     b'STARTTLS\r\nAUTH LOGIN\r\nBDAT 1 LAST\r\nQUIT\r\n'),
    ('case', b'hElO\r\nEhLo\r\nmAIL\r\nRsEt\r\nNoOp\r\nqUIt\r\n'),
    ('empty-lines', b'\r\n\n\r\r\n\n'),
    ('blanks', b' helo\r\nhelo \r\nhelo  x\r\nhelo\tx\r\n \r\n\thelo\r\n'),
    ('prefixes', b'h\nhe\nhel\nhelo\nhelox\nhelohelo\nmailfrom\nquitx\n'),
    ('cr', b'he\rlo\nhelo\r\r\nhelo\rx\n\rhelo\nquit\rquit\n'
     b'helo\r x\nhelo\r\r \nhelo \r\n'),
    ('nul', b'helo\0\r\nhelo\0x\r\nhe\0lo\n\0helo\nhelo \0\n\0\nquit\0\n'),
    ('high', b'helo\xff\nhel\xef\n\xe8elo\n'),
    ('punctuation', b'helo:\nmail:from\nquit;\nquit.\n'),
    ('long-argument', b'mail ' + b'x' * 100000 + b'\r\nquit\r\n'),
    ('long-verb', b'mail' + b'x' * 100000 + b'\r\nquit\r\n'),
    ('long-open', b'x' * 100000),
    ('many', b'noop\r\n' * 5000 + b'data\r\n' * 5000 + b'quit\r\n'),
)


def dialogue(side, data):
    decided(side, ['true'], 'busy', data)
    decided(side, ['true'], '-never', data)


table('lists', 'lists-dialogue', DIALOGUES, dialogue)


class Talk:
    """A conversation in which each side waits for the other."""

    def __init__(self, side, args, said, blocking=True):
        self.side = side
        ours, theirs = socket.socketpair()
        theirs.setblocking(blocking)
        self.socket = ours
        self.socket.settimeout(DEADLINE_S)
        self.process = subprocess.Popen(
            ['rblsmtpd'] + args, executable=side.tool('rblsmtpd'),
            cwd=side.dir, env=dict(BASE, RBLSMTPD=said), stdin=theirs,
            stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()

    def read_line(self):
        data = b''
        while not data.endswith(b'\n'):
            more = self.socket.recv(1)
            if not more:
                break
            data += more
        return data

    def wait_idle(self):
        """Until it waits for us, or has ended."""
        with open('/proc/%d/stat' % self.process.pid, 'rb') as f:
            while f.read().rsplit(b')', 1)[1].split()[0] not in b'SZ':
                f.seek(0)

    def end(self):
        self.side.note('exit', self.process.wait(DEADLINE_S))
        self.socket.close()


@case('lists')
def lists_talk_in_turn(side):
    """Each reply comes before the next command, byte by byte."""
    talk = Talk(side, ['true'], 'busy')
    side.note('greeting', talk.read_line())
    for line in (b'EHLO me\r\n', b'MAIL FROM:<a@b>\r\n', b'RCPT TO:<c>\r\n'):
        for n in range(len(line)):
            talk.socket.sendall(line[n:n + 1])
        side.note('reply', talk.read_line())
    talk.socket.sendall(b'quit\r\n')
    side.note('reply', talk.read_line())
    side.note('then', talk.read_line())
    talk.end()


@case('lists')
def lists_talk_half_closed(side):
    talk = Talk(side, ['true'], 'busy')
    talk.socket.sendall(b'noop\r\nrcpt\r\nquit')
    talk.socket.shutdown(socket.SHUT_WR)
    for _ in range(4):
        side.note('reply', talk.read_line())
    talk.end()


@case('lists')
def lists_talk_nonblocking(side):
    """The connection was made non-blocking, and the client is late."""
    talk = Talk(side, ['true'], 'busy', blocking=False)
    side.note('greeting', talk.read_line())
    talk.wait_idle()
    try:
        talk.socket.sendall(b'quit\r\n')
    except BrokenPipeError:
        side.note('client', 'broken pipe')
    side.note('reply', talk.read_line())
    talk.end()


@case('lists')
def lists_talk_gone(side):
    """The client leaves without reading."""
    talk = Talk(side, ['true'], 'busy')
    talk.socket.sendall(b'noop\r\n')
    talk.socket.close()
    side.note('over', talk.process.wait(DEADLINE_S) in (0, -signal.SIGPIPE))


@case('lists')
def lists_talk_timeout(side):
    """Whatever the client does meanwhile; and -t counts where it stands."""
    talk = Talk(side, ['-t', '30', '-t', '1', 'true'], 'busy')
    start = time.monotonic()
    side.note('greeting', talk.read_line())
    talk.socket.sendall(b'noop\r\n')
    side.note('reply', talk.read_line())
    side.note('then', talk.read_line())
    talk.end()
    side.note('in time', 0.5 < time.monotonic() - start < 15)


@case('lists')
def lists_talk_timeout_not_reading(side):
    """A client that reads nothing can't hold it longer."""
    talk = Talk(side, ['-t', '1', 'true'], 'busy')
    start = time.monotonic()
    talk.socket.setblocking(False)
    try:
        while True:
            talk.socket.send(b'noop\r\n' * 1000)
    except BlockingIOError:
        pass
    side.note('exit', talk.process.wait(DEADLINE_S))
    side.note('in time', 0.5 < time.monotonic() - start < 15)
    talk.socket.close()


@case('lists')
def lists_talk_timeout_words(side):
    for word in ('0', '', 'x', '0x', '00', '-1'):
        lists(side, ['-t', word, 'true'], set={'RBLSMTPD': 'no'}, label=word)


# From here on with a name server: port 53 of 127.0.0.1.

NAMES = []


def names():
    if not NAMES:
        NAMES.append(Names(ZONE))
    return NAMES[0]


# Name and options; the client is 1.2.3.4.
ORDERS = (
    ('listed', ['-r', 'text.bl']),
    ('unlisted', ['-r', 'nowhere.bl']),
    ('no-data', ['-r', 'address.bl']),
    ('empty-answer', ['-r', 'empty.bl']),
    ('for-good', ['-b', '-r', 'text.bl']),
    ('for-good-too-late', ['-r', 'text.bl', '-b']),
    ('for-good-taken-back', ['-b', '-B', '-r', 'text.bl']),
    ('for-good-attached', ['-brtext.bl']),
    ('first-wins', ['-r', 'text.bl', '-b', '-r', 'b.bl']),
    ('second', ['-r', 'nowhere.bl', '-b', '-r', 'b.bl']),
    ('strings', ['-r', 'strings.bl']),
    ('records', ['-r', 'records.bl']),
    ('empty-text', ['-r', 'nothing.bl']),
    ('empty-text-then', ['-r', 'nothing.bl', '-r', 'b.bl']),
    ('binary', ['-r', 'binary.bl']),
    ('long', ['-r', 'long.bl']),
    ('longer', ['-r', 'longer.bl']),
    ('alias', ['-r', 'alias.bl']),
    ('chain', ['-r', 'chain.bl']),
    ('truncated', ['-r', 'truncate.bl']),
    ('accepted', ['-a', 'address.bl', '-r', 'text.bl']),
    ('accepted-too-late', ['-r', 'text.bl', '-a', 'address.bl']),
    ('accepted-alias', ['-a', 'alias.bl', '-r', 'text.bl']),
    ('accepted-many', ['-a', 'many.bl', '-r', 'text.bl']),
    ('accept-unlisted', ['-a', 'nowhere.bl', '-r', 'text.bl']),
    ('accept-text-only', ['-a', 'text.bl', '-r', 'text.bl']),
    ('failed', ['-r', 'servfail.bl']),
    ('failed-refused', ['-r', 'refused.bl']),
    ('failed-then-listed', ['-r', 'servfail.bl', '-r', 'text.bl']),
    ('failed-then-for-good', ['-b', '-r', 'servfail.bl', '-r', 'text.bl']),
    ('failed-closed', ['-c', '-r', 'servfail.bl']),
    ('failed-closed-for-good', ['-bc', '-r', 'servfail.bl']),
    ('failed-closed-too-late', ['-r', 'servfail.bl', '-c']),
    ('failed-closed-taken-back', ['-c', '-C', '-r', 'servfail.bl']),
    ('failed-closed-then', ['-c', '-r', 'servfail.bl', '-b', '-r',
                            'text.bl']),
    ('failed-accept', ['-a', 'servfail.bl', '-r', 'text.bl']),
    ('failed-accept-closed', ['-c', '-a', 'servfail.bl', '-r', 'text.bl']),
    ('failed-accept-closed-for-good', ['-bc', '-a', 'servfail.bl', '-r',
                                       'text.bl']),
    ('failed-accept-closed-unlisted', ['-c', '-a', 'servfail.bl', '-r',
                                       'nowhere.bl']),
    ('loop', ['-r', 'loop.bl']),
    ('loop-closed', ['-c', '-r', 'loop.bl']),
    ('cut', ['-c', '-r', 'cut.bl']),
    ('broken-text', ['-c', '-r', 'self.bl']),
    ('wrong-owner', ['-r', 'wrong.bl']),
    ('base-empty', ['-r', '']),
    ('base-dot', ['-r', 'text.bl.']),
    ('base-case', ['-r', 'Text.BL']),
    ('base-long-label', ['-c', '-r', 'x' * 64 + '.bl']),
    ('base-long', ['-c', '-r', '.'.join(['x' * 60] * 5)]),
    ('short', ['-t', '0', '-b', '-r', 'text.bl']),
    ('short-first', ['-r', 'text.bl', '-t', '0']),
)


def order(side, options):
    server = names()
    before = len(server.questions())
    lists(side, options + ['sh', '-c', 'echo ran; cat'],
          stdin=b'EHLO me\r\nRCPT TO:<a@b>\r\nQUIT\r\n')
    asked = server.questions()[before:]
    # How often a server that fails is asked again is no matter.
    side.note('asked', ' '.join(sorted(set(asked), key=asked.index)))


table('lists-net', 'lists', ORDERS, order)

# Name and TCPREMOTEIP; None is unset.
ADDRESSES = (
    ('unset', None), ('empty', ''), ('word', 'word'), ('three', 'a.b.c'),
    ('quad-zeros', '001.2.3.4'), ('trailing-dot', '1.2.3.4.'),
    ('v6', '2001:db8::1'),
)


def address(side, ip):
    server = names()
    before = len(server.questions())
    for base in ('alone.bl', 'six.bl'):
        lists(side, ['-t0', '-r', base, 'echo', 'ran'],
              set={} if ip is None else {'TCPREMOTEIP': ip},
              unset=['TCPREMOTEIP'] if ip is None else [])
    side.note('asked', ' '.join(server.questions()[before:]))


table('lists-net', 'lists-address', ADDRESSES, address)


@case('lists-net')
def lists_server_gone(side):
    for options in (['-r', 'text.bl'], ['-c', '-r', 'text.bl']):
        lists(side, ['-t0'] + options + ['echo', 'ran'],
              set={'DNSCACHEIP': '127.0.0.99'})


@case('lists-net')
def lists_asked_before_usage(side):
    """A command line without a program asks all the same."""
    server = names()
    before = len(server.questions())
    lists(side, ['-r', 'text.bl'])
    lists(side, ['-r', 'text.bl', '-Z'])
    side.note('asked', ' '.join(server.questions()[before:]))


@case('lists-net')
def lists_not_qualified(side):
    """A base is a full name, whatever completes host names."""
    server = names()
    before = len(server.questions())
    lists(side, ['-t0', '-r', 'short', 'echo', 'ran'],
          set={'LOCALDOMAIN': 'text.bl'}, unset=['DNSREWRITEFILE'])
    side.note('asked', ' '.join(server.questions()[before:]))
