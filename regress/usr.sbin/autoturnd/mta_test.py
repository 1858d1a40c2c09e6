#!/usr/bin/env python3
# A spool as it stands, written by a real mail system, drained to a real
# server that refuses, stalls and drops; see mta_run.py.

import os
import sys
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *


def drained(mta):
    done = subprocess.run(
        ['unshare', '-mnpf', '--mount-proc', '--kill-child', sys.executable,
         os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      'mta_run.py'), mta],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, check=False, encoding='latin-1',
        timeout=DEADLINE_S * 6)
    sys.stderr.write(done.stdout[-5000:] + done.stderr[-15000:])
    if done.returncode == 77:
        skip(done.stderr.strip().split('\n')[-1])
    if 'unshare failed' in done.stderr:
        skip('no namespaces of our own')
    same(done.returncode, 0, 'exit code')


@case(user='root', timeout=200)
def postfix():
    """Postfix, virtual(8)"""
    drained('postfix')


@case(user='root', timeout=200)
def exim():
    """Exim, appendfile: several recipients in one file"""
    drained('exim')


main()
