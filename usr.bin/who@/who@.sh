#!/bin/sh
#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# who@ [host]: who is there, as a host tells on port 11.

host=${1-0}

%BINDIR%/tcpclient -RHl0 -- "$host" 11 \
    sh -c 'exec %BINDIR%/delcr <&6' |
cat -v
