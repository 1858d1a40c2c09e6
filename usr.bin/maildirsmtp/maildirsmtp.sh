#!/bin/sh
#
# Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
#
# maildirsmtp dir prefix host helohost [ port ]: all that waits in a Maildir,
# over one connection.

case $1 in
--)	shift ;;
-?*)	set -- ;;
esac
if [ $# -lt 4 ] || [ $# -gt 5 ]; then
	echo "maildirsmtp: usage: maildirsmtp dir prefix host helohost [ port ]" >&2
	exit 100
fi

exec %BINDIR%/maildirserial -b -t 1209600 -- "$1" "$2" \
    %BINDIR%/tcpclient -RHl0 -- "$3" "${5-25}" \
    %BINDIR%/serialsmtp -- "$2" "$4"
