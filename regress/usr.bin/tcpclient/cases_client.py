"""Cases of tcpclient: the command line, addresses, patience, what is said
about a connection, and what the program gets."""

import os
import re
import signal
import socket
import subprocess

from differential import case, table, PATH, DEADLINE_S
from services import Full, Names, Service

ZONE = r'''
1.0.0.127.in-addr.arpa PTR localhost.example
2.0.0.127.in-addr.arpa * do empty
3.0.0.127.in-addr.arpa * do servfail
4.0.0.127.in-addr.arpa PTR Odd\040Name\056x.EXAMPLE
5.0.0.127.in-addr.arpa PTR first.example
5.0.0.127.in-addr.arpa PTR second.example
7.0.0.127.in-addr.arpa PTR .
8.0.0.127.in-addr.arpa CNAME eight.rev.example
eight.rev.example PTR eight.example
9.0.0.127.in-addr.arpa * do cname-loop
one.example A 127.0.0.1
two.example A 127.0.0.4
two.example A 127.0.0.5
alias.example CNAME one.example
loop.example * do cname-loop
chain.example A 127.0.0.1
chain.example A do chain 5
servfail.example * do servfail
refused.example * do refused
empty.example * do empty
truncate.example A 127.0.0.1
truncate.example A do truncate
self.example A do pointer-self
many.example A do many 40
wrong.example A 127.0.0.1
wrong.example A do wrong-owner other.example
v6only.example AAAA ::1
short.lan.example A 127.0.0.1
mapped.example AAAA ::ffff:127.0.0.1
'''

# Reading names must not depend on the machine the tests run on.
DNS = {'PATH': PATH, 'DNSCACHEIP': '127.0.0.1', 'LOCALDOMAIN': 'lan.example',
       'DNSREWRITEFILE': '/nonexistent'}
BARE = {'PATH': PATH, 'DNSCACHEIP': '127.0.0.1', 'LOCALDOMAIN': 'x',
        'DNSREWRITEFILE': '/nonexistent'}


def clean(text, ports=()):
    """Process numbers, ports that the system picked, order by chance."""
    text = text.decode('latin-1')
    text = re.sub(r'(?m)^(env TCP6?LOCALPORT=)\d+$', r'\1PORT', text)
    for port in ports:
        text = re.sub(r'(?<!\d)%d(?!\d)' % port, 'PORT', text)
    return text


