#!/usr/bin/env python3
# tcpserverd is started: in the foreground and in the background, with good
# files and bad ones, and a second time.

import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, 'tcpserverd'))
from daemons import *


def exits(argv, code, pattern, **more):
    done = subprocess.run([STAGE + '/sbin/tcpserverd'] + argv,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False,
                          timeout=DEADLINE_S, **more)
    same(done.returncode, code, 'exit code (%s)' % done.stderr.decode())
    require(re.search(pattern, done.stderr.decode()),
            'standard error: %r' % done.stderr.decode())
    return done.stdout.decode()


def nothing_left(d):
    d.wait_gone()
    for path in (d.socket, d.pid_path):
        require(not os.path.lexists(path), path + ' was left')


@case()
def foreground():
    """-d: serves, has the modes that are promised, leaves nothing"""
    place = Place()
    d = Daemon(service('a', place, run('hold')))
    s, _ = place.hold()
    same(os.stat(d.socket).st_mode & 0o7777, 0o660, 'mode of the socket')
    with open(d.pid_path) as f:
        same(f.read(), '%d\n' % d.pid, 'pid file')
    s.close()
    d.wait_lines('event=end .*', 1)
    same(d.stop(), 0, 'exit code')
    nothing_left(d)
    require(port_free(place.host, place.port), 'the port is still taken')
    wait_for(lambda: d.manager.count('STOPPING=1'), 'STOPPING=1')
    same(d.manager.count('STOPPING=1'), 1, 'STOPPING=1')


@case()
def interrupted():
    """SIGINT, as of a terminal, is as good"""
    d = Daemon(service('a', Place(), run('hold')))
    same(d.stop(signal.SIGINT), 0, 'exit code')
    nothing_left(d)


@case()
def background():
    """The starter leaves when all serve; descriptors 0 to 2 lead elsewhere"""
    place = Place()
    d = Daemon(service('a', place, run('answer')), background=True)
    require(d.pid != d.process.pid, 'the starter itself serves')
    same(place.ask(b'word\n').split()[1], b'word', 'answer')
    same(process_session(d.pid), d.pid, 'session')
    for pid in d.ours():
        fds = process_fds(pid)
        if fds is None:
            continue    # not for everybody to see
        for fd in (0, 1):
            same(fds[fd], '/dev/null', 'descriptor %d of %d' % (fd, pid))
        require(START_DIR not in fds[2], 'the log is the starter\'s')
    same(d.stop(), 0, 'exit code')
    nothing_left(d)


@case()
def relative_paths():
    """-f, -p and -s are good after the change to /, and links may change"""
    where = scratch(0o755)
    place, other = Place(), Place()
    for name, at in (('one', place), ('two', other)):
        with open('%s/%s' % (where, name), 'w') as f:
            f.write(service('a', at, run('answer')))
    os.symlink('one', where + '/conf')
    exits(['-f', 'conf', '-p', 'pid', '-s', 'sock'], 0, '', cwd=where)
    with open(where + '/pid') as f:
        pid = int(f.read())
    session_remember(pid)
    place.ask(b'x\n')
    os.unlink(where + '/conf')
    os.symlink('two', where + '/conf')
    os.kill(pid, signal.SIGHUP)
    wait_for(lambda: not other.refused(), 'the other file')
    wait_for(place.refused, 'the end of the first file')
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not process_alive(pid), 'the end')
    same(sorted(os.listdir(where)), ['conf', 'one', 'two'], 'left behind')


@case()
def port_taken():
    """Said with file and line; nothing is started, nothing left"""
    place = Place()
    with socket.socket() as s:
        s.bind((place.host, place.port))
        s.listen()
        for background in (False, True):
            d = Daemon(service('a', Place(), run('answer')) +
                       service('b', place, run('answer')),
                       background=background, ready=False)
            same(d.wait(), 1, 'exit code')
            require(re.search(r'tcpserverd.conf:6: listen on \S+ port \d+: '
                              'unable to bind to .*: Address already in use',
                              d.log()), d.log())
            nothing_left(d)


