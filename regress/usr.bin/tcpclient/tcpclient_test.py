#!/usr/bin/env python3
# tcpclient: which addresses it tries and for how long, what it says of a
# connection, and that no name or ident server can hold it up or fill it.
# What is as in ucspi-tcp 0.88 is held against that by differential_test.

from net import *

ZONE = r'''
dual.example A 127.0.0.1
dual.example AAAA ::1
six.example AAAA ::1
four.example A 127.0.0.1
none.example TXT "neither"
broken6.example AAAA do servfail
all.example A 192.0.2.1
all.example A 127.0.0.1
all.example A 198.51.100.1
all.example AAAA 2001:db8::1
all.example AAAA ::1
all.example AAAA fd00:db8::1
all.example AAAA 2001:db8:ffff::1
all.example AAAA 2002:c000:201::1
rounds.example A 127.0.0.1
rounds.example AAAA ::1
x.six.example AAAA ::1
1.0.0.127.in-addr.arpa PTR four.name.example
1.ZEROS.ip6.arpa PTR Six.Name.example
'''.replace('ZEROS', '.'.join('0' * 31))
SHOW = ['sh', '-c', 'env; cat <&6']


def client(*words, **kw):
    return run([BIN + 'tcpclient'] + list(words), **kw)


def world(zone=ZONE, addresses=()):
    network(*addresses)
    return Names(zone)


# Families

@case()
def default_is_ipv4():
    """A name that has both is asked for IPv4 only, as it was"""
    names = world()
    four, six = Service('127.0.0.1', 25), Service('::1', 25)
    done = client('-RHl0', 'dual.example', '25', 'env')
    same(done.variables()['TCPREMOTEIP'], '127.0.0.1', 'who was connected')
    same(names.questions(), ['udp A dual.example'], 'questions')
    four.stop()
    done = client('-RHl0', 'dual.example', '25', 'env')
    same(done.err, 'tcpclient: unable to connect to 127.0.0.1 port 25: '
         'connection refused\n', 'without IPv4')
    same(done.code, 111, 'exit')
    six.stop()


@case()
def falls_back_to_ipv6():
    """A name that has no IPv4 address is looked up again"""
    names = world()
    service = Service('::1', 25)
    done = client('-RHl0', 'six.example', '25', 'env')
    same(done.variables()['TCPREMOTEIP'], '::1', 'who was connected')
    same(names.questions(), ['udp A six.example', 'udp AAAA six.example'],
         'questions')
    # The second look-up also goes through all candidates.
    done = client('-RHl0', 'x+.nowhere.example+.six.example', '25', 'env')
    same(done.variables()['TCPREMOTEIP'], '::1', 'who was connected')
    done = client('-RHl0', 'none.example', '25', 'env')
    same((done.code, done.err), (111, 'tcpclient: fatal: no IP address for '
                                 'none.example\n'), 'neither')
    done = client('-RHl0', 'broken6.example', '25', 'env')
    same((done.code, done.err), (111, 'tcpclient: fatal: temporarily unable '
                                 'to figure out IP address for '
                                 'broken6.example: temporary failure\n'),
         'no answer')
    service.stop()


@case()
def options_4_and_6():
    """Each alone excludes the other family, both together take both"""
    names = world()
    services = Service('127.0.0.1', 25), Service('::1', 25)

    def reaches(options, host, who):
        done = client(*options, '-RHl0', host, '25', 'env')
        same((done.code, done.err), (0, ''), '%s %s' % (options, host))
        same(done.variables()['TCPREMOTEIP'], who,
             'who was connected with %s %s' % (options, host))

    def refuses(options, host):
        done = client(*options, '-RHl0', host, '25', 'env')
        same((done.code, done.err),
             (111, 'tcpclient: fatal: no IP address for %s\n' % host),
             '%s %s' % (options, host))

    for options in (['-4'], ['-6'], ['-46'], ['-64'], ['-6', '-4']):
        v4, v6 = '4' in str(options), '6' in str(options)
        reaches(options, 'dual.example', '::1' if v6 else '127.0.0.1')
        reaches(options, '0', '::1' if v6 else '127.0.0.1')
        reaches(options, '', '::1' if v6 else '127.0.0.1')
        for host in ('127.0.0.1', '[127.0.0.1]', '::ffff:127.0.0.1',
                     '[::ffff:127.0.0.1]', 'four.example'):
            if v4:
                reaches(options, host, '127.0.0.1')
            else:
                refuses(options, host)
        for host in ('::1', '[::1]', '0:0:0:0:0:0:0:1', '::1%lo',
                     '[::1%lo]', 'six.example'):
            if v6:
                reaches(options, host, '::1')
            else:
                refuses(options, host)
    same([line for line in names.questions() if ':' in line or
          '\\072' in line], [], 'addresses that were asked about')
    for service in services:
        service.stop()


