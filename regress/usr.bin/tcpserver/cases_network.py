# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""Cases with a name server and ident servers, on loopback ports 53 and 113:
only in a network namespace of the test's own (regress/tools/netns)."""

import atexit
import os
import subprocess
import tempfile
import threading

from differential import PATH, case, table

TOOLS = os.path.join(os.environ.get('SOURCE', os.path.join(
    os.path.dirname(os.path.abspath(__file__)), '../../..')), 'regress/tools')
NAMED = ['-vRl0']
PARANOID = ['-vRpl0']

ZONE = r'''
1.0.0.127.in-addr.arpa PTR server.example
10.0.0.127.in-addr.arpa PTR client.example
11.0.0.127.in-addr.arpa PTR MiXed-Case_1.Example
12.0.0.127.in-addr.arpa PTR first.example
12.0.0.127.in-addr.arpa PTR second.example
14.0.0.127.in-addr.arpa * do servfail
15.0.0.127.in-addr.arpa PTR liar.example
16.0.0.127.in-addr.arpa PTR noforward.example
17.0.0.127.in-addr.arpa PTR several.example
18.0.0.127.in-addr.arpa CNAME 18.sub.example
18.sub.example PTR delegated.example
19.0.0.127.in-addr.arpa PTR o\041d\045d\072.na\056me
20.0.0.127.in-addr.arpa PTR truncated.example
20.0.0.127.in-addr.arpa PTR do truncate
22.0.0.127.in-addr.arpa PTR forwardfails.example
23.0.0.127.in-addr.arpa PTR aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example
24.0.0.127.in-addr.arpa * do refused
25.0.0.127.in-addr.arpa * do notimp
26.0.0.127.in-addr.arpa * do empty
27.0.0.127.in-addr.arpa PTR alias.example
28.0.0.127.in-addr.arpa * do formerr
29.0.0.127.in-addr.arpa * do silence
client.example A 127.0.0.10
mixed-case_1.example A 127.0.0.11
first.example A 127.0.0.12
liar.example A 192.0.2.9
several.example A 192.0.2.1
several.example A 127.0.0.17
several.example A 192.0.2.2
delegated.example A 127.0.0.18
o\041d\045d\072.na\056me A 127.0.0.19
truncated.example A do truncate
truncated.example A 127.0.0.20
forwardfails.example * do servfail
alias.example CNAME several-alias.example
several-alias.example A 127.0.0.27
server.example A 127.0.0.1
www.example A 127.0.0.1
www.other.test A 127.0.0.2
away.example A 192.0.2.1
fails.example * do servfail
nodata.example TXT "text"
canonical.example CNAME www.example
'''

# What the ident server of each client address does.
IDENT = {
    30: ('user', r'user:joe'),
    31: ('error', r'reply:1 , 2 : ERROR : NO-USER\r\n'),
    32: ('silence', r'silence'),
    33: ('close', r'close'),
    34: ('blanks', r'reply:1 , 2 : USERID\t: UNIX : jo e\tx \r\r\n'),
    35: ('no-newline', r'reply:1,2:USERID:joe'),
    36: ('colons', r'reply:1,2:USERID:UNIX:joe:with:colons\r\n'),
    37: ('long', r'reply:1,2:USERID:UNIX:' + 'u' * 400 + r'\r\n'),
    38: ('drip', r'drip:1,2:USERID:UNIX:joe\r\nmore'),
    39: ('endless', r'endless:x:'),
    40: ('odd-bytes', r'reply:1,2:USERID:UNIX:\x01\xffj%%oe\r\n'),
    41: ('empty-line', r'reply:\r\n'),
    43: ('empty-name', r'reply:1,2:USERID:\r\n'),
    44: ('three-colons', r'reply:::: \n'),
    45: ('long-no-newline', r'reply:1,2:USERID:UNIX:' + 'u' * 400),
}

started = []
starting = threading.Lock()


def servers():
    """Name and ident servers, started once; their directory."""
    with starting:
        if not started:
            started.append(start_servers())
    return started[0]


def start_servers():
    home = tempfile.mkdtemp(prefix='servers.')
    with open(os.path.join(home, 'zone'), 'w', encoding='latin-1') as f:
        f.write(ZONE)
    subprocess.run([os.path.join(TOOLS, 'dnsd'), '-p', 'dnsd.pid', 'zone',
                    '127.0.0.1'], cwd=home, check=True)
    subprocess.run([os.path.join(TOOLS, 'identd'), '-l', 'ident.log',
                    '-p', 'identd.pid'] +
                   ['127.0.0.%d=%s' % (n, action)
                    for n, (_, action) in IDENT.items()],
                   cwd=home, check=True)
    atexit.register(end_servers, home)
    return home


