#!/usr/bin/env python3
# Debian's mail systems queue by mail.autoturn, as its manual's examples have
# it; autoturnd is poked by it and delivers to the customer's server.

import os
import sys

from atfcases import *

HERE = os.path.dirname(os.path.realpath(__file__))
MANUAL = '/libexec/mail.autoturn/mail.autoturn.8'
PLAIN = ['<joe@example.org>|<user@virt.dom>|Received',
         '<>|<user@virt.dom>|Received']
QUOTED = ['<"a b"@example.org>|<"c d"@virt.dom>|Received']


def several(sender):
    return ['<%s>|<%s@virt.dom>|Received' % (sender, user)
            for user in ('x-y', 'info', 'first.last')]


def delivered(mta, wanted):
    if not SOURCE:
        raise Skip('SOURCE does not name the source tree (see regress/check)')
    done = run(['unshare', '-mnpf', '--mount-proc', '--kill-child',
                sys.executable, HERE + '/queued.py', mta, SOURCE + MANUAL],
               timeout=150)
    print(done.stdout, done.stderr)
    if done.returncode == 77:
        raise Skip(done.stderr.strip().split('\n')[-1])
    if 'unshare failed' in done.stderr:
        raise Skip('no namespaces of our own')
    same(done.returncode, 0, done.stderr[-2000:])
    same(sorted(line for line in done.stdout.split('\n') if '|' in line),
         sorted(wanted), 'messages')


@case(root=True, timeout=200)
def postfix():
    """Postfix, pipe(8)"""
    delivered('postfix', PLAIN + QUOTED + several('"x\\"y"@example.org'))


@case(root=True, timeout=200)
def exim():
    """Exim, a pipe transport"""
    delivered('exim', PLAIN + QUOTED + several('"x\\"y"@example.org'))


@case(root=True, timeout=200)
def opensmtpd():
    """OpenSMTPD, mda"""
    delivered('opensmtpd', PLAIN + several('list+bounce=x@example.org'))


main()
