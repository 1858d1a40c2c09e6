#!/usr/bin/env python3
# Maildirs as Debian's mail systems write them, and bounces through their
# sendmail.

import os
import sys

from atfcases import *

HERE = os.path.dirname(os.path.realpath(__file__))


def written(mta):
    """Has the mail system run; the output's directory."""
    output = os.getcwd()
    done = run(['unshare', '-mnpf', '--mount-proc', '--kill-child',
                sys.executable, HERE + '/mtas.py', mta, output], timeout=150)
    print(done.stdout)
    if done.returncode == 77:
        raise Skip(done.stderr.strip().split('\n')[-1])
    if 'unshare failed' in done.stderr:
        raise Skip('no namespaces of our own')
    same(done.returncode, 0, done.stderr[-2000:])
    return output


def look(path):
    with open(path, 'rb') as f:
        return run([HERE + '/headlook', ''], stdin=f).stdout.split('\n')[:-1]


def check_heads(output, wanted):
    """Each file is one of what is wanted, and is sent from Received on."""
    found = []
    for name in os.listdir(output + '/written'):
        lines = look(output + '/written/' + name)
        print(lines)
        same(lines[0], 'ok', name)
        holds(lines[-1].startswith('Received: '), 'is sent: %r' % lines[-1])
        found.append(lines[1:-1])
    same(sorted(found), sorted(wanted), 'envelopes')


def check_bounces(output, sends, nulls):
    """
    Each message is returned, the report too, and that is the end; what had
    no sender ends one step earlier.
    """
    if not os.path.exists(output + '/log'):
        print('bounces: the sendmail that is unpacked is another package\'s')
        return
    with open(output + '/log', encoding='ascii') as f:
        log = f.read()
    same(log.count(' returned '), 2 * sends + nulls, 'reports')
    same(log.count(': triple bounce\n'), sends + nulls, 'ends')
    holds(' warning: ' not in log, log)


@case(root=True, timeout=200)
def postfix():
    """Postfix, virtual(8): X-Original-To, Delivered-To quoted"""
    output = written('postfix')
    check_heads(output, [
        ['<joe@example.org>', '<user@virt.dom>'], ['<>', '<user@virt.dom>'],
        ['<a b@example.org>', '<c d@virt.dom>'],
        ['<x"y@example.org>', '<x-y@virt.dom>'],
        ['<x"y@example.org>', '<info@virt.dom>'],
        ['<x"y@example.org>', '<first.last@virt.dom>']])
    check_bounces(output, 5, 1)


@case(root=True, timeout=200)
def exim():
    """Exim, appendfile: Envelope-to folded, three recipients in one file"""
    output = written('exim')
    check_heads(output, [
        ['<joe@example.org>', '<user@virt.dom>'], ['<>', '<user@virt.dom>'],
        ['<a b@example.org>', '<c d@virt.dom>'],
        ['<x"y@example.org>', '<x-y@virt.dom>', '<info@virt.dom>',
         '<first.last@virt.dom>']])
    check_bounces(output, 3, 1)


@case(root=True, timeout=200)
def opensmtpd():
    """OpenSMTPD, maildir: no Return-Path for the null sender"""
    output = written('opensmtpd')
    check_heads(output, [
        ['<joe@example.org>', '<user@virt.dom>'], ['<>', '<user@virt.dom>'],
        ['<list+bounce=x@example.org>', '<x-y@virt.dom>'],
        ['<list+bounce=x@example.org>', '<info@virt.dom>'],
        ['<list+bounce=x@example.org>', '<first.last@virt.dom>']])
    check_bounces(output, 4, 1)


main()
