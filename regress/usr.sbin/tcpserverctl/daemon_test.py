#!/usr/bin/env python3
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
# tcpserverctl at a real tcpserverd: every command, for people and programs.

import functools
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from atfcases import SOURCE, case, displays, holds, main, run, same  # noqa: E402
from control import *                                                # noqa: E402

HELLO_CONF = '''
service hello {
	listen on 127.0.0.1 port 0
	exec "/bin/echo" "hello"
}
'''
CAT_CONF = '''
service cat {
	listen on 127.0.0.1 port 0
	sessions 3
	exec "/bin/cat"
}
'''
SESSION_KEYS = ['service', 'id', 'remote_ip', 'remote_port', 'remote_name',
                'ident', 'local_ip', 'local_port', 'local_name', 'rule',
                'pid', 'accepted_at', 'started_at', 'duration_ms']


def daemon(conf, **more):
    """A case that is given a running daemon"""
    def decorate(function):
        @functools.wraps(function)
        def case_body():
            d = Daemon(conf, **more)
            try:
                function(d)
                d.serves()
                d.stop()
            finally:
                d.kill()
                with open('log', encoding='latin-1') as f:
                    print(f.read())
        return case_body
    return decorate


def sessions(d, count):
    def right():
        found = d.json('show', 'sessions', 'cat')['sessions']
        return found if len(found) == count and all(
            s['pid'] for s in found) else None
    if count == 0:
        wait_for(lambda: d.json('show', 'sessions')['sessions'] == [],
                 'no sessions')
        return []
    return wait_for(right, '%d sessions' % count)


@case()
@daemon(HELLO_CONF)
def status(d):
    """show status: what it says is so, its keys are those of the manual"""
    found = d.json('show', 'status')
    same(list(found), [
        'build', 'configuration', 'parent_pid', 'engine_pid', 'sandbox',
        'log', 'time', 'started_at', 'engine_started_at', 'loaded_at',
        'reloads', 'services', 'sessions', 'control_clients',
        'event_clients', 'events_lost'], 'keys')
    same(found['configuration'], os.path.realpath('conf'), 'configuration')
    same(found['parent_pid'], d.process.pid, 'parent_pid')
    holds(os.path.exists('/proc/self') is False or
          os.path.exists('/proc/%d' % found['engine_pid']), 'engine_pid')
    same((found['log'], found['reloads'], found['services'],
          found['control_clients']), ('brief', 0, 1, 1), 'the rest')
    holds(found['sandbox'] != 'none' or sys.platform.startswith('netbsd'),
          found['sandbox'])
    text = d.text('sh', 'statu')
    holds(re.search(r'^parent +pid %d, since \d{4}-' % d.process.pid, text,
                    re.M), text)


@case()
@daemon(HELLO_CONF + CAT_CONF)
def services(d):
    """show services: all, one, none of that name"""
    found = d.json('show', 'services')
    same([s['service'] for s in found['services']], ['hello', 'cat'],
         'names')
    same(list(found['services'][0]), [
        'service', 'state', 'close', 'connections', 'sessions', 'unstarted',
        'limit', 'rules', 'listeners'], 'keys')
    found, = d.json('show', 'services', 'cat')['services']
    same((found['service'], found['state'], found['limit'],
          found['listeners'][0]['ip']), ('cat', 'accepts', 3, '127.0.0.1'),
         'cat')
    text = d.text('show', 'services')
    same(text.count('\n'), 3, text)
    holds(re.search(r'^cat +accepts +0 +3  127\.0\.0\.1:\d+$', text, re.M),
          text)
    d.text('show', 'services', 'dog', code=1, stderr='tcpserverctl: service '
           'dog: there is none of that name\n')
    same(d.json('show', 'services', 'dog', code=1), {
        'done': False,
        'messages': ['service dog: there is none of that name']}, 'dog')