@case()
def option_i_decides_family():
    """-i excludes the family that it is not of"""
    world()
    services = Service('127.0.0.1', 25), Service('::1', 25)
    for local, who in (('127.0.0.9', '127.0.0.1'), ('::1', '::1'),
                       ('[::1]', '::1'), ('0.0.0.0', '127.0.0.1'),
                       ('::', '::1'), ('::1%lo', '::1')):
        done = client('-46RHl0', '-i', local, 'dual.example', '25', 'env')
        same((done.code, done.err), (0, ''), local)
        same(done.variables()['TCPREMOTEIP'], who, 'who was connected')
        if local[0] == '1':
            same(done.variables()['TCPLOCALIP'], local, 'from where')
    done = client('-RHl0', '-i', '::1', 'dual.example', '25', 'env')
    same(done.variables()['TCPREMOTEIP'], '::1', 'without -4 and -6')
    done = client('-RHl0', '-i', '127.0.0.1', '::1', '25', 'env')
    same(done.err, 'tcpclient: fatal: no IP address for ::1\n', 'mixed')
    done = client('-4RHl0', '-i', '::1', 'dual.example', '25', 'env')
    same(done.err, 'tcpclient: fatal: no IP address for dual.example\n',
         'contradicting')
    done = client('-RHl0', '-i', '2001:db8::9', '::1', '25', 'env')
    same((done.code, done.err), (111, 'tcpclient: fatal: unable to bind '
                                 'socket: address not available\n'),
         'an address that is not here')
    for word in ('::g', '[::1', '::1]', '::1%nosuchif', ':', '[]'):
        done = client('-i', word, '::1', '25', 'env')
        same(done.code, 100, word)
        require(done.err.startswith('tcpclient: usage: '), done.err)
    for service in services:
        service.stop()


@case()
def local_port_v6():
    """-p alone binds in the family of each address"""
    world()
    services = Service('127.0.0.1', 25), Service('::1', 25)
    for host in ('127.0.0.1', '::1'):
        done = client('-RHl0', '-p', '999', host, '25', 'env')
        same((done.variables()['TCPLOCALPORT'],
              done.variables()['TCPREMOTEIP']), ('999', host), 'from where')
    for service in services:
        service.stop()


ORDER_ADDRESSES = ('192.0.2.1/32', '2001:db8::1/128', '2001:db8:ffff::1/128',
                   'fd00:db8::1/128')


@case()
def order_of_addresses():
    """RFC 6724: reachable, then by precedence; equals by chance"""
    world(addresses=ORDER_ADDRESSES)
    seen = set()
    for _ in range(12):
        done = client('-46RHl0', '-T', '1', 'all.example', '26', 'env')
        same(done.code, 111, 'exit')
        tried = re.findall(r'unable to connect to (\S+) port 26: (.*)',
                           done.err)
        seen.add(tuple(tried))
        where = [address for address, _ in tried]
        same(where[0], '::1', 'first (precedence 50)')
        same(sorted(where[1:3]), ['2001:db8::1', '2001:db8:ffff::1'],
             'then (precedence 40)')
        same(sorted(where[3:5]), ['127.0.0.1', '192.0.2.1'],
             'then (precedence 35)')
        same(where[5], 'fd00:db8::1', 'then (precedence 3)')
        same(sorted(where[6:]), ['198.51.100.1', '2002:c000:201::1'],
             'last: no way there')
        same({error for _, error in tried[:6]}, {'connection refused'},
             'errors of those here')
        same({error for _, error in tried[6:]}, {'network unreachable'},
             'errors of the others')
    require(len(seen) > 1, 'the order of equals never changed')


