# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""A mail system of Debian's queues by mail.autoturn, autoturnd delivers.

unshare -mnpf --mount-proc --kill-child python3 queued.py MTA MANUAL

The world is that of mtas.py; the mail system is configured by the examples
in the manual of mail.autoturn, with the paths of this build.  Messages are
sent to it by SMTP, for a customer whose server is here, too.  Nothing but
mail.autoturn tells autoturnd that there is mail.  What the customer's server
got is printed, one message a line.
"""

import os
import smtplib
import sys

import atfcases
import mailserver
import mtas

STAGE = os.environ['STAGE']
SPOOL, STATE = '/var/spool/autoturn', '/run/autoturnd'
AGENT = '/usr/local/libexec/mail.autoturn'
CONF = '''
control socket "/run/autoturnd.sock"
events off
hostname mx.example
reports by sendmail "/bin/false"
state "%s"
interval 1s
spool "%s" user autoturn
customer acme { address 192.0.2.7 domain "virt.dom" relay 127.0.0.1 port %s }
'''
POSTFIX = '''
transport_maps = texthash:/etc/transport
relay_domains = virt.dom
'''


def examples(manual):
    """The displays, as one would type them here."""
    return ['\n'.join(lines).replace(
        AGENT, '%s/libexec/mail.autoturn -d %s' % (STAGE, STATE)) + '\n'
        for lines in atfcases.displays(manual)]


def configure(mta, texts):
    """The examples' places are in the mail systems' own configurations."""
    _, _, master, transport, smtpd, exim, domains = texts
    router, pipe = exim.split('\n\n', 1)
    mtas.POSTFIX_MAIN = mtas.POSTFIX_MAIN.replace(
        'virtual_mailbox_domains = virt.dom ',
        'virtual_mailbox_domains = ') + POSTFIX
    mtas.POSTFIX_MASTER += master
    mtas.OPENSMTPD = ('listen on 127.0.0.1 port 25 hostname mx.example\n' +
                      smtpd)
    mtas.EXIM = mtas.EXIM.replace(
        'begin routers\n', 'begin routers\n%s\n' % router).replace(
            'begin transports\n', 'begin transports\n%s\n' % pipe)
    if mta == 'postfix':
        mtas.write('/etc/transport', transport)
    elif mta == 'exim':
        mtas.write('/etc/exim/autoturn', domains)


def maildir():
    os.mkdir(SPOOL, 0o755)
    for path in ('', '/tmp', '/new', '/cur'):
        os.mkdir(SPOOL + '/acme' + path, 0o700)
        os.chown(SPOOL + '/acme' + path, mtas.UID, mtas.UID)


def daemon(port):
    mtas.write('/etc/autoturnd.conf', CONF % (STATE, SPOOL, port))
    os.mkdir(STATE, 0o755)
    process = mtas.start(STAGE + '/sbin/autoturnd', '-d', '-f',
                         '/etc/autoturnd.conf')
    mtas.wait(lambda: any(name.endswith('.poke')
                          for name in os.listdir(STATE)),
              'autoturnd does not start', process)
    return process


def loop():
    """A message that was here before: its sender has it back."""
    with smtplib.SMTP('127.0.0.1', 25, timeout=mtas.DEADLINE_S) as client:
        client.sendmail('joe@example.org', ['loop@virt.dom'],
                        'Delivered-To: autoturn-acme-loop@virt.dom\r\n\r\n')


def returned():
    for name in os.listdir(mtas.BOX + '/new'):
        with open(mtas.BOX + '/new/' + name, encoding='latin-1') as f:
            if 'the message loops' in f.read():
                return True
    return False


def main():
    mta, manual = sys.argv[1:]
    begin, program, _ = mtas.SYSTEMS[mta]
    if not os.path.exists(mtas.PEERS + program):
        mtas.unavailable("Debian's %s is not unpacked" % mta)
    mtas.USERS['autoturn'] = mtas.UID
    texts = examples(manual)
    mtas.world()
    configure(mta, texts)
    maildir()
    process = begin()
    mtas.wait(mtas.listening, '%s does not listen' % mta, process)
    server = mailserver.Smtp()
    ours = daemon(server.port)
    wanted = mtas.submit(mta)
    mtas.wait(lambda: len(server.messages) >= wanted,
              'the customer does not get %d messages' % wanted, ours)
    mtas.wait(lambda: os.listdir(SPOOL + '/acme/new') == [],
              'mail is left', ours)
    if mta != 'opensmtpd':                  # whose senders are not here
        loop()
        mtas.wait(returned, 'a loop is not returned', process)
    for message in server.messages:
        print(message.sender, *message.recipients,
              message.body.split(b':')[0].decode('latin-1'), sep='|')


if __name__ == '__main__':
    main()
