# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""Test programs for kyua in Python.

@case(root=False, timeout=60) makes a function a test case, its docstring the
description; Skip(REASON) ends one, as does any other exception as a failure;
main() last.  A case runs in an empty directory of its own.
"""

import getopt
import os
import subprocess
import sys
import traceback

CASES = []
BIN = os.environ.get('STAGE', '') + '/bin/'
PEERS = os.environ.get('PEERS', '')
SOURCE = os.environ.get('SOURCE', '')


class Skip(Exception):
    """Why a case can't be run here."""


def case(root=False, timeout=60):
    def add(function):
        CASES.append((function, root, timeout))
        return function
    return add


def same(found, wanted, what):
    if found != wanted:
        raise AssertionError('%s: %r, not %r' % (what, found, wanted))


def holds(truth, what):
    if not truth:
        raise AssertionError(what)


def run(argv, **kw):
    """The finished process, its output as text."""
    kw.setdefault('stdin', subprocess.DEVNULL)
    kw.setdefault('timeout', 60)
    return subprocess.run(argv, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.PIPE, encoding='latin-1', **kw)


def displays(manual):
    """The lines of each literal display in a manual's EXAMPLES."""
    section, lines = '', None
    with open(manual, encoding='ascii') as f:
        for line in f:
            line = line.rstrip('\n').replace('\\&', '').replace('\\ ', ' ')
            line = line.replace('\\e', '\\')
            if line.startswith('.Sh '):
                section = line[4:]
            elif section == 'EXAMPLES' and line.startswith('.Bd -literal'):
                lines = []
            elif line == '.Ed' and lines is not None:
                yield lines
                lines = None
            elif lines is not None:
                lines.append(line)


def examples_run(manual, env=None):
    """
    Runs the displays in turn: after "$ " a command, which goes on after a
    backslash, the rest is what it prints.
    """
    count = 0
    for lines in displays(manual):
        script, wanted, more = '', '', False
        for line in lines:
            if line.startswith('$ ') or more:
                script += line[0 if more else 2:] + '\n'
                more = line.endswith('\\')
            else:
                wanted += line + '\n'
        done = run(['sh', '-ec', 'exec 2>&1\n' + script], env=env)
        print(done.stdout)
        same((done.stdout, done.returncode), (wanted, 0), script)
        count += 1
    holds(count > 0, '%s has no examples' % manual)


def cases_list():
    print('Content-Type: application/X-atf-tp; version="1"\n')
    print('\n'.join('ident: %s\ndescr: %s\ntimeout: %d\n%s' % (
        function.__name__, function.__doc__, timeout,
        'require.user: root\n' if root else '')
        for function, root, timeout in CASES))


def case_run(function):
    try:
        function()
    except Skip as skip:
        return 'skipped: %s' % skip, 0
    except Exception as error:              # whatever it is, it is told
        traceback.print_exc()
        return 'failed: %s' % ' '.join(str(error).split())[:300], 1
    return 'passed', 0


def main():
    words = sys.argv[1:]
    if words == ['-l']:
        cases_list()
        return
    options, words = getopt.getopt(words, 'r:s:v:')
    results = dict(options).get('-r', '/dev/stdout')
    names = {function.__name__: function for function, _, _ in CASES}
    if len(words) != 1 or words[0] not in names:
        sys.exit('no such test case: %r' % words)
    result, status = case_run(names[words[0]])
    with open(results, 'w', encoding='utf-8') as f:
        f.write(result + '\n')
    sys.exit(status)
