#!/usr/bin/env python3
# Rules that change under the server: the next connection meets the new
# ones; a file that can't be trusted lets nobody in.

import random

from world import *

CHANGES = 100
ALLOW = '127.0.0.1:allow,WHO="%s"\n:deny\n'


class Door:
    """A server that tells which rules let its client in"""

    def __init__(self, options=(), path='rules.cdb', **more):
        self.server = Server(['-vRHl0', '-x', path] + list(options),
                             ['/bin/sh', '-c', 'echo $WHO'], **more)

    def in_force(self, who):
        got = self.server.ask().decode().strip()
        same(got, who, 'rules in force')

    def soon_in_force(self, who):
        """
        What changed is the way to the file, which no look at the file can
        show: noticed by the next client that comes 200 ms later
        """
        begin = time.monotonic()
        wait_for(lambda: self.server.ask().decode().strip() == who,
                 'rules in force: %r' % who)
        took = time.monotonic() - begin
        require(took < (5 if SANITIZED else 1), 'noticed after %.1f s' % took)

    def closed(self):
        same(self.server.ask(), b'', 'what a dropped client gets')

    def dropped(self, count, text):
        self.server.wait_lines('warning: dropping connection, unable to '
                               'read %s' % text, count)


def compiled(name, who, cwd=None):
    rules_compile(ALLOW % who, name, name + '.tmp', cwd)


@case()
def next_connection():
    """tcprules returned: the next connection meets the new rules"""
    compiled('rules.cdb', 'first')
    door = Door()
    door.in_force('first')
    for n in range(CHANGES):
        compiled('rules.cdb', 'n%d' % n)
        door.in_force('n%d' % n)


