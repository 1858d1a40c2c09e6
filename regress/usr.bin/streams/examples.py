"""Runs the EXAMPLES of a manual, as they are printed.

examples.py MANUAL      in a network namespace and a scratch directory

In a literal display a line that begins with a dollar is a command, the lines
after it are what it prints; without such lines it may print anything.  A
line that begins with tcpserver is a server, which runs until the end of its
display.  Process numbers of records are not compared.
"""

import os
import re
import signal
import subprocess
import sys
import time

from atfcases import displays

DEADLINE_S = 60


def listening():
    """How many sockets listen here."""
    count = 0
    for name in ('/proc/net/tcp', '/proc/net/tcp6'):
        with open(name, encoding='ascii') as f:
            count += sum(1 for line in f if line.split()[3] == '0A')
    return count


def serve(command):
    before = listening()
    server = subprocess.Popen(['sh', '-c', 'exec ' + command],
                              start_new_session=True)
    deadline = time.monotonic() + DEADLINE_S
    while listening() == before:
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit('does not listen: %s' % command)
        time.sleep(0.01)
    return server


def comparable(text):
    """The two ways of a record are not in an order that must be."""
    return sorted(re.sub(r'^\d+ (?=[<>] )', 'PID ', line)
                  for line in text.splitlines())


def run(command, wanted):
    done = subprocess.run(['sh', '-c', command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=DEADLINE_S, check=False)
    printed = done.stdout.decode('latin-1')
    print('$ %s\n%s' % (command, printed))
    if done.returncode != 0:
        sys.exit('status %d: %s' % (done.returncode, command))
    if wanted and comparable(printed) != comparable('\n'.join(wanted)):
        sys.exit('printed other than: %s' % '\n'.join(wanted))
    if not printed:
        sys.exit('printed nothing: %s' % command)


def run_display(lines):
    servers = []
    commands = []
    for line in lines:
        if line.startswith('tcpserver '):
            servers.append(serve(line))
        elif line.startswith('$ '):
            commands.append((line[2:], []))
        elif commands:
            commands[-1][1].append(line)
        else:
            sys.exit('neither a command nor a server: %s' % line)
    for command, wanted in commands:
        run(command, wanted)
    for server in servers:
        server.send_signal(signal.SIGTERM)
        server.wait()
    return len(commands)


def main():
    with open('index.html', 'w', encoding='ascii') as f:
        f.write('<p>It works.\n')
    count = sum(run_display(lines) for lines in displays(sys.argv[1]))
    if count == 0:
        sys.exit('%s: no examples' % os.path.basename(sys.argv[1]))


if __name__ == '__main__':
    main()
