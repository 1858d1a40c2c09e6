"""A mail system of Debian's, unpacked and not installed, writes a Maildir.

unshare -mnpf --mount-proc --kill-child python3 mtas.py MTA OUTPUT

MTA is postfix, exim or opensmtpd.  As root, with
mounts, network and processes of its own: the packages in $PEERS are laid over
/usr, and what they want in /etc and /var is on file systems in memory.  Takes
MESSAGES by SMTP, and copies the files of the Maildir to OUTPUT/written when
all have been delivered.  Then has maildirserial bounce them all through the
system's sendmail; the senders and the postmaster have the same Maildir, so
that each report is bounced again, until nobody is to be told any more.  What
maildirserial says goes to OUTPUT/log.
Exit 77 with a reason where this can't be.
"""

import os
import shutil
import smtplib
import subprocess
import sys
import time

DEADLINE_S = 40
PEERS = os.environ['PEERS']
BOX = '/var/mail/autoturn/1.2.3.4'
UID = 7770
# Sender, recipients, as they are on the wire.
MESSAGES = (('joe@example.org', ['user@virt.dom']),
            ('', ['user@virt.dom']),
            ('"a b"@example.org', ['"c d"@virt.dom']),
            ('"x\\"y"@example.org', ['x-y@virt.dom', 'info@virt.dom',
                                     'first.last@virt.dom']))
ETC = ('passwd', 'group', 'hosts', 'services', 'protocols', 'nsswitch.conf',
       'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'localtime', 'alternatives',
       'ssl')
USERS = {'postfix': 7701, 'postdrop': 7702, 'Debian-exim': 7703,
         'opensmtpd': 7704, 'opensmtpq': 7705, 'vmail': UID}

POSTFIX_MAIN = '''
compatibility_level = 3.6
myhostname = mx.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
disable_dns_lookups = yes
smtputf8_enable = no
mydestination =
virtual_mailbox_domains = virt.dom example.org mx.example
virtual_mailbox_base = /var/mail/autoturn
virtual_mailbox_maps = static:1.2.3.4/
virtual_uid_maps = static:7770
virtual_gid_maps = static:7770
'''
POSTFIX_MASTER = '''
smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
'''
EXIM = '''
primary_hostname = mx.example
acl_smtp_rcpt = accept
tls_advertise_hosts =
chunking_advertise_hosts =
local_interfaces = 127.0.0.1
daemon_smtp_ports = 25
smtp_accept_max = 10
begin routers
box:
  driver = accept
  domains = virt.dom : example.org : mx.example
  transport = box
begin transports
box:
  driver = appendfile
  directory = %s
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  user = vmail
  group = vmail
  batch_max = 100
''' % BOX
OPENSMTPD = '''
listen on 127.0.0.1 port 25 hostname mx.example
table users { "@virt.dom" = vmail, "@example.org" = vmail, \
    "@mx.example" = vmail }
action box maildir "%s" virtual <users>
match from any for domain { "virt.dom", "example.org", "mx.example" } \
    action box
''' % BOX


def unavailable(why):
    print('mtas: %s' % why, file=sys.stderr)
    sys.exit(77)


def mount(*words):
    done = subprocess.run(('mount',) + words, stderr=subprocess.PIPE,
                          check=False, encoding='utf-8')
    if done.returncode != 0:
        unavailable('no mount of our own: ' + done.stderr.strip())


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)


def world():
    """The file systems, the users and the loopback."""
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    mount('-t', 'overlay', 'overlay', '-o', 'lowerdir=%s/usr:/usr' % PEERS,
          '/usr')
    mount('-t', 'tmpfs', 'tmpfs', '/mnt')
    for name in ETC:
        path = '/etc/' + name
        if os.path.isdir(path):
            shutil.copytree(path, '/mnt/' + name, symlinks=True)
        elif os.path.exists(path):
            shutil.copy(path, '/mnt/' + name)
    write('/mnt/resolv.conf', 'nameserver 127.0.0.1\n')
    write('/mnt/mailname', 'mx.example\n')
    for name, number in USERS.items():
        with open('/mnt/passwd', 'a', encoding='ascii') as f:
            f.write('%s:x:%d:%d::/var/mail/autoturn:/bin/sh\n' %
                    (name, number, number))
        with open('/mnt/group', 'a', encoding='ascii') as f:
            f.write('%s:x:%d:\n' % (name, number))
    mount('--move', '/mnt', '/etc')
    for path in ('spool', 'lib', 'log', 'mail'):
        mount('-t', 'tmpfs', 'tmpfs', '/var/' + path)
    mount('-t', 'tmpfs', 'tmpfs', '/run')
    for path in ('tmp', 'new', 'cur'):
        os.makedirs(BOX + '/' + path)
    for path in ('/var/mail/autoturn', BOX) + tuple(
            BOX + '/' + sub for sub in ('tmp', 'new', 'cur')):
        os.chown(path, UID, UID)


def start(*words):
    return subprocess.Popen(words, stdin=subprocess.DEVNULL)


def postfix():
    shutil.copytree(PEERS + '/etc/postfix', '/etc/postfix')
    write('/etc/postfix/main.cf', POSTFIX_MAIN)
    write('/etc/postfix/master.cf', POSTFIX_MASTER)
    for path, mode in (('active', 0o700), ('bounce', 0o700),
                       ('corrupt', 0o700), ('defer', 0o700),
                       ('deferred', 0o700), ('flush', 0o700),
                       ('hold', 0o700), ('incoming', 0o700),
                       ('maildrop', 0o730), ('private', 0o700),
                       ('public', 0o710), ('saved', 0o700),
                       ('trace', 0o700), ('pid', 0o755)):
        os.makedirs('/var/spool/postfix/' + path)
        if path != 'pid':
            os.chown('/var/spool/postfix/' + path, USERS['postfix'],
                     USERS['postdrop'])
        os.chmod('/var/spool/postfix/' + path, mode)
    os.makedirs('/var/lib/postfix')
    os.chown('/var/lib/postfix', USERS['postfix'], USERS['postfix'])
    return start('/usr/lib/postfix/sbin/master', '-d', '-s')