@case()
def bad_configuration():
    """All errors at once, exit 1, nothing bound"""
    place = Place()
    text = service('a', place, 'exec "/nonexistent"') + \
        service('b', 'sessions many', 'bla', 'close')
    for background in (False, True):
        d = Daemon(text, background=background, ready=False)
        same(d.wait(), 1, 'exit code')
        require(len(re.findall(r'^\S+tcpserverd.conf:\d+: ', d.log(),
                               re.M)) >= 2, d.log())
        require(place.refused(), 'bound')
        nothing_left(d)


@case()
def rules_bad():
    """Rules that are no rules: as any other error of the file"""
    where = scratch(0o755)
    with open(where + '/rules', 'w') as f:
        f.write('127.:allow\n127.0.0.1:maybe\n')
    text = service('a', Place(), 'rules "%s/rules"' % where, run('answer'))
    d = Daemon(text, ready=False)
    same(d.wait(), 1, 'exit code')
    require('/rules:2: ' in d.log(), d.log())
    nothing_left(d)


@case()
def child_fails():
    """A child that can't start: the starter's exit code tells"""
    stage = scratch(0o755)
    os.makedirs(stage + '/sbin')
    shutil.copy(STAGE + '/sbin/tcpserverd', stage + '/sbin')
    for background in (False, True):
        d = Daemon(service('a', Place(), 'directory "/"', run('answer')),
                   background=background, ready=False, stage=stage,
                   prepare=lambda: resource.setrlimit(
                       resource.RLIMIT_NPROC, (0, 0)))
        if os.getuid() == 0:
            # No limit holds root: the program is gone when it is run again.
            d.process.kill()
            d.process.wait()
            skip('root can start processes without end')
        same(d.wait(), 111, 'exit code')
        nothing_left(d)


@case()
def second_refused():
    """Another with the same pid file, or the same socket"""
    place = Place()
    d = Daemon(service('a', place, run('answer')))
    exits(['-d', '-f', d.conf, '-p', d.pid_path, '-s', d.where + '/other'],
          1, r'pid: another one runs, pid %d\n' % d.pid)
    with open(d.where + '/b.conf', 'w') as f:
        f.write(service('b', Place(), 'close'))
    exits(['-d', '-f', d.where + '/b.conf', '-s', d.socket], 1,
          'another daemon has it')
    same(place.ask(b'still\n').split()[1], b'still', 'answer')
    d.order('show', 'status')
    same(d.stop(), 0, 'exit code')
    nothing_left(d)


@case()
def socket_stale():
    """What a killed daemon left is taken over, pid file and all"""
    place = Place()
    text = service('a', place, run('answer'))
    d = Daemon(text)
    os.kill(d.pid, signal.SIGKILL)
    d.wait()
    wait_for(lambda: place.refused(), 'the end of its engine')
    require(os.path.exists(d.socket) and os.path.exists(d.pid_path),
            'not what a kill leaves')
    done = subprocess.Popen([STAGE + '/sbin/tcpserverd', '-d', '-f', d.conf,
                             '-s', d.socket, '-p', d.pid_path],
                            stdin=subprocess.DEVNULL, preexec_fn=os.setsid)
    session_remember(done.pid)
    # Its port is there a moment before its socket.
    wait_for(lambda: d.ctl('show', 'status')[0] == 0, 'the next')
    require(not place.refused(), 'the port is not there')
    done.terminate()
    same(done.wait(DEADLINE_S), 0, 'exit code')
    require(not os.path.exists(d.socket), 'the socket was left')


@case()
def socket_of_others():
    """A file, a link and a socket of another kind stay what they are"""
    where = scratch(0o755)
    with open(where + '/conf', 'w') as f:
        f.write(service('a', Place(), 'close'))
    with open(where + '/file', 'w') as f:
        f.write('mine')
    os.symlink(where + '/file', where + '/link')
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(where + '/log')
    before = sorted((name, os.lstat(where + '/' + name).st_ino)
                    for name in os.listdir(where))
    for name in ('file', 'link', 'log'):
        exits(['-d', '-f', where + '/conf', '-s', '%s/%s' % (where, name)],
              1, 'socket "%s/%s": ' % (where, name))
    same(sorted((name, os.lstat(where + '/' + name).st_ino)
                for name in os.listdir(where)), before, 'files')