@case()
def order_of_ipv4_alone():
    """By chance, whatever RFC 6724 says"""
    world('all.example A 127.0.0.1\nall.example A 192.0.2.1\n'
          'all.example A 127.0.0.2\n', ['192.0.2.1/32'])
    seen = set()
    for _ in range(24):
        done = client('-RHl0', '-T', '1', 'all.example', '26', 'env')
        seen.add(tuple(re.findall(r'connect to (\S+) port', done.err)))
    require(len(seen) > 3, 'orders seen: %r' % seen)


@case()
def rounds_of_both_families():
    """One that does not answer costs x; the second round comes after all"""
    world()
    silent = Full('::1', 27)
    good = Service('127.0.0.1', 27, b'good\n')
    done = client('-46RHl0', '-T', '1+20', 'rounds.example', '27', 'env')
    same((done.code, done.err), (0, ''), 'the second answers')
    require(0.9 < done.seconds < 8, 'it took %.1f s' % done.seconds)
    good.stop()
    done = client('-46RHl0', '-T', '1+1', 'rounds.example', '27', 'env')
    same(done.err, 'tcpclient: unable to connect to 127.0.0.1 port 27: '
         'connection refused\ntcpclient: unable to connect to ::1 port 27: '
         'timed out\n', 'who was given up')
    require(1.9 < done.seconds < 10, 'it took %.1f s' % done.seconds)
    silent.stop()


@case()
def second_round_succeeds():
    """A server that was too slow for the first is found in the second"""
    world('two.example A 127.0.0.1\ntwo.example A 127.0.0.2\n')
    slow, other = Full('127.0.0.1', 27), Full('127.0.0.2', 27)
    with open('/proc/self/net/tcp') as f:
        before = {(line.split()[1], line.split()[2]) for line in f}
    ports = set()
    process = subprocess.Popen(
        [BIN + 'tcpclient', '-vRHl0', '-T', '1+60', 'two.example', '27',
         'echo', 'there'], env=ENV, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)

    def now_in_second_round():
        # Each connection of the first round comes from a port of its own.
        with open('/proc/%d/net/tcp' % process.pid) as f:
            for line in f:
                words = line.split()
                if words[2].endswith(':001B') and words[3] == '02':
                    ports.add((words[1], words[2]))
        return len([p for p in ports if p not in before]) >= 3
    wait_for(now_in_second_round, 'a third attempt')
    for full in (slow, other):
        for filler in full.fillers:
            filler.close()
        full.sock.settimeout(DEADLINE_S)
    accepted = []

    def accept(sock):
        try:
            while True:
                accepted.append(sock.accept()[0])
        except OSError:
            pass
    threads = [threading.Thread(target=accept, args=(full.sock,),
                                daemon=True) for full in (slow, other)]
    for thread in threads:
        thread.start()
    out, err = process.communicate(timeout=DEADLINE_S * 2)
    same((process.returncode, out), (0, b'there\n'), 'the second round')
    require(re.fullmatch(rb'tcpclient: connected to 127.0.0.[12] port 27\n',
                         err), 'messages: %r' % err)


# What is said

@case()
def environment_of_ipv6():
    """All names twice, PROTO, and nothing stale"""
    world()
    service = Service('::1', 25)
    stale = {'TCP6INTERFACE': 'stale', 'TCPREMOTEINFO': 'stale',
             'TCP6REMOTEINFO': 'stale'}
    done = client('-v', '::1', '25', 'env', set=stale)
    same(done.err, 'tcpclient: connected to ::1 port 25\n', 'message')
    found = done.variables()
    port = found.get('TCPLOCALPORT', 'none')
    wanted = {'PROTO': 'TCP6'}
    for prefix in ('TCP', 'TCP6'):
        wanted.update({prefix + name: value for name, value in (
            ('LOCALIP', '::1'), ('LOCALPORT', port),
            ('LOCALHOST', 'six.name.example'), ('REMOTEIP', '::1'),
            ('REMOTEPORT', '25'), ('REMOTEHOST', 'six.name.example'))})
    same(found, wanted, 'environment')
    service.stop()


