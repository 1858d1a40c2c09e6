#!/usr/bin/env python3
# What a service's directives do, seen from its program and its clients.

import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, 'tcpserverd'))
from daemons import *



# Where the daemon compiles rules: root's is not what the environment says.
COMPILE_DIR = '/tmp' if os.getuid() == 0 else os.environ.get('TMPDIR', '/tmp')


def state(place):
    return state_parse(place.ask())


def compiling():
    return {name for name in os.listdir(COMPILE_DIR)
            if name.startswith('tcpserverd.')}


@case()
def several():
    """Three services, each with its own"""
    places = [Place() for _ in range(3)]
    d = Daemon(''.join(service('s%d' % i, p, 'environment set WHO "%d"' % i,
                               run('state', 'arg %d' % i))
                       for i, p in enumerate(places)))
    for i, place in enumerate(places):
        seen = state(place)
        same(seen['arg'][1:], ['arg %d' % i], 'arguments')
        same(state_variables(seen)['WHO'], str(i), 'WHO')
    same(len(d.children('launcher')), 3, 'launchers')
    same(len(d.children('engine')), 1, 'engines')


@case()
def both_families():
    """IPv4 and IPv6 in one service, counted together; TCP6* for IPv6 only"""
    v4, v6 = Place(), Place('::1')
    d = Daemon(service('a', v4, v6, 'sessions 2', run('state')))
    seen = state_variables(state(v4))
    same((seen['PROTO'], seen['TCPREMOTEIP'], seen['TCPLOCALIP']),
         ('TCP', '127.0.0.1', v4.host), 'IPv4')
    same([name for name in seen if name.startswith('TCP6')], [], 'TCP6*')
    seen = state_variables(state(v6))
    same((seen['PROTO'], seen['TCP6REMOTEIP'], seen['TCP6LOCALIP'],
          seen['TCP6LOCALPORT']), ('TCP6', '::1', '::1', str(v6.port)),
         'IPv6')
    d.reload(service('a', v4, v6, 'sessions 2', run('hold')))
    held = [v4.hold(), v6.hold()]
    for place in (v4, v6):
        require(nothing_served(place.connect()), 'above the limit')
    same(d.state('a')['sessions'], 2, 'sessions')
    held[0][0].close()


@case()
def program():
    """Environment, directory, arguments, descriptors, signals, limits"""
    place = Place()
    where = scratch(0o755)
    d = Daemon(service(
        'a', place, 'environment set SET "a b"', 'environment set PATH "%s"'
        % SOURCE_DIR, 'environment unset UNSET', 'directory "%s"' % where,
        'rlimit openfiles 50 60', 'rlimit coredumpsize 0',
        'exec "state" "one" "t w o"'), env=dict(os.environ, UNSET='x'))
    seen = state(place)
    variables = state_variables(seen)
    same(variables['SET'], 'a b', 'SET')
    require('UNSET' not in variables, 'UNSET is set')
    same(seen['arg'][1:], ['one', 't w o'], 'arguments')
    same(seen['cwd'], [where], 'directory')
    same((seen['limit-nofile'], seen['limit-core']), (['50 60'], ['0 0']),
         'limits')
    same([f.split()[0] for f in seen['fd']], ['0', '1', '2'], 'descriptors')
    same(seen['ignored'], [], 'ignored signals')
    same(seen['blocked'], [], 'blocked signals')
    same(len(d.lines('.*warning.*')), 0, 'warnings')


@case()
def directory_default():
    """/, in the foreground as well"""
    place = Place()
    Daemon(service('a', place, run('state')))
    same(state(place)['cwd'], ['/'], 'directory')


