"""The cases of tcpclient and rblsmtpd, by ../tcpserver's driver.

differ.py check GROUP [CASE ...]
                        runs the cases of a group against Debian's ucspi-tcp
                        ($PEERS) and ours ($STAGE); fails unless those that
                        differ are those that the manuals' DEVIATIONS name
differ.py names         every name in a DEVIATIONS section is a case
differ.py list [GROUP]  the names of the cases
differ.py show CASE ... both records of some cases

Groups whose name ends in -net want a network of their own (see
../../tools/netns): they bind ports 53, 113 and 25.
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, os.pardir, 'tcpserver'))

import differential                                     # noqa: E402
import cases_client                                     # noqa: E402,F401
import cases_lists                                      # noqa: E402,F401

PROGRAMS = ('tcpclient', 'rblsmtpd')


def shard_keep(args):
    """
    Most of the time goes into waiting for Debian's programs to give up
    name servers, so shards run side by side, each in a network of its own.
    """
    nth, count = (int(word) for word in args.shard.split('/'))
    if args.action != 'check':
        return
    group = [name for name, (of, _) in differential.CASES.items()
             if of == args.names[0]]
    for n, name in enumerate(group):
        if n % count != nth - 1:
            del differential.CASES[name]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('action', choices=('check', 'names', 'list', 'show'))
    parser.add_argument('names', nargs='*')
    stage = os.environ.get('STAGE', '')
    peers = os.environ.get('PEERS', '')
    parser.add_argument('--stage', default=stage)
    parser.add_argument('--ours', default=os.path.join(stage, 'bin'))
    parser.add_argument('--theirs', default=os.path.join(peers, 'usr/bin'))
    parser.add_argument('--same', action='store_true',
                        help='no case may differ, whatever the manuals say')
    parser.add_argument('--shard', default='1/1',
                        help='N/M: only every Mth case, from the Nth on')
    args = parser.parse_args()
    shard_keep(args)
    differential.MANUALS = tuple(name + '.1' for name in PROGRAMS)
    return {'check': differential.check, 'names': differential.names,
            'show': differential.show,
            'list': differential.listing}[args.action](args)


if __name__ == '__main__':
    sys.exit(main())
