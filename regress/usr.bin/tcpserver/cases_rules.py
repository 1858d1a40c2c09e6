# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""Cases of tcprules and tcprulescheck: grammar, bytes, errors, lookup."""

import os
import random
import resource
import signal
import struct

from differential import case, table

# Name and input of tcprules.
TEXTS = (
    ('nothing', b''),
    ('only-newline', b'\n'),
    ('one', b'1.2.3.4:deny\n'),
    ('no-final-newline', b'1.2.3.4:deny'),
    ('allow', b'1.2.3.4:allow\n'),
    ('comment', b'#1.2.3.4:deny\n1.2.3.5:deny\n'),
    ('comment-not-first-column', b' #x:deny\n'),
    ('comment-last', b'1.2.3.4:deny\n#'),
    ('empty-lines', b'\n\n1.2.3.4:deny\n\n'),
    ('blank-lines', b'   \n\t\n1.2.3.4:deny\n'),
    ('trailing-blanks', b'1.2.3.4:deny \t \n'),
    ('leading-blanks', b'  1.2.3.4:deny\n'),
    ('carriage-return', b'1.2.3.4:deny\r\n'),
    ('carriage-return-in-value', b'1.2.3.4:allow,A="b\r"\n'),
    ('no-colon', b'1.2.3.4\n1.2.3.5:deny\n'),
    ('no-colon-last', b'1.2.3.5:deny\n1.2.3.4'),
    ('empty-address', b':deny\n'),
    ('word-missing', b'1.2.3.4:\n'),
    ('word-upper-case', b'1.2.3.4:DENY\n'),
    ('word-other', b'1.2.3.4:reject\n'),
    ('word-blank-before', b'1.2.3.4: deny\n'),
    ('word-longer', b'1.2.3.4:denyx\n'),
    ('word-shorter', b'1.2.3.4:den\n'),
    ('word-then-colon', b'1.2.3.4:deny:\n'),
    ('comma-alone', b'1.2.3.4:deny,\n'),
    ('variable', b'1.2.3.4:allow,RELAYCLIENT=""\n'),
    ('variable-value', b'1.2.3.4:allow,A="b c"\n'),
    ('variables', b'1.2.3.4:allow,A="1",B="2",A="3"\n'),
    ('variable-deny', b'1.2.3.4:deny,A="1"\n'),
    ('variable-quote-slash', b'1.2.3.4:allow,A=/b"c/\n'),
    ('variable-quote-letter', b'1.2.3.4:allow,A=xbx\n'),
    ('variable-quote-comma', b'1.2.3.4:allow,A=,b,,B=,c,\n'),
    ('variable-quote-equals', b'1.2.3.4:allow,A==b=\n'),
    ('variable-quote-blank', b'1.2.3.4:allow,A= b c,B= d \n'),
    ('variable-quote-colon', b'1.2.3.4:allow,A=:b:\n'),
    ('variable-quote-high', b'1.2.3.4:allow,A=\xffb\xff\n'),
    ('variable-empty-name', b'1.2.3.4:allow,="b"\n'),
    ('variable-blank-name', b'1.2.3.4:allow, A B="b"\n'),
    ('variable-comma-name', b'1.2.3.4:allow,A,B="b"\n'),
    ('variable-no-equals', b'1.2.3.4:allow,A\n'),
    ('variable-no-value', b'1.2.3.4:allow,A=\n'),
    ('variable-open', b'1.2.3.4:allow,A="b\n'),
    ('variable-open-at-end', b'1.2.3.4:allow,A="'),
    ('variable-junk-after', b'1.2.3.4:allow,A="b"x\n'),
    ('variable-blank-after', b'1.2.3.4:allow,A="b" \n'),
    ('variable-comma-after', b'1.2.3.4:allow,A="b",\n'),
    ('variable-long', b'1.2.3.4:allow,A="' + b'x' * 70000 + b'"\n'),
    ('nul-in-address', b'1.2\0.3:deny\n'),
    ('nul-in-value', b'1.2.3.4:allow,A="b\0c"\n'),
    ('nul-in-error', b'1.2.3.4:al\0low\n'),
    ('high-bytes', b'\xe4\xf6@\xff:deny\n'),
    ('user', b'joe@1.2.3.4:allow\n'),
    ('user-range', b'joe@1.2.3.4-6:allow\n'),
    ('host', b'=example.com:allow\n'),
    ('host-hyphen', b'=ex-ample.com:allow\n'),
    ('host-suffix', b'=.example.com:deny\n'),
    ('host-empty', b'=:allow\n:deny\n'),
    ('duplicates', b'1.2.3.4:allow\n1.2.3.4:deny\n'),
    ('range', b'1.2.3.5-9:deny\n'),
    ('range-prefix', b'1.2.7-9.:deny\n'),
    ('range-first', b'7-9.2.3.4:deny\n'),
    ('range-empty-left', b'1.2.-3:deny\n'),
    ('range-empty-right', b'1.2.3-:deny\n'),
    ('range-empty-both', b'1.-.3:deny\n'),
    ('range-alone', b'-:deny\n'),
    ('range-backwards', b'1.2.9-5:deny\n'),
    ('range-one', b'1.2.5-5:deny\n'),
    ('range-cap', b'1.2.250-300:deny\n'),
    ('range-left-over', b'1.2.300-400:deny\n'),
    ('range-leading-zeros', b'1.2.007-010:deny\n'),
    ('range-twice', b'1.2-3.4-5:deny\n'),
    ('range-letters', b'foo-bar:deny\n'),
    ('range-right-letter', b'1.2.3-x:deny\n'),
    ('range-variable', b'1.2.3-4:allow,A="b"\n'),
    ('range-whole', b'0-255.:deny\n'),
    ('range-huge', b'1.2.3-4294967299:deny\n'),
    ('never-matches', b'hello:deny\n1.2.3:deny\n300.1.1.1:allow\n'),
    ('error-second-line', b'1.2.3.4:deny\n1.2.3.5:x  \n1.2.3.6:deny\n'),
    ('error-last-line', b'1.2.3.4:deny\nx:y'),
    ('long-address', b'1' * 5000 + b':deny\n'),
    ('many', b''.join(b'10.%d.%d.:deny\n' % (i // 256, i % 256)
                      for i in range(5000))),
    # Forms that 0.88 did not know; ours gives some of them a meaning.
    ('cidr', b'10.0.0.0/8:deny\n'),
    ('cidr-too-long', b'10.0.0.0/33:deny\n'),
    ('cidr-user', b'joe@10.0.0.0/8:deny\n'),
    ('slash-no-network', b'foo/bar:allow\n'),
    ('ipv6', b'2001:db8::1:allow\n'),
    ('ipv6-brackets', b'[2001:db8::1]:allow\n'),
    ('ipv6-user', b'joe@2001:db8::1:allow\n'),
    ('ipv6-cidr', b'2001:db8::/32:deny\n'),
    ('ipv6-prefix', b'2001:db8::deny\n'),
    ('slash-in-name', b'=a/b:deny\n'),
    ('slash-in-user', b'a/b@1.2.3.4:deny\n'),
    ('slash-in-value', b'1.2.3.4:allow,A="/8"\n'),
    ('brackets', b'[1.2.3.4]:deny\n'),
    ('colon-in-value', b'1.2.3.4:allow,A="a:deny"\n'),
)


def compile_text(side, text):
    side.run(['tcprules', 'rules.cdb', 'rules.tmp'], stdin=text)
    side.note('cdb', side.read('rules.cdb'))
    side.note('tmp', side.read('rules.tmp') is not None)


table('rules', 'tcprules', TEXTS, compile_text)


def random_rule(rng):
    """A line that is mostly right."""
    def part():
        return rng.choice(['', '0', '1', '7', '09', '255', '256', '1-3',
                           '3-1', '-', '5-', 'x', '10'])

    address = rng.choice([
        lambda: '.'.join(part() for _ in range(rng.randint(1, 5))),
        lambda: '.'.join(part() for _ in range(rng.randint(1, 3))) + '.',
        lambda: 'joe@' + '.'.join(part() for _ in range(4)),
        lambda: '=' + rng.choice(['', '.', 'a.b', '.b', 'a-b.c']),
        lambda: '', lambda: ' ', lambda: '#', lambda: 'a b'])()
    word = rng.choice(['allow'] * 6 + ['deny'] * 6 + ['', 'al', 'deny '])
    rest = ''
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 3])):
        quote = rng.choice('"/\',= x')
        rest += ',%s=%s%s%s' % (
            rng.choice(['A', 'B', '', 'A B', 'RELAYCLIENT']), quote,
            rng.choice(['', 'v', '1.2', ':', '@']), quote)
    line = address + rng.choice([':'] * 19 + ['']) + word + rest
    return line + rng.choice([''] * 8 + [' ', '\t', '\r'])