def exim():
    write('/etc/exim4/exim4.conf', EXIM)
    for path in ('/var/spool/exim4', '/var/log/exim4'):
        os.makedirs(path)
        os.chown(path, USERS['Debian-exim'], USERS['Debian-exim'])
    return start('/usr/sbin/exim4', '-bdf')


def opensmtpd():
    write('/etc/smtpd.conf', OPENSMTPD)
    os.chmod('/etc/smtpd.conf', 0o600)
    os.makedirs('/var/lib/opensmtpd/empty')
    os.makedirs('/var/spool/smtpd')
    os.chmod('/var/spool/smtpd', 0o711)
    return start('/usr/sbin/smtpd', '-d')


def submit(mta):
    """
    Each message by SMTP, envelopes as they are written in MESSAGES; returns
    the number of recipients.  OpenSMTPD takes no quoted strings.
    """
    count = 0
    for sender, recipients in MESSAGES:
        if mta == 'opensmtpd' and ' ' in recipients[0]:
            continue
        if mta == 'opensmtpd' and '"' in sender:
            sender = 'list+bounce=x@example.org'
        client = smtplib.SMTP('127.0.0.1', 25, timeout=DEADLINE_S)
        client.ehlo('test.example')
        for command in ['MAIL FROM:<%s>' % sender] + [
                'RCPT TO:<%s>' % recipient for recipient in recipients]:
            code, text = client.docmd(command)
            if code != 250:
                sys.exit('%s: %d %s' % (command, code, text))
        client.data('Subject: for %s\r\n\r\nhi\r\n' % recipients[0])
        client.quit()
        count += len(recipients)
    return count


def wait(ready, what, process):
    deadline = time.monotonic() + DEADLINE_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            show_logs()
            sys.exit('%s: %s' % (what, process.poll()))
        time.sleep(0.02)


def show_logs():
    subprocess.run('cat /var/log/*log /var/log/*/*log; ls -R /var/mail',
                   shell=True, check=False, stdout=sys.stderr)


def listening():
    with open('/proc/net/tcp', encoding='ascii') as f:
        return any(line.split()[1].endswith(':0019') and
                   line.split()[3] == '0A' for line in f.readlines()[1:])


def delivered():
    """How many recipients have their message in the Maildir."""
    count = 0
    for name in os.listdir(BOX + '/new'):
        with open(BOX + '/new/' + name, encoding='latin-1') as f:
            head = f.read().split('Received:')[0]
        count += 1 + head.count(',\n')
    return count


def bounce(output):
    """All that is in the Maildir."""
    for name in os.listdir(BOX + '/new'):
        os.utime(BOX + '/new/' + name, (1, 1))
    client = ("tr '\\0' '\\n' | while read -r name; do "
              "printf '%s\\0Dhost.example said: 550 5.1.1 no\\n' $name; done")
    env = dict(os.environ, SENDMAIL='/run/mail/sendmail', QMAILQUEUE='',
               QMAILHOME='/run/qmail')
    with open(output + '/log', 'a', encoding='ascii') as log:
        subprocess.run(
            [os.environ['STAGE'] + '/bin/maildirserial', '-b', BOX, '', 'sh',
             '-c', client], env=env, check=False, stdin=subprocess.DEVNULL,
            stderr=log, timeout=DEADLINE_S)


def bounce_all(output, program, count):
    """Until count messages have come to the end of what can be told."""
    write('/run/qmail/control/me', 'mx.example\n')
    os.mkdir('/run/mail')
    # OpenSMTPD's wants a group that the package's files don't have.
    shutil.copy(program, '/run/mail/sendmail')
    if program.endswith('smtpctl'):
        os.chown('/run/mail/sendmail', 0, USERS['opensmtpq'])
        os.chmod('/run/mail/sendmail', 0o2555)
    deadline = time.monotonic() + DEADLINE_S
    while True:
        bounce(output)
        with open(output + '/log', encoding='ascii') as f:
            log = f.read()
        if log.count(': triple bounce\n') >= count:
            return
        if time.monotonic() > deadline or ' warning: ' in log:
            show_logs()
            sys.exit('the bounces: %s' % log)
        time.sleep(0.05)


# Its function, the server's and the sendmail's program.
SYSTEMS = {'postfix': (postfix, '/usr/lib/postfix/sbin/virtual',
                       '/usr/sbin/sendmail'),
           'exim': (exim, '/usr/sbin/exim4', '/usr/sbin/exim4'),
           'opensmtpd': (opensmtpd, '/usr/sbin/smtpd', '/usr/sbin/smtpctl')}


def main():
    mta, output = sys.argv[1:]
    begin, server, sendmail = SYSTEMS[mta]
    if not os.path.exists(PEERS + server):
        unavailable("Debian's %s is not unpacked" % mta)
    world()
    process = begin()
    wait(listening, '%s does not listen' % mta, process)
    wanted = submit(mta)
    wait(lambda: delivered() >= wanted, '%s does not deliver' % mta, process)
    shutil.copytree(BOX + '/new', output + '/written')
    # All three packages have a /usr/sbin/sendmail: which one is unpacked last?
    if os.path.islink(sendmail):
        return
    bounce_all(output, sendmail, len(os.listdir(BOX + '/new')))
    print('left:', os.listdir(BOX + '/new'))


if __name__ == '__main__':
    main()
