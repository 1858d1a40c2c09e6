/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * One call per role: what the process that calls it may do from then on.
 * The caller names its role, the backend (one file per system) chooses the
 * means; nothing outside this directory knows pledge(2), capsicum(4),
 * seccomp(2) or Landlock.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

/*
 * Each returns 0, or -1 with errno: the caller must then not go on.  To be
 * called once, after descriptors are open, identity is dropped and
 * event_init(3) has run.  What "can never" means is refused by the kernel,
 * with the exceptions that a backend's file opens with: OpenBSD's engine
 * could connect, FreeBSD's could make a socket that reaches nobody, and
 * FreeBSD's resolver is outside capability mode; NetBSD confines nothing.
 *
 * sandbox_engine: may accept, read, write, send and receive descriptors,
 * ask the time.  Can never open a file, exec, connect, make a socket.
 * sandbox_resolver: may make UDP and TCP sockets and connect them, for DNS
 * and ident.  Can never open a file (its configuration is read before),
 * exec, listen.
 * sandbox_parent, sandbox_launcher: pledge(2) where there is one; elsewhere
 * they only make the process untraceable (not dumpable), since anything
 * stronger would be inherited by the programs they start and break those
 * that are set-uid.
 *
 * sandbox_queue: autoturnd's.  The two directories are given both ways, open
 * and by absolute path, without symbolic links, since systems differ in which
 * they want.  Below them it may open, create, rename, link, remove and list
 * files, make directories, lock (flock), truncate and sync, all by *at(2)
 * calls relative to these descriptors or such as were opened from them; it
 * may watch for changes (kqueue; inotify, whose paths are relative to the
 * current directory: be in the spool before), and send and receive
 * descriptors.  Can never open anything elsewhere, make a socket, connect,
 * accept, exec, change a mode or an owner, make a symbolic link, a FIFO, a
 * set-uid file, remove a directory, or leave its current directory.  Who gives
 * it a datagram socket shuts it down for writing: on Linux it could name an
 * address there.  Linux without Landlock of ABI 2 (5.19) can't tell the
 * directories from others: there its uid is the bound, as on NetBSD.
 * sandbox_relay: autoturnd's.  May receive descriptors, read files and talk on
 * sockets it was given.  Can never open a file, make a socket, connect,
 * accept, exec.  Sets no socket options (OpenBSD would need a promise that
 * permits connect(2)): who hands over a socket sets TCP_NODELAY.
 * sandbox_mailer: autoturnd's: as sandbox_launcher, but that on OpenBSD it
 * opens nothing either.
 */
int		 sandbox_engine(void);
int		 sandbox_resolver(void);
int		 sandbox_parent(void);
int		 sandbox_launcher(void);
int		 sandbox_queue(int, const char *, int, const char *);
int		 sandbox_relay(void);
int		 sandbox_mailer(void);

/*
 * sandbox_conversation: may read, write and end, nothing else: not even
 * poll(2), so its descriptors must be blocking ones, nor set the action of a
 * signal, nor return from its handler.  For a small program that has nothing
 * left to do than to talk to a stranger.  Returns as above, but on a bare
 * host (an old kernel, a container that has its own idea) the caller may go
 * on with less.  Needs no library: a program that is linked with this role
 * alone starts as quickly as without.  Not seen by sandbox_backend().
 */
int		 sandbox_conversation(void);

/*
 * sandbox_backend: what the last call put in force, for the log.  Static.
 * "pledge"		OpenBSD, every role
 * "capsicum"		FreeBSD, engine, queue and relay
 * "limits, outside capability mode"	FreeBSD, resolver
 * "seccomp+landlock", "seccomp"	Linux, all but the untraceable; with
 *			", sanitizer build" when built for -fsanitize
 * "untraceable"	FreeBSD and Linux, parent, launcher and mailer
 * "none"		NetBSD, or before any call
 */
const char	*sandbox_backend(void);

#endif
