/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the tests of imsg share: a channel of two ends, a peer that sends what
 * it likes, and descriptors that can be told apart.
 */
#ifndef IMSG_PEER_H
#define IMSG_PEER_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include <imsg.h>

#define PEER_FD_SCAN	4096		/* no test opens more */
#define PEER_FD_MARK	0x80000000U	/* imsg_hdr.len: has a descriptor */

static inline int
fd_count(void)
{
	int	fd, n = 0;

	for (fd = 0; fd < PEER_FD_SCAN; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return (n);
}

static inline void
fd_nonblock(int fd)
{
	int	flags;

	ATF_REQUIRE((flags = fcntl(fd, F_GETFL)) != -1);
	ATF_REQUIRE(fcntl(fd, F_SETFL, flags | O_NONBLOCK) != -1);
}

/* An open file of its own; *ino tells which. */
static inline int
fd_make(ino_t *ino)
{
	char		path[] = "fd.XXXXXXXXXX";
	struct stat	st;
	int		fd;

	ATF_REQUIRE((fd = mkstemp(path)) != -1);
	ATF_REQUIRE(unlink(path) != -1);
	ATF_REQUIRE(fstat(fd, &st) != -1);
	*ino = st.st_ino;
	return (fd);
}

static inline ino_t
fd_inode(int fd)
{
	struct stat	st;

	ATF_REQUIRE_MSG(fstat(fd, &st) != -1, "descriptor %d", fd);
	return (st.st_ino);
}

static inline void
pair_make(int sp[2])
{
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) != -1);
	fd_nonblock(sp[0]);
	fd_nonblock(sp[1]);
}

static inline void
channel_make(struct imsgbuf *a, struct imsgbuf *b, int fdpass)
{
	int	sp[2];

	pair_make(sp);
	ATF_REQUIRE_EQ(0, imsgbuf_init(a, sp[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_init(b, sp[1]));
	if (fdpass) {
		imsgbuf_allow_fdpass(a);
		imsgbuf_allow_fdpass(b);
	}
}

static inline void
channel_end(struct imsgbuf *ibuf)
{
	imsgbuf_clear(ibuf);
	ATF_REQUIRE(close(ibuf->fd) != -1);
}

/* Octets with descriptors on the first of them, past every check of ours. */
static inline void
raw_send(int s, const void *data, size_t len, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr	hdr;
		unsigned char	space[CMSG_SPACE(253 * sizeof(int))];
	}		 control;
	struct msghdr	 mh;
	struct iovec	 iov;
	struct cmsghdr	*cm;
	void		*p;

	memset(&mh, 0, sizeof(mh));
	memset(&iov, 0, sizeof(iov));
	ATF_REQUIRE((p = malloc(len)) != NULL);
	memcpy(p, data, len);
	iov.iov_base = p;
	iov.iov_len = len;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, nfds * sizeof(int));
	}
	ATF_REQUIRE_EQ((ssize_t)len, sendmsg(s, &mh, MSG_NOSIGNAL));
	free(p);
}

/* A header with any length in it. */
static inline struct imsg_hdr
raw_header(uint32_t type, uint32_t len)
{
	struct imsg_hdr	hdr;

	memset(&hdr, 0, sizeof(hdr));
	hdr.type = type;
	hdr.len = len;
	return (hdr);
}

#endif
