#!/usr/bin/env python3
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
# autoturnctl at a real autoturnd: every command, for people and programs.

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from turnctl import *

CUSTOMER_KEYS = [
    'spool', 'customer', 'maildir', 'implicit', 'held', 'gone', 'why',
    'reason', 'waiting', 'waiting_bytes', 'oldest_at', 'in_quarantine',
    'looked_at', 'seen_at', 'tried_at', 'next_at', 'failures', 'reply',
    'delivered_at', 'delivered', 'delivered_bytes', 'returned', 'lifetime']
MESSAGE_KEYS = [
    'spool', 'customer', 'message', 'state', 'size', 'queued_at',
    'expires_at', 'quarantined_at', 'sender', 'recipients',
    'recipients_count', 'reply']
NOBODY = 'customer nobody: there is none of that name'


def put_raw(world, name, data, file, age_s=100):
    """A file as it is; what Spool remembers is left alone"""
    path = '%s/%s/new/%s' % (world.spool.path, name, file)
    with open(path, 'wb') as f:
        f.write(data)
    world.spool.give(path)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


@case()
def status():
    """show status: what it says is so, its keys are those of the manual"""
    def before(w):
        for _ in range(3):
            w.spool.put('127.0.0.1')
    w = World(serve=False, before=before)
    w.wait_why('retry back-off')
    found = w.json('show', 'status')
    same(list(found), ['build', 'configuration', 'parent_pid', 'started_at',
                       'loaded_at', 'reloads', 'spools', 'messages'], 'keys')
    same((found['parent_pid'], found['configuration'], found['reloads']),
         (w.daemon.pid, w.daemon.conf, 0), 'the daemon')
    spool, = found['spools']
    same(list(spool), [
        'spool', 'queue_pid', 'started_at', 'paused', 'stopping', 'trouble',
        'relay', 'mailer', 'events', 'sandbox', 'concurrency', 'runs',
        'ready', 'customers', 'customers_held', 'customers_waiting',
        'waiting', 'waiting_bytes', 'oldest_at', 'in_quarantine',
        'control_clients', 'triggers', 'strangers', 'runs_ok', 'runs_failed',
        'accepted', 'accepted_bytes', 'deferred', 'refused', 'expired',
        'returned', 'warned', 'quarantined', 'repeated'], 'keys')
    same(list(spool['triggers']), ['scan', 'mail', 'retry', 'gap', 'session',
                                   'operator'], 'triggers')
    same((spool['spool'], spool['customers'], spool['customers_waiting'],
          spool['waiting'], spool['control_clients'], spool['trouble'],
          spool['paused'], spool['relay'], spool['events']),
         (w.spool.path, 1, 1, 3, 1, None, False, True, False), 'the spool')
    same([spool['queue_pid']], w.daemon.children('queue'), 'queue_pid')
    text = w.ask('sh', 'st')
    for line in ('parent +pid %d, since ....-' % w.daemon.pid,
                 'spool +' + w.spool.path, 'state +works',
                 'waiting +3 messages, .* for 1 customers, the oldest .*'):
        require(re.search('^' + line, text, re.M), (line, text))


@case()
def customers():
    """show customers: why mail waits, in words"""
    def before(w):
        w.spool.put('127.0.0.1')
        w.spool.put('127.0.0.1')
    w = World(('127.0.0.1', '127.0.0.2'), serve=False, before=before)
    found = w.wait_why('retry back-off')
    same(list(found), CUSTOMER_KEYS, 'keys')
    same((found['waiting'], found['failures'], found['maildir'],
          found['implicit'], found['reason'], found['held']),
         (2, 1, '127.0.0.1', True, 'retry', False), found)
    require('refused' in found['reply'].lower(), found['reply'])
    require(found['tried_at'] < found['next_at'], found)
    require(found['oldest_at'] < found['looked_at'], found)
    same(w.customer('127.0.0.2')['why'], 'nothing waits', 'another')
    text = w.ask('show', 'customers')
    require(re.search(r'^127\.0\.0\.1 +2 +\d+ +\d+ s +- +- +\d+ min  '
                      'retry back-off$', text, re.M), text)
    require(re.search(r'^127\.0\.0\.2 +0 +0 +- +- +- +-  nothing waits$',
                      text, re.M), text)
    text = w.ask('show', 'customers', '127.0.0.1')
    require('why           retry back-off\n' in text, text)
    w.ask('show', 'customers', 'nobody', code=1,
          error='autoturnctl: %s\n' % NOBODY)
    same(w.json('show', 'customers', 'nobody', code=1),
         {'done': False, 'messages': [NOBODY]}, 'nobody')