@case()
@daemon(CAT_CONF + HELLO_CONF)
def sessions_shown(d):
    """Sessions come, are shown, fill the service, are ended"""
    clients = [d.connect('cat') for _ in range(3)]
    found = sessions(d, 3)
    for one in found:
        same(list(one), SESSION_KEYS, 'keys')
        same((one['service'], one['remote_ip'], one['local_port']),
             ('cat', '127.0.0.1', d.port('cat')), 'a session')
        holds(one['accepted_at'] <= one['started_at'], one)
        holds(0 <= one['duration_ms'] < 600000, one)
    same(sorted(one['remote_port'] for one in found),
         sorted(c.getsockname()[1] for c in clients), 'remote ports')
    service, = d.json('show', 'services', 'cat')['services']
    same(service['state'], 'full', 'state')
    text = d.text('show', 'sessions', 'cat')
    same(text.count('\n'), 4, text)
    holds('127.0.0.1:%d' % clients[0].getsockname()[1] in text, text)
    same(d.json('show', 'sessions', 'hello'), {'sessions': []}, 'hello')
    one = d.json('show', 'session', str(found[1]['id']))
    same((list(one), one['pid']), (SESSION_KEYS, found[1]['pid']),
         'show session')
    text = d.text('show', 'session', str(found[1]['id']))
    holds('program     pid %d\n' % found[1]['pid'] in text, text)
    # One that is ended; the others go on.
    victim, = [c for c in clients
               if c.getsockname()[1] == found[1]['remote_port']]
    d.text('kill', 'session', str(found[1]['id']))
    same(victim.recv(1), b'', 'what it gets then')
    sessions(d, 2)
    for client in clients:
        if client is not victim:
            client.sendall(b'x')
            same(client.recv(1), b'x', 'an echo')
        client.close()
    sessions(d, 0)
    same(d.json('kill', 'session', str(found[1]['id']), code=1)['done'],
         False, 'killed twice')
    d.text('show', 'session', '1', code=1, stderr='tcpserverctl: session 1: '
           'there is none of that number\n')


@case()
@daemon(HELLO_CONF + CAT_CONF)
def ids_are_unique(d):
    """A number is one session's, whatever its service"""
    d.configure(HELLO_CONF + CAT_CONF + CAT_CONF.replace(' cat ', ' cat2 '))
    d.text('reload')
    clients = [d.connect(name) for name in ('cat', 'cat2') * 3]
    wait_for(lambda: len(d.json('show', 'sessions')['sessions']) == 6,
             'six sessions')
    ids = [s['id'] for s in d.json('show', 'sessions')['sessions']]
    same(len(set(ids)), 6, ids)
    for client in clients:
        client.close()


@case()
@daemon(HELLO_CONF + CAT_CONF)
def stats(d):
    """show stats: counted by verdict and reason, kept over a reload"""
    for _ in range(5):
        same(d.ask('hello'), b'hello\n', 'hello')
    wait_for(lambda: d.stats('hello')['ended']['success'] == 5, 'five ends')
    found = d.stats('hello')
    same(list(found), [
        'service', 'since', 'connections', 'sessions', 'limit', 'accepted',
        'results', 'ended', 'duration', 'wait'], 'keys')
    same((found['accepted'], d.count('hello', 'allowed', 'default')),
         (5, 5), 'counts')
    for name in 'duration', 'wait':
        same((found[name]['count'],
              sum(b['count'] for b in found[name]['buckets'])), (5, 5), name)
        bounds = [b['up_to_ms'] for b in found[name]['buckets']]
        same((bounds[:-1], bounds[-1]), (sorted(bounds[:-1]), None), name)
    text = d.text('show', 'stats', 'hello')
    holds(re.search(r'^  allowed, default +5$', text, re.M), text)
    holds(re.search(r'^  accept to exec +mean 0\.\d{3} s, 50% within ', text,
                    re.M), text)
    d.configure(HELLO_CONF.replace('"hello"', '"again"'))
    d.text('reload')
    same(d.ask('hello'), b'again\n', 'after the reload')
    wait_for(lambda: d.stats('hello')['accepted'] == 6, 'the sixth')
    same(d.json('show', 'status')['reloads'], 1, 'reloads')
    d.text('show', 'stats', 'cat', code=1, stderr='tcpserverctl: service '
           'cat: there is none of that name\n')


