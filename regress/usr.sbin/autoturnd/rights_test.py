#!/usr/bin/env python3
# A spool that its user can't use, or that has none: said before anything is
# started, with the name of the directory.

import os
import sys
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *


def refused(text, pattern, **more):
    """By a start in either way, and by -n where that can see it"""
    for in_background in (False, True):
        d = Autoturn(text, background=in_background, ready=False, **more)
        same(d.wait(), 1, 'exit code')
        require(re.search(pattern, d.log()), 'log: %r' % d.log())
        d.wait_gone()
        for path in (d.socket, d.pid_path):
            require(not os.path.lexists(path), path + ' was left')
    return d


def check_refuses(d, pattern):
    done = subprocess.run([STAGE + '/sbin/autoturnd', '-n', '-f', d.conf],
                          stderr=subprocess.PIPE, check=False)
    same(done.returncode, 1, 'exit code of -n')
    require(re.search(pattern, done.stderr.decode()),
            '-n: %r' % done.stderr.decode())


@case(user='root')
def owners_differ():
    """Two Maildirs, two owners: both are named"""
    spool = Spool()
    one, two = customer_address(), customer_address()
    spool.maildir(one)
    spool.uid = OTHER_UID
    spool.maildir(two)
    pattern = r'conf:\d+: spool "%s": its Maildirs have several owners: ' \
        r'"\S+" is (nobody|uid 61001)\'s, "\S+" is (nobody|uid 61001)\'s' % \
        spool.path
    d = refused('spool "%s"\n' % spool.path, pattern)
    check_refuses(d, pattern)


@case(user='root')
def owner_is_root():
    """Never root, even if all is root's"""
    spool = Spool(uid=0)
    spool.gid = 0
    spool.maildir(customer_address())
    pattern = r'spool "%s": its Maildirs are root\'s: say user' % spool.path
    check_refuses(refused('spool "%s"\n' % spool.path, pattern), pattern)


@case(user='root')
def owner_unknown():
    """No Maildir, no owner; with a user an empty spool is fine"""
    spool = Spool()
    pattern = r'spool "%s": there is no Maildir yet' % spool.path
    check_refuses(refused('spool "%s"\n' % spool.path, pattern), pattern)
    d = Autoturn('spool "%s" user nobody\n' % spool.path)
    same(d.stop(), 0, 'exit code')


@case(user='root')
def spool_closed():
    """A directory on the way that the user may not pass"""
    where = scratch()
    spool = Spool(where=where)
    spool.maildir(customer_address())
    os.chmod(where, 0o700)
    pattern = r'spool "%s": Permission denied, as nobody' % spool.path
    check_refuses(refused('spool "%s"\n' % spool.path, pattern), pattern)


@case()
def maildir_closed():
    """Every Maildir is tried; all that fail are named"""
    spool = Spool()
    names = [customer_address(), customer_address()]
    for name in names:
        spool.maildir(name)
        os.chmod('%s/%s/new' % (spool.path, name), 0o500)
    text = 'spool "%s"\n' % spool.path
    d = refused(text, r'%s/%s/new": Permission denied, as ' %
                (spool.path, names[0]))
    check_refuses(d, r'%s/%s/new": Permission denied, as ' %
                  (spool.path, names[1]))
    if AS_ROOT:
        os.chmod('%s/%s/new' % (spool.path, names[0]), 0o700)
        os.chmod('%s/%s/new' % (spool.path, names[1]), 0o700)
        os.chown('%s/%s' % (spool.path, names[0]), 0, 0)
        refused(text + '\n', r'%s/%s/new": Permission denied, as nobody' %
                (spool.path, names[0]))


@case()
def state_closed():
    """The state directory can't be made, or is somebody's file"""
    spool = Spool()
    spool.maildir(customer_address())
    where = scratch()
    with open(where + '/state', 'w') as f:
        f.write('x')
    refused('spool "%s"\n' % spool.path, r'state directory "%s/state": ' %
            where, where=where)


@case()
def user_of_others():
    """Who is not root can't be another user"""
    if AS_ROOT:
        skip('root can')
    spool = Spool()
    spool.maildir(customer_address())
    refused('spool "%s" user daemon\n' % spool.path,
            r'user daemon: only root can')


main()