def client(side, options, host, port, program=('./probe', 'environment'),
           env=None, sort=False, stdin=b'', label=None, preexec=None,
           script=None):
    """Runs tcpclient to its end and records how it went."""
    argv = ['tcpclient'] + list(options) + [host, str(port)] + list(program)
    if label:
        side.note('case', label)
    executable = side.tool('tcpclient')
    if script:
        argv = ['sh', '-c', script, 'sh', executable] + argv[1:]
        executable = '/bin/sh'
    process = subprocess.Popen(argv, executable=executable, cwd=side.dir,
                               env=BARE if env is None else env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, preexec_fn=preexec)
    try:
        out, err = process.communicate(stdin, timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        side.note('did not end', True)
    err = clean(err, [int(port)] if str(port).isdigit() and int(port) > 1024
                else [])
    out = clean(out, [int(port)] if str(port).isdigit() and int(port) > 1024
                else [])
    if sort:
        err = ''.join(sorted(err.splitlines(True)))
    side.note('exit', process.returncode)
    side.note('stdout', out)
    side.note('stderr', err)


def serve(side, kind, *args, **kw):
    """A service that is stopped even if the case is not carried through."""
    service = kind(*args, **kw)
    service.abandon = service.stop
    side.servers.append(service)
    return service


# Name and arguments: each ends before anything is connected.
USAGE = (
    ('none', []),
    ('one-operand', ['0']),
    ('two-operands', ['0', '1']),
    ('illegal', ['-Z', '0', '1', 'true']),
    ('illegal-paranoid', ['-P', '0', '1', 'true']),
    ('illegal-port-print', ['-1', '0', '1', 'true']),
    ('illegal-in-cluster', ['-RHZ', '0', '1', 'true']),
    ('illegal-after-quiet', ['-q', '-Z', '0', '1', 'true']),
    ('illegal-long', ['--help']),
    ('missing-i', ['-i']),
    ('missing-p', ['-vp']),
    ('missing-T', ['-T']),
    ('missing-l', ['-RHl']),
    ('missing-t', ['-t']),
    ('quiet', ['-q']),
    ('quiet-then-errors', ['-q', '-Q', '0']),
    ('double-dash', ['--', '-q', '0']),
    ('lone-dash', ['-']),
    ('i-word', ['-i', 'localhost', '0', '1', 'true']),
    ('i-short', ['-i', '1.2.3', '0', '1', 'true']),
    ('i-empty', ['-i', '', '0', '1', 'true']),
    ('i-quiet', ['-q', '-i', 'x', '0', '1', 'true']),
    ('i-brackets', ['-i', '[127.0.0.1]', '0', '1', 'true']),
    ('port-word', ['0', 'nosuchservice', 'true']),
    ('port-hex', ['0', '0x10', 'true']),
    ('port-junk', ['0', '25x', 'true']),
    ('port-sign', ['0', '-1', 'true']),
    ('port-quiet', ['-q', '0', 'nosuchservice', 'true']),
    ('port-before-host', ['127.1', 'nosuchservice', 'true']),
)

table('client', 'client-usage', USAGE,
      lambda side, args: side.run(['tcpclient'] + args, env=BARE))


# Words that are an address, or none, without asking anybody.
@case('client')
def client_host_words(side):
    for word in ('127.1', '127.0.0', '[', '...', '.', '[]', '[1]', '1.'):
        client(side, ['-RHl0'], word, 1, label=word)


@case('client')
def client_host_classic_literals(side):
    service = serve(side, Service, '127.0.0.1', 0, b'hi\r\n')
    for word in ('127.0.0.1', '[127.0.0.1]', '127.000.000.001', '0', '',
                 '383.256.512.257', '[127].0.[0].1', '127...1'):
        client(side, ['-RHl0'], word, service.port, label=word)
    service.stop()


@case('client')
def client_host_many_literals(side):
    """Four bytes each; tried until one answers."""
    service = serve(side, Service, '127.0.0.1', 0, b'hi\r\n')
    client(side, ['-RHl0'], '127.0.0.2.127.0.0.3', service.port, sort=True)
    client(side, ['-qRHl0'], '127.0.0.2.127.0.0.3', service.port, sort=True)
    service.stop()


@case('client')
def client_host_self(side):
    service = serve(side, Service, '127.0.0.1', 0)
    client(side, ['-vRHl0'], '0', service.port)
    client(side, ['-vRHl0'], '', service.port)
    service.stop()


@case('client')
def client_refused(side):
    service = serve(side, Service, '127.0.0.1', 0)
    service.stop()
    for options in (['-RHl0'], ['-vRHl0'], ['-qRHl0'], ['-RHl0', '-q', '-v'],
                    ['-T', '0', '-RHl0']):
        client(side, options, '127.0.0.1', service.port)


@case('client')
def client_network_unreachable(side):
    """The error's own text."""
    client(side, ['-RHl0', '-T', '1'], '255.255.255.255', 9)


@case('client')
def client_full(side):
    """One address gets the patience of both rounds."""
    full = serve(side, Full, '127.0.0.1')
    for patience in ('1+1', '1', '0', '+1', 'x', '1x+1', '-1'):
        client(side, ['-RHl0', '-T', patience], '127.0.0.1', full.port,
               label=patience)
    full.stop()


@case('client')
def client_full_several(side):
    full = serve(side, Full, '127.0.0.1')
    other = serve(side, Full, '127.0.0.2', full.port)
    for patience in ('1+1', '1', '0+1'):
        client(side, ['-RHl0', '-T', patience], '127.0.0.1.127.0.0.2',
               full.port, label=patience, sort=True)
    full.stop()
    other.stop()


@case('client')
def client_full_and_refused(side):
    """What refuses is not tried in the second round."""
    full = serve(side, Full, '127.0.0.1')
    client(side, ['-RHl0', '-T', '1+1'], '127.0.0.1.127.0.0.2.127.0.0.3',
           full.port, sort=True)
    full.stop()


@case('client')
def client_full_then_good(side):
    full = serve(side, Full, '127.0.0.1')
    good = serve(side, Service, '127.0.0.2', full.port)
    client(side, ['-RHl0', '-T', '1+1'], '127.0.0.1.127.0.0.2', full.port)
    full.stop()
    good.stop()


@case('client')
def client_verbose(side):
    service = serve(side, Service, '127.0.0.1', 0)
    for options in (['-RHl0', '-v'], ['-RHl0', '-Q', '-v'],
                    ['-RHl0', '-v', '-Q'], ['-RHl0', '-vq']):
        client(side, options, '127.0.0.1', service.port)
    service.stop()


@case('client')
def client_local_name(side):
    service = serve(side, Service, '127.0.0.1', 0)
    for name in ('0', '', 'a=b', 'x' * 3000):
        client(side, ['-RH', '-l', name], '127.0.0.1', service.port)
    service.stop()


@case('client')
def client_local_address(side):
    service = serve(side, Service, '127.0.0.1', 0)
    for address in ('127.0.0.3', '127.0.0.3junk', '127.0.0.3 ',
                    '127.0.0.259', '127.00.000.3', '0.0.0.0'):
        client(side, ['-RHl0', '-i', address], '127.0.0.1', service.port,
               label=address)
    service.stop()


@case('client')
def client_local_address_foreign(side):
    client(side, ['-RHl0', '-i', '192.0.2.1'], '127.0.0.1', 9)
    client(side, ['-qRHl0', '-i', '192.0.2.1'], '127.0.0.1', 9)


def free_port():
    sock = socket.socket()
    sock.bind(('127.0.0.1', 0))
    return sock, sock.getsockname()[1]


@case('client')
def client_local_port(side):
    service = serve(side, Service, '127.0.0.1', 0)
    sock, port = free_port()
    sock.close()
    client(side, ['-RHl0', '-p', str(port)], '127.0.0.1', service.port,
           program=['sh', '-c', '[ "$TCPLOCALPORT" = %d ] && echo so' % port])
    service.stop()


@case('client')
def client_local_port_taken(side):
    service = serve(side, Service, '127.0.0.1', 0)
    sock, port = free_port()
    client(side, ['-RHl0', '-p', str(port)], '127.0.0.1', service.port)
    sock.close()
    service.stop()


@case('client')
def client_local_port_words(side):
    service = serve(side, Service, '127.0.0.1', 0)
    for word in ('0', 'x', '', '65536'):
        client(side, ['-RHl0', '-p', word], '127.0.0.1', service.port,
               label=word)
    service.stop()


@case('client')
def client_environment_stale(side):
    """Nothing of another connection is left."""
    service = serve(side, Service, '127.0.0.1', 0)
    env = dict(BARE)
    for name in ('PROTO', 'TCPLOCALIP', 'TCPLOCALPORT', 'TCPLOCALHOST',
                 'TCPREMOTEIP', 'TCPREMOTEPORT', 'TCPREMOTEHOST',
                 'TCPREMOTEINFO'):
        env[name] = 'stale'
    env['OTHER'] = 'kept'
    client(side, ['-RHl0'], '127.0.0.1', service.port, env=env)
    service.stop()


@case('client')
def client_environment_stale_v6(side):
    service = serve(side, Service, '127.0.0.1', 0)
    env = dict(BARE)
    for name in ('TCP6LOCALIP', 'TCP6LOCALPORT', 'TCP6LOCALHOST',
                 'TCP6REMOTEIP', 'TCP6REMOTEPORT', 'TCP6REMOTEHOST',
                 'TCP6REMOTEINFO', 'TCP6INTERFACE'):
        env[name] = 'stale'
    client(side, ['-RHl0'], '127.0.0.1', service.port, env=env)
    service.stop()


@case('client')
def client_descriptors(side):
    """6 and 7 are the connection, all others what they were."""
    service = serve(side, Service, '127.0.0.1', 0)
    program = ['./probe', 'descriptors']
    client(side, ['-RHl0'], '127.0.0.1', service.port, program)
    client(side, ['-RHl0'], '127.0.0.1', service.port, program,
           script='exec 3</dev/null 5<&3 6<&3 7<&3 8<&3; exec "$@"')
    client(side, ['-RHl0'], '127.0.0.1', service.port, program,
           script='exec 3</dev/null 4<&3 5<&3; exec "$@"')
    client(side, ['-RHl0'], '127.0.0.1', service.port, program,
           script='exec 3</dev/null 4<&3 5<&3 6<&3 7<&3 8<&3; exec "$@"')
    client(side, ['-RHl0'], '127.0.0.1', service.port, program,
           script='exec <&-; exec "$@"')
    client(side, ['-RHl0'], '127.0.0.1', service.port, program,
           script='exec 2>&-; exec "$@"')
    service.stop()


@case('client')
def client_descriptors_closed(side):
    """A message finds nobody; the result is the same."""
    service = serve(side, Service, '127.0.0.1', 0, b'hi\n')
    client(side, ['-vRHl0'], '127.0.0.1', service.port,
           ['sh', '-c', 'head -n 1 <&6; echo QUIT >&7'],
           script='exec <&- 2>&-; exec "$@"')
    side.note('heard', service.wait_heard())
    service.stop()


@case('client')
def client_errors_closed(side):
    """The server does not hear what is meant for standard error."""
    service = serve(side, Service, '127.0.0.1', 0, b'hi\n')
    client(side, ['-vRHl0'], '127.0.0.1', service.port,
           ['sh', '-c', 'head -n 1 <&6; echo QUIT >&7'],
           script='exec 2>&-; exec "$@"')
    side.note('heard', clean(b''.join(service.wait_heard()),
                             [service.port]))
    service.stop()


@case('client')
def client_conversation(side):
    """Bytes in both directions, NULs included; both are one socket."""
    service = serve(side, Service, '127.0.0.1', 0, b'one\r\n\0two\n')
    client(side, ['-RHl0'], '127.0.0.1', service.port,
           ['sh', '-c', 'head -c 10 <&6; printf "a\\0b\\r\\n" >&7'])
    side.note('heard', service.wait_heard())
    service.stop()


@case('client')
def client_signals(side):
    service = serve(side, Service, '127.0.0.1', 0)

    def ignore():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])

    client(side, ['-RHl0'], '127.0.0.1', service.port, ['./probe', 'signals'])
    client(side, ['-RHl0'], '127.0.0.1', service.port, ['./probe', 'signals'],
           preexec=ignore)
    service.stop()