@case()
@daemon(HELLO_CONF + CAT_CONF)
def metrics(d):
    """show metrics: OpenMetrics, as a parser that is not ours reads it"""
    parse = prometheus_parser()
    for _ in range(3):
        d.ask('hello')
    wait_for(lambda: d.stats('hello')['ended']['success'] == 3, 'three ends')
    text = d.text('show', 'metrics')
    holds(text.endswith('\n# EOF\n'), text)
    same(d.text('-j', 'show', 'metrics').split('\n')[0],
         text.split('\n')[0], 'with -j')
    families = {f.name: f for f in parse(text)}
    same({name: f.type for name, f in families.items()}, {
        'tcpserverd_build': 'info',
        'tcpserverd_start_time_seconds': 'gauge',
        'tcpserverd_engine_start_time_seconds': 'gauge',
        'tcpserverd_configuration_time_seconds': 'gauge',
        'tcpserverd_reloads': 'counter',
        'tcpserverd_events_lost': 'counter',
        'tcpserverd_open_connections': 'gauge',
        'tcpserverd_open_sessions': 'gauge',
        'tcpserverd_sessions_limit': 'gauge',
        'tcpserverd_accepted': 'counter',
        'tcpserverd_sessions': 'counter',
        'tcpserverd_sessions_ended': 'counter',
        'tcpserverd_session_seconds': 'histogram',
        'tcpserverd_accept_to_exec_seconds': 'histogram'}, 'families')

    def value(name, family=None, **labels):
        found, = [s.value for s in families[family or name].samples
                  if s.labels == labels and
                  s.name.replace('_total', '') == name]
        return found
    same(value('tcpserverd_sessions', service='hello', verdict='allowed',
               reason='default'), 3, 'sessions')
    same(value('tcpserverd_sessions', service='cat', verdict='denied',
               reason='rule'), 0, 'denied')
    same(value('tcpserverd_sessions_ended', service='hello',
               ending='success'), 3, 'ended')
    same(value('tcpserverd_sessions_limit', service='cat'), 3, 'limit')
    for name in ('tcpserverd_session_seconds',
                 'tcpserverd_accept_to_exec_seconds'):
        same(value(name + '_bucket', name, service='hello', le='+Inf'), 3,
             name)
        same(value(name + '_count', name, service='hello'), 3, name)
        holds(0 < value(name + '_sum', name, service='hello') < 60, name)


@case()
@daemon(HELLO_CONF, fixed=True)
def reload(d):
    """All or nothing, and the errors are told to who asked"""
    old = d.port('hello')
    d.configure(HELLO_CONF + 'service bad {\n\tlisten on nowhere-at-all.\n')
    done = ctl('reload')
    same((done.returncode, done.stdout), (1, ''), 'a bad file')
    holds(re.search(r'^tcpserverctl: .*/conf:\d+: ', done.stderr, re.M),
          done.stderr)
    found = d.json('reload', code=1)
    same(found['done'], False, 'done')
    holds(any('/conf:' in text for text in found['messages']), found)
    same((d.port('hello'), d.ask('hello')), (old, b'hello\n'), 'the old one')
    same(d.json('show', 'status')['reloads'], 0, 'reloads')
    d.configure(HELLO_CONF + CAT_CONF)
    same(d.json('reload'), {'done': True, 'messages': []}, 'a good file')
    same((d.port('hello'), d.json('show', 'status')['reloads']), (old, 1),
         'the new one')
    with d.connect('cat') as s:
        s.sendall(b'x')
        same(s.recv(1), b'x', 'cat')


@case()
@daemon(HELLO_CONF + CAT_CONF, fixed=True)
def pause_and_drain(d):
    """Clients wait or are refused; the other service does not notice"""
    def state(name):
        return d.json('show', 'services', name)['services'][0]['state']
    port = d.port('hello')
    d.text('pause', 'hello')
    same((state('hello'), state('cat')), ('paused', 'accepts'), 'paused')
    with d.connect('hello') as s:
        s.settimeout(0.3)
        try:
            holds(False, 'got %r' % s.recv(1))
        except socket.timeout:
            pass
        s.settimeout(DEADLINE_S)
        d.text('continue')
        same(s.recv(9), b'hello\n', 'after the pause')
    held = d.connect('cat')
    sessions(d, 1)
    d.text('drain')
    same((state('hello'), state('cat')), ('drained', 'drained'), 'drained')
    try:
        socket.create_connection(('127.0.0.1', port)).close()
        holds(False, 'it still listens')
    except ConnectionRefusedError:
        pass
    held.sendall(b'x')
    same(held.recv(1), b'x', 'who was there')
    held.close()
    d.text('continue', 'hello')
    same((state('hello'), state('cat')), ('accepts', 'drained'), 'continued')
    same(d.ask('hello'), b'hello\n', 'after the drain')
    d.text('cont')
    same(state('cat'), 'accepts', 'all continued')
    d.text('drain', 'dog', code=1, stderr='tcpserverctl: service dog: there '
           'is none of that name\n')