@case()
def never_retried():
    """retry never: he must show up"""
    w = World(serve=False, retry='retry never',
              before=lambda w: w.spool.put('127.0.0.1'))
    found = w.wait_why('until he shows up')
    same((found['next_at'], found['reason']), (None, None), 'his next run')


@case()
def queue():
    """show queue: oldest first, envelopes whatever they hold"""
    def before(w):
        put_raw(w, '127.0.0.1', b'no head at all\n', 'bad', 500)
        put_raw(w, '127.0.0.1', b'Return-Path: <>\nDelivered-To: '
                b'autoturn-127.0.0.1-a@b.example\n\n', 'null', 400)
        put_raw(w, '127.0.0.1', b'Return-Path: <\xe4"\x1b[2J@x>\n'
                b'Delivered-To: autoturn-127.0.0.1-\xff\\@b\n\n', 'odd', 300)
        put_raw(w, '127.0.0.1', b'Return-Path: <a@b>\nEnvelope-To: ' +
                b', '.join(b'autoturn-127.0.0.1-' + b'x' * 200 +
                           b'%d@b.example' % i for i in range(50)) +
                b'\n\n', 'many', 200)
        os.symlink('/etc/passwd', w.spool.path + '/127.0.0.1/new/link')
    w = World(('127.0.0.1', '127.0.0.2'), serve=False, before=before)
    w.wait_why('retry back-off')
    w.spool.put('127.0.0.2', sender='s@x.example', recipient='r@y.example')
    found = w.queue()
    same([m['message'] for m in found][:4],
         ['new/bad', 'new/null', 'new/odd', 'new/many'], 'names')
    same(list(found[0]), MESSAGE_KEYS, 'keys')
    same([m['sender'] for m in found[:2]] + [found[4]['sender']],
         [None, '', 's@x.example'], 'senders')
    same([m['recipients'] for m in found[:2]] + [found[4]['recipients']],
         [[], ['a@b.example'], ['r@y.example']], 'recipients')
    many = found[3]
    same(many['recipients_count'], 50, 'recipients')
    require(5 < len(many['recipients']) < 50, len(many['recipients']))
    same({m['state'] for m in found}, {'waiting'}, 'states')
    same([m['customer'] for m in w.queue('127.0.0.2')], ['127.0.0.2'], 'one')
    text = w.ask('show', 'queue')
    require(re.fullmatch(r'[ -~\n]*', text), text)
    require('<s@x.example> to <r@y.example>\n' in text, text)
    require('and %d more' % (50 - len(many['recipients'])) in text, text)


@case()
def queue_long():
    """Thousands of messages, while somebody else is answered"""
    def before(w):
        for number in range(3000):
            put_raw(w, '127.0.0.1', b'Return-Path: <a@b>\nDelivered-To: '
                    b'autoturn-127.0.0.1-a@b\n\n', '%05d' % number)
    w = World(serve=False, before=before)
    w.wait_why('retry back-off')
    reader = subprocess.Popen([CTL, '-js', w.daemon.socket, 'show', 'queue'],
                              stdout=subprocess.PIPE)
    require(reader.stdout.read(1) == b'{', 'its beginning')
    same(w.customer()['waiting'], 3000, 'waiting')      # it is not read
    found = json.loads(b'{' + reader.stdout.read())['queue']
    same(reader.wait(), 0, 'its exit code')
    same([m['message'] for m in found],
         ['new/%05d' % number for number in range(3000)], 'messages')