@case('client')
def client_nodelay(side):
    service = serve(side, Service, '127.0.0.1', 0)
    for option in ('-d', '-D', '-dD', '-Dd'):
        client(side, ['-RHl0', option], '127.0.0.1', service.port,
               ['sh', '-c', 'exec ./probe socket <&6'])
    service.stop()


@case('client')
def client_exit(side):
    service = serve(side, Service, '127.0.0.1', 0)
    for program in (['true'], ['false'], ['sh', '-c', 'exit 42'],
                    ['sh', '-c', 'kill -9 $$'], ['./probe', 'arguments']):
        client(side, ['-RHl0'], '127.0.0.1', service.port, program)
    service.stop()


@case('client')
def client_program_missing(side):
    service = serve(side, Service, '127.0.0.1', 0)
    side.write('text', 'no program\n')
    side.write('script', 'echo no interpreter named\n', 0o755)
    for program in ('./missing', 'no-such-program-at-all', '/', './text',
                    './script', '', './missing/x', './text/x'):
        client(side, ['-RHl0'], '127.0.0.1', service.port, [program])
    client(side, ['-qRHl0'], '127.0.0.1', service.port, ['./missing'])
    service.stop()


@case('client')
def client_program_path(side):
    service = serve(side, Service, '127.0.0.1', 0)
    side.write('here', '#!/bin/sh\necho here\n', 0o755)
    for path in (None, '', ':/nonexistent', '/nonexistent', '/bin:', '.'):
        env = dict(BARE)
        if path is None:
            del env['PATH']
        else:
            env['PATH'] = path
        client(side, ['-RHl0'], '127.0.0.1', service.port, ['here'], env=env)
        client(side, ['-RHl0'], '127.0.0.1', service.port, ['echo', 'x'],
               env=env)
    service.stop()


