/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * How autoturnd(8) is told of new mail: a datagram for the spool's poke
 * socket, which holds the Maildir's name below the spool, or the customer's
 * name: its bytes without a NUL, nothing else.  What it holds is looked up,
 * never used as a name of a file: who may send one can cause a look, at most
 * one each second for each customer, and nothing more.  Nothing is answered;
 * a poke that gets lost costs time until the Maildir's turn comes.
 */
#ifndef POKE_H
#define POKE_H

#define POKE_SIZE_MAX	255

#endif