def end_servers(home):
    for name in ('dnsd.pid', 'identd.pid'):
        with open(os.path.join(home, name), encoding='ascii') as f:
            os.kill(int(f.read()), 15)
    subprocess.run(['rm', '-rf', home], check=False)


def environment(**kw):
    servers()
    env = {'PATH': PATH, 'DNSCACHEIP': '127.0.0.1', 'LOCALDOMAIN': 'example'}
    env.update(kw)
    return {name: value for name, value in env.items() if value is not None}


def serve_from(side, options, number, rules=None):
    """One session with the client at 127.0.0.NUMBER."""
    if rules is not None:
        side.rules(rules)
        options = options + ['-x', 'rules.cdb']
    server = side.server(options, ['./probe', 'environment'],
                         env=environment())
    server.ask(source='127.0.0.%d' % number)
    server.stop()


NAMES = (
    ('plain', 10), ('upper-case', 11), ('first-of-two', 12), ('none', 13),
    ('servfail', 14), ('other-address', 15), ('no-forward', 16),
    ('several-addresses', 17), ('canonical', 18), ('odd-bytes', 19),
    ('truncated', 20), ('forward-servfail', 22), ('long', 23),
    ('refused', 24), ('not-implemented', 25), ('no-data', 26),
    ('forward-canonical', 27), ('format-error', 28),
)


def serve_named(side, number):
    for options in (NAMED, PARANOID, ['-vRPl0'], ['-vHRpl0']):
        serve_from(side, options, number)


# A failing name server is asked again, for 11 s in all.
FAILING = ('servfail', 'refused', 'not-implemented', 'format-error',
           'forward-servfail')
table('network', 'name', NAMES, serve_named, FAILING)


@case('network', slow=True)
def name_silent(side):
    """The name server never answers: served all the same, without a name."""
    serve_from(side, NAMED, 29)


@case('network', slow=True)
def name_local(side):
    """Without -l: the name of the address the client came to."""
    server = side.server(['-vHR'], ['./probe', 'environment'], host='0',
                         env=environment())
    for to in ('127.0.0.1', '127.0.0.10', '127.0.0.13', '127.0.0.14'):
        server.ask(to=to)
    server.stop()


RULES = (
    ('name', 10, b'=client.example:allow,R="name"\n:deny\n'),
    ('name-deny', 10, b'=client.example:deny\n'),
    ('suffix', 10, b'=.example:allow,R="suffix"\n:deny\n'),
    ('any-name', 10, b'=:allow,R="any"\n:deny\n'),
    ('no-name', 13, b'=:deny\n:allow,R="default"\n'),
    ('case', 11, b'=mixed-case_1.example:allow,R="folded"\n'
                 b'=MiXed-Case_1.Example:deny\n:deny\n'),
    ('liar', 15, b'=liar.example:allow\n:deny\n'),
    ('odd-bytes', 19, b'=o\\041d\\045d\\072.na\\056me:allow,R="o"\n:deny\n'),
)


def serve_rules(side, number, text):
    for options in (NAMED, PARANOID, ['-vHRl0']):
        serve_from(side, options, number, text)


table('network', 'name-rules', RULES, serve_rules)