@case()
def environment_of_ipv4_after_ipv6():
    """A client started by a program that was reached over IPv6"""
    world()
    service = Service('127.0.0.1', 25)
    stale = {'TCP6' + name: 'stale' for name in (
        'LOCALIP', 'LOCALPORT', 'LOCALHOST', 'REMOTEIP', 'REMOTEPORT',
        'REMOTEHOST', 'REMOTEINFO', 'INTERFACE')}
    found = client('-RHl0', '0', '25', 'env', set=stale).variables()
    same([name for name in found if name.startswith('TCP6')], [], 'left')
    same(found['PROTO'], 'TCP', 'PROTO')
    service.stop()


@case()
def interface_of_scoped():
    """An address with an interface, and TCP6INTERFACE"""
    world(addresses=['fe80::5/64'])
    service = Service('::', 25)
    for host in ('fe80::5%lo', '[fe80::5%lo]'):
        done = client('-RHl0', host, '25', 'env')
        same((done.code, done.err), (0, ''), host)
        same(done.variables()['TCP6INTERFACE'], 'lo', 'TCP6INTERFACE')
        same(done.variables()['TCP6REMOTEIP'], 'fe80::5', 'TCP6REMOTEIP')
    for host in ('fe80::5%nosuchif', 'fe80::5%', '127.0.0.1%lo'):
        done = client('-RHl0', host, '25', 'env')
        same(done.err, 'tcpclient: fatal: no IP address for %s\n' % host,
             host)
    service.stop()


@case()
def ident_of_ipv6():
    """The same question, to the same address"""
    world()
    service = Service('::1', 25)
    ident = Service('::1', 113, b'25,1:USERID:UNIX:joe\r\n', wait=True,
                    close=True)
    found = client('-Hl0', '::1', '25', 'env').variables()
    same((found['TCPREMOTEINFO'], found['TCP6REMOTEINFO']), ('joe', 'joe'),
         'info')
    same(ident.wait_heard()[0].decode(),
         '25 , %s\r\n' % found['TCPLOCALPORT'], 'question')
    service.stop()
    ident.stop()


# Hostile ident servers

def ident_says(reply, seconds=2):
    world()
    service = Service('127.0.0.1', 25)
    ident = Service('127.0.0.1', 113, reply, wait=True, close=True)
    done = client('-Hl0', '-t', str(seconds), '127.0.0.1', '25', 'env')
    same((done.code, done.err), (0, ''), 'result')
    service.stop()
    ident.stop()
    return done


@case()
def ident_endless():
    """A line without an end is given up long before the time is over"""
    def flood(conn):
        while True:
            conn.sendall(b'x' * 65536)
    done = ident_says(flood, 20)
    require('TCPREMOTEINFO' not in done.variables(), 'an answer was taken')
    require(done.seconds < 10, 'it took %.1f s' % done.seconds)


@case()
def ident_endless_user():
    """A user name without an end is cut"""
    def flood(conn):
        conn.sendall(b'1,2:USERID:UNIX:')
        while True:
            conn.sendall(b'u' * 65536)
    done = ident_says(flood, 20)
    same(done.variables()['TCPREMOTEINFO'], 'u' * 257, 'info')


@case()
def ident_byte_by_byte():
    """Time counts as a whole: a byte now and then does not stretch it"""
    stop = threading.Event()

    def drip(conn):
        while not stop.wait(0.1):
            conn.sendall(b'1')
    done = ident_says(drip, 2)
    stop.set()
    require('TCPREMOTEINFO' not in done.variables(), 'an answer was taken')
    require(1.9 < done.seconds < 8, 'it took %.1f s' % done.seconds)


@case()
def ident_byte_by_byte_in_time():
    """Pieces make a whole"""
    def drip(conn):
        for byte in b'1,2 : USERID : UNIX : jo e\r\n':
            conn.sendall(bytes([byte]))
    same(ident_says(drip, 20).variables()['TCPREMOTEINFO'], 'joe', 'info')


