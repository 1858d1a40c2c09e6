# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""Cases of the command line alone: usage, operands, errors before serving."""

import socket

from differential import case, table

# Name and arguments of tcpserver: each ends before it listens.
USAGE = (
    ('none', []),
    ('one-operand', ['0']),
    ('two-operands', ['0', '0']),
    ('illegal', ['-Z']),
    ('illegal-in-cluster', ['-vZ', '0', '0', 'x']),
    ('illegal-digit', ['-7', '0', '0', 'x']),
    ('illegal-colon', ['-:', '0', '0', 'x']),
    ('illegal-question', ['-?', '0', '0', 'x']),
    ('illegal-long', ['--help']),
    ('illegal-after-quiet', ['-q', '-Z']),
    ('illegal-after-argument', ['-c', '3', '-Z']),
    ('illegal-after-attached', ['-c3', '-Z']),
    ('missing-c', ['-c']),
    ('missing-x', ['-x']),
    ('missing-B', ['-B']),
    ('missing-g', ['-g']),
    ('missing-u', ['-u']),
    ('missing-b', ['-b']),
    ('missing-l', ['-l']),
    ('missing-t', ['-vHt']),
    ('quiet', ['-q']),
    ('quiet-one-operand', ['-q', '0']),
    ('errors', ['-Q']),
    ('quiet-then-errors', ['-q', '-Q']),
    ('double-dash', ['--']),
    ('double-dash-operand', ['--', '-Z', '0']),
    ('lone-dash', ['-', '0']),
    ('stops-at-operand', ['0', '-Z']),
    ('empty-word', ['']),
    ('option-E', ['-E']),
    ('option-4', ['-4']),
    ('option-6', ['-6']),
    ('option-I', ['-I']),
)

table('command', 'usage', USAGE,
      lambda side, args: side.run(['tcpserver'] + args))

# What the program is called shows in the option errors only.
NAMES = (
    ('path', '/usr/local/bin/tcpserver'),
    ('other', 'door'),
    ('other-path', '/x/door'),
    ('slash', 'x/'),
    ('empty', ''),
)


@case('command')
def usage_names(side):
    for name, argv0 in NAMES:
        side.note('name', name)
        side.run(['tcpserver', '-Z'], argv0=argv0)
        side.run(['tcpserver', '-c'], argv0=argv0)
        side.run(['tcpserver'], argv0=argv0)


# Ports that name nothing.
PORTS = (
    ('letters', '12x'),
    ('hexadecimal', '0x10'),
    ('unknown', 'no-such-service'),
    ('negative', '-1'),
    ('blank', ' 25'),
    ('plus', '+25'),
)


def run_operands(side, *operands):
    side.run(['tcpserver', '-HRl0'] + list(operands) + ['./probe'])


table('command', 'port', PORTS,
      lambda side, port: run_operands(side, '127.0.0.1', port))

# Hosts that can't be listened on; none of them asks a name server.
HOSTS = (
    ('short', '127.1'),
    ('dots', '...'),
    ('digits', '2130706433'),
    ('not-here', '192.0.2.1'),
    ('five-numbers', '192.0.2.1.4'),
    ('brackets-not-here', '[192.0.2.1]'),
    ('broadcast-modulo', '448.256.2.257'),
)

table('command', 'host', HOSTS,
      lambda side, host: run_operands(side, host, '0'))


@case('command')
def port_checked_before_host(side):
    run_operands(side, '127.1', 'no-such-service')


@case('command')
def address_in_use(side):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen(1)
        for options in ([], ['-q'], ['-Q'], ['-v'], ['-1v']):
            side.note('options', ' '.join(options))
            side.run(['tcpserver', '-HRl0'] + options + [
                '127.0.0.1', str(taken.getsockname()[1]), './probe'])


# The other two programs.
RULES_USAGE = (
    ('none', []),
    ('one', ['rules.cdb']),
)

table('command', 'tcprules-usage', RULES_USAGE,
      lambda side, args: side.run(['tcprules'] + args))
table('command', 'tcprulescheck-usage', (('none', []),),
      lambda side, args: side.run(['tcprulescheck'] + args))


@case('command')
def tcprules_option_is_a_name(side):
    side.run(['tcprules', '-v', 't'], stdin=b'1.2.3.4:deny\n')
    side.note('cdb', side.read('-v'))


@case('command')
def tcprules_surplus(side):
    side.run(['tcprules', 'r', 't', 'surplus'], stdin=b'1.2.3.4:deny\n')
    side.note('cdb', side.read('r'))


@case('command')
def tcprulescheck_surplus(side):
    side.rules('1.2.3.4:deny\n')
    side.run(['tcprulescheck', 'rules.cdb', 'surplus'])
    side.run(['tcprulescheck', '-x'])
