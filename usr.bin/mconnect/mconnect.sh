#!/bin/sh
#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# mconnect [host [port]]: lets a person talk to a mail server.

host=${1-0}
port=${2-25}

exec %BINDIR%/tcpclient -RHl0 -- "$host" "$port" %BINDIR%/mconnect-io
