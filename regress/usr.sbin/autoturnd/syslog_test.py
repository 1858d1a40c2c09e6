#!/usr/bin/env python3
# In the background, with a syslogd that comes and goes: what the queue has to
# say of each letter is heard.  syslogd is ours, see ../tcpserverd/syslog_test.

import os
import sys
for other in ('tcpserverd', 'tcpserverd-daemon'):
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), os.pardir, other))
from autoturns import *


class Syslogd:
    def __init__(self):
        if os.path.exists('/dev/log'):
            os.unlink('/dev/log')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind('/dev/log')
        os.chmod('/dev/log', 0o666)
        self.socket.settimeout(DEADLINE_S)

    def expect(self, pattern):
        """The next message that is like that"""
        while True:
            message = self.socket.recv(65536).decode()
            sys.stderr.write(message + '\n')
            if re.search(pattern, message):
                return message


@case()
def syslogd_restarted():
    """Facility mail; a new syslogd hears of the very next letter"""
    own_dev()
    first = Syslogd()
    isp = Isp(front=False, autoturn=False)
    name = isp.names()[0]
    isp.daemon = Autoturn(isp.configuration(), background=True)
    letter = r'^<22>autoturnd\[\d+\]: .*event=message .*%s.* status=delivered'
    file = isp.spool.put(name)
    isp.daemon.ctl('run', name)
    first.expect(letter % file)
    first.expect('event=run .*result=ok')
    for _ in range(2):
        first.socket.close()
        first = Syslogd()
        file = isp.spool.put(name)
        wait_for(lambda: isp.daemon.ctl('run', name)[0] == 0, 'a run')
        first.expect(letter % file)
        first.expect('event=run .*result=ok')
    same(isp.daemon.stop(), 0, 'exit code')


main()