@case(user='root')
def identity():
    """user, group, both, by number; and the launcher's own"""
    user, group, both, none = (Place() for _ in range(4))
    text = service('user', user, 'user nobody', run('state')) + \
        service('group', group, 'group %d' % NOT_OURS, run('state')) + \
        service('both', both, 'user %d group %d' % (NOT_OURS, NOT_OURS + 1),
                run('state')) + service('none', none, run('state'))
    d = Daemon(text)
    import pwd
    nobody = pwd.getpwnam('nobody')
    seen = state(user)
    same((seen['uid'], seen['gid']),
         (['%d %d' % (nobody.pw_uid, nobody.pw_uid)],
          ['%d %d' % (nobody.pw_gid, nobody.pw_gid)]), 'user')
    seen = state(group)
    same((seen['uid'], seen['gid'], seen['groups']),
         (['0 0'], ['%d %d' % (NOT_OURS, NOT_OURS)], ['%d' % NOT_OURS]),
         'group')
    seen = state(both)
    same((seen['uid'], seen['gid'], seen['groups']),
         (['%d %d' % (NOT_OURS, NOT_OURS)],
          ['%d %d' % (NOT_OURS + 1, NOT_OURS + 1)],
          ['%d' % (NOT_OURS + 1)]), 'both')
    same(state(none)['uid'], ['0 0'], 'none')
    # Another user from now on: the new launcher's.
    d.reload(service('user', user, 'user %d group %d' % (
        NOT_OURS, NOT_OURS), run('state')))
    same(state(user)['uid'], ['%d %d' % (NOT_OURS, NOT_OURS)], 'new user')


@case(user='root')
def rooted():
    """chroot: program and directory are within it"""
    place = Place()
    where = scratch(0o755)
    hold = helper('hold')
    if subprocess.run(['ldd', hold], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL,
                      check=False).returncode == 0:
        skip('no static program to run in a chroot')
    os.makedirs(where + '/bin')
    os.makedirs(where + '/data')
    shutil.copy(hold, where + '/bin')
    d = Daemon(service('a', place, 'chroot "%s"' % where,
                       'directory "/data"', 'user %d group %d' % (
                           NOT_OURS, NOT_OURS), 'exec "/bin/hold"'))
    s, pid = place.hold()
    same(os.readlink('/proc/%d/root' % pid), where, 'root')
    same(os.readlink('/proc/%d/cwd' % pid), where + '/data', 'directory')
    d.order('kill', 'session',
            str(d.show('sessions')['sessions'][0]['id']))
    same(s.recv(1), b'', 'the end')


@case()
def identity_of_others():
    """Who is not root can't become somebody else: said before the start"""
    if os.getuid() == 0:
        skip('root can')
    d = Daemon(service('a', Place(), 'user root', run('hold')), ready=False)
    require(d.wait() != 0, 'started')
    require(d.log() != '', 'without a word')


@case()
def banner_and_name():
    """banner to the byte, local name in the environment and the log"""
    place = Place()
    d = Daemon(service('a', place, 'banner "220 a\\tb\\r\\n"',
                       'local name mail.example.org', run('state')))
    got = place.ask()
    require(got.startswith(b'220 a\tb\r\n'), 'banner: %r' % got[:40])
    same(state_variables(state_parse(got[9:]))['TCPLOCALHOST'],
         'mail.example.org', 'TCPLOCALHOST')
    d.reload(service('a', place, 'banner "changed\\n"', run('state')))
    got = place.ask()
    require(got.startswith(b'changed\n'), 'banner: %r' % got[:40])
    d.reload(service('a', place, run('state')))
    state(place)


@case()
def closed():
    """close: judged, greeted, closed, logged; no process at all"""
    place = Place()
    where = scratch(0o755)
    with open(where + '/rules', 'w') as f:
        f.write('127.0.0.9:deny\n:allow\n')
    d = Daemon(service('a', place, 'banner "400 no\\r\\n"', 'close',
                       'rules "%s/rules"' % where))
    same(place.ask(), b'400 no\r\n', 'banner')
    # As ucspi-tcp's: before anybody is judged.
    same(place.ask(source='127.0.0.9'), b'400 no\r\n', 'banner')
    d.wait_lines(r'event=end .*verdict=denied .*', 1)
    same(d.children('launcher'), [], 'launchers')


