#!/usr/bin/env python3
# rblsmtpd: IPv6 clients, lists that do not answer or answer too much, clients
# that never stop, and the whole line of an ISP: tcpserver, rblsmtpd and a
# mail server in front of zones of a real name server.
# What is as in ucspi-tcp 0.88 is held against that by ../tcpclient's
# differential_test.

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, os.pardir, 'tcpclient'))

from net import *                                       # noqa: E402,F403

SIX = ('1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.'
       '0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2')
GREETING = '220 rblsmtpd.local\r\n'


def rbl(*words, ip='1.2.3.4', said=None, **kw):
    more = {'TCPREMOTEIP': ip}
    if said is not None:
        more['RBLSMTPD'] = said
    return run([BIN + 'rblsmtpd'] + list(words), set=more, **kw)


# IPv6

@case()
def ipv6_client():
    """Its 32 digits, last first, however the address is written"""
    network()
    names = Names('%s.bl.example TXT "six"\n%s.ok.example A 127.0.0.2\n' %
                  (SIX, SIX))
    for ip in ('2001:db8::1', '2001:0DB8:0:0:0:0:0:1', '[2001:db8::1]',
               '2001:db8:0::0.0.0.1'):
        done = rbl('-t0', '-r', 'bl.example', 'echo', 'ran', ip=ip)
        same((done.code, done.out), (0, '451 six\r\n'), ip)
        require(done.err.startswith('rblsmtpd: %s pid ' % ip), done.err)
        done = rbl('-a', 'ok.example', '-r', 'bl.example', 'echo', 'ran',
                   ip=ip)
        same((done.code, done.out), (0, 'ran\n'), ip)
    same(set(names.questions()), {'udp TXT %s.bl.example' % SIX,
                                  'udp A %s.ok.example' % SIX}, 'questions')


@case()
def ipv6_mapped_client():
    """is an IPv4 client"""
    network()
    names = Names('4.3.2.1.bl.example TXT "four"\n')
    done = rbl('-t0', '-r', 'bl.example', 'echo', 'ran', ip='::ffff:1.2.3.4')
    same(done.out, '451 four\r\n', 'reply')
    same(names.questions(), ['udp TXT 4.3.2.1.bl.example'], 'questions')


@case()
def ipv6_all_digits():
    """Each digit in its place"""
    network()
    names = Names('bl.example TXT "x"\n')
    rbl('-t0', '-r', 'bl.example', 'true',
        ip='0123:4567:89ab:cdef:fedc:ba98:7654:3210')
    same(names.questions(), ['udp TXT 0.1.2.3.4.5.6.7.8.9.a.b.c.d.e.f.'
                             'f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.bl.example'],
         'questions')


# Lists