@case('client')
def client_option_4(side):
    service = serve(side, Service, '127.0.0.1', 0)
    client(side, ['-4', '-RHl0'], '127.0.0.1', service.port)
    service.stop()


@case('client')
def client_option_6(side):
    client(side, ['-6', '-RHl0'], '127.0.0.1', 1)


@case('client')
def client_local_v6(side):
    client(side, ['-i', '::1', '-RHl0'], '127.0.0.1', 1)


# From here on with a name server: port 53 of 127.0.0.1.

NAMES = []


def names():
    """One server for all cases of the process."""
    if not NAMES:
        NAMES.append(Names(ZONE))


@case('client-net')
def client_v6_literal(side):
    """0.88 asks the DNS for the A record of "::1"."""
    names()
    service = serve(side, Service, '::1', 0)
    client(side, ['-RHl0'], '::1', service.port, env=DNS)
    service.stop()


@case('client-net')
def client_v6_brackets(side):
    names()
    service = serve(side, Service, '::1', 0)
    client(side, ['-RHl0'], '[::1]', service.port, env=DNS)
    service.stop()


@case('client-net')
def client_v6_mapped(side):
    names()
    service = serve(side, Service, '127.0.0.1', 0)
    client(side, ['-RHl0'], '::ffff:127.0.0.1', service.port, env=DNS)
    service.stop()


