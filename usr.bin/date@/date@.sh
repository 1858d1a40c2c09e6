#!/bin/sh
#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# date@ [host]: the time, as a host tells it on port 13.

host=${1-0}

%BINDIR%/tcpclient -RHl0 -- "$host" 13 \
    sh -c 'exec %BINDIR%/delcr <&6' |
cat -v