@case()
def ident_half_closed():
    """It sends its answer after it heard our end; we have not ended"""
    def reply(conn):
        conn.setblocking(True)
        conn.shutdown(socket.SHUT_WR)
    require('TCPREMOTEINFO' not in ident_says(reply, 20).variables(),
            'an answer was taken')


@case()
def ident_nul():
    """What is behind a NUL can't be in an environment"""
    done = ident_says(b'1,2:USERID:UNIX:jo\0e\r\n')
    same(done.variables()['TCPREMOTEINFO'], 'jo', 'info')


# Hostile name servers

HOSTILE = r'''
many.example A do many 4000
many6.example AAAA do many 2000
loop.example * do cname-loop
chain.example A 127.0.0.1
chain.example A do chain 300
self.example * do pointer-self
pointers.example * do pointer-loop
forward.example * do pointer-forward
out.example * do pointer-out
label.example * do label-long
cut.example A 127.0.0.1
cut.example * do cut 1
length.example A 127.0.0.1
length.example * do rdlength 65535
count.example A 127.0.0.1
count.example * do count 65535
garbage.example * do garbage
class.example A 127.0.0.1
class.example * do wrong-class
question.example A 127.0.0.1
question.example * do wrong-question other.example
type.example A 127.0.0.1
type.example * do wrong-type
'''


@case(timeout=300)
def hostile_answers():
    """Every answer ends in an address or an error, soon, in little memory"""
    world(HOSTILE)
    names = re.findall(r'^(\S+)\.example \S+ do', HOSTILE, re.M)
    wrong = []

    def ask(name):
        try:
            hostile_answer(name)
        except Failed as why:
            wrong.append(str(why))
    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    require(not wrong, '; '.join(wrong))


def hostile_answer(name):
    done = client('-46RHl0', '-T', '0', name + '.example', '26', 'env',
                  seconds=200)
    same(done.code, 111, name)
    lines = done.err.splitlines()
    require(1 <= len(lines) <= 256, '%s: %d lines' % (name, len(lines)))
    for line in lines:
        require(re.fullmatch(
            r'tcpclient: (unable to connect to \S+ port 26: .*|fatal: '
            r'(no|temporarily unable to figure out) IP address for '
            r'%s\.example(: (protocol error|temporary failure|timed '
            r'out))?)' % name, line), '%s: %s' % (name, line))


@case()
def many_addresses():
    """Of more than 256 addresses that many are tried, not just the first"""
    world('many.example A do many 4000\n')
    service = Service('127.0.0.1', 26)
    done = client('-RHl0', '-T', '0', '-i', '127.0.0.1', 'many.example',
                  '26', 'env', seconds=100)
    tried = re.findall(r'connect to (\S+) port', done.err)
    same((len(tried), len(set(tried))), (256, 256), 'addresses tried')
    service.stop()


@case(timeout=200)
def silent_name_server():
    """The bound that the manual states"""
    world('silent.example * do silence\n')
    done = client('-RHl0', 'silent.example', '26', 'env', seconds=100)
    same((done.code, done.err), (
        111, 'tcpclient: fatal: temporarily unable to figure out IP address '
        'for silent.example: timed out\n'), 'result')
    require(40 < done.seconds < 60, 'it took %.1f s' % done.seconds)


# Descriptors and processes

@case()
def half_closed_both_ways():
    """What is sent after the other end has finished arrives, either way"""
    world()

    def reply(conn):
        conn.sendall(b'all of it\n')
        conn.shutdown(socket.SHUT_WR)
    service = Service('127.0.0.1', 25, reply)
    done = client('-RHl0', '127.0.0.1', '25', 'sh', '-c',
                  'cat <&6; echo after >&7')
    same(done.out, 'all of it\n', 'heard')
    same(service.wait_heard(), [b'after\n'], 'said')
    service.stop()