@case(timeout=200)
def silent_list():
    """costs its bound, once, and then counts as one that failed"""
    network()
    Names('4.3.2.1.silent.bl * do silence\n4.3.2.1.good.bl TXT "good"\n')
    results = {}

    def ask(name, *words):
        results[name] = rbl('-t0', *words, 'echo', 'ran', seconds=150)
    threads = [threading.Thread(target=ask, args=args) for args in (
        ('open', '-r', 'silent.bl'), ('closed', '-c', '-r', 'silent.bl'),
        ('accept', '-a', 'silent.bl', '-r', 'good.bl'),
        ('later', '-b', '-r', 'silent.bl', '-r', 'good.bl'))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same({name: done.out for name, done in results.items()},
         {'open': 'ran\n', 'closed': '451 temporary RBL lookup error\r\n',
          'accept': 'ran\n', 'later': '451 good\r\n'}, 'results')
    for name, done in results.items():
        require(40 < done.seconds < 60, '%s took %.1f s' % (
            name, done.seconds))


@case()
def servers_in_order():
    """The first name server is the first for each question, though the
    machine's own resolver was told to rotate"""
    network()
    first, second = Names('', ['127.0.0.1:53']), Names('', ['127.0.0.2:53'])
    lists = ['-ra.bl', '-rb.bl', '-rc.bl']
    done = run([BIN + 'rblsmtpd'] + lists + ['echo', 'ran'], set={
        'TCPREMOTEIP': '1.2.3.4', 'DNSCACHEIP': '127.0.0.1.127.0.0.2',
        'RES_OPTIONS': 'rotate'})
    same(done.out, 'ran\n', 'output')
    same((first.questions(), second.questions()),
         (['udp TXT 4.3.2.1.%s.bl' % name for name in 'abc'], []),
         'questions')


@case()
def huge_texts():
    """Of a whole 64 kB answer the first 200 bytes are said"""
    network()
    Names('4.3.2.1.strings.bl TXT %s\n' % ' '.join(['"%s"' % ('s' * 250)] *
                                                   200) +
          ''.join('4.3.2.1.records.bl TXT "%s"\n' % ('r' * 250)
                  for _ in range(200)) +
          '4.3.2.1.empty.bl TXT %s "end"\n' % ' '.join(['""'] * 5000))
    for base, text in (('strings.bl', 's' * 200), ('records.bl', 'r' * 200),
                       ('empty.bl', 'end')):
        done = rbl('-t0', '-r', base, 'echo', 'ran')
        same(done.out, '451 %s\r\n' % text, base)


HOSTILE = r'''
4.3.2.1.loop.bl * do cname-loop
4.3.2.1.self.bl * do pointer-self
4.3.2.1.pointers.bl * do pointer-loop
4.3.2.1.out.bl * do pointer-out
4.3.2.1.cut.bl TXT "cut off"
4.3.2.1.cut.bl * do cut 3
4.3.2.1.length.bl TXT "too long"
4.3.2.1.length.bl * do rdlength 65535
4.3.2.1.count.bl TXT "too many"
4.3.2.1.count.bl * do count 65535
4.3.2.1.class.bl TXT "other class"
4.3.2.1.class.bl * do wrong-class
4.3.2.1.owner.bl TXT "other name"
4.3.2.1.owner.bl * do wrong-owner other.bl
4.3.2.1.type.bl TXT "other type"
4.3.2.1.type.bl * do wrong-type
4.3.2.1.closed.bl * do truncate-refuse
'''


@case()
def hostile_answers():
    """Nobody is refused for an answer that is none"""
    network()
    Names(HOSTILE)
    failed = ('self', 'pointers', 'out', 'cut', 'length', 'count', 'closed')
    for name in re.findall(r'^4\.3\.2\.1\.(\S+)\.bl \S+ do', HOSTILE, re.M):
        done = rbl('-r', name + '.bl', 'echo', 'ran', seconds=100)
        same((done.code, done.out), (0, 'ran\n'), name)
        done = rbl('-t0', '-c', '-r', name + '.bl', 'echo', 'ran',
                   seconds=100)
        same(done.out, '451 temporary RBL lookup error\r\n'
             if name in failed else 'ran\n', name + ' with -c')


# Clients

def flood(file, data, times):
    for _ in range(times):
        file.write(data)


@case()
def endless_line():
    """A gigabyte without a line feed is one line, in little memory"""
    size = 64 if SANITIZED else 1024

    def feed(file):
        flood(file, b'x' * (1 << 20), size)
        file.write(b'\r\nquit\r\n')
    done = rbl('-t', '600', 'true', said='busy', feed=feed, seconds=300)
    same((done.code, done.out), (0, GREETING + '451 busy\r\n'
                                 '221 rblsmtpd.local\r\n'), 'dialogue')


@case()
def endless_line_after_verb():
    """A verb with an endless argument is that verb"""
    def feed(file):
        file.write(b'MAIL ')
        flood(file, b' \0\r' * (1 << 18), 100)
        file.write(b'\nquit\n')
    done = rbl('-t', '600', 'true', said='-no', feed=feed, seconds=300)
    same(done.out, GREETING + '250 rblsmtpd.local\r\n'
         '221 rblsmtpd.local\r\n', 'dialogue')


@case()
def nuls():
    """are bytes like others"""
    def feed(file):
        flood(file, b'\0' * (1 << 20), 64)
        file.write(b'\nhelo\0\nhelo \0\n\0\nquit\n')
    done = rbl('-t', '600', 'true', said='no', feed=feed, seconds=300)
    same(done.out, GREETING + '451 no\r\n451 no\r\n250 rblsmtpd.local\r\n'
         '451 no\r\n221 rblsmtpd.local\r\n', 'dialogue')


@case()
def one_reply_for_each_line():
    """A million lines, a million replies"""
    count = 100000 if SANITIZED else 1000000

    def feed(file):
        file.write(b'noop\r\nrcpt\r\n' * (count // 2))
    done = rbl('-t', '600', 'true', said='no', feed=feed, seconds=300)
    same(done.out, GREETING + '250 rblsmtpd.local\r\n451 no\r\n' *
         (count // 2), 'replies')


@case()
def byte_by_byte():
    """A command in pieces, answered before the next one begins"""
    talk, theirs = socket.socketpair()
    talk.settimeout(DEADLINE_S)
    process = subprocess.Popen([BIN + 'rblsmtpd', 'true'], stdin=theirs,
                               stdout=theirs, stderr=subprocess.DEVNULL,
                               env=dict(ENV, RBLSMTPD='no'))
    theirs.close()
    same(read_line(talk), GREETING.encode(), 'greeting')
    for command, reply in ((b'EHLO me', b'250 rblsmtpd.local\r\n'),
                           (b'RCPT TO:<a@b>', b'451 no\r\n'),
                           (b'QUIT', b'221 rblsmtpd.local\r\n')):
        for byte in command + b'\r\n':
            require(not select.select([talk], [], [], 0)[0],
                    'a reply to half a line')
            talk.sendall(bytes([byte]))
        same(read_line(talk), reply, 'reply')
    same(talk.recv(1), b'', 'end')
    same(process.wait(DEADLINE_S), 0, 'exit')


@case()
def not_reading():
    """A client that does not read its replies ends with its time"""
    talk, theirs = socket.socketpair()
    start = time.monotonic()
    process = subprocess.Popen([BIN + 'rblsmtpd', '-t', '2', 'true'],
                               stdin=theirs, stdout=theirs,
                               stderr=subprocess.DEVNULL,
                               env=dict(ENV, RBLSMTPD='no'))
    theirs.close()
    end = threading.Event()

    def send():
        try:
            while not end.is_set():
                talk.sendall(b'noop\r\n' * 1000)
        except OSError:
            pass
    threading.Thread(target=send, daemon=True).start()
    same(process.wait(DEADLINE_S), 0, 'exit')
    end.set()
    require(1.5 < time.monotonic() - start < 10, 'not its time')


@case()
def alarm_blocked():
    """Time counts even if the signal was blocked by who started it"""
    start = time.monotonic()

    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
    talk, theirs = socket.socketpair()
    process = subprocess.Popen([BIN + 'rblsmtpd', '-t', '1', 'true'],
                               stdin=theirs, stdout=theirs,
                               stderr=subprocess.DEVNULL, preexec_fn=block,
                               env=dict(ENV, RBLSMTPD='no'))
    same(process.wait(DEADLINE_S), 0, 'exit')
    require(0.5 < time.monotonic() - start < 10, 'not its time')
    talk.close()


def confinement(text):
    """What of /proc/PID/status tells of seccomp(2)"""
    return dict(re.findall(r'^(Seccomp|NoNewPrivs):\s*(\d+)$', text, re.M))


@case()
def confined():
    """The conversation is confined by the kernel, the server is not"""
    if not os.path.exists('/proc/self/status'):
        skip('only Linux shows from outside who is confined')
    done = rbl('cat', '/proc/self/status', said='')
    same(confinement(done.out), {'Seccomp': confinement(
        open('/proc/self/status').read())['Seccomp'], 'NoNewPrivs': '0'},
         'the server')
    talk, theirs = socket.socketpair()
    talk.settimeout(DEADLINE_S)
    process = subprocess.Popen([BIN + 'rblsmtpd', 'true'], stdin=theirs,
                               stdout=theirs, stderr=subprocess.DEVNULL,
                               env=dict(ENV, RBLSMTPD='no'))
    theirs.close()
    same(read_line(talk), GREETING.encode(), 'greeting')
    with open('/proc/%d/status' % process.pid) as f:
        same(confinement(f.read()), {'Seccomp': '2', 'NoNewPrivs': '1'},
             'the conversation')
    talk.sendall(b'rcpt\r\nquit\r\n')
    same(read_all(talk), b'451 no\r\n221 rblsmtpd.local\r\n', 'replies')
    same(process.wait(DEADLINE_S), 0, 'exit')


@case()
def nonblocking():
    """A connection that someone made non-blocking is waited for"""
    talk, theirs = socket.socketpair()
    talk.settimeout(DEADLINE_S)
    theirs.setblocking(False)
    process = subprocess.Popen([BIN + 'rblsmtpd', 'true'], stdin=theirs,
                               stdout=theirs, stderr=subprocess.DEVNULL,
                               env=dict(ENV, RBLSMTPD='no'))
    theirs.close()
    same(read_line(talk), GREETING.encode(), 'greeting')
    # More replies than fit, none of them read before the last was asked for.
    end = threading.Thread(target=talk.sendall,
                           args=(b'noop\r\n' * 100000 + b'quit\r\n',))
    end.start()
    same(read_all(talk), b'250 rblsmtpd.local\r\n' * 100000 +
         b'221 rblsmtpd.local\r\n', 'replies')
    end.join()
    same(process.wait(DEADLINE_S), 0, 'exit')


# The whole line

UNBOUND = '''
server:
	chroot: ""
	username: ""
	directory: "%(dir)s"
	pidfile: ""
	use-syslog: no
	interface: 127.0.0.1
	interface: ::1
	do-daemonize: no
	do-not-query-localhost: no
	module-config: "iterator"
	access-control: 127.0.0.0/8 allow
	num-threads: 1
	local-zone: "bl.example." static
	local-data: '2.0.0.127.bl.example. TXT "listed: see http://bl.example/"'
	local-data: '2.0.0.127.bl.example. A 127.0.0.2'
	local-data: '%(six)s.bl.example. TXT "listed, too"'
	local-zone: "ok.example." static
	local-data: "4.0.0.127.ok.example. A 127.0.0.2"
	local-zone: "all.example." static
	local-data: '2.0.0.127.all.example. TXT "all of them"'
	local-data: '3.0.0.127.all.example. TXT "all of them"'
	local-data: '4.0.0.127.all.example. TXT "all of them"'
	local-zone: "silent.example." always_deny
	local-zone: "long.example." static
	%(long)s
stub-zone:
	name: "broken.example."
	stub-addr: 127.0.0.98@5399
remote-control:
	control-enable: no
'''
# The server behind that list has nothing but trouble.
BROKEN = ''.join('%s.broken.example * do servfail\n' % name for name in (
    '2.0.0.127', '3.0.0.127', SIX,
    SIX.replace('1', '2', 1)))
# What each client of the tests is, by its address.
LISTED, UNLISTED, EXCUSED = '127.0.0.2', '127.0.0.3', '127.0.0.4'
LISTED_SIX, UNLISTED_SIX = '2001:db8::1', '2001:db8::2'


class Line:
    """tcpserver, rblsmtpd with the options given, mailfront; unbound"""

    def __init__(self, options):
        network()
        if not answers('127.0.0.1', 53):
            network(LISTED_SIX + '/128', UNLISTED_SIX + '/128')
            self.unbound()
        program = [unpacked('usr/sbin/mailfront'), 'smtp', 'echo',
                   'relayclient', 'accept-sender']
        env = dict(unpacked_environment(), RELAYCLIENT='')
        self.servers = {
            host: Server(['-vRHl0'], [BIN + 'rblsmtpd'] + options + program,
                         host=host, env=env)
            for host in ('127.0.0.1', '::1')}

    @staticmethod
    def unbound():
        program = unpacked('usr/sbin/unbound')
        with open('unbound.conf', 'w') as f:
            f.write(UNBOUND % {'dir': os.getcwd(), 'six': SIX, 'long':
                    '\n\t'.join("local-data: '2.0.0.127.long.example. TXT "
                                '"%s"\'' % (chr(97 + n) * 200)
                                for n in range(20))})
        Names(BROKEN, ['127.0.0.98:5399'])
        background([program, '-d', '-c', 'unbound.conf'],
                   lambda: answers('127.0.0.1', 53), unpacked_environment())

    def talk(self, source):
        """A whole dialogue from an address: the codes of the replies"""
        server = self.servers['::1' if ':' in source else '127.0.0.1']
        where = '::1' if ':' in source else '127.0.0.1'
        with socket.socket(socket.AF_INET6 if ':' in source
                           else socket.AF_INET) as s:
            s.settimeout(DEADLINE_S * 4)
            s.bind((source, 0))
            s.connect((where, server.port))
            s.sendall(b'EHLO me\r\nMAIL FROM:<a@example.org>\r\n'
                      b'RCPT TO:<b@elsewhere.example>\r\nQUIT\r\n')
            text = b''
            while True:
                data = s.recv(4096)
                if not data:
                    break
                text += data
        sys.stderr.write('%s: %r\n' % (source, text))
        return re.findall(r'^(\d{3} .*)\r$', text.decode(), re.M)

    def refused(self, source, code, text):
        same(self.talk(source), ['220 rblsmtpd.local', '250 rblsmtpd.local',
                                 '250 rblsmtpd.local', '%s %s' % (code, text),
                                 '221 rblsmtpd.local'], source)
        log = ''.join(server.log() for server in self.servers.values())
        require(re.search(r'^rblsmtpd: %s pid \d+: %s %s$' % (
            re.escape(source), code, re.escape(text)), log, re.M),
            'nothing in the log: %s' % log)

    def let_in(self, source):
        replies = self.talk(source)
        same([line[:3] for line in replies],
             ['220', '250', '250', '250', '221'], source)
        require('rblsmtpd' not in ''.join(replies), 'who answered: %s' %
                replies)
        require('b@elsewhere.example' in replies[3], 'RCPT: %s' % replies[3])


@case()
def real_lists():
    """Listed and unlisted clients of both families"""
    line = Line(['-a', 'ok.example', '-r', 'bl.example'])
    line.refused(LISTED, 451, 'listed: see http://bl.example/')
    line.let_in(UNLISTED)
    line.let_in(EXCUSED)
    line.refused(LISTED_SIX, 451, 'listed, too')
    line.let_in(UNLISTED_SIX)


@case()
def real_lists_in_order():
    """What is excused, listed by the first or by the second list"""
    line = Line(['-r', 'bl.example', '-a', 'ok.example', '-b', '-r',
                 'all.example'])
    line.refused(LISTED, 451, 'listed: see http://bl.example/')
    line.refused(UNLISTED, 553, 'all of them')
    line.let_in(EXCUSED)


@case()
def real_servfail():
    """A list whose servers are gone: open, closed, and both signs"""
    line = Line(['-b', '-r', 'broken.example', '-r', 'bl.example'])
    line.refused(LISTED, 451, 'listed: see http://bl.example/')
    line.let_in(UNLISTED)
    line.let_in(UNLISTED_SIX)
    line = Line(['-c', '-r', 'broken.example'])
    line.refused(UNLISTED, 451, 'temporary RBL lookup error')
    line.refused(UNLISTED_SIX, 451, 'temporary RBL lookup error')
    line = Line(['-a', 'broken.example', '-r', 'bl.example'])
    line.let_in(LISTED)


@case(timeout=200)
def real_silence():
    """A list that never answers holds up its own client only"""
    line = Line(['-r', 'silent.example', '-r', 'bl.example'])
    start = time.monotonic()
    took = {}

    def one(source, check, *args):
        check(source, *args)
        took[source] = time.monotonic() - start
    threads = [threading.Thread(target=one, args=args) for args in (
        (LISTED, line.refused, 451, 'listed: see http://bl.example/'),
        (UNLISTED, line.let_in), (UNLISTED_SIX, line.let_in))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(sorted(took), sorted([LISTED, UNLISTED, UNLISTED_SIX]),
         'clients that were served right')
    for source, seconds in took.items():
        require(40 < seconds < 60, '%s took %.1f s' % (source, seconds))


@case()
def real_truncated():
    """4 kB of texts come over TCP"""
    line = Line(['-r', 'long.example'])
    server = line.servers['127.0.0.1']
    replies = line.talk(LISTED)
    same(len(replies[3]), 204, 'length of the reply')
    server.wait_lines(r'end \d+ status 0', 1)


@case()
def real_client():
    """swaks takes a refusal for what it is, and mail that is let in goes"""
    line = Line(['-b', '-r', 'bl.example'])
    for source, refused in ((LISTED, True), (UNLISTED, False)):
        done = subprocess.run(
            ['perl', peer('usr/bin/swaks'), '--server', '127.0.0.1',
             '--port', str(line.servers['127.0.0.1'].port),
             '--local-interface', source, '--from', 'a@example.org', '--to',
             'b@elsewhere.example', '--helo', 'me'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode()
        sys.stderr.write(text)
        same('<** 553 listed: see http://bl.example/' in text, refused,
             'refused')
        same(done.returncode, 24 if refused else 0, 'exit of swaks')


@case()
def examples_of_manual():
    """The one that can be run as printed says what the list says; the
    rules compile and decide; the line starts"""
    network()
    Names('2.0.0.127.bl.example.org TXT "for a test"\n'
          '5.0.0.127.ok.example.net A 127.0.0.2\n'
          '5.0.0.127.bl.example.org TXT "the first"\n'
          '6.0.0.127.open.example.org TXT "the second"\n')
    line, ask, rules = examples('rblsmtpd.1')
    done = run(['sh', '-c', ask])
    same((done.code, done.out), (0, '451 for a test\r\n'), ask)

    rules_compile(rules)
    for ip, verdict in (('10.1.2.3', 'RBLSMTPD=\n'),
                        ('192.0.2.7', 'RBLSMTPD=-go away\n')):
        done = run([BIN + 'tcprulescheck', 'rules.cdb'],
                   set={'TCPREMOTEIP': ip})
        require('set environment variable ' + verdict in done.out, done.out)

    # As printed but for the paths and numbers of the example's own site.
    rules_compile('127.:allow\n', 'tcp.smtp.cdb', 'tcp.smtp.tmp')
    here = {'/etc/tcp.smtp.cdb': 'tcp.smtp.cdb', '-u 505 -g 511 0': '0',
            '/var/qmail/bin/qmail-smtpd': '/bin/echo 220 let in'}
    for word, own in here.items():
        require(word in line, '%r in the example' % word)
        line = line.replace(word, own)
    with open('line.log', 'wb') as log:
        process = subprocess.Popen(['sh', '-c', 'exec ' + line], env=ENV,
                                   stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, preexec_fn=os.setsid)
    session_remember(process.pid)
    wait_for(lambda: answers('127.0.0.1', 25), 'the line')
    for source, reply in (('127.0.0.2', '451 for a test'),
                          ('127.0.0.5', '220 let in'),
                          ('127.0.0.6', '553 the second'),
                          ('127.0.0.7', '220 let in')):
        with socket.socket() as s:
            s.settimeout(DEADLINE_S)
            s.bind((source, 0))
            s.connect(('127.0.0.1', 25))
            if 'let in' not in reply:
                s.sendall(b'HELP\r\nQUIT\r\n')
            text = read_all(s).decode()
        require(reply + ('\n' if 'let in' in reply else '\r\n') in text,
                '%s: %r' % (source, text))


main()
