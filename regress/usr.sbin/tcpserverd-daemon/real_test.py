#!/usr/bin/env python3
# Three real services on one daemon, IPv4 and IPv6, under load: mailfront
# takes mail, popa3d gives it, finger answers.  One is drained, one changes,
# one loses its launcher; whatever befalls one, no client of the others is
# refused or reset.

import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, 'tcpserverd'))
from daemons import *


FINGER = 'read -r who; echo "Login: $who"'


class Clients:
    """Dialogues one after the other on several threads, each to its end"""

    def __init__(self, places, dialogue, threads=1):
        self.places, self.dialogue = places, dialogue
        self.done, self.wrong, self.ending = 0, [], False
        self.threads = [threading.Thread(target=self.run, args=(i,),
                                         daemon=True)
                        for i in range(threads * len(places))]
        for thread in self.threads:
            thread.start()

    def run(self, i):
        place = self.places[i % len(self.places)]
        while not self.ending:
            try:
                with place.connect() as s:
                    self.dialogue(s)
                self.done += 1
            except (OSError, Failed) as why:
                self.wrong.append('%s: %s' % (place.host, why))

    def more(self, n=4):
        wanted = self.done + n
        wait_for(lambda: self.done >= wanted or self.wrong,
                 '%d more dialogues' % n)

    def end(self):
        self.ending = True
        for thread in self.threads:
            thread.join(DEADLINE_S * 2)
            require(not thread.is_alive(), 'a client waits for ever')
        return self.done


def well(*several):
    for clients in several:
        require(not clients.wrong, 'clients: %s' % clients.wrong[:5])


def say(s, words, wanted):
    if words is not None:
        s.sendall(words.encode() + b'\r\n')
    got = read_line(s)
    while got[3:4] == b'-':
        got = read_line(s)
    require(got.startswith(wanted), '%s: %r' % (words, got))


def smtp(s):
    for words, wanted in (
            (None, b'220'), ('EHLO me', b'250'),
            ('MAIL FROM:<a@b.example>', b'250'),
            ('RCPT TO:<c@d.example>', b'250'), ('DATA', b'354'),
            ('Subject: x\r\n\r\ny\r\n.', b'250'), ('QUIT', b'221')):
        say(s, words, wanted)


def pop(s):
    """Nobody is let in, and that is a dialogue, too"""
    say(s, None, b'+OK')
    s.sendall(b'USER nobody-here\r\n')
    read_line(s)
    s.sendall(b'QUIT\r\n')
    read_line(s)


def finger(s):
    s.sendall(b'root\r\n')
    got = read_all(s)
    require(got.startswith(b'Login: root'), 'finger: %r' % got)


class Three:
    def __init__(self):
        mailfront = peer('usr/sbin/mailfront')
        require_libraries(mailfront)
        popa3d = peer('usr/sbin/popa3d')
        require_libraries(popa3d)
        if os.getuid() == 0:
            own_files('worldly', NOT_OURS)
        else:
            # It locks itself into a directory that only root can enter.
            popa3d = None
        own_network()
        self.ports = {'smtp': 25, 'pop3': 110, 'finger': 79}
        self.programs = {
            'smtp': '"%s" "smtp" "echo" "relayclient" "accept-sender"'
                    % mailfront,
            'pop3': '"%s"' % popa3d if popa3d else
                    '"/bin/sh" "-c" "echo +OK; read -r l; echo -ERR; '
                    'read -r l; echo +OK"',
            'finger': '"/bin/sh" "-c" "%s"' % FINGER.replace('"', '\\"')}
        self.v6 = os.path.exists('/proc/net/if_inet6')
        self.rules = scratch(0o755) + '/smtp.rules'
        with open(self.rules, 'w') as f:
            f.write('127.:allow,RELAYCLIENT=""\n'
                    '[::1]:allow,RELAYCLIENT=""\n:deny\n')
        self.more = {name: '' for name in self.ports}
        self.daemon = Daemon(self.text(), env=peers_environment())

    def text(self, without=()):
        return ''.join(
            service(name, 'listen on * port %d' % port, 'sessions 60',
                    'exec ' + self.programs[name],
                    *([self.more[name]] if self.more[name] else []),
                    *(['rules "%s"' % self.rules] if name == 'smtp' else []))
            for name, port in self.ports.items() if name not in without)

    def clients(self, name, dialogue):
        hosts = ['127.0.0.1'] + (['::1'] if self.v6 else [])
        return Clients([Place(host, self.ports[name]) for host in hosts],
                       dialogue)


@case()
def three_services():
    """Reloaded, drained, changed, robbed: each minds its own business"""
    three = Three()
    d = three.daemon
    mail, post, fingers = (three.clients('smtp', smtp),
                           three.clients('pop3', pop),
                           three.clients('finger', finger))
    for clients in (mail, post, fingers):
        clients.more()
    # Nothing changed; then something of one of them did.
    d.reload()
    for i in range(5):
        three.more['pop3'] = 'environment set N "%d"' % i
        d.reload(three.text())
        mail.more(2)
    d.hup()
    for clients in (mail, post, fingers):
        clients.more()
    well(mail, post, fingers)
    # Paused clients wait, and that is all.
    d.order('pause', 'pop3')
    mail.more()
    fingers.more()
    d.order('continue', 'pop3')
    post.more()
    well(mail, post, fingers)
    # Drained: its clients are refused, nobody else's.
    d.order('drain', 'finger')
    require(Place('127.0.0.1', 79).refused(), 'not drained')
    fingers.end()
    mail.more()
    post.more()
    well(mail, post)
    d.order('continue', 'finger')
    fingers = three.clients('finger', finger)
    fingers.more()
    # A launcher is killed: the programs of others don't notice, and its own
    # lose who was just being started at most.  A session may be over by the
    # time we look whose child it was.
    pops = [process_parent(row['pid']) for row in d.show('sessions')['sessions']
            if row['service'] == 'pop3' and row['pid']]
    for one in set(pops) & set(d.children('launcher')):
        kill_quietly(one, signal.SIGKILL)
        wait_for(lambda: not process_alive(one), 'its end')
    mail.more()
    fingers.more()
    well(mail, fingers)
    post.end()
    post = three.clients('pop3', pop)
    post.more()
    # Away with it, and back.
    d.reload(three.text(without=['finger']))
    fingers.end()
    mail.more()
    d.reload(three.text())
    fingers = three.clients('finger', finger)
    fingers.more()
    for clients in (mail, post, fingers):
        clients.more()
        sys.stderr.write('%d dialogues\n' % clients.end())
    well(mail, post, fingers)
    wait_for(lambda: not d.show('sessions')['sessions'], 'no session')
    same(d.stop(), 0, 'exit code')
    d.wait_gone()


if __name__ == '__main__':
    main()