# Others, and more of them, for regress/proof.
SEED_FIRST = int(os.environ.get('SEED_FIRST', '0'))
SEEDS = int(os.environ.get('SEEDS', '16'))


def run_random(side, seed):
    rng = random.Random(seed)
    for _ in range(10):
        lines = [random_rule(rng) for _ in range(rng.randint(1, 12))]
        # Each line alone, so that an error hides nothing.
        for line in lines[:4]:
            compile_text(side, (line + '\n').encode('latin-1'))
        compile_text(side, '\n'.join(lines).encode('latin-1'))


table('random', 'tcprules-random',
      tuple(('%02d' % seed, seed)
            for seed in range(SEED_FIRST, SEED_FIRST + SEEDS)), run_random)


@case('rules')
def tcprules_mode(side):
    for mask in (0o022, 0o077, 0, 0o777):
        side.run(['tcprules', 'r%o' % mask, 't'], stdin=b':deny\n',
                 preexec=lambda: os.umask(mask))
        side.note('mode', '%o' % (os.stat(side.path('r%o' % mask)).st_mode &
                                  0o7777))


@case('rules')
def tcprules_old_tmp(side):
    """An old tmp is truncated and keeps its mode."""
    side.write('rules.tmp', b'x' * 10000, 0o600)
    compile_text(side, b'1.2.3.4:deny\n')
    side.note('mode', '%o' % (os.stat(side.path('rules.cdb')).st_mode))