@case()
def pid_file_of_others():
    """No link is followed, and what is no pid file is not written over"""
    where = scratch(0o755)
    with open(where + '/conf', 'w') as f:
        f.write(service('a', Place(), 'close'))
    with open(where + '/mine', 'w') as f:
        f.write('mine' * 10)
    os.symlink(where + '/mine', where + '/link')
    for name in ('link', 'mine'):
        exits(['-d', '-f', where + '/conf', '-s', where + '/sock',
               '-p', '%s/%s' % (where, name)], 1, where + '/' + name)
    with open(where + '/mine') as f:
        same(f.read(), 'mine' * 10, 'the file')


@case()
def checked():
    """-n binds and locks nothing; -nv prints what is read as the same"""
    place = Place()
    text = 'p = "%d"\n' % place.port + service(
        'a', 'listen on %s port $p' % place.host, 'sessions 7',
        'environment set A "b c"', 'banner "x\\r\\n"', run('answer'))
    d = Daemon(service('other', place, run('answer')))
    with open(d.where + '/checked', 'w') as f:
        f.write(text)
    same(exits(['-n', '-f', d.where + '/checked', '-p', d.pid_path], 0,
               'configuration OK'), '', 'output of -n')
    printed = exits(['-nv', '-f', d.where + '/checked'], 0, 'OK')
    with open(d.where + '/again', 'w') as f:
        f.write(printed)
    same(exits(['-nv', '-f', d.where + '/again'], 0, 'OK'), printed, '-nv')
    require('port 77' in exits(['-nv', '-D', 'p=77', '-f',
                                d.where + '/checked'], 0, 'OK'), '-D')
    exits(['-n', '-f', d.where + '/nonexistent'], 1, 'nonexistent')
    exits(['-n', '-f', d.conf, 'word'], 1, '^usage: tcpserverd ')
    exits(['-x'], 1, 'usage: tcpserverd ')


@case()
def defined():
    """-D stands against the file, in reloads as well"""
    place = Place()
    d = Daemon('p = "1"\n' + service(
        'a', 'listen on %s port $p' % place.host, run('answer')),
        options=['-D', 'p=%d' % place.port])
    place.ask(b'x\n')
    d.hup()
    place.ask(b'x\n')
    same(d.stop(), 0, 'exit code')


@case()
def reload_during_start():
    """SIGHUP before it is ready ends nothing, and is obeyed in the end"""
    text = service('a', Place(), run('answer'))
    for ms in (0, 5, 10, 15, 20, 25, 30, 40):
        d = Daemon(text, ready=False)
        # As soon as it is the program itself.
        wait_for(lambda: process_command(d.pid).startswith(
            STAGE + '/sbin/tcpserverd'), 'exec')
        select.select([], [], [], ms / 1000)
        if not os.path.lexists(d.pid_path):
            # Not before it has begun; a signal that early is anybody's.
            wait_for(lambda: os.path.lexists(d.pid_path), 'the pid file')
        os.kill(d.pid, signal.SIGHUP)
        wait_for(lambda: d.lines('configuration reloaded') or
                 d.process.poll() is not None, 'the reload')
        same(d.stop(), 0, 'exit code')
        nothing_left(d)


@case()
def no_reload_at_the_end():
    """SIGHUP after SIGTERM takes no port again and starts nothing"""
    place = Place()
    d = Daemon(service('a', place, run('answer')))
    # Its launcher can't leave yet, so the parent waits for it.
    launcher = d.child('launcher')
    os.kill(launcher, signal.SIGSTOP)
    os.kill(d.pid, signal.SIGTERM)
    wait_for(place.refused, 'the end of the listener')
    os.kill(d.pid, signal.SIGHUP)
    wait_for(lambda: 'about to end' in d.log(), 'the refusal')
    require(place.refused(), 'bound again')
    os.kill(launcher, signal.SIGCONT)
    same(d.wait(), 0, 'exit code')
    same(d.lines('configuration reloaded'), [], 'reloads')
    nothing_left(d)


if __name__ == '__main__':
    main()