@case()
@daemon(HELLO_CONF)
def log_level(d):
    """log verbose and brief are in force at once"""
    d.text('log', 'verbose')
    same(d.json('show', 'status')['log'], 'verbose', 'log')
    d.ask('hello')

    def told(text):
        with open('log', encoding='latin-1') as f:
            return text in f.read()
    wait_for(lambda: told('event=start service=hello'), 'a start')
    d.text('log', 'brief')
    same(d.json('show', 'status')['log'], 'brief', 'log')


@case()
@daemon(HELLO_CONF + CAT_CONF, sockets='control socket "@/ctl.sock"\n'
        'restricted control socket "@/look.sock"\n')
def restricted(d):
    """Who may only look may look at everything, and change nothing"""
    for words in ('show status', 'show services', 'show sessions',
                  'show rules', 'show stats', 'show metrics',
                  'check hello 192.0.2.1'):
        done = ctl(*words.split(), path='look.sock')
        same((done.returncode, done.stderr), (0, ''), words)
    for words in ('reload', 'drain', 'pause hello', 'continue',
                  'log verbose', 'kill session 1'):
        done = ctl(*words.split(), path='look.sock')
        same((done.returncode, done.stdout, done.stderr), (
            1, '', 'tcpserverctl: this socket is for looking only\n'), words)
    same((os.stat('ctl.sock').st_mode & 0o777), 0o660, 'mode')
    same(d.json('show', 'services')['services'][0]['state'], 'accepts',
         'as before')


RULES = '''# who may
10.:deny
192.0.2.0/24:allow,NET="yes",QUOTES='"'
192.0.2.7:deny
=mail.example.net:allow,HOST="it"
joe@198.51.100.9:deny
2001:db8::/32:allow,SIX="6"
:allow,REST=""
'''
RULED_CONF = '''
service ruled {
	listen on 127.0.0.1 port 0
	rules "@/%s"
	exec "/bin/true"
}
'''


def rules_compile(text, name):
    done = run([STAGE + '/bin/tcprules', name, name + '.tmp'],
               stdin=None, input=text)
    same((done.returncode, done.stderr), (0, ''), 'tcprules')


def check_all(d, path):
    for words, verdict, rule, line, variables, code in (
            ('10.1.2.3', 'denied', '10.', 2, [], 2),
            ('192.0.2.8', 'allowed', '192.0.2.0/24', 3,
             ['NET=yes', 'QUOTES="'], 0),
            ('192.0.2.7', 'denied', '192.0.2.7', 4, [], 2),
            ('8.8.8.8 mail.example.net', 'allowed', '=mail.example.net', 5,
             ['HOST=it'], 0),
            ('198.51.100.9 h joe', 'denied', 'joe@198.51.100.9', 6, [], 2),
            ('198.51.100.9', 'allowed', '', 8, ['REST='], 0),
            ('2001:db8::25', 'allowed', '2001:db8::/32', 7, ['SIX=6'], 0),
            ('[2001:db8::25]', 'allowed', '2001:db8::/32', 7, ['SIX=6'],
             0)):
        found = d.json('check', 'ruled', *words.split(), code=code)
        same((found['verdict'], found['reason'], found['rule'],
              found['line'], found['variables'], found['file']),
             (verdict, 'rule', rule, line, variables, path), words)
        text = d.text('check', 'ruled', *words.split(), code=code)
        holds('verdict     %s\n' % verdict in text, text)
        holds('%s:%d\n' % (path, line) in text, text)
    same(list(found), [
        'service', 'remote_ip', 'remote_name', 'ident', 'verdict', 'reason',
        'error', 'rules', 'rule', 'file', 'line', 'variables', 'full'],
        'keys')