@case('rules')
def tcprules_error_keeps_old(side):
    compile_text(side, b'1.2.3.4:deny\n')
    compile_text(side, b'1.2.3.4:deny\nbad:rule\n')
    side.note('left', sorted(os.listdir(side.dir)))


@case('rules')
def tcprules_create_no_directory(side):
    side.run(['tcprules', 'rules.cdb', 'none/rules.tmp'], stdin=b':deny\n')


@case('rules')
def tcprules_create_directory(side):
    os.mkdir(side.path('d'))
    side.run(['tcprules', 'rules.cdb', 'd'], stdin=b':deny\n')


@case('rules')
def tcprules_create_not_directory(side):
    side.run(['tcprules', 'rules.cdb', 'probe/tmp'], stdin=b':deny\n')


@case('rules')
def tcprules_create_empty_name(side):
    side.run(['tcprules', 'rules.cdb', ''], stdin=b':deny\n')


@case('rules')
def tcprules_create_loop(side):
    os.symlink('loop', side.path('loop'))
    side.run(['tcprules', 'rules.cdb', 'loop'], stdin=b':deny\n')


@case('rules')
def tcprules_create_long_name(side):
    side.run(['tcprules', 'rules.cdb', 'x' * 300], stdin=b':deny\n')


@case('rules')
def tcprules_move_onto_directory(side):
    os.mkdir(side.path('rules.cdb'))
    side.run(['tcprules', 'rules.cdb', 'rules.tmp'], stdin=b':deny\n')
    side.note('left', sorted(os.listdir(side.dir)))


@case('rules')
def tcprules_move_no_directory(side):
    side.run(['tcprules', 'none/rules.cdb', 'rules.tmp'], stdin=b':deny\n')
    side.note('left', sorted(os.listdir(side.dir)))


@case('rules')
def tcprules_same_name(side):
    side.run(['tcprules', 'rules.cdb', 'rules.cdb'], stdin=b':deny\n')
    side.note('cdb', side.read('rules.cdb'))


@case('rules')
def tcprules_read_directory(side):
    fd = os.open(side.dir, os.O_RDONLY)
    side.run(['tcprules', 'rules.cdb', 'rules.tmp'], stdin_file=fd)
    os.close(fd)
    side.note('left', sorted(os.listdir(side.dir)))


def limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