@case('client-net')
def client_v6_only_name(side):
    names()
    service = serve(side, Service, '::1', 0)
    client(side, ['-RHl0'], 'v6only.example', service.port, env=DNS)
    service.stop()


# Name and host word; there is a service on 127.0.0.1.
HOSTS = (
    ('name', 'one.example'),
    ('name-dot', 'one.example.'),
    ('name-case', 'ONE.Example'),
    ('name-qualified', 'short'),
    ('name-plus', 'none+.nowhere.example+.lan.example'),
    ('name-plus-found', 'short+.nowhere.example+.lan.example'),
    ('name-unknown', 'nohost.example'),
    ('name-empty', 'empty.example'),
    ('name-servfail', 'servfail.example'),
    ('name-refused', 'refused.example'),
    ('name-alias', 'alias.example'),
    ('name-chain', 'chain.example'),
    ('name-loop', 'loop.example'),
    ('name-truncated', 'truncate.example'),
    ('name-self', 'self.example'),
    ('name-wrong-owner', 'wrong.example'),
    ('name-long-label', 'x' * 64 + '.example'),
    ('name-long', 'x' * 60 + ('.' + 'y' * 60) * 4),
    ('name-digits', '1'),
    ('name-zeros', '00'),
    ('name-blank', 'one example'),
    ('name-dash', '-'),
    ('name-plus-alone', '+'),
    ('name-dot-alone', '.'),
    ('name-slash', 'a/b.example'),
)


def host(side, word):
    names()
    service = serve(side, Service, '127.0.0.1', 0)
    client(side, ['-RHl0'], word, service.port, env=DNS)
    service.stop()


table('client-net', 'client', HOSTS, host)


@case('client-net')
def client_name_several(side):
    names()
    client(side, ['-RHl0'], 'two.example', 26, env=DNS, sort=True)
    good = serve(side, Service, '127.0.0.5', 26)
    client(side, ['-qRHl0'], 'two.example', 26, env=DNS)
    good.stop()


@case('client-net')
def client_name_many(side):
    """More than fit into one datagram: all are tried."""
    names()
    client(side, ['-RHl0', '-T', '0', '-i', '127.0.0.1'], 'many.example', 26,
           env=DNS, sort=True)


@case('client-net')
def client_name_quiet(side):
    names()
    client(side, ['-qRHl0'], 'nohost.example', 26, env=DNS)
    client(side, ['-qRHl0'], 'servfail.example', 26, env=DNS)


@case('client-net')
def client_name_server_gone(side):
    client(side, ['-RHl0'], 'one.example', 26,
           env=dict(DNS, DNSCACHEIP='127.0.0.99'))


@case('client-net')
def client_name_rewritten(side):
    names()
    side.write('rules', '=a:one.example\n*.b:.example\n?:.lan.example\n'
               '-c.example:one.example\n*.:\n')
    env = dict(DNS, DNSREWRITEFILE='rules')
    service = serve(side, Service, '127.0.0.1', 0)
    for word in ('a', 'one.b', 'short', 'anything.c.example', 'A',
                 'nohost.b', 'one.example.'):
        client(side, ['-RHl0'], word, service.port, env=env, label=word)
    service.stop()


@case('client-net')
def client_name_rules_unreadable(side):
    names()
    os.mkdir(side.path('rules'))
    client(side, ['-RHl0'], 'one.example', 26,
           env=dict(DNS, DNSREWRITEFILE='rules'))


@case('client-net')
def client_service_name(side):
    """Services have names; here one of a privileged port."""
    names()
    service = serve(side, Service, '127.0.0.1', 25)
    client(side, ['-RHl0'], '0', 'smtp', env=DNS)
    client(side, ['-RHl0'], '0', 'mail', env=DNS)
    client(side, ['-RHl0'], '0', '0025', env=DNS)
    client(side, ['-RHl0'], '0', '65561', env=DNS)
    service.stop()


# What the DNS says about 127.0.0.n, both as a local and a remote address.
ADDRESSES = (
    ('found', 1), ('empty', 2), ('failed', 3), ('odd', 4), ('several', 5),
    ('unknown', 6), ('root', 7), ('alias', 8), ('loop', 9),
)