@case()
def deferred():
    """What was put off is shown with the reply, until it is taken"""
    refuse = []
    w = World(rules=lambda stage, n: b'451 4.7.1 not now, my friend\r\n'
              if stage == 'RCPT' and refuse else None)
    refuse.append(1)
    w.spool.put('127.0.0.1')
    w.ask('run', '127.0.0.1')
    wait_for(lambda: w.queue()[0]['state'] == 'deferred', 'its state')
    found, = w.queue()
    require('451 4.7.1 not now, my friend' in found['reply'], found)
    text = w.ask('show', 'queue')
    require('not now, my friend\n' in text, text)
    found = w.wait_why('retry back-off')
    require('not now, my friend' in found['reply'], found)
    text = w.ask('explain', found['customer'], w.queue()[0]['message'])
    require('waits again: it was not taken the last time' in text, text)
    del refuse[:]
    w.ask('run')
    w.spool.wait_empty('127.0.0.1')
    same(w.queue(), [], 'the queue')
    found = w.wait_why('nothing waits')
    same((found['delivered'], found['failures']), (1, 0), found)


@case()
def runs():
    """show runs, explain: while a message is on its way"""
    def stall(stage, n):
        return mailserver.STALL if stage == 'dot' else None
    w = World(rules=stall)
    file = w.spool.put('127.0.0.1')
    w.ask('run', '127.0.0.1')
    wait_for(lambda: w.states() == [(file, 'sent')], 'that it was sent')
    found, = w.json('show', 'runs')['runs']
    same(list(found), ['spool', 'customer', 'run', 'reason', 'doing',
                       'started_at', 'open', 'accepted', 'accepted_bytes',
                       'deferred', 'refused'], 'keys')
    same((found['customer'], found['reason'], found['doing'], found['open'],
          found['accepted']), ('127.0.0.1', 'operator', 'sends', 1, 0),
         'the run')
    text = w.ask('show', 'runs')
    require(re.search(r'^127\.0\.0\.1 +\d+ s operator +1 +0 +0 +0  sends$',
                      text, re.M), text)
    same(w.customer()['why'], 'running', 'why')
    found, = w.json('explain', file)['found']
    same((found['run']['open'], found['message']['state'],
          found['customer']['why']), (1, 'sent', 'running'), 'explain')
    text = w.ask('explain', file)
    require('was sent just now and has no answer yet' in text, text)
    error = 'autoturnctl: customer 127.0.0.1, message %s: it is being sent ' \
        'to the customer just now\n' % file
    w.ask('expire', '127.0.0.1', file, code=1, error=error)
    # The relay dies: it may have been delivered.
    w.daemon.kill(w.daemon.children('relay')[0])
    wait_for(lambda: w.states() == [(file, 'possibly delivered')],
             'that nobody knows')
    text = w.ask('explain', 'new/' + file)
    require('the customer may have it already' in text, text)


@case()
def run_names():
    """run: by name, address, domain; nobody's"""
    w = World((), more='customer acme {\n\taddress 127.0.0.1\n'
              '\tdomain acme.example\n\tprefix "autoturn-acme-"\n'
              '\tmaildir "acme"\n}\n',
              before=lambda w: w.spool.maildir('acme'))
    for word in 'acme', '127.0.0.1', 'acme.example':
        w.spool.put('acme', prefix='autoturn-acme-')
        w.ask('run', word)
        w.spool.wait_empty('acme')
    same(len(w.server.messages), 3, 'messages')
    for word in 'other', '127.0.0.9', 'other.example', 'example':
        w.ask('run', word, code=1, error='autoturnctl: %s: no customer\'s '
              'name, address or domain\n' % word)
    same(w.json('show', 'status')['spools'][0]['triggers']['operator'], 3,
         'triggers')


@case()
def hold():
    """hold, release; and over the end of the daemon, however it comes"""
    w = World(('127.0.0.1', '127.0.0.2'))
    w.ask('hold', '127.0.0.1')
    w.spool.put('127.0.0.1')
    same(w.customer()['held'], True, 'held')
    w.ask('run', '127.0.0.1', code=1, error='autoturnctl: customer '
          '127.0.0.1 is held: release him first\n')
    w.ask('run')
    for pid in w.daemon.children() + [w.daemon.pid]:
        kill_quietly(pid, signal.SIGKILL)
    w.daemon.process.wait()
    w.daemon.wait_gone()
    w.again()
    same((w.customer()['held'], w.customer('127.0.0.2')['held']),
         (True, False), 'held, still')
    wait_for(lambda: w.customer()['waiting'] == 1, 'his message')
    same(w.customer()['why'], 'held', 'why')
    text = w.ask('show', 'customers')
    require(re.search(r'^127\.0\.0\.1 .*  held$', text, re.M), text)
    same(w.json('show', 'status')['spools'][0]['customers_held'], 1, 'held')
    w.ask('release', '127.0.0.1')
    w.spool.wait_empty('127.0.0.1')
    same(w.customer()['held'], False, 'held')
    for word in 'hold', 'release', 'expire':
        w.ask(word, 'nobody', code=1, error='autoturnctl: %s\n' % NOBODY)


