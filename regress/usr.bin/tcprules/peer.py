#!/usr/bin/env python3
"""peer.py THEIRS OURS [SEED]: random rules through both tcprules.

THEIRS and OURS are directories with tcprules.  Messages, exit codes and the
bytes of the databases must be equal.  Lines hold no slash and no address
with a second colon: there ours differs on purpose.
"""

import os
import random
import subprocess
import sys

FILES = 120

ATOMS = [b'1', b'2.', b'10', b'255', b'-', b'.', b'@', b'=', b':', b'allow',
         b'deny', b',', b'"', b"'", b' ', b'\t', b'\r', b'A', b'RELAY', b'x',
         b'\0', b'#', b'host.', b'0', b'300', b'_', b'^', b'%', b'\xff']
ADDRESSES = [b'1.2.3.4', b'1.2.3.', b'1.', b'=a.b.c', b'=.b.c', b'=', b'',
             b'joe@1.2.3.4', b'joe@=a.b', b'@1.2.3.4', b'1-3.2.',
             b'1.2.3.1-5', b'1.-3.4', b'a', b' 1.2.', b'1.2.3.250-999',
             b'007-9', b'1\0a-2\0b.', b'18446744073709551617-2', b'1-2-3',
             b'_0', b'^a', b'fe80', b'[1.2.3.4]']
WORDS = [b'allow', b'deny'] * 4 + [b'Allow', b'deny ', b'']
VALUES = [b'', b'v', b'v w', b'a:deny', b'..', b'\0', b'x' * 9000]


def line(rng):
    if rng.random() < .35:
        return b''.join(rng.choice(ATOMS) for _ in range(rng.randrange(12)))
    text = rng.choice(ADDRESSES) + b':' + rng.choice(WORDS)
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 3])):
        quote = rng.choice([b'"', b"'", b'x', b'=', b',', b' '])
        text += (b',' + rng.choice([b'A', b'', b'PATH', b'a b', b'B']) +
                 b'=' + quote + rng.choice(VALUES) +
                 rng.choice([quote] * 9 + [b'z']))
    return text + rng.choice([b''] * 5 + [b' \t'])


def has_second_colon(text):
    """An address that might be IPv6: not 0.88's business."""
    first, _, rest = text.partition(b':')
    return not rest.startswith((b'allow', b'deny')) and (
        b':allow' in rest or b':deny' in rest)


def run(directory, text, name):
    done = subprocess.run(
        [os.path.join(directory, 'tcprules'), name, 'tmp'], input=text,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    data = None
    if os.path.exists(name):
        with open(name, 'rb') as f:
            data = f.read()
        os.unlink(name)
    return done.returncode, done.stdout, done.stderr, data


def main():
    theirs, ours = sys.argv[1:3]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    rng = random.Random(seed)
    counts = {0: 0, 100: 0}
    different = 0
    for _ in range(FILES):
        lines = [line(rng) for _ in range(rng.choice([1, 1, 1, 2, 5, 30]))]
        lines = [text for text in lines if not has_second_colon(text)]
        if rng.random() < .6:
            lines = [text for text in lines
                     if run(theirs, text + b'\n', 'try')[0] == 0]
        text = b'\n'.join(lines) + rng.choice([b'', b'\n'])
        first = run(theirs, text, 'theirs')
        second = run(ours, text, 'ours')
        counts[first[0]] = counts.get(first[0], 0) + 1
        if first != second:
            different += 1
            print('differs: %r\n theirs %r\n ours   %r' %
                  (text, first[:3], second[:3]))
    print('seed %d %r %d differ' % (seed, counts, different))
    # Both kinds must have been among them.
    return 1 if different or not counts[0] or not counts[100] else 0


if __name__ == '__main__':
    sys.exit(main())