def describe(side, n):
    names()
    address = '127.0.0.%d' % n
    service = serve(side, Service, address, 0)
    client(side, ['-Rv', '-i', '127.0.0.1'], address, service.port, env=DNS)
    client(side, ['-Rv', '-i', '127.0.0.1', '-H'], address, service.port,
           env=DNS)
    service.stop()
    service = serve(side, Service, '127.0.0.1', 0)
    client(side, ['-Rv', '-i', address], '127.0.0.1', service.port, env=DNS)
    client(side, ['-RHv', '-i', address], '127.0.0.1', service.port, env=DNS)
    client(side, ['-RHv', '-l', 'me', '-i', address], '127.0.0.1',
           service.port, env=DNS)
    service.stop()


table('client-net', 'client-ptr', ADDRESSES, describe)


@case('client-net')
def client_ptr_verbose_order(side):
    """The line comes after the local look-up, before the remote one."""
    names()
    service = serve(side, Service, '127.0.0.3', 0)
    client(side, ['-Rv'], '127.0.0.3', service.port, env=DNS)
    service.stop()


# What an ident server says: name and reply.
REPLIES = (
    ('user', b'25 , 1 : USERID : UNIX : joe\r\n'),
    ('user-lf', b'25,1:USERID:UNIX:joe\n'),
    ('user-blanks', b' 25 , 1 : USERID :\tUNIX : j o\te \r\n'),
    ('user-colons', b'25,1:USERID:UNIX:a:b::c\r\n'),
    ('user-empty', b'25,1:USERID:UNIX:\r\n'),
    ('user-high', b'25,1:USERID:UNIX:\xff\x01=\r\n'),
    ('user-cr', b'25,1:USERID:UNIX:a\rb\r\n'),
    ('user-long', b'25,1:USERID:UNIX:' + b'u' * 600 + b'\r\n'),
    ('user-256', b'25,1:USERID:UNIX:' + b'u' * 256 + b'\r\n'),
    ('user-257', b'25,1:USERID:UNIX:' + b'u' * 257 + b'\r\n'),
    ('user-long-open', b'25,1:USERID:UNIX:' + b'u' * 600),
    ('error', b'25,1:ERROR:NO-USER\r\n'),
    ('other', b'go away\n'),
    ('empty-line', b'\n'),
    ('nothing', b''),
    ('open', b'25,1:USERID:UNIX:joe'),
    ('two-lines', b'25,1:ERROR:X\r\n25,1:USERID:UNIX:joe\r\n'),
)


def ident(side, reply):
    names()
    service = serve(side, Service, '127.0.0.1', 0)
    server = serve(side, Service, '127.0.0.1', 113, reply, wait=True,
                   close=True)
    client(side, ['-Hl0', '-i', '127.0.0.12'], '127.0.0.1', service.port,
           ['sh', '-c', 'echo "$TCPLOCALPORT" >port; exec ./probe '
            'environment'], env=DNS)
    heard = server.wait_heard()[0].decode('latin-1')
    local = (side.read('port') or b'').decode().strip()
    side.note('asked', heard.replace(str(service.port), 'PORT')
              .replace(local or ' ', 'LOCAL'))
    side.note('asked from', server.peers[0][0])
    service.stop()
    server.stop()


table('client-net', 'client-ident', REPLIES, ident)


@case('client-net')
def client_ident_refused(side):
    names()
    service = serve(side, Service, '127.0.0.1', 0)
    client(side, ['-Hl0'], '127.0.0.1', service.port, env=DNS)
    client(side, ['-rHl0'], '127.0.0.1', service.port, env=DNS)
    client(side, ['-rRHl0'], '127.0.0.1', service.port, env=DNS)
    service.stop()


@case('client-net')
def client_ident_silent(side):
    """Within -t, whether it does not accept or does not speak."""
    names()
    service = serve(side, Service, '127.0.0.1', 0)
    server = serve(side, Service, '127.0.0.1', 113)
    client(side, ['-Hl0', '-t', '1'], '127.0.0.1', service.port, env=DNS)
    client(side, ['-Hl0', '-t', '0'], '127.0.0.1', service.port, env=DNS)
    server.stop()
    full = serve(side, Full, '127.0.0.1', 113)
    client(side, ['-Hl0', '-t', '1'], '127.0.0.1', service.port, env=DNS)
    full.stop()
    service.stop()