@case()
def pause():
    """pause, resume: all spools or one, and over a restart"""
    w = World()
    w.ask('pause', '/no/such/spool', code=1,
          error='autoturnctl: /no/such/spool: there is none\n')
    w.ask('pause', w.spool.path)
    w.spool.put('127.0.0.1')
    note = 'autoturnctl: spool %s is paused: nothing is sent until it is ' \
        'resumed\n' % w.spool.path
    w.ask('run', '127.0.0.1', error=note)
    same(w.json('run', '127.0.0.1')['done'], True, 'run')
    w.daemon.stop()
    w.again()
    spool, = w.json('show', 'status')['spools']
    same(spool['paused'], True, 'paused')
    w.wait_why('paused')
    require('state             paused\n' in w.ask('show', 'status'), 'state')
    w.ask('resume')
    w.spool.wait_empty('127.0.0.1')


@case()
def two_spools():
    """A name in two spools means both; of two one can be paused"""
    spools = Spool(), Spool()
    for spool in spools:
        spool.maildir('127.0.0.1')
    spools[1].maildir('127.0.0.2')
    port = port_pick('127.0.0.1')
    w = World.__new__(World)
    w.spool = spools[0]
    w.daemon = Autoturn('port %d\nretry 1h\n' % port + ''.join(
        'spool "%s"\n' % spool.path for spool in spools))
    w.ask('hold', '127.0.0.1')
    same([(c['spool'], c['customer'], c['held'])
          for c in w.json('show', 'customers')['customers']],
         [(spools[0].path, '127.0.0.1', True),
          (spools[1].path, '127.0.0.1', True),
          (spools[1].path, '127.0.0.2', False)], 'customers')
    w.ask('hold', '127.0.0.2')          # the first knows nothing of him
    w.ask('hold', 'nobody', code=1, error='autoturnctl: %s\n' % NOBODY)
    w.ask('pause', spools[1].path)
    same([s['paused'] for s in w.json('show', 'status')['spools']],
         [False, True], 'paused')
    text = w.ask('show', 'customers')
    same([line for line in text.split('\n') if line.endswith(':')],
         [spool.path + ':' for spool in spools], text)
    w.ask('reload')
    same(w.json('show', 'status')['reloads'], 1, 'reloads')


@case()
def quarantine():
    """What can't be read is shown with the reason, and released"""
    w = World()
    put_raw(w, '127.0.0.1', b'no head\n', 'bad')
    w.ask('run', '127.0.0.1')
    found, = wait_for(lambda: w.json('show', 'quarantine')['quarantine'],
                      'a message in quarantine')
    same(list(found), MESSAGE_KEYS, 'keys')
    same((found['customer'], found['state'], found['size'],
          found['expires_at']), ('127.0.0.1', 'quarantined', 8, None), found)
    require(found['reply'] and found['quarantined_at'], found)
    name = found['message']
    text = w.ask('show', 'quarantine', '127.0.0.1')
    require(found['reply'] in text, text)
    same(w.customer()['in_quarantine'], 1, 'in_quarantine')
    require('is in quarantine' in w.ask('explain', name), 'explain')
    w.ask('expire', '127.0.0.1', name, code=1, error='autoturnctl: customer '
          '127.0.0.1, message %s: it is in quarantine: release it first\n' %
          name)
    w.ask('hold', '127.0.0.1')
    w.ask('release', '127.0.0.1', name)
    same(w.json('show', 'quarantine')['quarantine'], [], 'quarantine')
    same(w.states(), [(name, 'waiting')], 'the queue')
    w.ask('release', '127.0.0.1', name, code=1, error='autoturnctl: customer '
          '127.0.0.1, message %s: not in quarantine\n' % name)
    for name in '..', '.', '../new/bad', 'x' * 299:
        require(ctl(w.daemon.socket, 'release', '127.0.0.1',
                    name).returncode == 1, name)
    same(w.states(), [(found['message'], 'waiting')], 'the queue')


