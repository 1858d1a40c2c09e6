#!/usr/bin/env python3
# Ten thousand connections at once: each has its program; our processes do
# nothing while they are held, and the counts go to 0 exactly at the end.

from world import *

CROWD = 1000 if SANITIZED else 10000
# hold is small; what the kernel needs for a process is not nothing.
MEMORY_KB_EACH = 120


def room_for(count):
    """This machine can hold so many processes and descriptors"""
    files_limit(count + 500)
    with open('/proc/meminfo') as f:
        free = int(re.search(r'MemAvailable:\s*(\d+)', f.read()).group(1))
    if free < count * MEMORY_KB_EACH * 2:
        skip('needs %d MB of memory for %d programs, %d MB are free' % (
            count * MEMORY_KB_EACH * 2 // 1024, count, free // 1024))
    for name in ('pid_max', 'threads-max'):
        with open('/proc/sys/kernel/' + name) as f:
            if int(f.read()) < count + 2000:
                skip('kernel.%s is too small for %d programs' % (name, count))
    for path in ('/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max'):
        try:
            with open(path) as f:
                text = f.read().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < count + 2000:
            skip('the control group allows %s processes' % text)
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if os.getuid() != 0 and hard != resource.RLIM_INFINITY and \
            hard < count + 500:
        skip('needs %d processes, the limit here is %d' % (count, hard))
    if os.getuid() != 0 and soft != hard:
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))


def crowd_connect(server, count):
    """So many sockets, all connected"""
    poll = select.epoll()
    clients, pending, last = {}, set(), 0
    while len(clients) < count or pending:
        while len(clients) < count and len(pending) < 200:
            s = socket.socket()
            s.setblocking(False)
            # Several addresses: each has source ports of its own.
            s.connect_ex(('127.0.0.%d' % (len(clients) % 8 + 1), server.port))
            clients[s.fileno()] = s
            pending.add(s.fileno())
            poll.register(s.fileno(), select.EPOLLOUT)
        ready = poll.poll(DEADLINE_S)
        require(ready, 'no connection in %d s' % DEADLINE_S)
        for fd, _ in ready:
            error = clients[fd].getsockopt(socket.SOL_SOCKET,
                                           socket.SO_ERROR)
            require(error == 0, 'connect: %s' % os.strerror(error))
            poll.unregister(fd)
            pending.discard(fd)
    poll.close()
    return clients


def crowd_pids(clients):
    """What each one's program says: its pid"""
    poll = select.epoll()
    for fd in clients:
        poll.register(fd, select.EPOLLIN)
    pids = {}
    while len(pids) < len(clients):
        ready = poll.poll(DEADLINE_S)
        require(ready, '%d clients have no program' %
                (len(clients) - len(pids)))
        for fd, _ in ready:
            data = clients[fd].recv(64)
            require(re.match(rb'\d+\n$', data), 'a program said %r' % data)
            pids[fd] = int(data)
            poll.unregister(fd)
    poll.close()
    return pids


@case(timeout=240)
def ten_thousand():
    """-c 20000, ten thousand held, then all leave"""
    room_for(CROWD)
    server = Server(['-vRHl0', '-c', '20000', '-b', '1000'],
                    [helper('hold')], host='0')
    idle = {pid: memory_kb(pid) for pid in server.ours()}
    begin = time.monotonic()
    clients = crowd_connect(server, CROWD)
    pids = crowd_pids(clients)
    took = time.monotonic() - begin
    same(len(set(pids.values())), CROWD, 'programs')
    server.wait_status(CROWD)
    same(server.status(), (CROWD, 20000), 'status')
    sys.stderr.write('%d held after %.1f s, %d launchers\n' % (
        CROWD, took, len(server.children('launcher'))))
    quiet(server, 2)
    for pid in server.ours():
        sys.stderr.write('%s: %d kB, before %d kB\n' % (
            process_command(pid).split()[-1], memory_kb(pid),
            idle.get(pid, 0)))
    # Our processes hold none of the clients.
    for pid in server.ours():
        fds = process_fds(pid)
        require(fds is None or len(fds) < 100, 'descriptors of %s: %d' % (
            process_command(pid), len(fds or ())))
    # One more is served while they are there.
    begin = time.monotonic()
    s, _ = server.hold()
    sys.stderr.write('one more served in %.1f ms\n' % (
        (time.monotonic() - begin) * 1000))
    s.close()
    # Half of them leave, the rest stays.
    for fd in list(clients)[:CROWD // 2]:
        clients.pop(fd).close()
    server.wait_status(CROWD - CROWD // 2)
    # An engine that dies now counts what is left.
    old = server.child('engine')
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: [pid for pid in server.children('engine')
                      if pid != old], 'another engine')
    s, _ = server.hold()
    server.wait_status(CROWD - CROWD // 2 + 1)
    s.close()
    for s in clients.values():
        s.close()
    server.wait_lines(r'end \d+ status 0', CROWD + 2)
    server.wait_status(0)
    log_exact(server)
    same(max(server.status_sequence()), CROWD + 1, 'highest status')
    quiet(server)
    same(server.stop(), 0, 'exit status')


def memory_kb(pid):
    """What it holds alone"""
    try:
        with open('/proc/%d/status' % pid) as f:
            return int(re.search(r'RssAnon:\s*(\d+)', f.read()).group(1))
    except OSError:
        return 0


if __name__ == '__main__':
    main()
