#!/usr/bin/env python3
#
# The daemon and its log as an administrator has them: in the background with
# a syslogd that comes and goes, in the foreground with JSON for a program.
# syslogd is ours, on a /dev/log of a file system that only this test sees.

import json
import os
import re
import select
import signal
import socket
import subprocess
import threading

from world import (DEADLINE_S, STAGE, case, fail, main, own_dev, own_network,
                   process_alive, read_all, require, same, scratch,
                   session_remember, wait_for)

PRIORITY = re.compile(r'<(\d+)>tcpserverd\[(\d+)\]: (.*)', re.DOTALL)
MAIL, FTP, INFO, WARNING = 2 << 3, 11 << 3, 6, 4


# syslogd

class Syslogd:
    def __init__(self):
        if os.path.exists('/dev/log'):
            os.unlink('/dev/log')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind('/dev/log')
        os.chmod('/dev/log', 0o666)

    def next(self, seconds=DEADLINE_S):
        """The next message, None when there is none for so long"""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        return self.socket.recv(65536).decode()

    def expect(self, pattern):
        """The next message that is like that"""
        while True:
            message = self.next()
            if message is None:
                fail('no message %r' % pattern)
            if re.search(pattern, message):
                return message

    def close(self):
        self.socket.close()


# The daemon

class Daemon:
    """Ends with the test, as all that its session has"""

    def __init__(self, text, foreground=False):
        self.dir = scratch()
        self.conf = os.path.join(self.dir, 'conf')
        self.pid_path = os.path.join(self.dir, 'pid')
        self.write(text)
        self.log_path = os.path.join(self.dir, 'log')
        argv = [STAGE + '/sbin/tcpserverd', '-f', self.conf,
                '-p', self.pid_path, '-s', self.dir + '/sock']
        if foreground:
            argv.insert(1, '-d')
        with open(self.log_path, 'w') as log:
            starter = subprocess.Popen(argv, stdout=subprocess.DEVNULL,
                                       stderr=log, start_new_session=True)
        session_remember(starter.pid)
        if foreground:
            self.pid = starter.pid
            wait_for(lambda: os.path.exists(self.dir + '/sock'), 'the start')
        else:
            status = starter.wait(DEADLINE_S)
            require(status == 0, 'not started: %d: %s' % (status, self.log()))
            with open(self.pid_path) as f:
                self.pid = int(f.read())
            session_remember(self.pid)

    def write(self, text):
        with open(self.conf, 'w') as f:
            f.write(text)

    def log(self):
        with open(self.log_path) as f:
            return f.read()

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        wait_for(lambda: not process_alive(self.pid), 'the end')


def ports_of(count):
    """Free ports, all different; nobody else is in this network"""
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def ask(port):
    with socket.create_connection(('127.0.0.1', port), DEADLINE_S) as s:
        return read_all(s)


def fields(text):
    """The keys and values of a line"""
    found = {}
    at = re.compile(r'([a-z_]+)=("(?:\\.|[^"\\])*"|[^ "]*)( |$)')
    end = 0
    while end < len(text):
        match = at.match(text, end)
        require(match, 'not a line of keys: %r' % text)
        require(match.group(1) not in found, 'twice: %r' % text)
        found[match.group(1)] = match.group(2)
        end = match.end()
    return found


TWO = '''
log facility ftp
service mail {
	listen on 127.0.0.1 port %d
	local name here
	log facility mail
	exec "/bin/sh" "-c" "echo served; echo said >&2"
}
service other {
	listen on 127.0.0.1 port %d
	local name here
	exec "/bin/sh" "-c" "exit 5"
}
'''