@case()
def check_text():
    """check: what would happen, by which rule, in which line of the text"""
    write('r.rules', RULES)

    @daemon(RULED_CONF % 'r.rules')
    def body(d):
        path = os.path.realpath('r.rules')
        check_all(d, path)
        # The next check meets the new rules, as the next client would.
        write('r.rules', '192.0.2.7:allow\n:deny\n')
        wait_for(lambda: ctl('check', 'ruled', '192.0.2.7').returncode == 0,
                 'the new rules')
        same(d.json('check', 'ruled', '1.1.1.1', code=2)['line'], 2, 'line')
        found, = d.json('show', 'rules')['rules']
        same(list(found), [
            'service', 'rules', 'held', 'error', 'reads', 'read_at',
            'changed_at', 'bytes'], 'keys')
        same((found['rules'], found['held'], found['error']),
             (path, True, None), 'show rules')
        holds(found['reads'] >= 2, found)
        holds(path in d.text('show', 'rules'), 'the path')
    body()


@case()
def check_database():
    """The same with a database whose text is beside it, or is not"""
    write('r', RULES)
    rules_compile(RULES, 'r.cdb')

    @daemon(RULED_CONF % 'r.cdb')
    def body(d):
        check_all(d, os.path.realpath('r'))
        write('r', ':deny\n')
        os.utime('r', (2**31, 2**31))
        text = d.text('check', 'ruled', '10.1.2.3', code=2)
        holds('no line of' in text and 'is newer than' in text, text)
        os.unlink('r')
        found = d.json('check', 'ruled', '10.1.2.3', code=2)
        same((found['rule'], found['file'], found['line']),
             ('10.', None, None), 'without a text')
        rules_compile('10.:allow\n', 'r.cdb')
        same(d.json('check', 'ruled', '10.1.2.3')['verdict'], 'allowed',
             'the next')
        same(d.json('check', 'ruled', '11.1.2.3')['reason'], 'default',
             'no rule')
        text = d.text('check', 'ruled', '11.1.2.3')
        holds('no rule of' in text, text)
        # What can't be read lets nobody in, and says so.
        write('r.new', 'nonsense')
        os.rename('r.new', 'r.cdb')
        found = d.json('check', 'ruled', '10.1.2.3', code=2)
        same((found['verdict'], found['reason']), ('dropped', 'rules'),
             'damaged')
        holds(found['error'], found)
        found, = d.json('show', 'rules')['rules']
        same(found['held'], False, 'held')
        holds(found['error'], found)
    body()


@case()
@daemon(HELLO_CONF)
def check_without_rules(d):
    """A service without rules lets everybody in"""
    found = d.json('check', 'hello', '192.0.2.1')
    same((found['verdict'], found['reason'], found['rule'], found['rules']),
         ('allowed', 'default', None, None), 'no rules')
    holds('has no rules' in d.text('check', 'hello', '192.0.2.1'), 'text')
    d.text('check', 'dog', '192.0.2.1', code=1, stderr='tcpserverctl: '
           'service dog: there is none of that name\n')


def monitor(*options):
    return subprocess.Popen(
        [STAGE + '/sbin/tcpserverctl', '-s', 'ctl.sock'] + list(options) +
        ['monitor'], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)


def confined(process):
    with open('/proc/%d/status' % process.pid) as f:
        return '\nSeccomp:\t2\n' in f.read()


@case()
def monitored():
    """monitor: starts, ends and refusals as they happen"""
    write('r.rules', '127.:deny\n')

    @daemon(HELLO_CONF + RULED_CONF % 'r.rules' + CAT_CONF)
    def body(d):
        watch = [monitor('-j'), monitor()]
        try:
            wait_for(lambda: d.json('show', 'status')['control_clients'] == 3,
                     'both')
            # It is counted when it has connected, which comes before.
            if sys.platform.startswith('linux'):
                wait_for(lambda: all(map(confined, watch)), 'confinement')
            d.ask('hello')
            d.ask('ruled')
            events = {}
            for _ in range(3):
                one = json.loads(watch[0].stdout.readline())
                events[one['event']] = one
            same(sorted(events), ['connect', 'end', 'refused'], 'events')
            for one in events.values():
                same(list(one), ['time', 'event', 'sequence'] +
                     SESSION_KEYS[:2] + ['verdict', 'reason'] +
                     SESSION_KEYS[2:11] + ['exit', 'signal', 'duration_ms'],
                     'keys')
            same(sorted(one['sequence'] for one in events.values()),
                 [1, 2, 3], 'sequence')
            same((events['end']['exit'], events['end']['id'],
                  events['connect']['exit']),
                 (0, events['connect']['id'], None), 'the end')
            same((events['refused']['verdict'], events['refused']['rule'],
                  events['refused']['pid']), ('denied', '127.', None),
                 'refused')
            text = b''.join(watch[1].stdout.readline() for _ in range(3))
            holds(re.search(rb'hello +\d+ 127\.0\.0\.1:\d+ connect\n', text),
                  text)
            holds(b' denied (rule) rule 127.\n' in text, text)
        finally:
            for one in watch:
                one.kill()
                one.wait()
                one.stdout.close()
        same(d.count('ruled', 'denied', 'rule'), 1, 'denied')
    body()


