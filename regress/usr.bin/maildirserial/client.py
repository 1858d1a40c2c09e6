"""A client of maildirserial that does as it is told.

client.py LETTERS [TEXT]

For the first message the first of LETTERS, and so on, the last one for the
rest: a letter of a result; a dot is no result; a ! ends the client at once.
What it was told goes to the file $TOLD, one line for a start and for each
name.
"""

import os
import sys


def main():
    letters = sys.argv[1]
    text = sys.argv[2] if len(sys.argv) > 2 else '10.0.0.1 said: 250 ok'
    out = sys.stdout.buffer
    buf, count = b'', 0
    with open(os.environ['TOLD'], 'ab', buffering=0) as told:
        told.write(b'start\n')
        while True:
            more = os.read(0, 65536)
            if not more:
                break
            names = (buf + more).split(b'\0')
            buf = names.pop()
            for name in names:
                told.write(name + b'\n')
                letter = letters[min(count, len(letters) - 1)]
                count += 1
                if letter == '!':
                    return
                if letter != '.':
                    out.write(name + b'\0' + letter.encode() +
                              text.encode('latin-1') + b'\n')
                    out.flush()


main()