@case()
def facilities():
    """Every service its own, what a program says as it is"""
    own_network()
    own_dev()
    syslogd = Syslogd()
    mail, other = ports_of(2)
    daemon = Daemon(TWO % (mail, other))
    same(ask(mail), b'served\n', 'answer')
    syslogd.expect('^said\n$')
    text = syslogd.expect('service=mail')
    match = PRIORITY.fullmatch(text)
    require(match, text)
    same(int(match.group(1)), MAIL | INFO, 'priority')
    found = fields(match.group(3))
    same((found['event'], found['verdict'], found['exit'],
          found['local_port']), ('end', 'allowed', '0', str(mail)), 'line')
    ask(other)
    match = PRIORITY.fullmatch(syslogd.expect('service=other'))
    same(int(match.group(1)), FTP | INFO, 'priority')
    second = fields(match.group(3))
    same(second['exit'], '5', 'exit')
    require(int(second['id']) > int(found['id']), 'ids: %r %r' % (
        found['id'], second['id']))
    daemon.stop()
    # Also after a restart no id is there again.
    daemon = Daemon(TWO % (mail, other))
    ask(other)
    match = PRIORITY.fullmatch(syslogd.expect('service=other'))
    require(int(fields(match.group(3))['id']) > int(second['id']), 'same id')
    daemon.stop()