@case()
def rules_text():
    """Text: a change holds for the next client, a mistake for nobody"""
    place = Place()
    where = scratch(0o755)
    rules = where + '/rules'

    def write(text):
        with open(rules + '.new', 'w') as f:
            f.write(text)
        os.rename(rules + '.new', rules)
        # The parent's word, with which the news come, is 200 ms old at most.
        select.select([], [], [], 0.25)

    write('127.0.0.1:allow,V="1"\n:deny\n')
    before = compiling()
    d = Daemon(service('a', place, 'rules "%s"' % rules, run('state')))
    same(state_variables(state(place))['V'], '1', 'V')
    same(place.ask(source='127.0.0.2'), b'', 'denied')
    for v in '23':
        write('127.0.0.1:allow,V="%s"\n' % v)
        same(state_variables(state(place))['V'], v, 'V')
    write('127.0.0.1:allow,V="4"\n127.0.0.2:maybe\n')
    for _ in range(3):
        same(state_variables(state(place))['V'], '3', 'V: the old rules')
    require(len(d.lines(r'.*maybe.*; the old rules stay in force')) == 1,
            'told once: ' + d.log())
    os.unlink(rules)
    select.select([], [], [], 0.25)
    same(state_variables(state(place))['V'], '3', 'V without a file')
    require('No such file' in d.log() or 'does not exist' in d.log(),
            d.log())
    d.kill(d.child('engine'))
    same(state_variables(state(place))['V'], '3', 'V: a new engine')
    write('127.0.0.1:allow,V="5"\n')
    same(state_variables(state(place))['V'], '5', 'V')
    # Other tests' daemons have theirs there for a moment, too.
    left = compiling() - before
    wait_for(lambda: not left & compiling(), 'nothing left in ' + COMPILE_DIR)


@case()
def rules_optional():
    """Text that may be missing: everybody until it is there, and again"""
    place = Place()
    where = scratch(0o755)
    rules = where + '/rules'
    d = Daemon(service('a', place, 'rules "%s" optional' % rules,
                       run('answer')))
    place.ask(b'x\n')
    with open(rules, 'w') as f:
        f.write(':deny\n')
    select.select([], [], [], 0.25)
    same(place.ask(), b'', 'denied')
    d.reload()
    same(place.ask(), b'', 'denied')
    os.unlink(rules)
    select.select([], [], [], 0.25)
    same(place.ask(b'x\n').split()[1], b'x', 'allowed')
    d.reload()
    same(place.ask(b'x\n').split()[1], b'x', 'allowed')


@case()
def rules_database():
    """A cdb: a change holds at once; from text to cdb and to none"""
    place = Place()
    where = scratch(0o755)
    with open(where + '/rules', 'w') as f:
        f.write(':allow,V="text"\n')
    rules_compile(':allow,V="cdb"\n', cwd=where)
    os.chmod(where + '/rules.cdb', 0o644)

    def conf(rules):
        return service('a', place, run('state'), *(
            ['rules "%s/%s"' % (where, rules)] if rules else []))
    d = Daemon(conf('rules.cdb'))
    for rules, v in (('rules', 'text'), ('rules.cdb', 'cdb'), (None, None),
                     ('rules', 'text'), (None, None), ('rules.cdb', 'cdb')):
        d.reload(conf(rules))
        same(state_variables(state(place)).get('V'), v, 'V by %s' % rules)
    rules_compile(':allow,V="new"\n', cwd=where)
    os.chmod(where + '/rules.cdb', 0o644)
    same(state_variables(state(place))['V'], 'new', 'V')


@case()
def sessions_limited():
    """The limit is the service's own, and it is exact"""
    one, two = Place(), Place()
    d = Daemon(service('a', one, 'sessions 2', run('hold')) +
               service('b', two, 'sessions 1', run('hold')))
    held = [one.hold(), one.hold(), two.hold()]
    third = one.connect()
    require(nothing_served(third), 'above the limit')
    same(d.state('a')['state'], 'full', 'state')
    held[0][0].close()
    read_line(third)


if __name__ == '__main__':
    main()
