#!/bin/sh
#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# finger@ [host [user]]: what a host tells about a user, on port 79.

host=${1-0}
user=${2-}

printf '%s\n' "$user" |
%BINDIR%/tcpclient -RHl0 -- "$host" 79 \
    sh -c '%BINDIR%/addcr >&7; exec %BINDIR%/delcr <&6' |
cat -v