@case('rules')
def tcprules_write_too_big(side):
    text = b''.join(b'1.2.%d.%d:deny\n' % (i // 256, i % 256)
                    for i in range(4000))
    side.write('rules.cdb', b'old')
    side.run(['tcprules', 'rules.cdb', 'rules.tmp'], stdin=text,
             preexec=limit_file_size)
    side.note('cdb', side.read('rules.cdb'))
    side.note('tmp', side.read('rules.tmp') is not None)


# One database for the lookups; both sides read the bytes Debian's made.
LOOKUP = b'''\
joe@1.2.3.4:allow,R="joe@ip"
joe@=host.example.com:allow,R="joe@=host"
@1.2.3.4:allow,R="empty user"
1.2.3.4:allow,R="ip",S="second"
1.2.3.5:deny,R="denied"
=host.example.com:allow,R="=host"
1.2.3.:allow,R="three"
1.2.:allow,R="two"
1.:deny
=.sub.example.com:allow,R="=.sub"
=.example.com:allow,R="=.example"
=.com:deny
=.:allow,R="=."
=:allow,R="="
:allow,R="default"
9.9.9.9:allow,="empty name",A="1",A="2",B C="x y"
8.8.8.8:allow
'''

# Name, TCPREMOTEIP, TCPREMOTEHOST, TCPREMOTEINFO; None is unset.
CLIENTS = (
    ('unset', None, None, None),
    ('ip', '1.2.3.4', None, None),
    ('ip-deny', '1.2.3.5', None, None),
    ('ip-three', '1.2.3.6', None, None),
    ('ip-two', '1.2.4.4', None, None),
    ('ip-one', '1.3.3.4', None, None),
    ('ip-none', '2.2.2.2', None, None),
    ('ip-plain', '8.8.8.8', None, None),
    ('ip-variables', '9.9.9.9', None, None),
    ('ip-empty', '', None, None),
    ('ip-prefix-text', '1.2.3.', None, None),
    ('ip-dots', '...', None, None),
    ('ip-letters', 'hello', None, None),
    ('ip-ipv6', '2001:db8::1', None, None),
    ('ip-equals', '=host.example.com', None, None),
    ('ip-leading-zero', '01.2.3.4', None, None),
    ('user-ip', '1.2.3.4', None, 'joe'),
    ('user-other', '1.2.3.4', None, 'jim'),
    ('user-empty', '1.2.3.4', None, ''),
    ('user-empty-no-rule', '1.2.3.6', None, ''),
    ('user-at', '1.2.3.4', None, 'joe@1.2.3.4'),
    ('user-host', '7.7.7.7', 'host.example.com', 'joe'),
    ('user-host-both', '1.2.3.4', 'host.example.com', 'joe'),
    ('host', '7.7.7.7', 'host.example.com', None),
    ('host-after-ip', '1.2.3.4', 'host.example.com', None),
    ('host-before-prefix', '1.2.3.9', 'host.example.com', None),
    ('prefix-before-suffix', '1.2.3.9', 'x.example.com', None),
    ('suffix', '7.7.7.7', 'x.example.com', None),
    ('suffix-longest', '7.7.7.7', 'x.sub.example.com', None),
    ('suffix-deny', '7.7.7.7', 'x.com', None),
    ('suffix-whole', '7.7.7.7', '.example.com', None),
    ('suffix-domain-itself', '7.7.7.7', 'example.com', None),
    ('suffix-final-dot', '7.7.7.7', 'example.', None),
    ('host-case', '7.7.7.7', 'HOST.example.com', None),
    ('host-other', '7.7.7.7', 'other', None),
    ('host-empty', '7.7.7.7', '', None),
    ('host-empty-user', '7.7.7.7', '', 'joe'),
    ('host-long', '7.7.7.7', 'a' * 1000 + '.example.com', None),
    ('user-long', '1.2.3.4', None, 'u' * 2000),
)


def client_environment(ip, host, info):
    env = {'PATH': '/bin'}
    for name, value in (('TCPREMOTEIP', ip), ('TCPREMOTEHOST', host),
                        ('TCPREMOTEINFO', info)):
        if value is not None:
            env[name] = value
    return env


def look_up(side, ip, host, info):
    side.rules(LOOKUP)
    side.run(['tcprulescheck', 'rules.cdb'],
             env=client_environment(ip, host, info))


table('rules', 'check', CLIENTS, look_up)


@case('rules')
def check_no_default(side):
    side.rules(b'1.2.3.4:deny\n')
    for ip in ('1.2.3.4', '1.2.3.5'):
        side.run(['tcprulescheck', 'rules.cdb'],
                 env=client_environment(ip, None, None))


@case('rules')
def check_first_wins(side):
    side.rules(b'1.2.3.4:allow,A="1"\n1.2.3.4:deny\n')
    side.run(['tcprulescheck', 'rules.cdb'],
             env=client_environment('1.2.3.4', None, None))


@case('rules')
def check_empty_database(side):
    side.rules(b'')
    side.run(['tcprulescheck', 'rules.cdb'])


def cdb_hash(key):
    h = 5381
    for byte in key:
        h = ((h * 33) & 0xffffffff) ^ byte
    return h


def cdb_make(pairs):
    """A cdb file of ours, so that records can hold anything."""
    body = b''
    tables = [[] for _ in range(256)]
    for key, data in pairs:
        h = cdb_hash(key)
        tables[h & 255].append((h, 2048 + len(body)))
        body += struct.pack('<II', len(key), len(data)) + key + data
    header = b''
    tail = b''
    for entries in tables:
        size = 2 * len(entries)
        header += struct.pack('<II', 2048 + len(body) + len(tail), size)
        slots = [(0, 0)] * size
        for h, position in entries:
            at = (h >> 8) % size
            while slots[at][1]:
                at = (at + 1) % size
            slots[at] = (h, position)
        tail += b''.join(struct.pack('<II', *slot) for slot in slots)
    return header + body + tail


# Data of the record for 1.2.3.4 that tcprules would not write.
DATA = (
    ('empty', b''),
    ('unknown-letter', b'Zx\0+A=1\0'),
    ('unknown-letter-last', b'+A=1\0Zx\0'),
    ('deny-later', b'+A=1\0D\0'),
    ('deny-with-text', b'Dxyz\0'),
    ('deny-unterminated', b'D'),
    ('variable-unterminated', b'+A=1'),
    ('second-unterminated', b'+A=1\0+B=2'),
    ('variable-no-equals', b'+A\0+B=2\0'),
    ('variable-empty', b'+\0+B=2\0'),
    ('only-nul', b'\0'),
    ('only-plus', b'+'),
    ('lower-d', b'd\0'),
)


def check_data(side, data):
    side.write('rules.cdb', cdb_make([(b'1.2.3.4', data)]))
    side.run(['tcprulescheck', 'rules.cdb'],
             env=client_environment('1.2.3.4', None, None))


table('rules', 'check-data', DATA, check_data)


def damage_header(position, value):
    def change(data):
        slot = 8 * (cdb_hash(b'1.2.3.4') & 255) + 4 * position
        return data[:slot] + struct.pack('<I', value) + data[slot + 4:]
    return change


def damage_record(offset, value):
    return lambda data: (data[:2048 + offset] + struct.pack('<I', value) +
                         data[2048 + offset + 4:])


# What was done to a good file.
DAMAGES = (
    ('empty-file', lambda data: b''),
    ('one-byte', lambda data: b'x'),
    ('short-header', lambda data: data[:1000]),
    ('header-only', lambda data: data[:2048]),
    ('cut-record', lambda data: data[:2052]),
    ('cut-table', lambda data: data[:-4]),
    ('table-beyond', damage_header(0, 0x7fffffff)),
    ('table-at-limit', damage_header(0, 0xfffffff8)),
    ('table-huge', damage_header(1, 0xffffffff)),
    ('key-length', damage_record(0, 0x7ffffff0)),
    ('data-length', damage_record(4, 0x7ffffff0)),
    ('data-length-wraps', damage_record(4, 0xfffffff9)),
    ('text', lambda data: b'1.2.3.4:deny\n'),
)


def damaged_file(change):
    return change(cdb_make([(b'1.2.3.4', b'D\0')]))


def check_damage(side, change):
    side.write('rules.cdb', damaged_file(change))
    side.run(['tcprulescheck', 'rules.cdb'],
             env=client_environment('1.2.3.4', None, None))


table('rules', 'check-damaged', DAMAGES, check_damage)


@case('rules')
def check_missing(side):
    side.run(['tcprulescheck', 'rules.cdb'])
    side.run(['tcprulescheck', ''])


@case('rules')
def check_not_a_directory(side):
    side.run(['tcprulescheck', 'probe/rules.cdb'])


@case('rules')
def check_directory(side):
    os.mkdir(side.path('rules.cdb'))
    side.run(['tcprulescheck', 'rules.cdb'])