@case()
def nothing_left_open():
    """The program has what it had before, and 6 and 7"""
    world()
    service = Service('::1', 25)
    Service('::1', 113, b'1,2:USERID:UNIX:joe\r\n', wait=True, close=True)
    # The directory itself is being listed on 3.
    done = client('-v', 'six.example', '25', 'ls', '/proc/self/fd')
    same(done.out.split(), ['0', '1', '2', '3', '6', '7'], 'descriptors')
    service.stop()


# Real servers

@case()
def smtp_sink():
    """Postfix's sink takes a message over both families"""
    program = unpacked('usr/sbin/smtp-sink')
    # Root must name another user, whom a user's own network lacks: so this
    # is in the machine's, on free ports.
    user = ['-u', 'nobody'] if os.getuid() == 0 else []
    script = ('read -r line <&6; for c in "HELO me" "MAIL FROM:<a@b.example>"'
              ' "RCPT TO:<c@d.example>" DATA; do printf "%s\\r\\n" "$c" >&7;'
              ' read -r line <&6; echo "$line"; done; printf "Subject: x\\r\\n'
              '\\r\\ny\\r\\n.\\r\\nQUIT\\r\\n" >&7; cat <&6')
    for n, host in enumerate((own_address(), '::1')):
        port = sink_port(host)
        background([program] + user + ['inet:%s:%d' % (
            '[::1]' if ':' in host else host, port), '10'],
            lambda: answers(host, port), unpacked_environment(),
            'sink.%d' % n)
        done = client('-RHl0', host, str(port), 'sh', '-c', script)
        same(done.code, 0, 'exit')
        replies = done.out.replace('\r', '').splitlines()
        same([line[:3] for line in replies],
             ['250', '250', '250', '354', '250', '221'],
             'replies of %s: %r' % (host, replies))


def sink_port(host):
    with socket.socket(socket.AF_INET6 if ':' in host
                       else socket.AF_INET) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def dialogue_with_mailfront(name, host, port):
    script = ('printf "EHLO me\\r\\nMAIL FROM:<a@example.org>\\r\\n'
              'RCPT TO:<b@elsewhere.example>\\r\\nQUIT\\r\\n" >&7; cat <&6')
    done = client('-RHl0', host, str(port), 'sh', '-c', script)
    same(done.code, 0, 'exit')
    codes = re.findall(r'^(\d{3}) ', done.out, re.M)
    same(codes, ['220', '250', '250', '250', '221'],
         'replies through %s: %r' % (name, done.out))


@case()
def mailfront():
    """under our tcpserver, over both families, and under Debian's"""
    network()
    program = [unpacked('usr/sbin/mailfront'), 'smtp', 'echo', 'relayclient',
               'accept-sender']
    env = dict(unpacked_environment(), RELAYCLIENT='')
    for host in ('127.0.0.1', '::1'):
        server = Server(['-vRHl0'], program, host=host, env=env)
        dialogue_with_mailfront('ours', host, server.port)
        server.wait_lines(r'end \d+ status 0', 1)
    theirs = peer('usr/bin/tcpserver')
    background([theirs, '-vRHl0', '127.0.0.1', '25'] + program,
               lambda: answers('127.0.0.1', 25), env)
    dialogue_with_mailfront('Debian\'s', '127.0.0.1', 25)


@case()
def examples_of_manual():
    """Each does what its sentence says, as printed"""
    world()
    services = [Service('127.0.0.1', 25, b'220 first line\r\n', close=False),
                Service('::1', 25)]

    def answer(conn):
        conn.sendall(b'220 me\r\n')
        data = b''
        while not data.endswith(b'\n'):
            data += conn.recv(100)
        conn.sendall(b'221 bye to ' + data)
        conn.close()
    shown = examples('tcpclient.1')
    same(len(shown), 3, 'examples')
    same(run(['sh', '-c', shown[0]]).out, '220 first line\r\n', shown[0])
    services[0].stop()
    services.append(Service('127.0.0.1', 25, answer))
    same(run(['sh', '-c', shown[1]]).out, '220 me\r\n221 bye to QUIT\r\n',
         shown[1])
    same(run(['sh', '-c', shown[2]]).out, 'TCP6 ::1\n', shown[2])
    for service in services:
        service.stop()


main()
