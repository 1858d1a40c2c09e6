# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
"""Cases that need root: identities, privileged ports, what root must lose."""

import os

from differential import PATH, case, table

VERBOSE = ['-vHRl0']
SOMEBODY = 65533
SOMEGROUP = 65532


def serve(side, options, program=('./probe', 'identity'), env=None,
          preexec=None, **kw):
    server = side.server(options, list(program), env=env, preexec=preexec,
                         **kw)
    server.ask()
    server.stop()


def has_groups():
    os.setgroups([0, 5, 6])


IDENTITIES = (
    ('both', ['-u', str(SOMEBODY), '-g', str(SOMEGROUP)], {}),
    ('group-alone', ['-g', str(SOMEGROUP)], {}),
    ('uid-alone', ['-u', str(SOMEBODY)], {}),
    ('junk-after', ['-u', '65533x', '-g', '65532:y'], {}),
    ('last-wins', ['-u1', '-u', str(SOMEBODY), '-g1', '-g2'], {}),
    ('zero', ['-u0', '-g0'], {}),
    ('environment', ['-U'], {'UID': str(SOMEBODY), 'GID': str(SOMEGROUP)}),
    ('environment-uid', ['-U'], {'UID': str(SOMEBODY)}),
    ('environment-gid', ['-U'], {'GID': str(SOMEGROUP)}),
    ('environment-none', ['-U'], {}),
    ('environment-then-u', ['-U', '-u', '7'], {'UID': '8', 'GID': '9'}),
    ('u-then-environment', ['-u', '7', '-U'], {'UID': '8', 'GID': '9'}),
    ('name-user', ['-u', 'nobody', '-g', str(SOMEGROUP)], {}),
    ('name-root', ['-u', 'root'], {}),
    ('name-unknown', ['-u', 'no-such-user'], {}),
    ('name-group', ['-u', str(SOMEBODY), '-g', 'nogroup'], {}),
    ('name-group-unknown', ['-u', str(SOMEBODY), '-g', 'no-such-group'], {}),
    ('environment-names', ['-U'], {'UID': 'nobody', 'GID': 'nogroup'}),
    ('empty', ['-u', '', '-g', ''], {}),
)


def serve_identity(side, options, extra):
    env = {'PATH': PATH}
    env.update(extra)
    serve(side, VERBOSE + options, env=env, preexec=has_groups)


table('root', 'identity', IDENTITIES, serve_identity)

DROPPED = ['-vHRl0', '-u', str(SOMEBODY), '-g', str(SOMEGROUP)]


@case('root')
def rules_with_identity(side):
    """The rules are opened with the identity of -u."""
    side.rules(b':deny\n')
    os.chmod(side.path('rules.cdb'), 0o600)
    serve(side, DROPPED + ['-x', 'rules.cdb'])
    serve(side, DROPPED + ['-X', '-x', 'rules.cdb'])
    os.chown(side.path('rules.cdb'), SOMEBODY, SOMEGROUP)
    serve(side, DROPPED + ['-x', 'rules.cdb'])


@case('root')
def rules_with_group(side):
    side.rules(b':deny\n')
    os.chmod(side.path('rules.cdb'), 0o640)
    os.chown(side.path('rules.cdb'), 0, SOMEGROUP)
    serve(side, DROPPED + ['-x', 'rules.cdb'])


@case('root')
def rules_directory_closed(side):
    os.mkdir(side.path('d'))
    side.rules(b':deny\n', 'd/rules.cdb')
    os.chmod(side.path('d'), 0o700)
    serve(side, DROPPED + ['-x', 'd/rules.cdb'])
    serve(side, DROPPED + ['-X', '-x', 'd/rules.cdb'])


@case('root')
def rules_changed_with_identity(side):
    side.rules(b':allow,A="1"\n')
    server = side.server(DROPPED + ['-x', 'rules.cdb'],
                         ['./probe', 'environment'])
    server.ask()
    side.rules(b':deny\n')
    server.ask()
    side.rules(b':allow,A="2"\n')
    server.ask()
    os.chmod(side.path('rules.cdb'), 0)
    server.ask()
    server.stop()


@case('root')
def program_closed_to_identity(side):
    os.chmod(side.path('probe'), 0o700)
    serve(side, DROPPED)
    os.mkdir(side.path('d'))
    side.write('d/tool', '#!/bin/sh\n', 0o755)
    os.chmod(side.path('d'), 0o700)
    serve(side, DROPPED, ['./d/tool'])
    serve(side, DROPPED, ['tool'], env={'PATH': 'd'})


@case('root')
def program_set_uid(side):
    """A set-uid program gains its owner's identity."""
    os.chown(side.path('probe'), 12345, 0)
    os.chmod(side.path('probe'), 0o4755)
    serve(side, DROPPED)


@case('root')
def program_set_gid(side):
    os.chown(side.path('probe'), 0, 12346)
    os.chmod(side.path('probe'), 0o2755)
    serve(side, DROPPED)


@case('root')
def privileged_port(side):
    """Bound as root, served as somebody."""
    serve(side, DROPPED, port='25')


def become_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


ORDINARY = (
    ('serves', []),
    ('own-ids', ['-u', '65534']),
    ('other-uid', ['-u', '1']),
    ('other-gid', ['-g', '1']),
    ('own-gid', ['-g', '65534']),
    ('both', ['-u', '1', '-g', '1']),
    ('quiet-other-uid', ['-q', '-u', '1']),
)


def serve_ordinary(side, options):
    serve(side, VERBOSE + options, preexec=become_nobody)


table('root', 'ordinary', ORDINARY, serve_ordinary)


@case('root')
def ordinary_privileged_port(side):
    serve(side, VERBOSE, preexec=become_nobody, port='25')


@case('root')
def ordinary_rules_unreadable(side):
    side.rules(b':deny\n')
    os.chmod(side.path('rules.cdb'), 0)
    serve(side, VERBOSE + ['-x', 'rules.cdb'], preexec=become_nobody)


@case('root')
def ordinary_tcprules_errors(side):
    """What root is never refused."""
    side.write('rules.cdb', 'old', 0o644)
    side.run(['tcprules', 'rules.cdb', 'rules.tmp'], stdin=b':deny\n',
             preexec=become_nobody)
    side.write('closed', '', 0o000)
    side.run(['tcprules', 'rules.cdb', 'closed'], stdin=b':deny\n',
             preexec=become_nobody)
    side.run(['tcprulescheck', 'closed'], preexec=become_nobody)
    os.mkdir(side.path('open'))
    os.chmod(side.path('open'), 0o777)
    side.run(['tcprules', 'rules.cdb', 'open/tmp'], stdin=b':deny\n',
             preexec=become_nobody)
    side.note('left', sorted(os.listdir(side.path('open'))))
    side.note('cdb', side.read('rules.cdb'))
