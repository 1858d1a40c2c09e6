#!/usr/bin/env python3
# The kill matrix, once; "bmake proof" makes its table of many rounds.

from matrix import *


def add(role, signal_name, loaded):
    def body():
        trial(role, signal_name, loaded)
    body.__name__ = '%s_%s_%s' % (role, signal_name.lower(),
                                  'load' if loaded else 'idle')
    body.__doc__ = '%s gets SIG%s' % (role, signal_name)
    case()(body)


for kind in KINDS:
    add(*kind)

if __name__ == '__main__':
    main()