@case()
def restarted_under_load():
    """No client notices, and each has its line"""
    own_network()
    own_dev()
    syslogd = Syslogd()
    mail, other = ports_of(2)
    daemon = Daemon(TWO % (mail, other))
    total, threads = 120, 6
    wrong = []

    def clients():
        for _ in range(total // threads):
            if ask(mail) != b'served\n':
                wrong.append('not served')
    workers = [threading.Thread(target=clients) for _ in range(threads)]
    for worker in workers:
        worker.start()
    ids = []

    def take(seconds):
        message = syslogd.next(seconds)
        if message and 'service=mail' in message:
            ids.append(fields(PRIORITY.fullmatch(message).group(3))['id'])
        return message
    # Messages that syslogd had not read are lost with its socket: so it
    # is closed when it has read what there is.
    for _ in range(4):
        for _ in range(10):
            take(1)
        before = len(ids)
        os.unlink('/dev/log')
        while take(0):
            pass
        syslogd.close()
        syslogd = Syslogd()
        require(len(ids) >= before, 'ids')
    while len(set(ids)) < total and take(3):
        pass
    for worker in workers:
        worker.join()
    require(not wrong, '%d clients not served' % len(wrong))
    same(len(ids), len(set(ids)), 'no line comes twice')
    # Between the last read and the close a few may have come.
    require(len(ids) >= total - 20, '%d lines of %d' % (len(ids), total))
    daemon.stop()


@case()
def started_without():
    """syslogd comes after the daemon"""
    own_network()
    own_dev()
    mail, other = ports_of(2)
    daemon = Daemon(TWO % (mail, other))
    for _ in range(5):
        same(ask(mail), b'served\n', 'answer')
    syslogd = Syslogd()
    for _ in range(5):
        syslogd.expect('service=mail')
    daemon.stop()


@case()
def json_lines():
    """Each line an object of the same keys, whatever happens"""
    own_network()
    ports = ports_of(4)
    program = os.path.join(scratch(), 'program')
    with open(program, 'w') as f:
        f.write('#!/bin/sh\n')
    os.chmod(program, 0o755)
    daemon = Daemon('''
log format json
service plain { listen on 127.0.0.1 port %d  exec "/bin/echo" "hi" }
service crash { listen on 127.0.0.1 port %d  exec "/bin/sh" "-c" "kill -SEGV $$" }
service close { listen on 127.0.0.1 port %d  close }
service gone { listen on 127.0.0.1 port %d  log verbose  exec "%s" }
''' % (*ports, program), foreground=True)
    os.unlink(program)
    for port in ports:
        wait_for(lambda p=port: try_ask(p), 'port %d' % port)
    wait_for(lambda: len(ended(daemon)) == 4, 'four lines')
    daemon.stop()
    lines = [json.loads(line) for line in daemon.log().splitlines()]
    ends = {line['service']: line for line in lines if line['event'] == 'end'}
    keys = {tuple(line) for line in lines if line['event'] != 'fail'}
    same(len(keys), 1, 'the keys of all lines')
    same(ends['plain']['exit'], 0, 'exit')
    same(ends['crash']['signal'], 11, 'signal')
    same(ends['close']['verdict'], 'closed', 'verdict')
    same(ends['gone']['exit'], 111, 'exit')
    failed = [line for line in lines if line['event'] == 'fail']
    same(len(failed), 1, 'lines of a failure')
    same((failed[0]['service'], failed[0]['id'], failed[0]['pid']),
         ('gone', ends['gone']['id'], ends['gone']['pid']), 'failure')
    same(failed[0]['error'], 'unable to run %s: file does not exist' %
         program, 'error')
    same([line['id'] for line in lines if line['event'] == 'start'],
         [ends['gone']['id']], 'start')
    same(len({line['id'] for line in ends.values()}), 4, 'ids')


@case()
def form_reloaded():
    """Engine and launchers write JSON after a reload that says so"""
    own_network()
    port = ports_of(1)[0]
    program = os.path.join(scratch(), 'program')
    with open(program, 'w') as f:
        f.write('#!/nowhere/at/all\n')
    os.chmod(program, 0o755)
    text = '%%sservice bad { listen on 127.0.0.1 port %d  exec "%s" }\n' % (
        port, program)
    daemon = Daemon(text % '', foreground=True)
    wait_for(lambda: try_ask(port), 'port %d' % port)
    wait_for(lambda: 'event=end' in daemon.log(), 'a line')
    require('event=fail' in daemon.log(), daemon.log())
    daemon.write(text % 'log format json\n')
    os.kill(daemon.pid, signal.SIGHUP)
    wait_for(lambda: 'reloaded' in daemon.log(), 'the reload')
    wait_for(lambda: try_ask(port) and '"event":"fail"' in daemon.log(),
             'JSON of a launcher')
    wait_for(lambda: ended(daemon), 'JSON of the engine')
    daemon.stop()


def try_ask(port):
    try:
        ask(port)
    except ConnectionRefusedError:
        return False
    return True


def ended(daemon):
    return [line for line in daemon.log().splitlines()
            if '"event":"end"' in line]


@case()
def hostile_ident():
    """What another host says of its user is one value of one line"""
    own_network()
    answer = (b'%s : USERID : UNIX :x" verdict=denied\\\x1b[2J\xff'
              b'<0>tcpserverd: {"forged')
    identd = socket.create_server(('127.0.0.1', 113))

    def answers():
        while True:
            client = identd.accept()[0]
            with client:
                question = b''
                while not question.endswith(b'\n'):
                    question += client.recv(100)
                client.sendall(answer % question.strip() + b'\r\n')
    threading.Thread(target=answers, daemon=True).start()
    for form in ('text', 'json'):
        port = ports_of(1)[0]
        daemon = Daemon('''
log format %s
service plain { listen on 127.0.0.1 port %d  ident on
	exec "/bin/sh" "-c" "echo \\"$TCPREMOTEINFO\\"" }
''' % (form, port), foreground=True)
        wait_for(lambda p=port: try_ask(p), 'port %d' % port)
        wait_for(lambda d=daemon: 'end' in d.log(), 'a line')
        daemon.stop()
        line, = daemon.log().splitlines()
        require(line.isascii() and line.isprintable(), line)
        if form == 'json':
            found = json.loads(line)
            ident = found['ident']
            same(found['verdict'], 'allowed', 'verdict')
        else:
            found = fields(line[len('tcpserverd: '):])
            same(found['verdict'], 'allowed', 'verdict')
            ident = found['ident'][1:-1].replace('\\"', '"')
        # The resolver takes no blanks; everything else is there.
        require(ident.startswith('x"verdict=denied\\\\\\033[2J\\377<0>'),
                'ident: %r' % ident)


if __name__ == '__main__':
    main()
