#!/usr/bin/env python3
# Real mail through the classic command line: swaks to mailfront, where a
# rule decides about relaying, and fetchmail to popa3d.

from world import *

PASSWORD = 'sesame'
MAILBOX = """\
From someone@example.org Sun Nov 22 03:00:00 2026
From: someone@example.org
To: %(user)s@example.org
Subject: message %(n)d
Message-Id: <%(n)d@example.org>

The body of message %(n)d.

"""


def smtp_server(options=()):
    """The line of every qmail site, with a program that relays by rule"""
    program = [peer('usr/sbin/mailfront'), 'smtp', 'echo', 'relayclient',
               'accept-sender']
    require_libraries(program[0])
    return Server(['-vRHl0', '-x', 'tcp.smtp.cdb'] + list(options), program,
                  env=peers_environment(), host='0')


def rules(text):
    rules_compile(text, 'tcp.smtp.cdb', 'tcp.smtp.tmp')


def swaks(server, source='127.0.0.1'):
    """Sends one message; the replies of the server, and what swaks thinks"""
    done = subprocess.run(
        ['perl', peer('usr/bin/swaks'), '--server', '127.0.0.1', '--port',
         str(server.port), '--local-interface', source, '--from',
         'a@example.org', '--to', 'b@elsewhere.example', '--helo', 'client',
         '--timeout', str(DEADLINE_S)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode()
    sys.stderr.write(text)
    return text, done.returncode


def relayed(server, source='127.0.0.1'):
    text, status = swaks(server, source)
    require("250 Recipient='b@elsewhere.example'" in text, 'RCPT: ' + text)
    require(re.search(r'250 Received \d+ bytes', text), 'DATA: ' + text)
    same(status, 0, 'swaks')


def not_relayed(server, source='127.0.0.1'):
    text, status = swaks(server, source)
    require('550 5.1.0' in text, 'RCPT is not refused: ' + text)
    require(status != 0, 'swaks thinks it was sent')


def cut_off(server, source='127.0.0.1'):
    text, status = swaks(server, source)
    require('220' not in text, 'greeted: ' + text)
    require(status != 0, 'swaks thinks it was sent')


@case()
def relay_by_rule():
    """RCPT is refused without RELAYCLIENT and accepted with it"""
    rules('192.168.1.:allow,RELAYCLIENT=""\n127.0.0.1:allow,RELAYCLIENT=""\n'
          '127.0.0.66:deny\n')
    server = smtp_server()
    relayed(server)
    not_relayed(server, '127.0.0.2')
    cut_off(server, '127.0.0.66')
    relayed(server)
    server.wait_lines(r'end \d+ status 0', 3)
    server.wait_lines(r'end \d+ status 25600', 1)
    server.wait_lines(r'deny \d+ 0:127\.0\.0\.1:\d+ :127\.0\.0\.66::\d+', 1)
    server.wait_status(0)
    log_exact(server)
    # The program's own lines are in the same log.
    require('RCPT TO:<b@elsewhere.example>' in server.log(), 'mailfront\'s '
            'lines')


@case()
def relay_rule_changed():
    """A rule that changes between two messages holds for the second"""
    rules('127.:allow\n')
    server = smtp_server()
    for _ in range(4):
        not_relayed(server)
        rules('127.:allow,RELAYCLIENT=""\n')
        relayed(server)
        rules('127.:deny\n')
        cut_off(server)
        rules('127.:allow\n')
    server.wait_status(0)
    log_exact(server)


@case(user='root')
def relay_with_user():
    """-u and -g by number, as the qmail documents have it"""
    where = scratch()
    rules_compile('127.:allow,RELAYCLIENT=""\n', cwd=where)
    os.chmod(where + '/rules.cdb', 0o644)
    program = [peer('usr/sbin/mailfront'), 'smtp', 'echo', 'relayclient',
               'accept-sender']
    require_libraries(program[0])
    server = Server(['-vRHl0', '-u', '505', '-g', '511', '-x', 'rules.cdb'],
                    program, env=peers_environment(), host='0', cwd=where)
    relayed(server)


@case()
def relay_many():
    """Forty messages at a time through -c 10"""
    rules('127.:allow,RELAYCLIENT=""\n')
    server = smtp_server(['-c', '10'])
    done = []

    def one():
        done.append(smtp_dialogue(server))
    threads = [threading.Thread(target=one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S * 2)
    same(done, [True] * 40, 'messages accepted')
    server.wait_lines(r'end \d+ status 0', 40)
    server.wait_status(0)
    require(max(server.status_sequence()) <= 10, 'above the limit')
    log_exact(server)


def smtp_dialogue(server):
    s = server.connect()
    replies = []
    for line in (None, 'HELO me', 'MAIL FROM:<a@b.example>',
                 'RCPT TO:<c@d.example>', 'DATA', 'Subject: x\r\n\r\ny\r\n.',
                 'QUIT'):
        if line is not None:
            s.sendall(line.encode() + b'\r\n')
        replies.append(read_line(s)[:3])
    s.close()
    return replies == [b'220', b'250', b'250', b'250', b'354', b'250',
                       b'221']


# POP

def mailbox_fill(user, uid, count):
    path = '/var/mail/' + user
    with open(path, 'w') as f:
        for n in range(count):
            f.write(MAILBOX % {'user': user, 'n': n})
    os.chown(path, uid, uid)
    os.chmod(path, 0o660)


def fetchmail(server, user, password, got):
    with open('fetchmailrc', 'w') as f:
        f.write('poll 127.0.0.1 service %d protocol POP3 auth password '
                'timeout %d\n user "%s" password "%s"\n'
                ' sslproto "" mda "cat >> %s"\n' % (
                    server.port, DEADLINE_S, user, password, got))
    os.chmod('fetchmailrc', 0o600)
    env = peers_environment()
    env.update({'HOME': os.getcwd(), 'FETCHMAILHOME': os.getcwd()})
    done = subprocess.run([peer('usr/bin/fetchmail'), '-f', 'fetchmailrc',
                           '--nodetach', '--nosyslog', '-v'],
                          env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    sys.stderr.write(done.stdout.decode('utf-8', 'replace'))
    return done.returncode


@case(user='root')
def pop_fetched():
    """popa3d authenticates as root and becomes the user itself"""
    popa3d = peer('usr/sbin/popa3d')
    require_libraries(popa3d)
    require_libraries(peer('usr/bin/fetchmail'))
    user, uid = 'worldly', 60123
    own_files(user, uid)
    own_network()
    mailbox_fill(user, uid, 3)
    got = os.path.abspath('got')
    server = Server(['-vRHl0'], [popa3d], host='0', port=110)
    same(fetchmail(server, user, PASSWORD, got), 0, 'fetchmail')
    with open(got) as f:
        text = f.read()
    for n in range(3):
        require('The body of message %d.' % n in text, 'message %d' % n)
    # Deleted there, by the user himself.
    same(os.path.getsize('/var/mail/' + user), 0, 'size of the mailbox')
    same(os.stat('/var/mail/' + user).st_uid, uid, 'owner of the mailbox')
    # Nothing new; then a wrong password.
    same(fetchmail(server, user, PASSWORD, got), 1, 'fetchmail: no mail')
    same(fetchmail(server, user, 'wrong', got), 3, 'fetchmail: bad password')
    server.wait_lines(r'end \d+ status \d+', 3)
    server.wait_status(0)
    log_exact(server)


if __name__ == '__main__':
    main()
