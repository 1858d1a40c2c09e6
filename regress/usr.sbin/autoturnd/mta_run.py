# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""A real mail system fills a spool as it stands, autoturnd empties it.

unshare -mnpf --mount-proc --kill-child python3 mta_run.py postfix|exim

The spool is root's, mode 2755, with a Maildir of the user that the mail system
delivers as, named after the customer's address, which is one of this network's
own.  There Postfix's smtp-sink is the customer's server: one that refuses,
one that hangs up, one that stalls and goes, and one that takes it all.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for other in ('../tcpserverd', '../tcpserverd-daemon',
              '../../lib/libserialmail'):
    sys.path.insert(0, os.path.join(HERE, other))

import mtas                     # noqa: E402
from autoturns import *         # noqa: E402

ADDRESS = '1.2.3.4'
PREFIX = 'autoturn-%s-' % ADDRESS
LETTERS = 20


class Sink:
    """smtp-sink at the customer's address, until it is ended"""

    def __init__(self, where, *options):
        self.where = where
        if not os.path.isdir(where):
            os.mkdir(where)
            os.chown(where, NOBODY_UID, NOBODY_UID)
        self.process = subprocess.Popen(
            ['/usr/sbin/smtp-sink', '-u', 'nobody', '-d', where + '/',
             *options, ADDRESS + ':25', '50'], stdin=subprocess.DEVNULL)
        wait_for(self.listens, 'smtp-sink')

    @staticmethod
    def sockets(state):
        with open('/proc/net/tcp', encoding='ascii') as f:
            return any(line.split()[1:4:2] == ['04030201:0019', state]
                       for line in f)

    def listens(self):
        return self.sockets('0A')

    def talks(self):
        return self.sockets('01')

    def dumps(self):
        """What came, without what smtp-sink writes itself"""
        found = []
        for name in os.listdir(self.where):
            with open(self.where + '/' + name, 'rb') as f:
                found.append(f.read())
        return found

    def end(self):
        self.process.kill()
        self.process.wait()
        wait_for(lambda: not self.listens(), 'the end of smtp-sink')


def prefixed(recipient):
    if recipient.startswith('"'):
        return '"' + PREFIX + recipient[1:]
    return PREFIX + recipient


def fill(mta):
    """How many files that are, when all were delivered"""
    spool = os.path.dirname(mtas.BOX)
    os.chown(spool, 0, 0)
    os.chmod(spool, 0o2755)
    os.chmod(mtas.BOX, 0o700)
    subprocess.run(['ip', 'addr', 'add', ADDRESS + '/32', 'dev', 'lo'],
                   check=True)
    begin = mtas.SYSTEMS[mta][0]
    mtas.MESSAGES = [(sender, [prefixed(r) for r in recipients])
                     for sender, recipients in mtas.MESSAGES]
    mtas.MESSAGES += [('a%d@example.org' % n, [PREFIX + 'n%d@virt.dom' % n])
                      for n in range(LETTERS)]
    process = begin()
    mtas.wait(mtas.listening, '%s does not listen' % mta, process)
    wanted = mtas.submit(mta)
    mtas.wait(lambda: mtas.delivered() >= wanted,
              '%s does not deliver' % mta, process)
    process.kill()
    process.wait()
    return spool, len(os.listdir(mtas.BOX + '/new'))


def waiting():
    return len(os.listdir(mtas.BOX + '/new') + os.listdir(mtas.BOX + '/cur'))


def phases(front, daemon, where, count):
    def tells(pattern, what):
        """The customer shows up, and the log says so of his run"""
        before = len(re.findall(pattern, daemon.log()))
        front.hello_say(ADDRESS)
        wait_for(lambda: len(re.findall(pattern, daemon.log())) > before,
                 what)

    sink = Sink(where + '/refuses', '-r', 'data')
    tells('event=run .*result=failed', 'a run that is refused')
    sink.end()
    same(waiting(), count, 'letters after a refusal')
    same(sink.dumps(), [], 'letters that were taken')

    sink = Sink(where + '/hangs', '-q', '.')
    tells('event=run .*result=failed', 'a run that is broken off')
    sink.end()
    same(waiting(), count, 'letters after a server that hangs up')

    sink = Sink(where + '/stalls', '-p', '-w', '60')
    front.hello_say(ADDRESS)
    wait_for(sink.talks, 'a connection')
    stays(sink.talks, 0.3, 'it does not stall')
    sink.end()
    wait_for(lambda: not daemon.ctl('show', 'runs')[1].count(ADDRESS),
             'the end of a run whose server went')
    same(waiting(), count, 'letters after a server that stalled')

    sink = Sink(where + '/takes')
    tells('event=run .*result=ok', 'a run that succeeds')
    wait_for(lambda: waiting() == 0, 'an empty Maildir')
    taken = sink.dumps()
    same(len(taken), count, 'letters that were taken')
    return taken


def words(letter, name):
    """The arguments of the commands that a letter came by"""
    return [word.decode('latin-1') for word in
            re.findall(rb'^X-%s-Args: (<.*>)' % name, letter, re.M)]


def plain(mailbox):
    """Quotes that are not needed may go on the way"""
    return mailbox if ' ' in mailbox else mailbox.replace('"', '').replace(
        '\\', '')


def check(taken):
    """Each letter once to each, as it was"""
    wanted = collections.Counter(
        ('<%s>' % plain(sender), '<%s>' % plain(recipient.replace(
            PREFIX, ''))) for sender, recipients in mtas.MESSAGES
        for recipient in recipients)
    found = collections.Counter()
    for letter in taken:
        sender = plain(words(letter, b'Mail')[0])
        for recipient in words(letter, b'Rcpt'):
            found[sender, plain(recipient)] += 1
        require(b'\n\nhi\n' in letter.replace(b'\r', b''),
                'another text: %r' % letter[-300:])
    same(found, wanted, 'envelopes')


def main():
    mta = sys.argv[1]
    for program in (mtas.SYSTEMS[mta][1], '/usr/sbin/smtp-sink'):
        if not os.path.exists(mtas.PEERS + program):
            mtas.unavailable('Debian\'s %s is not unpacked' % program)
    mtas.world()
    os.makedirs('/var/db', exist_ok=True)
    spool, count = fill(mta)
    front = Front()
    where = scratch()
    daemon = Autoturn(front.directive() + 'interval 1s\nretry 1h max 4h\n'
                      'spool "%s"\n' % spool)
    try:
        wait_for(lambda: front.daemon.show('status')['event_clients'],
                 'a listener on the event socket')
        check(phases(front, daemon, where, count))
        with open('/proc/%d/status' % daemon.child('queue')) as f:
            require(re.search(r'^Uid:\s+%d\s' % mtas.UID, f.read(), re.M),
                    'the queue\'s user')
        st = os.stat(spool)
        same((st.st_uid, st.st_mode & 0o7777), (0, 0o2755), 'the spool')
        same(os.listdir(spool), [ADDRESS], 'what is in it')
        same(daemon.stop(), 0, 'exit code')
    except (Failed, Exception):
        daemon.tell()
        raise
    print('%d letters of %s' % (count, mta))


if __name__ == '__main__':
    main()