@case()
def expire():
    """expire: one message, then all of them, with reports"""
    def before(w):
        for _ in range(4):
            w.spool.put('127.0.0.1', sender='sender@x.example')
    w = World(serve=False, before=before)
    w.wait_why('retry back-off')
    files = w.spool.waiting('127.0.0.1')
    w.ask('expire', '127.0.0.1', files[1])
    wait_for(lambda: len(w.spool.waiting('127.0.0.1')) == 3, 'its end')
    same([m['message'] for m in w.queue()],
         ['new/' + f for f in files if f != files[1]], 'the others')
    w.ask('expire', '127.0.0.1', files[1], code=1, error='autoturnctl: '
          'customer 127.0.0.1, message %s: there is none of that name\n' %
          files[1])
    w.ask('expire', '127.0.0.1')
    w.spool.wait_empty('127.0.0.1')
    box = w.daemon.where + '/reports'
    reports = [f for f in os.listdir(box) if f.endswith('.report')]
    same(len(reports), 4, 'reports')
    with open('%s/%s' % (box, reports[0])) as f:
        text = f.read()
    require('sender@x.example' in text.split('\n')[0], text)
    require('refused' in text, text)
    found = w.wait_why('nothing waits')
    same(found['returned'], 4, 'returned')
    same(w.json('show', 'status')['spools'][0]['expired'], 4, 'expired')