def listen(count):
    client = subprocess.Popen(
        [os.path.join(HERE, 'listen'), 'event.sock', str(count)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL, encoding='ascii')
    same(client.stdout.readline(), 'ready\n', 'listen')
    return client


@case()
def events():
    """The event socket tells what the services' notify asks for"""
    import pwd
    write('r.rules', ':allow\n')
    user = pwd.getpwuid(os.getuid()).pw_name
    conf = '''
service mail {
	listen on 127.0.0.1 port 0
	local name "door"
	rules "@/r.rules"
	notify autoturn on end
	exec "/bin/sh" "-c" "exit 7"
}
service turn {
	listen on 127.0.0.1 port 0
	notify autoturn on connect
	close
}
'''

    @daemon(HELLO_CONF + conf, sockets='control socket "@/ctl.sock"\n'
            'event socket "@/event.sock" user "%s"\n' % user)
    def body(d):
        client = listen(4)
        try:
            for name in ('hello', 'mail', 'hello', 'turn', 'turn', 'mail'):
                d.ask(name)
            lines, errors = client.communicate(timeout=DEADLINE_S)
        finally:
            client.kill()
        same((client.returncode, errors), (0, ''), 'listen')
        lines = lines.splitlines()
        same([line.split()[0] for line in lines], ['1', '2', '3', '4'],
             'sequence')
        same(sorted(' '.join(line.split()[1:3]) for line in lines),
             ['connect turn'] * 2 + ['end mail'] * 2, 'events')
        for line in lines:
            if ' mail ' in line:
                holds(re.search(
                    r' from 127\.0\.0\.1 port \d+ to port %d pid yes status '
                    r'%d local door name - ident - rule $' % (
                        d.port('mail'), 7 << 8), line), line)
            else:
                holds(' pid no status 0 ' in line, line)
        same(d.json('show', 'status')['events_lost'], 0, 'events_lost')
        same(d.count('turn', 'closed', 'default'), 2, 'closed')
        same(d.stats('mail')['ended'], {
            'success': 0, 'failure': 2, 'signal': 0}, 'ended')
    body()


@case()
@daemon(HELLO_CONF + CAT_CONF)
def examples(d):
    """EXAMPLES of tcpserverctl(8) run as they are printed"""
    os.mkdir('bin')
    for name, option, file in (('tcpserverctl', '-s', 'ctl.sock'),
                               ('tcpserverd', '-f', 'conf')):
        write('bin/' + name, '#!/bin/sh\nexec %s/sbin/%s %s %s/%s "$@"\n' % (
            STAGE, name, option, os.getcwd(), file))
        os.chmod('bin/' + name, 0o755)
    env = dict(os.environ, PATH=os.getcwd() + '/bin:' + os.environ['PATH'])
    ran = 0
    write('run', '#!/bin/sh\nexec tcpserver -R 127.0.0.1 0 /bin/echo hi\n')
    for lines in displays(
            SOURCE + '/usr.sbin/tcpserverctl/tcpserverctl.8'):
        script = '\n'.join(lines).replace('/service/smtpd/run', 'run')
        done = run(['sh', '-ec', script], env=env)
        same(done.returncode, 0, (lines, done.stderr))
        ran += 1
    same(ran, 6, 'examples')
    with open('tcpserverd.prom') as f:
        holds(f.read().endswith('# EOF\n'), 'tcpserverd.prom')
    with open('smtp.conf') as f:
        holds('exec "/bin/echo" "hi"' in f.read(), 'smtp.conf')


if __name__ == '__main__':
    main()
