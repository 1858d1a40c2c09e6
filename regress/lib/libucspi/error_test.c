/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Error texts: the ones people grep for, spelt out here a second time.
 */
#include <errno.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi.h"
#include "compat.h"

static const struct {
	int		 code;
	const char	*text;
} wanted[] = {
	{ 0, "no error" }, { EINTR, "interrupted system call" },
	{ ENOMEM, "out of memory" }, { ENOENT, "file does not exist" },
	{ ETXTBSY, "text busy" }, { EIO, "input/output error" },
	{ EEXIST, "file already exists" }, { ETIMEDOUT, "timed out" },
	{ EINPROGRESS, "operation in progress" },
	{ EAGAIN, "temporary failure" }, { EWOULDBLOCK, "temporary failure" },
	{ EPIPE, "broken pipe" }, { EPERM, "permission denied" },
	{ EACCES, "access denied" }, { ENXIO, "device not configured" },
	{ EPROTO, "protocol error" }, { EISDIR, "is a directory" },
	{ E2BIG, "argument list too long" }, { ENOEXEC, "exec format error" },
	{ EBADF, "file descriptor not open" }, { EFAULT, "bad address" },
	{ EBUSY, "device busy" }, { EXDEV, "cross-device link" },
	{ ENOTDIR, "not a directory" }, { EINVAL, "invalid argument" },
	{ ENFILE, "system cannot open more files" },
	{ EMFILE, "process cannot open more files" },
	{ EFBIG, "file too big" }, { ENOSPC, "out of disk space" },
	{ EROFS, "read-only file system" },
	{ EPROTONOSUPPORT, "protocol not supported" },
	{ EOPNOTSUPP, "operation not supported" },
	{ EAFNOSUPPORT, "address family not supported" },
	{ EADDRINUSE, "address already used" },
	{ EADDRNOTAVAIL, "address not available" },
	{ ENETDOWN, "network down" }, { ENETUNREACH, "network unreachable" },
	{ ENETRESET, "network reset" },
	{ ECONNABORTED, "connection aborted" },
	{ ECONNRESET, "connection reset" },
	{ ENOBUFS, "out of buffer space" }, { EISCONN, "already connected" },
	{ ENOTCONN, "not connected" }, { ECONNREFUSED, "connection refused" },
	{ ELOOP, "symbolic link loop" },
	{ ENAMETOOLONG, "file name too long" }, { EHOSTDOWN, "host down" },
	{ EHOSTUNREACH, "host unreachable" },
	{ ENOTEMPTY, "directory not empty" },
	{ EDQUOT, "disk quota exceeded" },
	{ ESTALE, "stale NFS file handle" },
	{ ENOSYS, "system call not available" },
	{ ENODEV, "unknown error" }, { EDOM, "unknown error" },
	{ -1, "unknown error" }, { 100000, "unknown error" },
};

ATF_TC_WITHOUT_HEAD(texts);
ATF_TC_BODY(texts, tc)
{
	size_t	i;

	for (i = 0; i < nitems(wanted); i++)
		ATF_CHECK_STREQ_MSG(wanted[i].text,
		    ucspi_strerror(wanted[i].code), "errno %d: \"%s\"",
		    wanted[i].code, ucspi_strerror(wanted[i].code));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, texts);
	return (atf_no_error());
}
