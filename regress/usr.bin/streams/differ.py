"""The cases of the stream programs and small clients, by ../tcpserver's driver.

differ.py check GROUP   runs the cases of a group against Debian's ucspi-tcp
                        ($PEERS) and ours ($STAGE); fails unless those that
                        differ are those that the manuals' DEVIATIONS name
differ.py names         every name in a DEVIATIONS section is a case
differ.py list [GROUP]  the names of the cases
differ.py show CASE ... both records of some cases
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, os.pardir, 'tcpserver'))

import differential                                     # noqa: E402
import cases_clients                                    # noqa: E402,F401
import cases_copiers                                    # noqa: E402,F401
import cases_filters                                    # noqa: E402,F401
import cases_mconnect                                   # noqa: E402,F401

PROGRAMS = ('argv0', 'addcr', 'delcr', 'fixcrio', 'recordio', 'mconnect-io',
            'mconnect', 'who@', 'date@', 'finger@', 'http@', 'tcpcat')


run_case = differential.run_case
troubles = []


def run_case_whole(name, side):
    """A case that both sides fail to carry through shows nothing."""
    record = run_case(name, side)
    for line in record:
        if line.startswith('trouble: '):
            troubles.append('%s, %s: %s' % (name, side.name, line))
    return record


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
    args = parser.parse_args()
    differential.MANUALS = tuple(name + '.1' for name in PROGRAMS)
    differential.run_case = run_case_whole
    status = {'check': differential.check, 'names': differential.names,
              'show': differential.show,
              'list': differential.listing}[args.action](args)
    for line in troubles:
        print(line)
    return status or bool(troubles)


if __name__ == '__main__':
    sys.exit(main())