# The host word: name, word, environment.
WORDS = (
    ('full', 'www.example', {}),
    ('full-dot', 'www.example.', {}),
    ('short', 'www', {}),
    ('short-second-domain', 'www', {'LOCALDOMAIN': 'no.test example'}),
    ('short-other-domain', 'www', {'LOCALDOMAIN': 'other.test'}),
    ('short-no-domain', 'www', {'LOCALDOMAIN': ''}),
    ('upper-case', 'WWW.EXAMPLE', {}),
    ('canonical', 'canonical', {}),
    ('unknown', 'unknown.example', {}),
    ('unknown-short', 'unknown', {}),
    ('no-data', 'nodata', {}),
    ('servfail', 'fails', {}),
    ('not-here', 'away', {}),
    ('label-long', 'x' * 64 + '.example', {}),
    ('name-long', '.'.join(['x' * 50] * 6), {}),
    ('dots', 'www..example', {}),
    ('plus', 'www+', {}),
    ('plus-domains', 'www+.no.test+.example', {}),
    ('localhost', 'localhost', {}),
    ('odd-bytes', 'a b%c', {}),
    ('rewrite-whole', 'a', {'DNSREWRITEFILE': 'whole'}),
    ('rewrite-suffix', 'www.here', {'DNSREWRITEFILE': 'suffix'}),
    ('rewrite-no-dot', 'www', {'DNSREWRITEFILE': 'nodot'}),
    ('rewrite-no-dot-with-dot', 'www.example', {'DNSREWRITEFILE': 'nodot'}),
    ('rewrite-all', 'x.y.z', {'DNSREWRITEFILE': 'all'}),
    ('rewrite-chain', 'c', {'DNSREWRITEFILE': 'chain'}),
    ('rewrite-missing', 'www', {'DNSREWRITEFILE': 'none'}),
    ('rewrite-address', 'home', {'DNSREWRITEFILE': 'address'}),
)
REWRITES = {
    'whole': '=a:www.example\n',
    'suffix': '*.here:.example\n',
    'nodot': '?:.example\n',
    'all': '-.z:www.example\n',
    'chain': '# a comment\n\n=c:b\n=b:www\n?:.example\n*.example:.example\n',
    'address': '=home:127.0.0.1\n',
}


def serve_word(side, word, extra):
    for name, text in REWRITES.items():
        side.write(name, text)
    server = side.server(['-vHRl0'], ['./probe', 'environment'], host=word,
                         env=environment(**extra))
    server.ask(to='127.0.0.2' if 'other.test' in str(extra) else '127.0.0.1')
    server.stop()


table('network', 'host-word', WORDS, serve_word, FAILING)


@case('network', slow=True)
def host_word_no_server(side):
    """Nobody listens where the name server should be."""
    server = side.server(['-vHRl0'], ['./probe'], host='www',
                         env=environment(DNSCACHEIP='127.0.0.77'))
    server.stop()


@case('network', slow=True)
def name_server_forms(side):
    """DNSCACHEIP, its addresses one after the other."""
    for value in ('127.0.0.1', '127.0.0.1.127.0.0.77', '127.0.0.1127',
                  '127.0.0.77.127.0.0.1'):
        server = side.server(['-vRl0'], ['./probe', 'environment'],
                             host='www', env=environment(DNSCACHEIP=value))
        server.ask(source='127.0.0.10')
        server.stop()


def serve_ident(side, number, options=(), rules=None):
    log = os.path.join(servers(), 'ident.log')
    before = os.path.getsize(log) if os.path.exists(log) else 0
    words = ['-vHrl0', '-t', '2'] + list(options)
    if rules is not None:
        side.rules(rules)
        words += ['-x', 'rules.cdb']
    server = side.server(words, ['./probe', 'environment'],
                         env=environment())
    client = server.connect(source='127.0.0.%d' % number)
    side.note('answer', client.clean(client.read_all()))
    server.ended()
    server.stop()
    if os.path.exists(log):
        with open(log, encoding='latin-1') as f:
            f.seek(before)
            side.note('query', client.clean(f.read()))


table('network', 'ident',
      tuple((name, number) for number, (name, _) in IDENT.items()) +
      (('refused', 42),), serve_ident)


@case('network')
def ident_off_again(side):
    serve_ident(side, 30, ['-R'])


IDENT_RULES = (
    ('user', 30, b'joe@127.0.0.30:allow,R="joe"\n:deny\n'),
    ('user-deny', 30, b'joe@127.0.0.30:deny\n'),
    ('empty', 31, b'@127.0.0.31:allow,R="empty"\n:deny\n'),
    ('unset', 33, b'@127.0.0.33:deny\n:allow,R="unset"\n'),
)

table('network', 'ident-rules', IDENT_RULES,
      lambda side, number, rules: serve_ident(side, number, (), rules))


@case('network')
def ident_and_name(side):
    side.rules(b'joe@=client30.example:deny\n:allow\n')
    for options in (['-vrl0', '-t2'], ['-vrpl0', '-t2']):
        server = side.server(options + ['-x', 'rules.cdb'],
                             ['./probe', 'environment'], env=environment())
        server.ask(source='127.0.0.30')
        server.stop()


@case('network')
def port_service_name(side):
    """smtp, from services(5)."""
    server = side.server(['-vHRl0'], ['./probe', 'environment'], port='smtp')
    server.ask()
    server.stop()
