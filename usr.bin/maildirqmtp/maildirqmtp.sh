#!/bin/sh
#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# maildirqmtp dir prefix host [ port ]: all that waits in a Maildir,
# over one connection.

case $1 in
--)	shift ;;
-?*)	set -- ;;
esac
if [ $# -lt 3 ] || [ $# -gt 4 ]; then
	echo "maildirqmtp: usage: maildirqmtp dir prefix host [ port ]" >&2
	exit 100
fi

exec %BINDIR%/maildirserial -b -t 1209600 -- "$1" "$2" \
    %BINDIR%/tcpclient -RHl0 -- "$3" "${4-209}" \
    %BINDIR%/serialqmtp -- "$2"