@case()
def expire_locked():
    """While another program has his lock nothing is sent back"""
    w = World(serve=False, before=lambda w: w.spool.put('127.0.0.1'))
    w.wait_why('retry back-off')
    lock = w.spool.path + '/127.0.0.1/seriallock'
    with subprocess.Popen([STAGE + '/bin/setlock', '-n', lock, 'sh', '-c',
                           'echo; read x'], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        w.ask('expire', '127.0.0.1', code=1, error='autoturnctl: customer '
              '127.0.0.1: another program has his lock\n')
        w.ask('run', '127.0.0.1')
        w.wait_why('locked by another program')
        holder.stdin.close()
    same(len(w.spool.waiting('127.0.0.1')), 1, 'messages')


@case()
def explain():
    """explain: in all Maildirs or one; what is not there"""
    w = World(('127.0.0.1', '127.0.0.2'), serve=False)
    for name in '127.0.0.1', '127.0.0.2':
        put_raw(w, name, b'Return-Path: <a@b>\nDelivered-To: autoturn-%s-c@d'
                b'\n\n' % name.encode(), 'm')
    os.rename(w.spool.path + '/127.0.0.2/new/m',
              w.spool.path + '/127.0.0.2/cur/m')
    found = w.json('explain', 'm')['found']
    same([list(f) for f in found], [['customer', 'message']] * 2, 'keys')
    same([(f['customer']['customer'], f['message']['message'],
           f['message']['recipients']) for f in found],
         [('127.0.0.1', 'new/m', ['c@d']), ('127.0.0.2', 'cur/m', ['c@d'])],
         'found')
    same([f['customer']['customer']
          for f in w.json('explain', '127.0.0.2', 'cur/m')['found']],
         ['127.0.0.2'], 'one')
    text = w.ask('explain', 'm')
    same((text.count('from          <a@b>\n'),
          text.count('to            <c@d>\n'), text.count('\n\n')),
         (2, 2, 1), text)
    none = 'message %s: there is none of that name'
    for words in (['n'], ['127.0.0.1', 'n'], ['.'], ['..'], ['new/']):
        w.ask('explain', *words, code=1,
              error='autoturnctl: %s\n' % (none % words[-1]))
    same(w.json('explain', 'n', code=1),
         {'done': False, 'messages': [none % 'n']}, 'nothing')
    w.ask('explain', 'nobody', 'm', code=1,
          error='autoturnctl: %s\n' % NOBODY)


@case()
def reload():
    """reload: done, or the errors of the new configuration"""
    w = World()
    w.ask('reload')
    same(w.json('show', 'status')['reloads'], 1, 'reloads')
    w.daemon.write(w.text + 'customer x {\n\tnonsense\n}\n')
    done = ctl(w.daemon.socket, 'reload')
    same((done.returncode, done.stdout), (1, ''), 'a bad one')
    require(re.match('autoturnctl: %s:[0-9]+: ' % w.daemon.conf,
                     done.stderr), done.stderr)
    found = w.json('reload', code=1)
    same((list(found), found['done']), (['done', 'messages'], False), found)
    same(w.json('show', 'status')['reloads'], 1, 'reloads')
    w.daemon.write(w.text)
    same(w.json('reload'), {'done': True, 'messages': []}, 'a good one')


@case()
def restricted():
    """The restricted socket: to look, not to touch"""
    w = World(restricted=True, serve=False,
              before=lambda w: w.spool.put('127.0.0.1'))
    w.wait_why('retry back-off')
    for words in (['status'], ['customers'], ['queue'], ['runs'],
                  ['quarantine'], ['metrics']):
        w.ask('show', *words, path=w.restricted)
    w.ask('explain', w.spool.waiting('127.0.0.1')[0], path=w.restricted)
    for words in (['run'], ['hold', '127.0.0.1'], ['release', '127.0.0.1'],
                  ['release', '127.0.0.1', 'x'], ['pause'], ['resume'],
                  ['expire', '127.0.0.1'], ['reload']):
        w.ask(*words, path=w.restricted, code=1, error='autoturnctl: this '
              'socket is for looking only\n')
    same((w.customer()['held'], len(w.spool.waiting('127.0.0.1'))),
         (False, 1), 'what was done')


@case()
def metrics():
    """show metrics: OpenMetrics as Prometheus's own reader takes it"""
    def before(w):
        w.spool.put('127.0.0.1')
        put_raw(w, '127.0.0.2', b'x\n', 'bad')
    w = World(('127.0.0.1', '127.0.0.2'), before=before)
    wait_for(lambda: w.json('show', 'status')['spools'][0]['accepted'] and
             len(w.server.messages) == 1, 'a delivery')
    text = w.ask('show', 'metrics')
    require(text.endswith('# EOF\n'), text[-100:])
    samples = dict(re.findall(r'^(autoturnd_\S+\{.*?\}|\S+) (\S+)$', text,
                              re.M))
    spool = 'spool="%s"' % w.spool.path
    same([samples['autoturnd_' + name] for name in (
        'messages_accepted_total{%s}' % spool,
        'customers{%s}' % spool,
        'customer_messages_accepted_total{%s,customer="127.0.0.1"}' % spool,
        'paused{%s}' % spool, 'reloads_total')],
         ['1', '2', '1', '0', '0'], 'samples')
    path = PEERS + '/usr/lib/python3/dist-packages'
    if not PEERS or not os.path.isdir(path + '/prometheus_client'):
        skip('no prometheus_client among the unpacked peers')
    sys.path.insert(0, path)
    from prometheus_client.openmetrics import parser
    families = {f.name: f for f in parser.text_string_to_metric_families(
        text)}
    with open(SOURCE + '/usr.sbin/autoturnctl/autoturnctl.8') as f:
        manual = f.read().split('.Ss Metrics')[1].split('.Sh FILES')[0]
    for name, family in families.items():
        short = name[len('autoturnd_'):]
        if family.type == 'counter':
            short += '_total'
        if family.type == 'info':
            short += '_info'
        require(re.search(r'[ \n]%s\b' % short, manual), short)


@case()
def examples():
    """The EXAMPLES of the manual do what they say"""
    w = World()
    w.spool.put('127.0.0.1')
    sys.path.insert(0, HERE)
    from atfcases import displays
    ran = 0
    env = dict(os.environ, PATH='%s:%s' % (os.getcwd(), os.environ['PATH']))
    with open('autoturnctl', 'w') as f:
        f.write('#!/bin/sh\nexec %s -f %s -s %s "$@"\n' %
                (CTL, w.daemon.conf, w.daemon.socket))
    os.chmod('autoturnctl', 0o755)
    for lines in displays(SOURCE + '/usr.sbin/autoturnctl/autoturnctl.8'):
        done = subprocess.run(['sh', '-ec', '\n'.join(lines)], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        same((done.returncode, done.stderr), (0, b''), lines)
        ran += 1
    same(ran, 6, 'examples')
    w.spool.wait_empty('127.0.0.1')
    require(os.path.getsize('autoturnd.prom') > 100, 'autoturnd.prom')


main()
