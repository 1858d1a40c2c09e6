#!/bin/sh
#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# tcpcat [host [port]]: whatever a host sends, as it is.

host=${1-0}
port=${2-17}

exec %BINDIR%/tcpclient -RHl0 -- "$host" "$port" sh -c 'exec cat <&6'