@case()
def next_connection_denied():
    """Allow and deny in turn, of the same length"""
    rules_compile('127.0.0.1:allow\n')
    server = Server(['-vRHl0', '-x', 'rules.cdb'], ['/bin/echo', 'in'])
    for _ in range(CHANGES // 2):
        rules_compile('127.0.0.2:allow\n127.:deny\n')
        same(server.ask(), b'', 'denied')
        rules_compile('127.0.0.1:allow\n127.:deny\n')
        same(server.ask(), b'in\n', 'allowed')
    server.wait_lines(r'deny \d+ .*', CHANGES // 2)
    server.wait_lines(r'end \d+ status 0', CHANGES // 2)
    server.wait_status(0)


@case()
def renamed_over():
    """A file that was made long ago is moved over the old one"""
    for n in range(CHANGES):
        compiled('made.%d' % n, 'n%d' % n)
    compiled('rules.cdb', 'first')
    door = Door()
    door.in_force('first')
    for n in range(CHANGES):
        os.rename('made.%d' % n, 'rules.cdb')
        door.in_force('n%d' % n)


@case()
def symbolic_link_switched():
    """The path is a symbolic link that is pointed elsewhere"""
    compiled('a.cdb', 'a')
    compiled('b.cdb', 'b')
    os.symlink('a.cdb', 'rules.cdb')
    door = Door()
    door.in_force('a')
    for n in range(CHANGES):
        who = 'ba'[n % 2]
        os.symlink(who + '.cdb', 'new')
        os.rename('new', 'rules.cdb')
        door.in_force(who)


@case()
def symbolic_link_made():
    """A plain file becomes a symbolic link, whose target then changes"""
    compiled('rules.cdb', 'plain')
    compiled('a.cdb', 'a')
    door = Door()
    door.in_force('plain')
    os.symlink('a.cdb', 'new')
    os.rename('new', 'rules.cdb')
    door.in_force('a')
    for n in range(CHANGES // 2):
        compiled('a.cdb', 'n%d' % n)
        door.in_force('n%d' % n)


@case()
def directory_link_switched():
    """A directory on the way is a symbolic link, as releases are switched"""
    for name in 'ab':
        os.mkdir(name)
        compiled('rules.cdb', name, cwd=name)
    os.symlink('a', 'current')
    door = Door(path='current/rules.cdb')
    door.in_force('a')
    for n in range(CHANGES):
        who = 'ba'[n % 2]
        os.symlink(who, 'new')
        os.rename('new', 'current')
        door.in_force(who)


@case()
def directory_renamed():
    """The directory itself is moved away and another one moved in: soon"""
    for name in 'ab':
        os.mkdir(name)
        compiled('rules.cdb', name, cwd=name)
    os.rename('a', 'current')
    door = Door(path=os.path.abspath('current/rules.cdb'))
    door.in_force('a')
    for n in range(10):
        now, then = 'ab' if n % 2 == 0 else 'ba'
        os.rename('current', now)
        os.rename(then, 'current')
        door.soon_in_force(then)


@case()
def hard_link():
    """The file has two names; the one in use gets another file"""
    compiled('a.cdb', 'a')
    compiled('b.cdb', 'b')
    os.link('a.cdb', 'rules.cdb')
    door = Door()
    door.in_force('a')
    for n in range(CHANGES):
        who = 'ba'[n % 2]
        os.link(who + '.cdb', 'new')
        os.rename('new', 'rules.cdb')
        door.in_force(who)


@case()
def hard_link_unlinked():
    """ln after rm: in between there is nothing, and nobody is let in"""
    compiled('a.cdb', 'a')
    compiled('b.cdb', 'b')
    os.link('a.cdb', 'rules.cdb')
    door = Door()
    door.in_force('a')
    for n in range(CHANGES // 4):
        who = 'ba'[n % 2]
        os.unlink('rules.cdb')
        door.closed()
        os.link(who + '.cdb', 'rules.cdb')
        door.in_force(who)
    door.dropped(CHANGES // 4, 'rules.cdb: file does not exist')


@case()
def moved_away_and_in():
    """mv away: dropped at once; mv in, another or the same: in force"""
    compiled('rules.cdb', 'first')
    compiled('other', 'second')
    door = Door()
    door.in_force('first')
    for n in range(CHANGES // 4):
        os.rename('rules.cdb', 'away')
        door.closed()
        os.rename('other', 'rules.cdb')
        door.in_force('second')
        os.rename('rules.cdb', 'other')
        door.closed()
        os.rename('away', 'rules.cdb')
        door.in_force('first')
    door.dropped(CHANGES // 2, 'rules.cdb: file does not exist')
    door.server.wait_status(0)
    same(set(door.server.lines(r'end \d+ status (\d+)')), {'0', '28416'},
         'statuses')


@case()
def written_in_place():
    """cat >, which keeps the inode; same length, times set back"""
    compiled('a.cdb', 'aaaa')
    compiled('b.cdb', 'bbbb')
    shutil.copy('a.cdb', 'rules.cdb')
    os.utime('rules.cdb', (1000000000, 1000000000))
    door = Door()
    door.in_force('aaaa')
    for n in range(CHANGES // 4):
        who = 'ba'[n % 2]
        with open(who + '.cdb', 'rb') as new, open('rules.cdb', 'r+b') as f:
            f.write(new.read())
        os.utime('rules.cdb', (1000000000, 1000000000))
        door.in_force(who * 4)


@case()
def relative_to_cwd():
    """-x names a file in the directory tcpserver was started in"""
    where = scratch()
    os.mkdir(where + '/etc')
    compiled('rules.cdb', 'relative', cwd=where + '/etc')
    door = Door(path='etc/rules.cdb', cwd=where)
    door.in_force('relative')


# Files that can't be used.  "spoil" makes one of a good rules.cdb.

def spoil_removed():
    os.unlink('rules.cdb')


def spoil_emptied():
    os.truncate('rules.cdb', 0)


def spoil_truncated():
    os.truncate('rules.cdb', 2100)


def spoil_header_only():
    os.truncate('rules.cdb', 2048)


def spoil_header_cut():
    os.truncate('rules.cdb', 1000)


def spoil_directory():
    os.unlink('rules.cdb')
    os.mkdir('rules.cdb')


def spoil_fifo():
    os.unlink('rules.cdb')
    os.mkfifo('rules.cdb')


def spoil_socket():
    os.unlink('rules.cdb')
    with socket.socket(socket.AF_UNIX) as s:
        s.bind('rules.cdb')


def spoil_device_link():
    os.unlink('rules.cdb')
    os.symlink('/dev/zero', 'rules.cdb')


def spoil_link_loop():
    os.unlink('rules.cdb')
    os.symlink('rules.cdb', 'rules.cdb')


def spoil_garbage():
    with open('rules.cdb', 'r+b') as f:
        f.write(b'\xff' * 2048)


def spoil_text():
    with open('rules.cdb', 'w') as f:
        f.write(ALLOW % 'text')


def unspoil():
    if os.path.isdir('rules.cdb') and not os.path.islink('rules.cdb'):
        os.rmdir('rules.cdb')
    elif os.path.lexists('rules.cdb'):
        os.unlink('rules.cdb')


@case()
def damaged():
    """Dropped and logged, never served, served again when it is good"""
    compiled('rules.cdb', 'good')
    door = Door()
    count = 0
    for spoil in (spoil_removed, spoil_emptied, spoil_truncated,
                  spoil_header_only, spoil_header_cut, spoil_directory,
                  spoil_fifo, spoil_socket, spoil_device_link,
                  spoil_link_loop, spoil_garbage, spoil_text):
        unspoil()
        compiled('rules.cdb', spoil.__name__)
        door.in_force(spoil.__name__)
        spoil()
        for _ in range(3):
            sys.stderr.write('%s\n' % spoil.__name__)
            door.closed()
            count += 1
            door.dropped(count, r'rules\.cdb: .*')
    unspoil()
    compiled('rules.cdb', 'good again')
    door.in_force('good again')
    door.server.wait_status(0)
    log_exact(door.server)


@case()
def damaged_from_the_start():
    """No rules at the start: it starts, drops, and serves when they come"""
    door = Door()
    door.closed()
    door.dropped(1, r'rules\.cdb: file does not exist')
    compiled('rules.cdb', 'here now')
    door.in_force('here now')


@case()
def missing_is_allowed_by_X():
    """-X: none there lets everybody in, a damaged file nobody"""
    door = Door(['-X'])
    door.in_force('')
    compiled('rules.cdb', 'rules')
    door.in_force('rules')
    os.unlink('rules.cdb')
    door.in_force('')
    with open('rules.cdb', 'w') as f:
        f.write('not a database')
    door.closed()
    os.unlink('rules.cdb')
    os.mkdir('rules.cdb')
    door.closed()
    os.rmdir('rules.cdb')
    door.in_force('')


@case()
def damaged_bytes():
    """Flipped bytes anywhere: dropped or judged, alive in any case"""
    lines = ''.join('10.%d.%d.:allow,WHO="x"\n' % (n // 256, n % 256)
                    for n in range(600))
    rules_compile(lines + ALLOW % 'good', 'good.cdb')
    with open('good.cdb', 'rb') as f:
        good = f.read()
    shutil.copy('good.cdb', 'rules.cdb')
    door = Door()
    engine = door.server.child('engine')
    rng = random.Random(1)
    for n in range(60):
        bad = bytearray(good)
        for _ in range(rng.choice([1, 8, 500])):
            # Mostly where the positions and lengths are.
            at = rng.choice([rng.randrange(2048), rng.randrange(len(bad)),
                             len(bad) - 1 - rng.randrange(9000) % len(bad)])
            bad[at] = rng.randrange(256)
        if n % 4 == 0:
            del bad[rng.randrange(len(bad)):]
        with open('rules.cdb', 'r+b') as f:
            f.write(bad)
            f.truncate()
        got = door.server.ask().decode().strip()
        require(got in ('good', ''), 'served as %r' % got)
        same(door.server.child('engine'), engine, 'the engine')
    shutil.copy('good.cdb', 'rules.cdb')
    door.in_force('good')
    door.server.wait_status(0)
    log_exact(door.server)


@case(user='root')
def unreadable_for_the_user():
    """The rules are read as -u -g, at every connection"""
    where = scratch()
    compiled('rules.cdb', 'readable', cwd=where)
    path = where + '/rules.cdb'
    os.chmod(path, 0o640)
    os.chown(path, 0, 511)
    door = Door(['-u', '505', '-g', '511'], cwd=where)
    door.in_force('readable')
    for _ in range(3):
        os.chmod(path, 0o600)
        door.closed()
        os.chmod(path, 0o640)
        door.in_force('readable')
    for _ in range(3):
        os.chmod(where, 0o700)
        door.soon_in_force('')
        os.chmod(where, 0o755)
        door.in_force('readable')
    door.dropped(6, r'rules\.cdb: (access|permission) denied')


@case(user='unprivileged')
def unreadable():
    """chmod 0: dropped; chmod back: served"""
    compiled('rules.cdb', 'readable')
    door = Door()
    for _ in range(3):
        door.in_force('readable')
        os.chmod('rules.cdb', 0)
        door.closed()
        os.chmod('rules.cdb', 0o644)
    door.in_force('readable')
    door.dropped(3, r'rules\.cdb: (access|permission) denied')


@case()
def changed_under_load():
    """Nobody is let in by rules that were gone before he connected"""
    compiled('rules.cdb', '0')
    server = Server(['-QRHl0', '-c', '60', '-x', 'rules.cdb'],
                    ['/bin/sh', '-c', 'echo $WHO'])
    for generation in range(1, 31):
        compiled('rules.cdb', str(generation))
        clients = [server.connect() for _ in range(10)]
        for s in clients:
            same(read_all(s), b'%d\n' % generation, 'rules in force')
            s.close()


@case()
def hundred_thousand_mixed():
    """A file of 100,000 rules of every kind judges as they are written"""
    rng = random.Random(2)
    lines, v4, hosts = [], {}, 0
    for n in range(100000):
        kind = n % 8
        if kind == 0:
            lines.append('%d.%d.%d.%d:allow,R="v4-%d"' % (
                rng.randrange(128, 224), rng.randrange(256),
                rng.randrange(256), rng.randrange(256), n))
        elif kind == 1:
            lines.append('%d.%d.%d.:deny' % (
                rng.randrange(128, 224), rng.randrange(256),
                rng.randrange(256)))
        elif kind == 2:
            lines.append('%d.%d.%d.%d-%d:allow' % (
                rng.randrange(128, 224), rng.randrange(256),
                rng.randrange(256), n % 200, n % 200 + 3))
        elif kind == 3:
            lines.append('=host%d.example.org:allow,R="host"' % n)
        elif kind == 4:
            lines.append('user%d@=host%d.example.org:deny' % (n, n))
        elif kind == 5:
            lines.append('%d.%d.%d.0/%d:allow,R="cidr"' % (
                rng.randrange(128, 224), rng.randrange(256),
                rng.randrange(256), rng.choice([16, 20, 24])))
        elif kind == 6:
            lines.append('2001:db8:%x:%x::/64:allow' % (n & 0xffff, n >> 16))
        else:
            lines.append('[2001:db8::%x:%x]:deny' % (n & 0xffff, n >> 16))
    # Ours, spread among them.
    for at, line in ((5, '127.0.0.1:allow,R="exact"'),
                     (30000, '127.0.0.2:deny'),
                     (50000, '127.0.1.:allow,R="prefix"'),
                     (60000, '127.9.0.0/16:allow,R="network"'),
                     (70000, '127.0.0.5-7:allow,R="range"'),
                     (99990, ':deny')):
        lines.insert(at, line)
    rules_compile('\n'.join(lines) + '\n')
    server = Server(['-vRHl0', '-x', 'rules.cdb'],
                    ['/bin/sh', '-c', 'echo ${R-unset}'], host='0')
    for source, wanted in (
            ('127.0.0.1', 'exact'), ('127.0.0.2', ''), ('127.0.0.3', ''),
            ('127.0.1.77', 'prefix'), ('127.9.200.1', 'network'),
            ('127.0.0.5', 'range'), ('127.0.0.6', 'range'),
            ('127.0.0.8', ''), ('127.10.0.1', '')):
        same(server.ask(source).decode().strip(), wanted, source)
    # And they can change.
    for n in range(5):
        lines[5] = '127.0.0.1:allow,R="%d"' % n
        rules_compile('\n'.join(lines) + '\n')
        same(server.ask('127.0.0.1'), b'%d\n' % n, 'changed rule')
    server.wait_status(0)
    log_exact(server)


@case()
def held_without_rules():
    """Thousands of checks leave no descriptor behind"""
    compiled('rules.cdb', 'x')
    door = Door()
    door.in_force('x')
    pids = [door.server.pid] + door.server.children()

    def count():
        fds = [process_fds(pid) for pid in pids]
        return [len(f) if f is not None else None for f in fds]
    before = count()
    for n in range(60):
        if n % 3 == 2:
            os.unlink('rules.cdb')
            door.closed()
        compiled('rules.cdb', str(n))
        door.in_force(str(n))
    door.server.wait_status(0)
    wait_for(lambda: count() == before, 'descriptors as before: %r, now %r' %
             (before, count()))


if __name__ == '__main__':
    main()
